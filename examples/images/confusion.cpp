// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "confusion.hpp"

#include "training/progress.hpp"

#include <algorithm>
#include <tuple>

namespace images {
namespace {

std::string padded(std::string text, std::size_t width, bool left) {
  if (text.size() >= width) return text;
  std::string const blanks(width - text.size(), ' ');
  return left ? text + blanks : blanks + text;
}

std::string percent(std::uint64_t part, std::uint64_t whole) {
  return training::formatted("%.2f %%", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

}  // namespace

std::uint64_t Confusion::pictures_of(std::size_t right) const {
  std::uint64_t sum = 0;
  for (std::size_t c = 0; c < classes_; ++c) sum += at(right, c);
  return sum;
}

std::string Confusion::to_table(std::vector<std::string> const& names) const {
  constexpr std::size_t most = 20;  // columns
  auto const name = [&](std::size_t c) { return c < names.size() ? names[c] : "class " + std::to_string(c); };
  std::vector<std::size_t> rows, columns;
  std::size_t width = 5;
  for (std::size_t c = 0; c < classes_; ++c) {
    std::uint64_t predicted = 0;
    for (std::size_t r = 0; r < classes_; ++r) predicted += at(r, c);
    if (pictures_of(c) > 0) rows.push_back(c);
    if (pictures_of(c) > 0 || predicted > 0) columns.push_back(c);
    if (pictures_of(c) > 0 || predicted > 0) width = std::max(width, name(c).size());
  }
  bool const is_square = columns.size() <= most;
  std::string text = "  " + padded("class", width, true) + "  pictures  accuracy";
  auto const column_of = [&](std::size_t c) { return std::max<std::size_t>(name(c).size(), 4) + 2; };
  if (is_square) {
    text += "   taken for";
    for (auto const c : columns) text += padded(name(c), column_of(c), false);
  }
  text += "\n";
  for (auto const r : rows) {
    text += "  " + padded(name(r), width, true) + padded(std::to_string(pictures_of(r)), 10, false) +
            padded(percent(at(r, r), pictures_of(r)), 10, false);
    if (is_square) {
      text += "            ";
      for (auto const c : columns) text += padded(at(r, c) > 0 ? std::to_string(at(r, c)) : ".", column_of(c), false);
    }
    text += "\n";
  }
  if (is_square) return text;
  std::vector<std::tuple<std::uint64_t, std::size_t, std::size_t>> pairs;
  for (auto const r : rows) {
    for (auto const c : columns) {
      if (r != c && at(r, c) > 0) pairs.emplace_back(at(r, c), r, c);
    }
  }
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](auto const& a, auto const& b) { return std::get<0>(a) > std::get<0>(b); });
  if (pairs.size() > 10) pairs.resize(10);
  for (auto const& pair : pairs) {
    text += "  " + name(std::get<1>(pair)) + " was taken for " + name(std::get<2>(pair)) + " " +
            std::to_string(std::get<0>(pair)) + " times\n";
  }
  return text;
}

}  // namespace images
