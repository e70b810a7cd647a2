// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "console.hpp"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>

#include <sys/ioctl.h>
#include <unistd.h>

namespace training {
namespace {

// What the handler sets: the width is read when it is next needed.
std::atomic<bool> resized{true};
static_assert(std::atomic<bool>::is_always_lock_free);  // a handler may touch nothing else

void watch_size() {
  struct sigaction action {};
  action.sa_handler = [](int) { resized.store(true); };
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGWINCH, &action, nullptr);
}

/// Columns of the terminal; 80 where it does not say.
std::size_t terminal_width() {
  static std::size_t width = 80;
  if (!resized.exchange(false)) return width;
  winsize size{};
  bool const known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return width = known ? size.ws_col : 80;
}

bool can_clear() {
  if (::isatty(STDOUT_FILENO) != 1) return false;
  char const* const terminal = std::getenv("TERM");
  return terminal != nullptr && *terminal != '\0' && std::string_view(terminal) != "dumb";
}

// A row that is written to its last column leaves it to the terminal where the cursor is.
std::size_t columns() { return terminal_width() - 1; }

void write(std::FILE* stream, std::string_view text) {
  (void)std::fwrite(text.data(), 1, text.size(), stream);
  std::fflush(stream);
}

}  // namespace

Console::Console() : live_(can_clear()) {
  if (live_) watch_size();
}

void Console::status(std::vector<std::string> const& fields) {
  if (!live_) return;
  std::lock_guard const lock(mutex_);
  drawn_ = fitted(fields, columns());
  // Without automatic wrapping meanwhile: a terminal may have become narrower since its width was read.
  write(stdout, "\r\033[?7l" + drawn_ + "\033[J\033[?7h\r");
}

void Console::line(std::vector<std::string> const& fields) {
  // A line that stays may be broken in two, and the loss of a validation is worth it.
  constexpr std::size_t least = 50;
  std::lock_guard const lock(mutex_);
  clear();
  write(stdout, fitted(fields, live_ ? std::max(columns(), least) : std::string::npos) + "\n");
}

void Console::print(std::string_view text) {
  std::lock_guard const lock(mutex_);
  clear();
  write(stdout, text);
}

void Console::warn(std::string_view text) {
  std::lock_guard const lock(mutex_);
  clear();
  std::fflush(stdout);
  write(stderr, program_ + ": warning: " + std::string(text) + "\n");
}

void Console::end_status() {
  std::lock_guard const lock(mutex_);
  if (!drawn_.empty()) write(stdout, "\r" + fitted({drawn_}, columns()) + "\033[J\n");
  drawn_.clear();
}

void Console::clear() {
  if (!drawn_.empty()) write(stdout, "\r\033[J");
  drawn_.clear();
}

Console& console() {
  static Console instance;
  return instance;
}

void say(char const* format, ...) {
  std::va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  int const size = std::vsnprintf(nullptr, 0, format, arguments);
  va_end(arguments);
  std::string text(size > 0 ? static_cast<std::size_t>(size) : 0, '\0');
  std::vsnprintf(text.data(), text.size() + 1, format, again);
  va_end(again);
  console().print(text);
}

std::string fitted(std::vector<std::string> const& fields, std::size_t columns) {
  std::string text;
  for (auto const& field : fields) {
    if (field.empty()) continue;
    if (text.empty()) {
      text = field.substr(0, columns);
    } else if (text.size() + 2 + field.size() > columns) {
      break;
    } else {
      text += "  " + field;
    }
  }
  return text;
}

}  // namespace training
