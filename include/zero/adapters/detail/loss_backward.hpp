// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/error.hpp>

#include <torch/torch.h>

namespace zero::libtorch::detail {

/// Runs backward from \p loss, multiplied with the loss scale. \throws ConfigurationError for what it cannot begin at.
inline void run_backward(::torch::Tensor const& loss, float scale) {
  if (!loss.defined() || loss.numel() != 1) {
    throw ConfigurationError(
        "zero::libtorch: the function of micro_batch() must return the loss, a tensor of one "
        "element: take its mean()");
  }
  if (!loss.requires_grad()) {
    throw ConfigurationError(
        "zero::libtorch: the loss of micro_batch() has no graph: compute it with gradients enabled, "
        "from the module's parameters, and without detach()");
  }
  if (scale != 1.0F && loss.scalar_type() == ::at::kHalf) {
    throw ConfigurationError(
        "zero::libtorch: the loss is Half, in which the loss scale overflows: compute it in Float, "
        "from logits.to(torch::kFloat)");
  }
  (scale == 1.0F ? loss : loss * scale).backward();
}

}  // namespace zero::libtorch::detail
