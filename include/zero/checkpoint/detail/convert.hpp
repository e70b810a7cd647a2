// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine_state.hpp>
#include <zero/error.hpp>
#include <zero/kernels/cast.hpp>
#include <zero/precision.hpp>
#include <zero/support/message.hpp>
#include <zero/utility/shortest_number.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

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

/// The bits of the smallest positive fp32 that is infinite once it is rounded to \p type.
[[nodiscard]] constexpr std::uint32_t first_infinite_bits(ElementType type) noexcept {
  if (type == ElementType::fp16) return 0x477F'F000U;  // 65520: half a unit above the largest one, 65504
  if (type == ElementType::bf16) return 0x7F7F'8000U;
  return 0x7F80'0000U;
}

/// For files that others read, where an infinity would only be found by what it does. \throws CheckpointError
/// (bad_request) where a finite element of the tensor \p name is too large for \p to_type.
inline void expect_in_range(std::string_view name, std::span<std::byte const> from, ElementType from_type,
                            ElementType to_type) {
  if (first_infinite_bits(to_type) >= first_infinite_bits(from_type)) return;
  convert_elements(from, from_type, ElementType::fp32, [&](std::span<std::byte const> part) {
    for (std::size_t at = 0; at < part.size(); at += sizeof(float)) {
      std::uint32_t bits = 0;
      std::memcpy(&bits, part.data() + at, sizeof bits);
      bits &= 0x7FFF'FFFFU;
      if (bits < first_infinite_bits(to_type) || bits >= first_infinite_bits(ElementType::fp32)) continue;
      float value = 0.0F;
      std::memcpy(&value, part.data() + at, sizeof value);
      throw CheckpointError(
          CheckpointFailure::bad_request,
          concat({"zero: ", quote(name), " has an element of ", shortest_number(value), ", which is infinite in ",
                  zero::name(to_type), ": write it in a type of a larger range, such as fp32"}));
    }
  });
}

/// Sets elements of \p range from those of another type.
inline void write_converted(EngineState& state, StateRange const& range, std::uint64_t first,
                            std::span<std::byte const> from, ElementType type) {
  if (type == range.type) return state.write(range, first, from);
  convert_elements(from, type, range.type, [&](std::span<std::byte const> part) {
    state.write(range, first, part);
    first += part.size() / element_size(range.type);
  });
}

}  // namespace zero::detail
