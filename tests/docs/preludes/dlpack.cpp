// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <zero/adapters/dlpack.hpp>

void train(zero::ParameterList const& list);

void adopt(zero::dlpack::abi::ManagedTensorVersioned* foreign_values,
           zero::dlpack::abi::ManagedTensorVersioned* foreign_gradients) {
  // block
}
