// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "cuda_place.hpp"
#include "engines.hpp"
#include "learner.hpp"

namespace images {

template <class Communicator>
std::unique_ptr<Learner> make_cuda_learner(LearnerRequest const& request, Communicator& communicator, int device) {
  return in_one_line([&] {
    using Types = zero::config::Types<zero::FP32, zero::BF16, zero::FP16>;
    return make_learner_of<Types>(request, CudaPlace(device, request.threads), communicator);
  });
}

}  // namespace images
