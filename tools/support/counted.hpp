// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace command_line {

/// "1 rank", "2 ranks". \p thing takes an s where there are more or none of it, or an es behind "tch" and "ss".
[[nodiscard]] inline std::string counted(std::uint64_t count, std::string_view thing) {
  std::string text = std::to_string(count) + " " + std::string(thing);
  if (count != 1) text += thing.ends_with("tch") || thing.ends_with("ss") ? "es" : "s";
  return text;
}

}  // namespace command_line
