// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace zero_plan {

[[nodiscard]] inline std::string with_commas(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, 1, ',');
  return text;
}

/// Text under three words of a header, aligned to the right.
struct Column {
  std::array<std::string, 3> header;
  std::vector<std::string> cells{};

  [[nodiscard]] std::size_t width() const {
    std::size_t width = 0;
    for (auto const& word : header) width = std::max(width, word.size());
    for (auto const& cell : cells) width = std::max(width, cell.size());
    return width;
  }
};

/// A column with `cell(row)` of each row.
template <class Rows, class Cell>
[[nodiscard]] Column column_of(Rows const& rows, std::array<std::string, 3> header, Cell&& cell) {
  Column made{std::move(header)};
  for (auto const& row : rows) made.cells.push_back(cell(row));
  return made;
}

template <class Cell>
[[nodiscard]] std::string line_of(std::vector<Column> const& columns, Cell&& cell) {
  std::string line;
  for (auto const& column : columns) {
    std::string const& text = cell(column);
    line.append(column.width() - text.size() + (line.empty() ? 0 : 2), ' ');
    line += text;
  }
  return line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
}

/// The header and \p rows rows.
[[nodiscard]] inline std::string lines_of(std::vector<Column> const& columns, std::size_t rows) {
  std::string text;
  for (std::size_t line = 0; line < 3; ++line) {
    text += line_of(
        columns, [&](Column const& column) -> auto& { return column.header[line]; });
  }
  for (std::size_t row = 0; row < rows; ++row) {
    text += line_of(
        columns, [&](Column const& column) -> auto& { return column.cells[row]; });
  }
  return text;
}

}  // namespace zero_plan
