// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace training {

/// The one writer of a run's standard output and standard error, so that a status line that is drawn again and again
/// and the lines that stay do not mix. Every call flushes what it has written. Any thread may call.
///
/// A terminal has a status line, which never takes more than one row. The cursor rests at its beginning: where a
/// terminal that has become narrower breaks the row in two, all of it is behind the cursor and is cleared.
class Console {
 public:
  Console();

  /// Who warns: what the program is called.
  void set_program(std::string name) { program_ = std::move(name); }
  /// Whether there is a status line: on a terminal that can clear one (TERM is not "dumb").
  [[nodiscard]] bool is_live() const noexcept { return live_; }
  /// No status line from here on: a launcher gives its processes a terminal that nobody looks at.
  void show_lines_only() noexcept { live_ = false; }
  /// Fields of a line, cut to the terminal's width: those that do not fit are left out, from the right.
  void status(std::vector<std::string> const& fields);
  /// \p fields as a line that stays: as wide as the terminal, or whole where it is none.
  void line(std::vector<std::string> const& fields);
  /// Text of whole lines.
  void print(std::string_view text);
  /// A line on standard error, after the program's name.
  void warn(std::string_view text);
  /// Leaves the status line where it is: what follows begins below it.
  void end_status();

 private:
  void clear();

  std::mutex mutex_;
  bool live_;
  std::string drawn_{};
  std::string program_ = "training";
};

/// That of the process.
[[nodiscard]] Console& console();

/// Prints whole lines, as printf does.
[[gnu::format(printf, 1, 2)]] void say(char const* format, ...);

/// \p fields with two spaces between them, as many as fit into \p columns, and the first of them cut where it does not.
[[nodiscard]] std::string fitted(std::vector<std::string> const& fields, std::size_t columns);

}  // namespace training
