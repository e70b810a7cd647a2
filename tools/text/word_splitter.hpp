// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "text/unicode.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace zero_text {

/// How a text is parted into words, which are encoded one by one.
enum class Pattern : std::uint8_t { none, gpt2, llama3, qwen2 };

/// The regular expression of a pattern, as tokenizer.json files spell it; empty for `none`.
[[nodiscard]] std::string_view regex_of(Pattern pattern) noexcept;

/// The pattern whose regular expression is spelled exactly so.
[[nodiscard]] std::optional<Pattern> pattern_of(std::string_view regex) noexcept;

/// Parts a text, which must be UTF-8 and outlive this, as a pattern's regular expression does where all that it matches
/// stands alone. Together the words are the text. Takes time in proportion to it.
class WordSplitter {
 public:
  WordSplitter(std::string_view text, Pattern pattern) noexcept
      : text_(text), pattern_(pattern), classes_(CharacterClasses::get()) {}

  /// The next word; empty at the end.
  [[nodiscard]] std::string_view next() noexcept;

 private:
  struct Seen {
    std::uint8_t kind;
    std::size_t bytes;  // 0: the text ends
  };

  [[nodiscard]] Seen look(std::size_t at) const noexcept;
  [[nodiscard]] std::size_t skip(std::size_t at, unsigned wanted) const noexcept;
  [[nodiscard]] std::size_t skip_other(std::size_t at) const noexcept;
  [[nodiscard]] std::size_t contraction(bool any_case) const noexcept;
  [[nodiscard]] std::size_t gpt2_end() const noexcept;
  [[nodiscard]] std::size_t cl100k_end(std::size_t most_digits) const noexcept;
  [[nodiscard]] std::size_t spaces_end() const noexcept;

  std::string_view text_;
  Pattern pattern_;
  CharacterClasses const& classes_;
  std::size_t at_ = 0;
};

}  // namespace zero_text
