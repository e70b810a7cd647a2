// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/error.hpp>
#include <zero/support/message.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace zero::detail {

/// Slurm's short forms of lists: "n[01-03,7],login" and "2(x3),1".
class SlurmList {
 public:
  static constexpr std::size_t max_nodes = 65536;

  /// The names of a node list, in its order, so that the first is the host of rank 0.
  [[nodiscard]] static std::vector<std::string> nodes(std::string_view list) {
    SlurmList parser(list, "node list");
    std::vector<std::string> names;
    do {
      parser.node(names);
    } while (parser.skip(','));
    parser.expect_end();
    return names;
  }
  /// Number of tasks of every node, as SLURM_TASKS_PER_NODE says it.
  [[nodiscard]] static std::vector<std::size_t> tasks(std::string_view list) {
    SlurmList parser(list, "list of tasks");
    std::vector<std::size_t> counts;
    do {
      std::size_t const tasks = parser.number();
      std::size_t repeats = 1;
      if (parser.skip('(')) {
        if (!parser.skip('x')) parser.refuse();
        repeats = parser.number();
        if (!parser.skip(')')) parser.refuse();
      }
      if (repeats > max_nodes - counts.size()) parser.refuse();
      counts.insert(counts.end(), repeats, tasks);
    } while (parser.skip(','));
    parser.expect_end();
    return counts;
  }

 private:
  SlurmList(std::string_view text, char const* what) : all_(text), rest_(text), what_(what) {}

  [[noreturn]] void refuse() const {
    fail<ConfigurationError>({"zero::LaunchEnvironment: Slurm's ", what_, " ", quote(all_.substr(0, 200)),
                              " cannot be read: give MASTER_ADDR, MASTER_PORT, RANK and WORLD_SIZE instead"});
  }
  void expect_end() const {
    if (!rest_.empty()) refuse();
  }
  [[nodiscard]] bool skip(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  [[nodiscard]] std::string_view digits() {
    auto const end = (std::min)(rest_.find_first_not_of("0123456789"), rest_.size());
    auto const found = rest_.substr(0, end);
    if (found.empty() || found.size() > 9) refuse();
    rest_.remove_prefix(end);
    return found;
  }
  [[nodiscard]] std::size_t number() { return value(digits()); }
  [[nodiscard]] static std::size_t value(std::string_view digits) {
    std::size_t n = 0;
    (void)std::from_chars(digits.data(), digits.data() + digits.size(), n);
    return n;
  }

  // A name of plain characters and of brackets, each of which stands for several: "r[1-2]n[01-16]".
  void node(std::vector<std::string>& names) {
    std::vector<std::string> made{""};
    while (!rest_.empty() && rest_.front() != ',') {
      if (skip('[')) {
        made = combined(made, bracket());
      } else {
        if (!is_plain(rest_.front())) refuse();
        for (auto& name : made) name += rest_.front();
        rest_.remove_prefix(1);
      }
    }
    if (made.front().empty() || made.size() > max_nodes - names.size()) refuse();
    names.insert(names.end(), made.begin(), made.end());
  }
  [[nodiscard]] static bool is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == '_';
  }
  [[nodiscard]] std::vector<std::string> bracket() {
    std::vector<std::string> parts;
    do {
      auto const first = digits();
      auto const last = skip('-') ? digits() : first;
      std::size_t const begin = value(first), end = value(last);
      if (end < begin || end - begin >= max_nodes - parts.size()) refuse();
      for (std::size_t n = begin; n <= end; ++n) {
        auto text = std::to_string(n);
        if (text.size() < first.size()) text.insert(0, first.size() - text.size(), '0');
        parts.push_back(std::move(text));
      }
    } while (skip(','));
    if (!skip(']')) refuse();
    return parts;
  }
  [[nodiscard]] std::vector<std::string> combined(std::vector<std::string> const& heads,
                                                  std::vector<std::string> const& tails) const {
    if (heads.size() > max_nodes / tails.size()) refuse();
    std::vector<std::string> made;
    made.reserve(heads.size() * tails.size());
    for (auto const& head : heads) {
      for (auto const& tail : tails) made.push_back(head + tail);
    }
    return made;
  }

  std::string_view all_, rest_;
  char const* what_;
};

}  // namespace zero::detail
