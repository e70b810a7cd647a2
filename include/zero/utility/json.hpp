// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace zero {

/// A JSON value (RFC 8259). Whole numbers keep all 64 bits; objects keep their order. Owns all that it holds.
class Json {
 public:
  /// Values in order.
  using Array = std::vector<Json>;
  /// A name and its value.
  using Member = std::pair<std::string, Json>;
  /// Members in the order in which they were read or are written.
  using Object = std::vector<Member>;

  Json() = default;
  /// A value of this type.
  Json(bool value) : value_(value) {}
  /// A value of this type.
  Json(std::uint64_t value) : value_(value) {}
  /// A value of this type.
  Json(std::int64_t value) : value_(value) {}
  /// A value of this type.
  Json(double value) : value_(value) {}
  /// A value of this type.
  Json(std::string value) : value_(std::move(value)) {}
  /// A value of this type.
  Json(std::string_view value) : value_(std::string(value)) {}
  /// A value of this type.
  Json(char const* value) : value_(std::string(value)) {}
  /// A value of this type.
  Json(Array value) : value_(std::move(value)) {}
  /// A value of this type.
  Json(Object value) : value_(std::move(value)) {}

  /// Whether it is null.
  [[nodiscard]] bool is_null() const noexcept { return std::holds_alternative<std::monostate>(value_); }
  /// The value as \p Type, which is one of those of the constructors; null where it is something else. A whole number
  /// that is not negative is a std::uint64_t, a negative one a std::int64_t, any other number a double.
  template <class Type>
  [[nodiscard]] Type const* get() const noexcept {
    return std::get_if<Type>(&value_);
  }
  /// The value where it has type \p Type, else null.
  template <class Type>
  [[nodiscard]] Type* get() noexcept {
    return std::get_if<Type>(&value_);
  }
  /// The member \p name of an object; null where there is none.
  [[nodiscard]] Json const* find(std::string_view name) const noexcept {
    auto const* const object = get<Object>();
    if (object == nullptr) return nullptr;
    for (auto const& [key, value] : *object) {
      if (key == name) return &value;
    }
    return nullptr;
  }

 private:
  std::variant<std::monostate, bool, std::uint64_t, std::int64_t, double, std::string, Array, Object> value_;
};

/// Appends \p text, which must be UTF-8, to \p out: between quotes, with what JSON does not allow there escaped.
inline void write_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (char const c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          char escaped[8];
          std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(static_cast<unsigned char>(c)));
          out += escaped;
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

/// Appends \p value, which must be finite, with as many digits as read back to the same bits.
inline void write_json_number(std::string& out, double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.17g", value);
  out += text;
  // So that it is read as what it was: a number that is not whole by type.
  if (std::string_view(text).find_first_of(".e") == std::string_view::npos) out += ".0";
}

/// Appends \p value to \p out as JSON without white space. Strings must be UTF-8 and doubles finite.
inline void write_json(std::string& out, Json const& value) {
  if (auto const* const flag = value.get<bool>()) {
    out += *flag ? "true" : "false";
  } else if (auto const* const natural = value.get<std::uint64_t>()) {
    out += std::to_string(*natural);
  } else if (auto const* const whole = value.get<std::int64_t>()) {
    out += std::to_string(*whole);
  } else if (auto const* const number = value.get<double>()) {
    write_json_number(out, *number);
  } else if (auto const* const text = value.get<std::string>()) {
    write_json_string(out, *text);
  } else if (auto const* const array = value.get<Json::Array>()) {
    char separator = '[';
    for (auto const& element : *array) {
      out += std::exchange(separator, ',');
      write_json(out, element);
    }
    out += array->empty() ? "[]" : "]";
  } else if (auto const* const object = value.get<Json::Object>()) {
    char separator = '{';
    for (auto const& [key, member] : *object) {
      out += std::exchange(separator, ',');
      write_json_string(out, key);
      out += ':';
      write_json(out, member);
    }
    out += object->empty() ? "{}" : "}";
  } else {
    out += "null";
  }
}

/// \p value as `write_json` writes it.
[[nodiscard]] inline std::string to_text(Json const& value) {
  std::string text;
  write_json(text, value);
  return text;
}

}  // namespace zero
