// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "text/word_splitter.hpp"

#include <algorithm>

namespace zero_text {
namespace {

constexpr unsigned word_like = is_letter | is_number | is_space;

}  // namespace

std::string_view regex_of(Pattern pattern) noexcept {
  switch (pattern) {
    case Pattern::gpt2:
      return R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
    case Pattern::llama3:
      return R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|)"
             R"(\s+(?!\S)|\s+)";
    case Pattern::qwen2:
      return R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|)"
             R"(\s+(?!\S)|\s+)";
    case Pattern::none:
      break;
  }
  return {};
}

std::optional<Pattern> pattern_of(std::string_view regex) noexcept {
  for (auto const pattern : {Pattern::gpt2, Pattern::llama3, Pattern::qwen2}) {
    if (regex == regex_of(pattern)) return pattern;
  }
  return std::nullopt;
}

WordSplitter::Seen WordSplitter::look(std::size_t at) const noexcept {
  if (at >= text_.size()) return {0, 0};
  auto const [code, bytes] = code_point_at(text_, at);
  return {classes_.of(code), bytes};
}

// Behind all characters from `at` on that have one of the classes.
std::size_t WordSplitter::skip(std::size_t at, unsigned wanted) const noexcept {
  for (auto seen = look(at); seen.bytes != 0 && (seen.kind & wanted) != 0; seen = look(at)) at += seen.bytes;
  return at;
}

// Behind all that are no letter, number or space.
std::size_t WordSplitter::skip_other(std::size_t at) const noexcept {
  for (auto seen = look(at); seen.bytes != 0 && (seen.kind & word_like) == 0; seen = look(at)) at += seen.bytes;
  return at;
}

// The end of 's, 't, 're, 've, 'm, 'll or 'd; 0 where there is none.
std::size_t WordSplitter::contraction(bool any_case) const noexcept {
  if (text_[at_] != '\'') return 0;
  auto const letter = [&](std::size_t at, std::size_t& end) -> char {
    if (at >= text_.size()) return 0;
    auto const [code, bytes] = code_point_at(text_, at);
    end = at + bytes;
    if (!any_case) return code < 0x80 ? static_cast<char>(code) : '\0';
    return contraction_letter(code);
  };
  std::size_t end = 0, second_end = 0;
  char const first = letter(at_ + 1, end);
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return end;
  if (first != 'r' && first != 'v' && first != 'l') return 0;
  char const second = letter(end, second_end);
  return second == (first == 'l' ? 'l' : 'e') ? second_end : 0;
}

// \s+(?!\S)|\s+: all spaces, but the last one where more than spaces follow.
std::size_t WordSplitter::spaces_end() const noexcept {
  std::size_t at = at_, last = at_;
  for (auto seen = look(at); seen.bytes != 0 && (seen.kind & is_space) != 0; seen = look(at)) {
    last = at;
    at += seen.bytes;
  }
  return at == text_.size() || last == at_ ? at : last;
}

std::size_t WordSplitter::gpt2_end() const noexcept {
  if (auto const end = contraction(false); end != 0) return end;
  std::size_t const begin = at_ + (text_[at_] == ' ' ? 1 : 0);
  auto const seen = look(begin);
  if (seen.bytes != 0) {
    if ((seen.kind & is_letter) != 0) return skip(begin, is_letter);
    if ((seen.kind & is_number) != 0) return skip(begin, is_number);
    if ((seen.kind & is_space) == 0) return skip_other(begin);
  }
  return spaces_end();
}

// The pattern of OpenAI's cl100k, in the form that Llama 3 and Qwen2 have.
std::size_t WordSplitter::cl100k_end(std::size_t most_digits) const noexcept {
  if (auto const end = contraction(true); end != 0) return end;
  auto const first = look(at_);
  if ((first.kind & is_letter) != 0) return skip(at_, is_letter);
  if ((first.kind & is_number) != 0) {
    std::size_t at = at_;
    for (std::size_t n = 0; n < most_digits; ++n) {
      auto const seen = look(at);
      if (seen.bytes == 0 || (seen.kind & is_number) == 0) break;
      at += seen.bytes;
    }
    return at;
  }
  auto const second = look(at_ + first.bytes);
  if ((first.kind & is_newline) == 0 && second.bytes != 0 && (second.kind & is_letter) != 0) {
    return skip(at_ + first.bytes, is_letter);
  }
  std::size_t const begin = at_ + (text_[at_] == ' ' ? 1 : 0);
  if (std::size_t const end = skip_other(begin); end != begin) return skip(end, is_newline);
  // \s*[\r\n]+: all spaces up to the last line break among them.
  std::size_t behind_newline = 0;
  for (std::size_t at = at_;;) {
    auto const seen = look(at);
    if (seen.bytes == 0 || (seen.kind & is_space) == 0) break;
    at += seen.bytes;
    if ((seen.kind & is_newline) != 0) behind_newline = at;
  }
  return behind_newline != 0 ? behind_newline : spaces_end();
}

std::string_view WordSplitter::next() noexcept {
  if (at_ == text_.size()) return {};
  std::size_t end = text_.size();
  switch (pattern_) {
    case Pattern::gpt2:
      end = gpt2_end();
      break;
    case Pattern::llama3:
      end = cl100k_end(3);
      break;
    case Pattern::qwen2:
      end = cl100k_end(1);
      break;
    case Pattern::none:
      break;
  }
  auto const word = text_.substr(at_, end - at_);
  at_ = end;
  return word;
}

}  // namespace zero_text
