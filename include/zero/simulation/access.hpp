// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace zero::simulation {

/// Bytes that something reads or writes.
struct Access {
  std::uintptr_t begin = 0;  ///< address of the first byte
  std::size_t bytes = 0;     ///< bytes
  bool writes = false;       ///< or only reads

  /// Address after the last byte.
  [[nodiscard]] std::uintptr_t end() const noexcept { return begin + bytes; }
};

[[nodiscard]] inline Access reads(void const* from, std::size_t bytes) noexcept {
  return {reinterpret_cast<std::uintptr_t>(from), bytes, false};
}
[[nodiscard]] inline Access writes(void const* to, std::size_t bytes) noexcept {
  return {reinterpret_cast<std::uintptr_t>(to), bytes, true};
}
template <class Element, std::size_t extent>
[[nodiscard]] Access reads(std::span<Element, extent> values) noexcept {
  return reads(values.data(), values.size_bytes());
}
template <class Element, std::size_t extent>
[[nodiscard]] Access writes(std::span<Element, extent> values) noexcept {
  return writes(values.data(), values.size_bytes());
}

}  // namespace zero::simulation
