// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <zero/adapters/libtorch.hpp>

#include <vector>

torch::Tensor forward(std::vector<torch::nn::Linear>& blocks, torch::Tensor x) {
  // block
  return x;
}
