// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "support/data_error.hpp"

#include <zero/support/json_reader.hpp>
#include <zero/utility/json.hpp>

#include <cstddef>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>

namespace command_line {

/// \p text as JSON of at most \p depth arrays and objects inside each other. \throws zero::Error where it is none.
[[nodiscard]] inline zero::Json parse_json(std::string_view text, std::size_t depth = 8) {
  return zero::detail::parse_json(text, depth);
}

/// A member of members; null where one of them is missing.
[[nodiscard]] inline zero::Json const* find_member(zero::Json const& json,
                                                   std::initializer_list<std::string_view> names) {
  auto const* at = &json;
  for (auto const name : names) {
    at = at->find(name);
    if (at == nullptr) return nullptr;
  }
  return at;
}
/// Whether such a member is there, and is the text \p wanted.
[[nodiscard]] inline bool has_text(zero::Json const& json, std::initializer_list<std::string_view> names,
                                   std::string_view wanted) {
  auto const* const member = find_member(json, names);
  auto const* const text = member == nullptr ? nullptr : member->get<std::string>();
  return text != nullptr && *text == wanted;
}

/// The JSON of a user's own file, whatever links lead there. \throws DataError.
[[nodiscard]] inline zero::Json read_json(std::string const& path) {
  std::ifstream file(path, std::ios::binary);
  std::string const text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file) throw DataError(path + ": cannot be read");
  try {
    return parse_json(text);
  } catch (zero::Error const&) {
    throw DataError(path + ": is no JSON");
  }
}

}  // namespace command_line
