// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "run_command.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

/// The trainer as its users meet it: a command line, an exit code, text on two streams and a log.
namespace trainer_test {

namespace fs = std::filesystem;

using zero_test::Outcome;

/// Runs the trainer through the shell, which the test's own quoted arguments go through, with \p variables of its own.
inline Outcome run_in(std::string const& variables, std::string const& arguments) {
  return zero_test::run_command(variables + " '" TRAIN_GPT2 "' " + arguments + " 2>&1 < /dev/null");
}

/// \p arguments without the options that come again later, so that what a test adds to `tiny` replaces it. What begins
/// with a word that the shell gives a meaning stays as it is.
inline std::string last_of_each(std::string const& arguments) {
  std::vector<std::string> words;
  std::size_t at = 0;
  auto const is_shell = [](std::string const& word) {
    return word == "&" || word == "|" || word == ";" || word == "2>";
  };
  while ((at = arguments.find_first_not_of(' ', at)) != std::string::npos) {
    bool quoted = false;
    std::size_t end = at;
    for (; end < arguments.size() && (quoted || arguments[end] != ' '); ++end) quoted ^= arguments[end] == '\'';
    words.push_back(arguments.substr(at, end - at));
    if (is_shell(words.back())) break;
    at = end;
  }
  std::string rest;
  if (!words.empty() && is_shell(words.back())) rest = " " + arguments.substr(at), words.pop_back();
  std::string kept;
  for (std::size_t i = 0; i < words.size();) {
    std::size_t next = i + 1;
    while (next < words.size() && !words[next].starts_with("--")) ++next;
    bool const again =
        std::find(words.begin() + static_cast<std::ptrdiff_t>(next), words.end(), words[i]) != words.end();
    for (; i < next; ++i) kept += again ? "" : " " + words[i];
  }
  return kept + rest;
}

inline Outcome run(std::string const& arguments) { return run_in("", last_of_each(arguments)); }

/// A folder of its own, removed at the end.
class Folder {
 public:
  Folder()
      : path_(fs::temp_directory_path() /
              ("zero trainer " + std::to_string(::getpid()) + "." + std::to_string(next()))) {
    fs::create_directories(path_);
    std::ofstream text(path_ / "text.txt");
    for (int i = 0; i < 400; ++i) text << "the quick brown fox jumps over the lazy dog " << i << '\n';
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(Folder const&) = delete;
  Folder& operator=(Folder const&) = delete;
  [[nodiscard]] fs::path operator/(char const* name) const { return path_ / name; }
  /// A path as one word of the shell.
  [[nodiscard]] std::string quote(char const* name) const { return "'" + (path_ / name).string() + "'"; }

 private:
  static int next() {
    static int made = 0;
    return ++made;
  }

  fs::path path_;
};

inline std::string const tiny =
    " --layers 2 --heads 2 --width 16 --context 8 --batch 2 --iterations 4 --eval-interval 2 --eval-batches 3 --sample "
    "0 ";

/// Parts of a command line, one after the other.
inline std::string joined(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (auto const part : parts) text += part;
  return text;
}

inline std::string last_line(fs::path const& log) {
  std::ifstream file(log);
  std::string line;
  std::string last;
  while (std::getline(file, line)) last = line;
  return last;
}

/// The parameter hash of a run with \p arguments; fails the test if the run does.
inline std::string hash_of(Folder const& folder, std::string const& arguments) {
  auto const outcome = run("--data " + folder.quote("text.txt") + tiny + arguments + " --log " + folder.quote("log"));
  INFO(arguments << "\n" << outcome.output);
  REQUIRE(outcome.code == 0);
  auto line = last_line(folder / "log");
  REQUIRE(line.find("parameter_hash") != std::string::npos);
  return line;
}

inline void check_rejected(std::string const& arguments, std::string const& reason, int code = 2) {
  auto const outcome = run_in("", arguments);
  CAPTURE(arguments);
  CAPTURE(outcome.output);
  CHECK(outcome.code == code);
  CHECK(outcome.output.find(reason) != std::string::npos);
  CHECK(outcome.output.rfind("train_gpt2: ", 0) == 0);
  CHECK(std::count(outcome.output.begin(), outcome.output.end(), '\n') == 1);
}

}  // namespace trainer_test
