// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace svg {

/// \p text as XML has it, without control characters, which XML does not allow.
[[nodiscard]] inline std::string escaped(std::string_view text) {
  std::string out;
  for (char const c : text) {
    if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '&') {
      out += "&amp;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (static_cast<unsigned char>(c) >= 0x20) {
      out += c;
    }
  }
  return out;
}

/// A length with two digits behind the point.
[[nodiscard]] inline std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", value);
  return text;
}
[[nodiscard]] inline std::string number(std::uint64_t value) { return std::to_string(value); }

struct Attribute {
  std::string_view name;
  std::string value;

  Attribute(std::string_view attribute, std::string_view text) : name(attribute), value(escaped(text)) {}
  Attribute(std::string_view attribute, char const* text) : Attribute(attribute, std::string_view(text)) {}
  Attribute(std::string_view attribute, double length) : name(attribute), value(number(length)) {}
  Attribute(std::string_view attribute, std::uint64_t length) : name(attribute), value(number(length)) {}
};

/// An element around \p content, which is SVG already; without content an empty one.
[[nodiscard]] inline std::string element(std::string_view name, std::initializer_list<Attribute> attributes,
                                         std::string_view content = {}) {
  std::string out = "<" + std::string(name);
  for (auto const& attribute : attributes) {
    out += " " + std::string(attribute.name) + "=\"" + attribute.value + "\"";
  }
  if (content.empty()) return out + "/>";
  return out + ">" + std::string(content) + "</" + std::string(name) + ">";
}

/// What a viewer shows where the pointer rests.
[[nodiscard]] inline std::string title(std::string_view text) { return element("title", {}, escaped(text)); }

}  // namespace svg
