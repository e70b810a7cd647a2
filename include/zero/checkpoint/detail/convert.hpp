// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/kernels/cast.hpp>
#include <zero/precision.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <span>

namespace zero::detail {

/// Calls \p f with an object of the type that \p type stands for, one that parameters can be of.
template <class Function>
void with_element_type(ElementType type, Function&& f) {
  switch (type) {
    case ElementType::fp32:
      return f(float{});
    case ElementType::fp16:
      return f(float16{});
    case ElementType::bf16:
      return f(bfloat16{});
    default:
      return;
  }
}

/// Hands the elements of \p from to `f(bytes)` as those of another type, rounded to nearest even where that is
/// narrower, a little at a time. 16-bit types meet in fp32, which holds both.
template <class Function>
void convert_elements(std::span<std::byte const> from, ElementType from_type, ElementType to_type, Function&& f) {
  constexpr std::size_t at_once = 4096;
  std::array<float, at_once> wide;
  alignas(float) std::array<std::byte, at_once * sizeof(float)> source, result;
  std::size_t const size = element_size(from_type);
  for (std::size_t done = 0; done < from.size(); done += at_once * size) {
    std::size_t const bytes = (std::min)(at_once * size, from.size() - done), n = bytes / size;
    std::memcpy(source.data(), from.data() + done, bytes);  // which is not always aligned
    with_element_type(from_type, [&]<class Element>(Element) {
      cast(best_instruction_set(), wide.data(), reinterpret_cast<Element const*>(source.data()), n);
    });
    with_element_type(to_type, [&]<class Element>(Element) {
      cast(best_instruction_set(), reinterpret_cast<Element*>(result.data()), wide.data(), n);
    });
    f(std::span<std::byte const>(result).first(n * element_size(to_type)));
  }
}

}  // namespace zero::detail
