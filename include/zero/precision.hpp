// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/kernels/cast.hpp>
#include <zero/loss_scaler.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace zero {

/// Types of elements. Parameters, gradients and sums are of the first three; the others are of tensors that a
/// checkpoint holds beside parameters.
enum class ElementType : std::uint8_t { fp32, fp16, bf16, fp64, int64, int32, int16, int8, uint8, boolean };
inline constexpr std::size_t element_types = 10;

/// Single precision: IEEE 754 binary32.
struct FP32 {
  /// Type of an element.
  using type = float;
  /// The same as a value.
  static constexpr ElementType element = ElementType::fp32;
};

/// IEEE 754 binary16.
struct FP16 {
  /// Type of an element.
  using type = float16;
  /// The same as a value.
  static constexpr ElementType element = ElementType::fp16;
};

/// bfloat16: the upper half of a binary32.
struct BF16 {
  /// Type of an element.
  using type = bfloat16;
  /// The same as a value.
  static constexpr ElementType element = ElementType::bf16;
};

template <class Type>
inline constexpr ElementType element_type = std::is_same_v<Type, float>     ? ElementType::fp32
                                            : std::is_same_v<Type, float16> ? ElementType::fp16
                                                                            : ElementType::bf16;

[[nodiscard]] constexpr std::size_t element_size(ElementType type) noexcept {
  constexpr std::array<std::size_t, element_types> sizes{4, 2, 2, 8, 8, 4, 2, 1, 1, 1};
  return sizes[static_cast<std::size_t>(type)];
}
[[nodiscard]] constexpr std::string_view name(ElementType type) noexcept {
  constexpr std::array<std::string_view, element_types> names{"fp32",  "fp16",  "bf16", "fp64",  "int64",
                                                              "int32", "int16", "int8", "uint8", "bool"};
  return names[static_cast<std::size_t>(type)];
}
/// Whether parameters can be of that type.
[[nodiscard]] constexpr bool is_parameter_type(ElementType type) noexcept { return type <= ElementType::bf16; }

/// The third policy of an engine. \tparam Compute type of parameters and gradients; \tparam Scale the loss scaler;
/// \tparam Sum type in which reduced gradients are summed and kept. fp32 master weights exist exactly when Compute is
/// narrower than fp32 (or the states are offloaded, where the host keeps its own copy).
template <class Compute, class Scale = NoScale, class Sum = FP32>
struct Precision {
  /// Type of parameters and gradients.
  using compute = Compute;
  /// The loss scaler.
  using scale = Scale;
  /// Type of sums of gradients.
  using sum = Sum;
};

template <class Prec>
concept precision_policy = requires {
  typename Prec::compute::type;
  typename Prec::scale;
  typename Prec::sum::type;
};
static_assert(precision_policy<Precision<BF16>>);

}  // namespace zero
