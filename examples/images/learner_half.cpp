// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "learner_half.hpp"

#include "learner_maker.hpp"

std::unique_ptr<images::Learner> images::make_half_learner(LearnerRequest const& request,
                                                           zero::ThreadCommunicator& communicator) {
  return make_learner_of<zero::config::Types<zero::BF16, zero::FP16>>(request, HostPlace(), communicator);
}
