// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <bit>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace zero::detail {

template <class Value>
struct RawBytes {
  unsigned char at[sizeof(Value)];
};

/// Whether byte \p Index of a \p Value belongs to its value: an expression that reads another one is no constant. False
/// for every byte where `Value{}` is none either.
template <class Value, std::size_t Index>
concept byte_of_value = requires {
  typename std::integral_constant<unsigned char, std::bit_cast<RawBytes<Value>>(Value{}).at[Index]>;
};

/// Sets what of \p bytes, a copy of a \p Value, is padding to 0: what it holds depends on the compiler and on what lay
/// there before. Nothing where `Value{}` is no constant expression.
template <class Value>
void clear_padding(std::byte* bytes) noexcept {
  auto const clear = [bytes]<std::size_t... Index>(std::index_sequence<Index...>) {
    if constexpr ((byte_of_value<Value, Index> || ...)) {
      ((byte_of_value<Value, Index> ? void() : void(bytes[Index] = std::byte{})), ...);
    }
  };
  clear(std::make_index_sequence<sizeof(Value)>());
}

}  // namespace zero::detail
