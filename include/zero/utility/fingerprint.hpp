// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/support/out_of_line.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

namespace zero {

/// FNV-1a, 64 bits: Fowler, Noll and Vo. A fingerprint against mistakes, not against malice.
class Fingerprint {
 public:
  /// Of nothing.
  Fingerprint() = default;
  /// Goes on from the value \p of what came before.
  explicit Fingerprint(std::uint64_t of) noexcept : value_(of) {}

  /// Takes \p bytes in.
  ZERO_OUT_OF_LINE void add(std::span<std::byte const> bytes) noexcept {
    for (auto byte : bytes) value_ = (value_ ^ static_cast<std::uint64_t>(byte)) * 0x100000001B3U;
  }
  /// The characters of \p text, without its length.
  void add_text(std::string_view text) noexcept { add(std::as_bytes(std::span(text))); }
  /// The object representation of \p value.
  template <class Type>
  requires std::is_trivially_copyable_v<Type>
  void add(Type const& value) noexcept { add({reinterpret_cast<std::byte const*>(&value), sizeof value}); }
  /// Of all bytes so far.
  [[nodiscard]] std::uint64_t value() const noexcept { return value_; }

 private:
  std::uint64_t value_ = 0xCBF29CE484222325U;
};

/// The fingerprint of one text.
[[nodiscard]] inline std::uint64_t fingerprint_of(std::string_view text) noexcept {
  Fingerprint fingerprint;
  fingerprint.add_text(text);
  return fingerprint.value();
}

}  // namespace zero
