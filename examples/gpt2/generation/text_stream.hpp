// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gpt2 {

/// A text that comes in pieces of bytes, as it may be shown: whole characters only, and nothing of what may be the
/// beginning of a stop text. Bytes that are not UTF-8 become U+FFFD, as Python's `errors="replace"` has it.
class TextStream {
 public:
  /// The text ends before the first of \p stops in it. None is empty.
  explicit TextStream(std::vector<std::string> stops = {}) : stops_(std::move(stops)) {}

  /// What can be shown since the last call. After a stop text that is nothing.
  [[nodiscard]] std::string push(std::string_view bytes);
  /// The rest, at the end of a text.
  [[nodiscard]] std::string finish();
  /// Whether a stop text has come.
  [[nodiscard]] bool stopped() const noexcept { return stopped_; }

 private:
  [[nodiscard]] std::size_t held() const;

  std::vector<std::string> stops_;
  std::string bytes_;  // that are no whole character yet
  std::string text_;   // that is not shown yet
  bool stopped_ = false;
};

}  // namespace gpt2
