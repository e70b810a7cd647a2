// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace gpt2 {

/// Where the tokens of a shard lie in its file. All formats are little-endian:
///
///   nanoGPT              tokens of 16 bits, and nothing else
///   llm.c, GPT-2         a header of 256 32-bit integers (20240520, version 1, number of tokens), tokens of 16 bits
///   llm.c, Llama 3       a header of 256 32-bit integers (20240801, version 7, number of tokens), tokens of 32 bits
struct ShardLayout {
  std::size_t header_bytes = 0;
  std::size_t token_bytes = 2;
  std::uint64_t tokens = 0;
  std::size_t usual_vocabulary = 0;  ///< of the tokenizer that the format was made for

  /// How many first bytes of a file `parse` looks at, if there are as many.
  static constexpr std::size_t head_bytes = std::size_t{16} << 10;

  /// \p head: the first bytes of a file of \p file_bytes bytes, `head_bytes` of them or all. \p name is for messages.
  /// \throws DataError for what is none of the formats, is cut off, or has another byte order.
  [[nodiscard]] static ShardLayout parse(std::string const& name, std::string_view head, std::uint64_t file_bytes);
};

}  // namespace gpt2
