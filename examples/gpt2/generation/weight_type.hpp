// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstddef>
#include <cstdint>

namespace gpt2 {

/// How the matrices of a model that generates text are kept. Activations and sums are fp32 with all of them; with int8
/// each row of activations is rounded to 16 bits before a product.
enum class WeightType : std::uint8_t { fp32, bf16, fp16, int8 };

[[nodiscard]] constexpr std::size_t size_of(WeightType type) noexcept {
  return type == WeightType::fp32 ? 4 : type == WeightType::int8 ? 1 : 2;
}

[[nodiscard]] constexpr char const* name(WeightType type) noexcept {
  switch (type) {
    case WeightType::fp32:
      return "fp32";
    case WeightType::bf16:
      return "bf16";
    case WeightType::fp16:
      return "fp16";
    case WeightType::int8:
      break;
  }
  return "int8";
}

}  // namespace gpt2
