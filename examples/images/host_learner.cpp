// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "learner_maker.hpp"

std::unique_ptr<images::Learner> images::make_learner(LearnerRequest const& request,
                                                      zero::ThreadCommunicator& communicator) {
  return make_learner_of(request, HostPlace(), communicator);
}
