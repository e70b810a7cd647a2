// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "text_stream.hpp"

#include "text/unicode.hpp"

#include <algorithm>

namespace gpt2 {

// Bytes at the end of the text that a stop text may begin with.
std::size_t TextStream::held() const {
  std::size_t most = 0;
  for (auto const& stop : stops_) {
    for (std::size_t n = std::min(stop.size() - 1, text_.size()); n > most; --n) {
      if (std::string_view(text_).substr(text_.size() - n) == std::string_view(stop).substr(0, n)) most = n;
    }
  }
  return most;
}

std::string TextStream::push(std::string_view bytes) {
  if (stopped_) return {};
  bytes_ += bytes;
  text_ += zero_text::take_complete(bytes_);
  std::size_t first = std::string::npos;
  for (auto const& stop : stops_) first = std::min(first, text_.find(stop));
  stopped_ = first != std::string::npos;
  std::size_t const shown = stopped_ ? first : text_.size() - held();
  std::string out = text_.substr(0, shown);
  text_.erase(0, stopped_ ? text_.size() : shown);
  return out;
}

std::string TextStream::finish() {
  if (stopped_) return {};
  text_ += zero_text::replace_malformed(std::exchange(bytes_, {}));
  return std::exchange(text_, {});
}

}  // namespace gpt2
