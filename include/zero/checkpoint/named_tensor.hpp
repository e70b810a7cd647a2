// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/precision.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace zero {

/// A tensor of the caller's that is no parameter and belongs to the model all the same, such as the statistics of a
/// BatchNorm. A checkpoint holds it whole, under its name, and loads it at any number of ranks.
struct NamedTensor {
  std::string name;                      ///< no other tensor's and no parameter's
  std::vector<std::size_t> shape;        ///< row-major; no dimension is 0; an empty shape is one element
  ElementType type = ElementType::fp32;  ///< of an element
  void* data = nullptr;                  ///< host memory, borrowed until the call returns
};

namespace detail {

/// The type of a tensor's elements; ill-formed for one that a checkpoint has no name for.
template <class Element>
constexpr ElementType tensor_type() noexcept {
  if constexpr (std::is_same_v<Element, float> || std::is_same_v<Element, float16> ||
                std::is_same_v<Element, bfloat16>) {
    return element_type<Element>;
  } else if constexpr (std::is_same_v<Element, double>) {
    return ElementType::fp64;
  } else if constexpr (std::is_same_v<Element, bool>) {
    return ElementType::boolean;
  } else {
    constexpr bool is_signed = std::is_signed_v<Element>;
    static_assert(std::is_integral_v<Element> && (is_signed || sizeof(Element) == 1),
                  "zero::named_tensor: a checkpoint holds float, double, zero::float16, zero::bfloat16, bool, signed "
                  "integers and bytes that are not const");
    return sizeof(Element) == 8   ? ElementType::int64
           : sizeof(Element) == 4 ? ElementType::int32
           : sizeof(Element) == 2 ? ElementType::int16
           : is_signed            ? ElementType::int8
                                  : ElementType::uint8;
  }
}

}  // namespace detail

/// The tensor \p name of the shape \p shape at \p data, which is borrowed.
template <class Element>
[[nodiscard]] NamedTensor named_tensor(std::string name, std::vector<std::size_t> shape, Element* data) {
  return {std::move(name), std::move(shape), detail::tensor_type<Element>(), data};
}

}  // namespace zero
