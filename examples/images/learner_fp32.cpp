// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "learner_half.hpp"
#include "learner_maker.hpp"

std::unique_ptr<images::Learner> images::make_learner(LearnerRequest const& request,
                                                      zero::ThreadCommunicator& communicator) {
  auto const& precision = request.settings.precision;
  if (precision && precision->compute != zero::ElementType::fp32) return make_half_learner(request, communicator);
  return make_learner_of<zero::config::Types<zero::FP32>>(request, HostPlace(), communicator);
}
