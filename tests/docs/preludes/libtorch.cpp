// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <zero/adapters/libtorch.hpp>

#include <string>

void train(torch::nn::Module& net, zero::ThreadCommunicator& ranks) {
  // block
}
