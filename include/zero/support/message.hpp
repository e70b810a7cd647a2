// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/error.hpp>
#include <zero/support/out_of_line.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

namespace zero::detail {

/// A part of a message: text, a quoted name, or a whole number. Refers to the text that it was made of.
class MessagePart {
 public:
  constexpr MessagePart(char const* text) noexcept : MessagePart(std::string_view(text)) {}
  constexpr MessagePart(std::string_view text, bool quoted = false) noexcept
      : text_(text.data()), value_(text.size()), kind_(quoted ? Kind::name : Kind::text) {}
  MessagePart(std::string const& text) noexcept : MessagePart(std::string_view(text)) {}
  template <class Number>
  requires std::is_integral_v<Number>
  constexpr MessagePart(Number number) noexcept
      : value_(static_cast<std::uint64_t>(number)), kind_(is_negative(number) ? Kind::negative : Kind::number) {}

  void append_to(std::string& message) const {
    char digits[20];
    std::uint64_t const number = kind_ == Kind::negative ? ~value_ + 1 : value_;
    auto const part = text_ == nullptr ? decimal(digits, number) : std::string_view(text_, value_);
    if (kind_ == Kind::negative) append(message, "-");
    if (kind_ == Kind::name) append(message, "'");
    append(message, part);
    if (kind_ == Kind::name) append(message, "'");
  }

 private:
  enum class Kind : std::uint8_t { text, name, number, negative };
  template <class Number>
  static constexpr bool is_negative(Number number) noexcept {
    if constexpr (std::is_signed_v<Number>) {
      return number < 0;
    } else {
      return false;
    }
  }
  ZERO_OUT_OF_LINE static void append(std::string& message, std::string_view part) {
    message.append(part.data(), part.size());
  }
  static std::string_view decimal(char (&digits)[20], std::uint64_t value) noexcept {
    std::size_t first = sizeof digits;
    do digits[--first] = static_cast<char>('0' + value % 10);
    while ((value /= 10) != 0);
    return {digits + first, sizeof digits - first};
  }
  char const* text_ = nullptr;
  std::uint64_t value_;  // the text's length, or a number
  Kind kind_;
};

/// A message of several parts. Out of line: a hundred places build one, and none of them is fast code. Not cold,
/// because not all of them refuse something.
ZERO_OUT_OF_LINE inline std::string concat(std::initializer_list<MessagePart> parts) {
  std::string message;
  for (auto const& part : parts) part.append_to(message);
  return message;
}

/// "1 rank", "2 ranks". \p thing takes an s where there are more or none of it, or an es behind "tch".
ZERO_OUT_OF_LINE inline std::string counted(std::uint64_t count, std::string_view thing) {
  return concat({count, " ", thing, count == 1 ? "" : thing.ends_with("tch") ? "es" : "s"});
}

/// Quotes a name for a message.
constexpr MessagePart quote(std::string_view name) noexcept { return {name, true}; }

/// Throws an \p Exception that says \p parts. Out of line: what a check costs where it stands is one call.
template <class Exception>
[[noreturn, gnu::cold]] ZERO_OUT_OF_LINE void fail(std::initializer_list<MessagePart> parts) {
  throw Exception(concat(parts));
}
/// The same of the gradient of \p parameter.
[[noreturn, gnu::cold]] ZERO_OUT_OF_LINE inline void fail_gradient(std::string const& parameter,
                                                                   std::initializer_list<MessagePart> parts) {
  throw GradientError(parameter, concat(parts));
}

inline void enforce(bool condition, char const* concat) {
  if (!condition) fail<ConfigurationError>({concat});
}

}  // namespace zero::detail
