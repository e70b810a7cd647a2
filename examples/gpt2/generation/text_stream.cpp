// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "text_stream.hpp"

#include <zero/utility/utf8.hpp>

#include <algorithm>

namespace gpt2 {
namespace {

/// Bytes at the start of \p text that a well-formed character may begin with, all of it apart (The Unicode Standard 15,
/// table 3-7); at least one, where the first is none.
std::size_t maximal_subpart(std::string_view text) {
  auto const byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned const first = byte(0);
  std::size_t const whole = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4) return 1;
  unsigned const least = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  unsigned const most = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  std::size_t bytes = 1;
  while (bytes < whole - 1 && bytes < text.size()) {
    bool const fits = bytes == 1 ? byte(1) >= least && byte(1) <= most : (byte(bytes) & 0xC0U) == 0x80U;
    if (!fits) break;
    ++bytes;
  }
  return bytes;
}

}  // namespace

void TextStream::take_characters(bool at_end) {
  std::size_t at = 0;
  while (at < bytes_.size()) {
    auto const rest = std::string_view(bytes_).substr(at);
    if (auto const character = zero::first_utf8(rest)) {
      text_ += rest.substr(0, character->bytes);
      at += character->bytes;
      continue;
    }
    std::size_t const part = maximal_subpart(rest);
    bool const may_go_on = static_cast<unsigned char>(rest[0]) >= 0xC2 && static_cast<unsigned char>(rest[0]) <= 0xF4;
    if (part == rest.size() && may_go_on && !at_end) break;
    zero::append_utf8(text_, U'\uFFFD');
    at += part;
  }
  bytes_.erase(0, at);
}

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
  take_characters(false);
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
  take_characters(true);
  return std::exchange(text_, {});
}

}  // namespace gpt2
