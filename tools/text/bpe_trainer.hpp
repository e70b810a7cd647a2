// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "text/word_splitter.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace zero_text {

/// How often each word of a text occurs. Sums over parts of a text are those of the whole, in any order.
class WordCounts {
 public:
  explicit WordCounts(Pattern pattern) : pattern_(pattern) {}

  /// Counts the words of \p text, which must be UTF-8.
  void add(std::string_view text);
  void add(WordCounts const& other);

  [[nodiscard]] std::unordered_map<std::string, std::uint64_t> const& counts() const noexcept { return counts_; }
  [[nodiscard]] Pattern pattern() const noexcept { return pattern_; }

 private:
  Pattern pattern_;
  std::unordered_map<std::string, std::uint64_t> counts_;
};

/// A vocabulary that was trained.
struct TrainedBpe {
  std::vector<std::string> special;
  std::vector<std::string> tokens;                              ///< bytes by id, behind the special ones
  std::vector<std::pair<std::uint32_t, std::uint32_t>> merges;  ///< ids, those that come first first
};

/// Trains byte-level BPE of \p size tokens: the special ones, the 256 bytes in the order of the characters that stand
/// for them, and what merges make. Always the pair of tokens that is there most often merges, of equal ones that with
/// the lower left id, then the lower right id: the merges of the `tokenizers` package's BpeTrainer. Fewer tokens where
/// no pair is left. \p size must be at least 256 and the special ones.
[[nodiscard]] TrainedBpe train_bpe(WordCounts const& counts, std::size_t size, std::vector<std::string> const& special);

/// The tokenizer.json of it, as the `tokenizers` package reads it.
[[nodiscard]] std::string to_json(TrainedBpe const& trained, Pattern pattern);

/// A tokenizer.json of GPT-2's two files, which must be good. \p name stands in errors. \throws DataError.
[[nodiscard]] std::string to_tokenizer_json(std::string_view vocabulary, std::string_view merges,
                                            std::string const& name);

}  // namespace zero_text
