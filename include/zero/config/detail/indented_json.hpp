// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/config/config_error.hpp>
#include <zero/utility/json.hpp>
#include <zero/utility/shortest_number.hpp>

#include <cmath>
#include <cstddef>
#include <string>

namespace zero::config::detail {

/// As \ref shortest_number, with a point or an exponent, so that it is read as no whole number.
inline void write_short_number(std::string& out, double value) {
  if (!std::isfinite(value)) {
    throw ConfigError({{}, 0, 0, {}}, "cannot be written: a number is " + shortest_number(value),
                      "set finite numbers, which a file can say");
  }
  auto const text = shortest_number(value);
  out += text;
  if (text.find_first_of(".e") == std::string::npos) out += ".0";
}

/// Appends \p value to \p out for people to read: a member a line, lists on one, short numbers.
inline void write_indented(std::string& out, Json const& value, std::size_t depth = 0) {
  auto const* const object = value.get<Json::Object>();
  if (auto const* const number = value.get<double>()) return write_short_number(out, *number);
  if (auto const* const array = value.get<Json::Array>(); array != nullptr && !array->empty()) {
    char const* separator = "[";
    for (auto const& element : *array) {
      out += separator;
      write_indented(out, element, depth + 1);
      separator = ", ";
    }
    out += ']';
    return;
  }
  if (object == nullptr || object->empty()) return write_json(out, value);
  std::string const indent(2 * (depth + 1), ' ');
  char const* separator = "{\n";
  for (auto const& [name, member] : *object) {
    out += separator;
    out += indent;
    write_json_string(out, name);
    out += ": ";
    write_indented(out, member, depth + 1);
    separator = ",\n";
  }
  out += '\n' + std::string(2 * depth, ' ') + '}';
}

}  // namespace zero::config::detail
