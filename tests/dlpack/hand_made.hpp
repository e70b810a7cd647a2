// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/adapters/dlpack.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace dlpack_test {

/// A tensor of another producer's: fp32 of 2 x 3, of DLPack 1.0, until a test makes something else of it.
template <class Managed>
struct HandMade {
  alignas(64) float numbers[6] = {0, 1, 2, 3, 4, 5};
  std::vector<std::int64_t> shape{2, 3}, strides{3, 1};
  int ended = 0;  ///< calls of the deleter
  Managed managed{};

  HandMade() {
    managed.manager_ctx = this;
    managed.deleter = [](Managed* self) { ++static_cast<HandMade*>(self->manager_ctx)->ended; };
    managed.dl_tensor = {numbers, zero::dlpack::host(), 2, {}, shape.data(), strides.data(), 0};
  }
  zero::dlpack::abi::Tensor& tensor() { return managed.dl_tensor; }
};
using Versioned = HandMade<zero::dlpack::abi::ManagedTensorVersioned>;
using Unversioned = HandMade<zero::dlpack::abi::ManagedTensor>;

/// What \p f throws of the type \p Error; any other exception goes on.
template <class Error, class Function>
std::string error_of(Function&& f) {
  try {
    f();
  } catch (Error const& error) {
    return error.what();
  }
  return "nothing";
}

}  // namespace dlpack_test
