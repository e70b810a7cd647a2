// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The trainer's output on a terminal of each width, as one shows it.
#include "trainer/program.hpp"

#include <doctest/doctest.h>

#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace trainer_terminal_test {

using namespace trainer_test;

namespace {

/// What a terminal shows of an output: rows, of which one that is too long goes on in the next.
class Screen {
 public:
  explicit Screen(std::size_t width) : width_(width) {}

  void write(std::string_view text) {
    while (!text.empty()) {
      std::size_t taken = 1;
      if (text.starts_with("\033[J")) {
        taken = 3;
        rows_.resize(row_ + 1);
        rows_[row_].resize(std::min(rows_[row_].size(), column_));
        ++clears_;
      } else if (text.starts_with("\033[?7l") || text.starts_with("\033[?7h")) {
        taken = 5;  // not needed to keep to one row where the width stays: see the checks
      } else if (text.front() == '\033') {
        FAIL("a sequence that this terminal does not know");
      } else if (text.front() == '\r') {
        column_ = 0;
      } else if (text.front() == '\n') {
        next_row();
      } else {
        put(text.front());
      }
      text.remove_prefix(taken);
    }
  }
  [[nodiscard]] std::vector<std::string> const& rows() const { return rows_; }
  [[nodiscard]] std::size_t clears() const { return clears_; }

 private:
  void next_row() {
    if (++row_ == rows_.size()) rows_.emplace_back();
  }
  void put(char c) {
    if (column_ == width_) next_row(), column_ = 0;
    auto& row = rows_[row_];
    if (row.size() <= column_) row.resize(column_ + 1, ' ');
    row[column_++] = c;
  }

  std::size_t width_, row_ = 0, column_ = 0, clears_ = 0;
  std::vector<std::string> rows_{1};
};

struct Shown {
  Screen screen;
  std::string bytes;
  int code = -1;
};

/// The trainer on a terminal of its own.
class Terminal {
 public:
  Terminal(unsigned short width, char const* kind, std::string const& arguments) {
    auto size = size_of(width);
    std::string const command = std::string("exec env TERM=") + kind + " '" TRAIN_GPT2 "' " + last_of_each(arguments);
    child_ = ::forkpty(&master_, nullptr, nullptr, &size);
    REQUIRE(child_ >= 0);
    if (child_ == 0) {
      ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
      ::_exit(127);
    }
  }
  Terminal(Terminal const&) = delete;
  Terminal& operator=(Terminal const&) = delete;
  ~Terminal() { ::close(master_); }

  /// What the trainer has written and was read.
  [[nodiscard]] std::string const& bytes() const { return bytes_; }
  /// Reads on; false at the end.
  bool read() {
    char buffer[4096];
    auto const n = ::read(master_, buffer, sizeof buffer);
    if (n > 0) bytes_.append(buffer, static_cast<std::size_t>(n));
    return n > 0;
  }
  void resize(unsigned short width) {
    auto const size = size_of(width);
    REQUIRE(::ioctl(master_, TIOCSWINSZ, &size) == 0);
  }
  void kill() {
    REQUIRE(::kill(child_, SIGKILL) == 0);
    (void)wait();
  }
  /// Its exit code, once it has ended.
  int wait() {
    while (read()) {
    }
    int status = 0;
    ::waitpid(child_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  static winsize size_of(unsigned short width) {
    return {.ws_row = 24, .ws_col = width, .ws_xpixel = 0, .ws_ypixel = 0};
  }

  int master_ = -1;
  pid_t child_ = -1;
  std::string bytes_;
};

Shown show(unsigned short width, char const* kind, std::string const& arguments) {
  Terminal terminal(width, kind, arguments);
  Shown shown{Screen(width), {}};
  shown.code = terminal.wait();
  shown.bytes = terminal.bytes();
  shown.screen.write(shown.bytes);
  return shown;
}

/// The status lines of an output, one after another.
std::vector<std::string> statuses(std::string_view bytes) {
  std::string_view const begin = "\033[?7l", end = "\033[J";
  std::vector<std::string> all;
  for (std::size_t at = 0; (at = bytes.find(begin, at)) != std::string_view::npos;) {
    auto const to = bytes.find(end, at);
    if (to == std::string_view::npos) break;
    all.emplace_back(bytes.substr(at + begin.size(), to - at - begin.size()));
    at = to;
  }
  return all;
}

}  // namespace

TEST_CASE("train_gpt2: on a terminal the status line never takes two rows, and other lines stand alone") {
  Folder const folder;
  std::string const arguments = "--data " + folder.quote("text.txt") + tiny +
                                "--iterations 60 --eval-interval 30 --save-interval 7 --precision fp16 "
                                "--checkpoint-dir " +
                                folder.quote("run");
  for (int const width : {20, 40, 60, 80, 200}) {
    fs::remove_all(folder / "run");
    auto const shown = show(static_cast<unsigned short>(width), "xterm", arguments);
    CAPTURE(width);
    CAPTURE(shown.bytes);
    CHECK(shown.code == 0);
    CHECK(shown.screen.clears() >= 60);
    std::size_t steps = 0, saves = 0;
    for (auto const& row : shown.screen.rows()) {
      CAPTURE(row);
      auto const saved = row.find("checkpoint: saved");
      CHECK((saved == 0 || saved == std::string::npos));
      if (saved == 0 && width == 200) CHECK(row.ends_with(" bytes"));  // and nothing of the status line
      saves += saved == 0 ? 1 : 0;
      auto const step = row.find("step ");
      bool const progress = row.starts_with("step ") && row.find("/60") != std::string::npos;
      steps += progress ? 1 : 0;
      CHECK((!progress || step == row.rfind("step ")));
    }
    CHECK(steps == 2);                    // the validations: all others were replaced
    if (width >= 40) CHECK(saves == 10);  // each 7 steps, at the first validation and at the end
  }
}

TEST_CASE("train_gpt2: the status line follows the width of a terminal that is resized") {
  Folder const folder;
  Terminal terminal(200, "xterm",
                    "--data " + folder.quote("text.txt") + tiny + "--iterations 100000 --eval-interval 100000");
  // How many lines there were when the first one came of which `holds` is true; all, where none does.
  auto const wait_for = [&](auto const& holds) {
    for (;;) {
      auto const all = statuses(terminal.bytes());
      if (!all.empty() && holds(all.back())) return all.size();
      if (!terminal.read()) return all.size() + 1;
    }
  };
  auto const is_wide = [](std::string const& line) { return line.size() > 50; };
  auto const is_narrow = [](std::string const& line) { return line.size() < 40; };
  for (int turn = 0; turn < 3; ++turn) {
    auto const wide = wait_for(is_wide);
    REQUIRE(wide <= statuses(terminal.bytes()).size());
    terminal.resize(40);
    auto const narrow = wait_for(is_narrow);
    REQUIRE(narrow <= statuses(terminal.bytes()).size());
    auto const stays = wait_for([&](std::string const&) { return statuses(terminal.bytes()).size() >= narrow + 20; });
    auto const all = statuses(terminal.bytes());
    REQUIRE(stays <= all.size());
    CHECK(std::all_of(all.begin() + static_cast<std::ptrdiff_t>(narrow) - 1, all.end(), is_narrow));
    terminal.resize(200);
  }
  terminal.kill();
}

TEST_CASE("train_gpt2: a terminal that cannot clear a line gets lines only") {
  Folder const folder;
  auto const shown = show(
      40, "dumb", "--data " + folder.quote("text.txt") + tiny + "--iterations 60 --eval-interval 30 --log-interval 20");
  CAPTURE(shown.bytes);
  CHECK(shown.bytes.find('\033') == std::string::npos);
  for (char const* step : {"step 20/60  loss ", "step 30/60  loss ", "step 40/60  loss ", "step 60/60  loss "}) {
    CHECK(shown.bytes.find(step) != std::string::npos);
  }
  CHECK(shown.bytes.find("step 21/60") == std::string::npos);
}

TEST_CASE("train_gpt2: what ends a run on a terminal is told below the status line") {
  Folder const folder;
  auto const shown =
      show(80, "xterm",
           "--data " + folder.quote("text.txt") + tiny + "--iterations 40 --eval-interval 40 --lr 1e30 --max-skips 5");
  CAPTURE(shown.bytes);
  CHECK(shown.code == 6);
  bool told = false;
  for (auto const& row : shown.screen.rows())
    told = told || row.starts_with("train_gpt2: training has diverged at step ");
  CHECK(told);
}

}  // namespace trainer_terminal_test
