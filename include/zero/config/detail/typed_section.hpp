// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/config/detail/entry.hpp>
#include <zero/support/message.hpp>

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

namespace zero::config::detail {

/// A section with a "type" and its "params", such as `optimizer`: whoever reads a type takes the settings that it has.
struct TypedSection {
  std::optional<Entry> section{}, type{};
  std::vector<Entry> params{};  ///< that nobody has taken yet

  /// The setting \p name, which is then no other type's; empty where it is not said.
  [[nodiscard]] std::optional<Entry> take(std::string_view name) {
    auto const is_it = [&](Entry const& entry) { return entry.name() == name; };
    auto const found = std::find_if(params.begin(), params.end(), is_it);
    if (found == params.end()) return std::nullopt;
    auto entry = *found;
    params.erase(found);
    return entry;
  }
  /// \throws ConfigError where a setting is left that \p owner does not have.
  void reject_others(std::string_view owner) const {
    if (params.empty()) return;
    params.front().fail_name(zero::detail::concat({owner, " has no such setting"}), "leave it out");
  }
};

}  // namespace zero::config::detail
