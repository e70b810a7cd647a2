// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/config/detail/key_row.hpp>
#include <zero/config/detail/keys/optimizer.hpp>
#include <zero/config/detail/keys/others.hpp>
#include <zero/config/detail/keys/precision.hpp>
#include <zero/config/detail/keys/run.hpp>
#include <zero/config/detail/keys/scheduler.hpp>
#include <zero/config/detail/keys/sharding.hpp>
#include <zero/utility/edit_distance.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace zero::config::detail {

/// All rows, in the order of the documentation.
inline constexpr std::array<std::span<KeyRow const>, 6> all_rows{run_keys,       optimizer_keys, scheduler_keys,
                                                                 precision_keys, zero_keys,      other_keys};

/// Calls \p f with every row.
template <class Function>
void for_each_row(Function const& f) {
  for (auto const rows : all_rows) {
    for (auto const& row : rows) f(row);
  }
}

/// The row of \p path; null where DeepSpeed has no such key.
[[nodiscard]] inline KeyRow const* find_row(std::string_view path) {
  KeyRow const* found = nullptr;
  for_each_row([&](KeyRow const& row) {
    if (row.path == path) found = &row;
  });
  return found;
}

/// The last part of a path.
[[nodiscard]] constexpr std::string_view leaf(std::string_view path) { return path.substr(path.rfind('.') + 1); }
/// All before it, without the dot.
[[nodiscard]] constexpr std::string_view folder(std::string_view path) {
  return path.find('.') == std::string_view::npos ? std::string_view() : path.substr(0, path.rfind('.'));
}

/// How many words \p longer has besides those of \p name, which must be there in their order; words have '_' between
/// them. `warmup_num_steps` has one besides those of `warmup_steps`.
[[nodiscard]] constexpr std::optional<std::size_t> words_besides(std::string_view name, std::string_view longer) {
  std::size_t besides = 0;
  auto const next = [](std::string_view& rest) {
    auto const end = rest.find('_');
    auto const word = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    return word;
  };
  for (auto word = next(name); !longer.empty();) {
    if (next(longer) != word) {
      ++besides;
    } else if (name.empty()) {
      return besides + static_cast<std::size_t>(std::count(longer.begin(), longer.end(), '_')) +
             (longer.empty() ? 0U : 1U);
    } else {
      word = next(name);
    }
  }
  return std::nullopt;
}

/// What somebody who wrote the key \p path, which does not exist, should write; empty where nothing is near.
[[nodiscard]] inline std::string cure_of_unknown(std::string_view path) {
  auto const name = leaf(path);
  if (name == "communication_data_size") return "write \"communication_data_type\": it is a type";
  std::string_view nearest, elsewhere, longer;
  std::size_t least = name.size() / 3 + 1, fewest = 4;
  bool const has_words = name.find('_') != std::string_view::npos;
  for_each_row([&](KeyRow const& row) {
    if (folder(row.path) == folder(path)) {
      auto const besides = has_words ? words_besides(name, leaf(row.path)) : std::nullopt;
      if (besides && *besides < fewest) fewest = *besides, longer = leaf(row.path);
      auto const distance = edit_distance(name, leaf(row.path));
      if (distance < least) least = distance, nearest = leaf(row.path);
    } else if (leaf(row.path) == name && elsewhere.empty()) {
      elsewhere = row.path;
    }
  });
  if (!elsewhere.empty() && (nearest.empty() || least > 1)) {
    auto const home = folder(elsewhere);
    if (home.empty()) return "it belongs at the top level";
    return "it belongs into \"" + std::string(home) + "\"";
  }
  if (!longer.empty() && least > 1) nearest = longer;
  return nearest.empty() ? "see docs/configuration.md for all keys" : "did you mean \"" + std::string(nearest) + "\"?";
}

}  // namespace zero::config::detail
