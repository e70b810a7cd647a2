// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace zero_text {

/// A token that is found in a text by its spelling, before the text is parted into words.
struct AddedToken {
  std::string content;
  std::uint32_t id = 0;
  bool special = false;
  bool normalized = false;                         ///< looked for in the normalized text
  bool strips_left = false, strips_right = false;  ///< takes the spaces beside it in
};

/// Finds added tokens: the leftmost, and of those the longest.
class AddedTokens {
 public:
  void add(AddedToken token) {
    begins_[static_cast<unsigned char>(token.content.front())] = true;
    auto const place = std::find_if(tokens_.begin(), tokens_.end(), [&](AddedToken const& other) {
      return other.content.size() < token.content.size();
    });
    tokens_.insert(place, std::move(token));
  }

  [[nodiscard]] std::vector<AddedToken> const& all() const noexcept { return tokens_; }
  [[nodiscard]] bool empty() const noexcept { return tokens_.empty(); }

  /// The token at or behind \p at, and where; null where there is none.
  [[nodiscard]] AddedToken const* find(std::string_view text, std::size_t& at) const noexcept {
    if (tokens_.empty()) return nullptr;
    for (; at < text.size(); ++at) {
      if (!begins_[static_cast<unsigned char>(text[at])]) continue;
      auto const rest = text.substr(at);
      for (auto const& token : tokens_) {
        if (rest.starts_with(token.content)) return &token;
      }
    }
    return nullptr;
  }

 private:
  std::vector<AddedToken> tokens_;  // the longest first
  std::array<bool, 256> begins_{};
};

}  // namespace zero_text
