// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/config/detail/key_table.hpp>
#include <zero/config/treatment.hpp>

#include <string_view>
#include <vector>

namespace zero::config {

/// A key that configurations may have, and what becomes of it.
struct Key {
  std::string_view path;         ///< such as `zero_optimization.stage`
  Treatment treatment;           ///< what becomes of it
  bool is_section = false;       ///< an object whose members are keys, too
  std::string_view says;         ///< what it does here; why it is refused, and what to write instead
  std::string_view other_names;  ///< nanoGPT's and llm.c's; may be empty
};

/// All of them, in the order of docs/configuration.md. Texts live for ever.
[[nodiscard]] inline std::vector<Key> keys() {
  std::vector<Key> all;
  detail::for_each_row([&](detail::KeyRow const& row) {
    all.push_back({row.path, row.treatment, row.shape == detail::Shape::section, row.says, row.other_names});
  });
  return all;
}

}  // namespace zero::config
