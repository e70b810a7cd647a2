// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/error.hpp>
#include <zero/support/message.hpp>
#include <zero/utility/json.hpp>
#include <zero/utility/utf8.hpp>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_set>
#include <utility>

namespace zero::detail {

/// What one text may hold, so that a hostile one costs no more than its own size.
struct JsonLimits {
  std::size_t depth = 8;           ///< arrays and objects inside each other
  std::size_t name = 1U << 20U;    ///< bytes of one name
  std::size_t string = 1U << 20U;  ///< bytes of one string
};

/// One text, read once from front to back. Strict: RFC 8259, UTF-8, no name twice in an object, no whole number that
/// 64 bits do not hold.
class JsonReader {
 public:
  JsonReader(std::string_view text, JsonLimits limits) : text_(text), limits_(limits) {}

  Json read() {
    Json value = read_value(0);
    skip_space();
    if (at_ != text_.size()) fail("something follows the value");
    return value;
  }

 private:
  Json read_value(std::size_t depth) {
    skip_space();
    switch (peek()) {
      case '{':
        return read_object(depth + 1);
      case '[':
        return read_array(depth + 1);
      case '"':
        return read_string(limits_.string);
      case 't':
        return read_word("true", true);
      case 'f':
        return read_word("false", false);
      case 'n':
        return read_word("null", Json());
      default:
        return read_number();
    }
  }

  Json read_object(std::size_t depth) {
    descend(depth);
    Json::Object object;
    std::unordered_set<std::string> names;
    skip_space();
    if (take('}')) return object;
    do {
      skip_space();
      if (peek() != '"') fail("a name in quotation marks is missing");
      auto name = read_string(limits_.name);
      if (!names.insert(name).second) fail(concat({"the name ", quote(name), " is there twice"}));
      skip_space();
      expect(':');
      auto value = read_value(depth);
      object.emplace_back(std::move(name), std::move(value));
      skip_space();
    } while (take(','));
    expect('}');
    return object;
  }

  Json read_array(std::size_t depth) {
    descend(depth);
    Json::Array array;
    skip_space();
    if (take(']')) return array;
    do {
      array.push_back(read_value(depth));
      skip_space();
    } while (take(','));
    expect(']');
    return array;
  }

  void descend(std::size_t depth) {
    ++at_;
    if (depth > limits_.depth) fail(concat({"it is nested more than ", limits_.depth, " levels deep"}));
  }

  Json read_word(std::string_view word, Json value) {
    if (text_.substr(at_, word.size()) != word) fail("a value is missing");
    at_ += word.size();
    return value;
  }

  std::string read_string(std::size_t limit) {
    std::string out;
    for (++at_; peek() != '"';) {
      auto const c = static_cast<unsigned char>(peek());
      if (c < 0x20) fail("a control character in a string is not escaped");
      if (c == '\\') {
        read_escape(out);
      } else {
        auto const character = first_utf8(text_.substr(at_));
        if (!character) fail("a string is not UTF-8");
        out += text_.substr(at_, character->bytes);
        at_ += character->bytes;
      }
      if (out.size() > limit) fail(concat({"a string is longer than ", limit, " bytes"}));
    }
    ++at_;
    return out;
  }

  void read_escape(std::string& out) {
    ++at_;
    char const c = peek();
    ++at_;
    constexpr std::string_view letters = "\"\\/bfnrt";
    constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    if (auto const i = letters.find(c); i != std::string_view::npos) {
      out += meanings[i];
    } else if (c == 'u') {
      append_utf8(out, read_code_point());
    } else {
      fail("an escape in a string is unknown");
    }
  }

  std::uint32_t read_code_point() {
    std::uint32_t const high = read_four_digits();
    if (high < 0xD800 || high > 0xDFFF) return high;
    if (high > 0xDBFF || text_.substr(at_, 2) != "\\u") fail("half a surrogate pair is missing");
    at_ += 2;
    std::uint32_t const low = read_four_digits();
    if (low < 0xDC00 || low > 0xDFFF) fail("half a surrogate pair is missing");
    return 0x10000U + ((high - 0xD800U) << 10U) + (low - 0xDC00U);
  }

  std::uint32_t read_four_digits() {
    auto const digits = text_.substr(at_, 4);
    std::uint32_t value = 0;
    auto const [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() != 4 || error != std::errc() || end != digits.data() + 4) fail("\\u needs four digits");
    at_ += 4;
    return value;
  }

  Json read_number() {
    std::size_t const begin = at_;
    bool const negative = take('-');
    std::size_t const digits = skip_digits();
    if (digits == 0) fail("a value is missing");
    if (digits > 1 && text_[at_ - digits] == '0') fail("a number starts with 0");
    bool whole = true;
    if (take('.')) {
      whole = false;
      if (skip_digits() == 0) fail("a digit is missing after the decimal point");
    }
    if (take('e') || take('E')) {
      whole = false;
      if (!take('-')) take('+');
      if (skip_digits() == 0) fail("a digit is missing in an exponent");
    }
    auto const token = text_.substr(begin, at_ - begin);
    if (!whole) return convert<double>(token);
    return negative ? convert<std::int64_t>(token) : convert<std::uint64_t>(token);
  }

  template <class Number>
  Json convert(std::string_view token) {
    Number value{};
    auto const [end, error] = std::from_chars(token.data(), token.data() + token.size(), value);
    if (error != std::errc() || end != token.data() + token.size()) fail("a number is out of range");
    return value;
  }

  std::size_t skip_digits() noexcept {
    std::size_t const begin = at_;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
    return at_ - begin;
  }
  void skip_space() noexcept {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) ++at_;
  }
  [[nodiscard]] char peek() const {
    if (at_ == text_.size()) fail("it ends too early");
    return text_[at_];
  }
  bool take(char c) noexcept {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (take(c)) return;
    if (at_ == text_.size()) fail("it ends too early");
    fail(concat({"'", std::string_view(&c, 1), "' is missing"}));
  }
  [[noreturn]] void fail(std::string_view why) const {
    throw CheckpointError(CheckpointFailure::damaged, concat({"zero: invalid JSON at byte ", at_, ": ", why}));
  }

  std::string_view text_;
  JsonLimits limits_;
  std::size_t at_ = 0;
};

/// Reads one JSON text. \throws CheckpointError (damaged) with the place of the first error.
[[nodiscard]] inline Json parse_json(std::string_view text, JsonLimits limits = {}) {
  return JsonReader(text, limits).read();
}

}  // namespace zero::detail
