// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "text/model.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace zero_text {

/// Merges the bytes of words: always the two neighbours whose merge comes first, of equal ones the leftmost. Of one
/// thread.
class WordMerger {
 public:
  explicit WordMerger(Vocabulary const& vocabulary) : vocabulary_(vocabulary) {}

  /// Appends the tokens of \p word to \p out. \throws DataError for a byte that has no token.
  void merge(std::string_view word, std::vector<TokenId>& out);

 private:
  void merge_short(std::vector<TokenId>& out);
  void merge_long(std::vector<TokenId>& out);
  [[nodiscard]] std::uint32_t rank(std::size_t left, std::size_t right) const noexcept;

  Vocabulary const& vocabulary_;
  std::vector<TokenId> parts_;
  std::vector<std::uint32_t> ranks_;  // of a part with the next
};

/// The tokens of short words that were met, in a fixed number of places.
class WordCache {
 public:
  static constexpr std::size_t most_bytes = 24, most_tokens = 6;

  struct Entry {
    std::uint8_t bytes = 0, tokens = 0;
    char word[most_bytes]{};
    TokenId ids[most_tokens]{};
  };

  explicit WordCache(std::size_t places) : entries_(places) {}

  /// Where \p word, of at most most_bytes, is or would be.
  [[nodiscard]] Entry& place(std::string_view word) noexcept;

 private:
  std::vector<Entry> entries_;
};

}  // namespace zero_text
