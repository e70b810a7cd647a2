// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The trainer's output on a terminal of each width, as one shows it.
#include "trainer/program.hpp"

#include <doctest/doctest.h>

#include <pty.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

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

/// Runs the trainer on a terminal of its own.
Shown show(unsigned short width, char const* terminal, std::string const& arguments) {
  winsize size{.ws_row = 24, .ws_col = width, .ws_xpixel = 0, .ws_ypixel = 0};
  std::string const command = std::string("exec env TERM=") + terminal + " '" TRAIN_GPT2 "' " + last_of_each(arguments);
  int master = -1;
  pid_t const child = ::forkpty(&master, nullptr, nullptr, &size);
  REQUIRE(child >= 0);
  if (child == 0) {
    ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    ::_exit(127);
  }
  Shown shown{Screen(width), {}};
  char buffer[4096];
  for (ssize_t n; (n = ::read(master, buffer, sizeof buffer)) > 0;)
    shown.bytes.append(buffer, static_cast<std::size_t>(n));
  int status = 0;
  ::waitpid(child, &status, 0);
  ::close(master);
  if (WIFEXITED(status)) shown.code = WEXITSTATUS(status);
  shown.screen.write(shown.bytes);
  return shown;
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
