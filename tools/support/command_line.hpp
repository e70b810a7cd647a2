// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The command lines of the tools and of train_gpt2: options as a table, read and explained from it. Needs the standard
// library only, as these programs must build offline.

#include "support/usage_error.hpp"

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace command_line {

/// What follows the program's name.
using Words = std::span<char const* const>;

[[nodiscard]] inline Words words_of(int argc, char const* const* argv) {
  return {argv + 1, static_cast<std::size_t>(argc > 0 ? argc - 1 : 0)};
}

/// One option of a program that keeps what it is asked for in an `Options`.
template <class Options>
struct Option {
  std::string_view name;
  std::string_view value;  ///< what the help calls its value; empty: it takes none
  std::string_view help;
  std::function<void(Options&, std::string_view name, std::string_view value)> set;
};

/// Options in the order of the help.
template <class Options>
using Table = std::vector<Option<Options>>;

[[noreturn]] inline void reject(std::string_view name, std::string_view value, std::string_view expected) {
  throw UsageError(std::string(name) + " " + std::string(value) + ": expected " + std::string(expected));
}

/// \p value as a number, which all of it must be.
template <class Number>
[[nodiscard]] Number parse_number(std::string_view name, std::string_view value, std::string_view expected) {
  Number number{};
  auto const [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc{} || end != value.data() + value.size()) reject(name, value, expected);
  return number;
}

[[nodiscard]] inline std::uint64_t whole(std::string_view name, std::string_view value, std::uint64_t least,
                                         std::uint64_t most) {
  std::string const expected = "a whole number from " + std::to_string(least) + " to " + std::to_string(most);
  auto const number = parse_number<std::uint64_t>(name, value, expected);
  if (number < least || number > most) reject(name, value, expected);
  return number;
}

[[nodiscard]] inline double real(std::string_view name, std::string_view value, double least, double most,
                                 std::string_view expected) {
  auto const number = parse_number<double>(name, value, expected);
  if (!(number >= least && number <= most)) reject(name, value, expected);
  return number;
}

/// The meanings of the values that an option may have.
template <class Value, std::size_t N>
using Choices = std::array<std::pair<std::string_view, Value>, N>;

template <class Value, std::size_t N>
[[nodiscard]] Value choice(std::string_view name, std::string_view value, Choices<Value, N> const& choices) {
  std::string names;
  for (auto const& [spelled, meaning] : choices) {
    if (value == spelled) return meaning;
    names += (names.empty() ? "" : "|") + std::string(spelled);
  }
  reject(name, value, names);
}

/// Takes a word that no table has: returns whether to read on, or throws.
template <class Options>
using OtherWord = std::function<bool(Options&, std::string_view word)>;

/// For programs whose words are all options: asks for help with --help or -h, where the rest does not count, and knows
/// no other word.
template <class Options>
[[nodiscard]] bool only_options(Options& options, std::string_view word) {
  if (word != "--help" && word != "-h") throw UsageError(std::string(word) + ": unknown option; --help lists them");
  options.help = true;
  return false;
}

/// Takes an option whose value is missing, and throws.
template <class Options>
[[noreturn]] void needs_value(Option<Options> const& option) {
  throw UsageError(std::string(option.name) + ": needs a value, " + std::string(option.value));
}

/// Reads \p words into \p options, up to the end or to where \p other stops. \throws UsageError.
template <class Options>
void parse(Words words, std::vector<Table<Options> const*> const& tables, Options& options,
           OtherWord<Options> const& other = only_options<Options>,
           std::function<void(Option<Options> const&)> const& missing = needs_value<Options>) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string_view const word = words[i];
    Option<Options> const* found = nullptr;
    for (auto const* table : tables) {
      for (auto const& option : *table) {
        if (option.name == word) found = &option;
      }
    }
    if (found == nullptr) {
      if (!other(options, word)) return;
    } else if (found->value.empty()) {
      found->set(options, word, {});
    } else {
      if (++i == words.size()) missing(*found);
      found->set(options, word, words[i]);
    }
  }
}

/// A line or two for each option of \p table: what it does begins at column \p column.
template <class Options>
[[nodiscard]] std::string describe(Table<Options> const& table, std::size_t column) {
  std::string text;
  for (auto const& option : table) {
    std::string const head = "  " + std::string(option.name) + " " + std::string(option.value);
    bool const fits = head.size() < column;
    text += head + (fits ? "" : "\n") + std::string(fits ? column - head.size() : column, ' ');
    text += std::string(option.help) + "\n";
  }
  return text;
}

/// Calls `f()`, which returns the exit code of the program \p name; where it throws, says why and returns 2.
template <class F>
[[nodiscard]] int run(char const* name, F&& f) {
  try {
    return f();
  } catch (std::exception const& error) {
    std::fprintf(stderr, "%s: %s\n", name, error.what());
    return 2;
  }
}

}  // namespace command_line
