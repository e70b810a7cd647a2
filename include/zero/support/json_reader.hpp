// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/error.hpp>
#include <zero/support/message.hpp>
#include <zero/utility/json.hpp>
#include <zero/utility/utf8.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_set>
#include <utility>
#include <vector>

namespace zero::detail {

/// Which text it is.
enum class JsonDialect : std::uint8_t {
  strict,         ///< RFC 8259
  configuration,  ///< and comments (`//`, `/* */`, `#`) and commas before a closing bracket; what else HJSON allows is
                  ///< refused by its name
};

/// Where a value stands in its text, in bytes.
struct JsonPlace {
  std::size_t name = 0;   ///< of a member: where its name begins; else as `value`
  std::size_t value = 0;  ///< where the value begins
};

/// A text that is no JSON.
class JsonError : public Error {
 public:
  JsonError(std::size_t at, std::string const& why) : Error(why), at_(at) {}
  /// The byte at which it was seen.
  [[nodiscard]] std::size_t at() const noexcept { return at_; }

 private:
  std::size_t at_;
};

/// One text, read once from front to back: UTF-8, no name twice in an object, no whole number that 64 bits do not hold,
/// at most `depth` arrays and objects inside each other. What it costs is in proportion to the text's own size.
class JsonReader {
 public:
  explicit JsonReader(std::string_view text, std::size_t depth, JsonDialect dialect = JsonDialect::strict)
      : text_(text), depth_(depth), dialect_(dialect) {}

  /// \throws JsonError at the first thing that is wrong.
  Json read() {
    skip_space();
    expect_outer_braces();
    Json value = read_value(0, at_);
    skip_space();
    if (at_ != text_.size()) fail("something follows the value");
    return value;
  }
  /// Where the values of a text of the dialect `configuration` stand: an object or array before what it holds.
  [[nodiscard]] std::vector<JsonPlace> const& places() const noexcept { return places_; }

 private:
  Json read_value(std::size_t depth, std::size_t name) {
    if (is_configuration()) places_.push_back({name, at_});
    switch (peek()) {
      case '{':
        return read_object(depth + 1);
      case '[':
        return read_array(depth + 1);
      case '"':
        return read_string();
      case 't':
        return read_word("true", true);
      case 'f':
        return read_word("false", false);
      case 'n':
        return read_word("null", Json());
      case '\'':
        if (is_configuration()) fail_hjson("text in single quotes", "write \"...\"");
        [[fallthrough]];
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
      if (ends_after_comma('}') && !object.empty()) break;
      expect_name();
      std::size_t const begin = at_;
      auto name = read_string();
      if (!names.insert(name).second) fail_at(begin, concat({"the name ", quote(name), " is there twice"}));
      skip_space();
      expect(':');
      skip_space();
      auto value = read_value(depth, begin);
      object.emplace_back(std::move(name), std::move(value));
      skip_space();
    } while (take_comma());
    expect('}');
    return object;
  }

  Json read_array(std::size_t depth) {
    descend(depth);
    Json::Array array;
    skip_space();
    if (take(']')) return array;
    do {
      skip_space();
      if (ends_after_comma(']') && !array.empty()) break;
      array.push_back(read_value(depth, at_));
      skip_space();
    } while (take_comma());
    expect(']');
    return array;
  }

  void descend(std::size_t depth) {
    ++at_;
    if (depth > depth_) fail(concat({"it is nested more than ", depth_, " levels deep"}));
  }

  Json read_word(std::string_view word, Json value) {
    if (text_.substr(at_, word.size()) != word) fail_no_value();
    at_ += word.size();
    return value;
  }

  // ------------------------------------------------------------------------------------------ the other dialect

  [[nodiscard]] bool is_configuration() const noexcept { return dialect_ == JsonDialect::configuration; }
  [[nodiscard]] bool ends_after_comma(char bracket) const noexcept {
    return is_configuration() && at_ < text_.size() && text_[at_] == bracket;
  }
  [[nodiscard]] static bool is_word(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '+' || c == '.' || c == '/';
  }
  /// What stands here up to the end of a word.
  [[nodiscard]] std::string_view word_here() const noexcept {
    std::size_t end = at_;
    while (end < text_.size() && end - at_ < 40 && is_word(text_[end])) ++end;
    return text_.substr(at_, end - at_);
  }
  [[noreturn]] void fail_hjson(std::string_view what, std::string_view cure) const {
    fail(concat({"HJSON's ", what, " is not read here: ", cure}));
  }
  void expect_outer_braces() const {
    if (is_configuration() && at_ < text_.size() && text_[at_] != '{') {
      if (text_[at_] == '"' || is_word(text_[at_])) {
        fail_hjson("text without outer braces", "put { and } around it");
      }
    }
  }
  void expect_name() const {
    if (peek() == '"') return;
    if (is_configuration() && peek() == '\'') fail_hjson("name in single quotes", "write \"...\"");
    if (auto const word = word_here(); is_configuration() && !word.empty()) {
      fail_hjson("name without quotation marks", concat({"write \"", word, "\""}));
    }
    fail("a name in quotation marks is missing");
  }
  bool take_comma() {
    if (take(',')) return true;
    bool const goes_on = is_configuration() && at_ < text_.size() && text_[at_] != '}' && text_[at_] != ']';
    if (goes_on) fail("a comma is missing before this (HJSON may leave it out, which is not read here)");
    return false;
  }
  [[noreturn]] void fail_no_value() const {
    auto const word = word_here();
    if (is_configuration() && (word == "NaN" || word.ends_with("Infinity") || word == "inf" || word == "nan")) {
      fail(concat({word, " is no number of JSON: write a finite one"}));
    }
    if (is_configuration() && (word == "True" || word == "False" || word == "None")) {
      fail(concat({word, " is Python's: write ", word == "True" ? "true" : word == "False" ? "false" : "null"}));
    }
    if (is_configuration() && !word.empty() && word[0] != '-' && word[0] != '+' && word[0] != '.') {
      fail_hjson("text without quotation marks", concat({"write \"", word, "\""}));
    }
    fail("a value is missing");
  }

  // ------------------------------------------------------------------------------------------ text and numbers

  std::string read_string() {
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
    if (digits == 0) fail_no_value();
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
  void skip_space() {
    do {
      while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) ++at_;
    } while (is_configuration() && skip_comment());
  }
  bool skip_comment() {
    auto const two = text_.substr(at_, 2);
    if (two == "//" || (!two.empty() && two[0] == '#')) {
      at_ = (std::min)(text_.find('\n', at_), text_.size());
      return true;
    }
    if (two != "/*") return false;
    auto const end = text_.find("*/", at_ + 2);
    if (end == std::string_view::npos) fail("the comment that begins here has no end");
    at_ = end + 2;
    return true;
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
  [[noreturn]] void fail(std::string_view why) const { fail_at(at_, why); }
  [[noreturn]] static void fail_at(std::size_t at, std::string_view why) { throw JsonError(at, std::string(why)); }

  std::string_view text_;
  std::size_t depth_;
  JsonDialect dialect_;
  std::vector<JsonPlace> places_;
  std::size_t at_ = 0;
};

/// Reads one JSON text of at most \p depth arrays and objects inside each other. \throws CheckpointError (damaged) with
/// the place of the first error.
[[nodiscard]] inline Json parse_json(std::string_view text, std::size_t depth = 8) {
  try {
    return JsonReader(text, depth).read();
  } catch (JsonError const& error) {
    throw CheckpointError(CheckpointFailure::damaged,
                          concat({"zero: invalid JSON at byte ", error.at(), ": ", error.what()}));
  }
}

}  // namespace zero::detail
