// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The command lines of the tools and of train_gpt2: options as a table, read and explained from it. Needs the standard
// library only, as these programs must build offline.

#include "support/exit_code.hpp"
#include "support/suggestion.hpp"
#include "support/usage_error.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace command_line {

/// What follows the program's name.
using Words = std::span<char const* const>;

[[nodiscard]] inline Words words_of(int argc, char const* const* argv) {
  return {argv + 1, static_cast<std::size_t>(argc > 0 ? argc - 1 : 0)};
}

/// How an option is read into an `Options`, and what it is there: settings.hpp makes them.
template <class Options>
struct Setting {
  std::function<void(Options&, std::string_view name, std::string_view value)> set;
  std::function<std::string(Options const&)> get{};  ///< as a command line has it; empty: it is not set
};

/// One option of a program that keeps what it is asked for in an `Options`.
template <class Options>
struct Option {
  std::string_view name;
  std::string_view value;  ///< what the help calls its value; empty: it takes none; [on|off]: it may be left out
  std::string_view help;
  Setting<Options> setting;
  std::string_view usual{};  ///< the default in words, where its value does not say it
  std::string_view alias{};  ///< what an earlier version called it; not in the help
  bool repeats = false;      ///< may be given several times, each with a value of its own

  [[nodiscard]] bool is_named(std::string_view word) const { return word == name || (!alias.empty() && word == alias); }
};

/// Options that the help lists under one title.
template <class Options>
struct Group {
  std::string_view title;
  std::vector<Option<Options>> options;
};

/// A program as its users meet it. `Options` has a member `asked` of type `Asked`.
template <class Options>
struct Command {
  std::string_view name;
  std::string_view synopsis;  ///< what follows the name, such as "DIR [OPTION...]"
  std::string_view what;      ///< one sentence
  std::vector<Group<Options>> groups;
  std::vector<ExitCode> exit_codes;
  std::string_view notes{};  ///< after the options, in lines of at most 80 columns
  /// Takes a word that is no option; without it there are no such words.
  std::function<void(Options&, std::string_view word)> take_word{};
};

/// What a command line says beside its settings.
struct Asked {
  bool help = false, version = false;                     ///< nothing else counts then
  std::map<std::string, std::string, std::less<>> given;  ///< options by their names, with the last value of each

  [[nodiscard]] bool has(std::string_view name) const { return given.find(name) != given.end(); }
};

/// Reads words into options, from the first to the last.
template <class Options>
class Reader {
 public:
  Reader(Command<Options> const& command, Words words, Options& options)
      : command_(command), words_(words), options_(options) {}

  /// \throws UsageError.
  void read() {
    for (std::string_view const word : words_) {
      if (word == "--") break;
      if (word == "--help" || word == "-h") options_.asked.help = true;
      if (word == "--version") options_.asked.version = true;
    }
    if (options_.asked.help || options_.asked.version) return;
    while (at_ < words_.size()) {
      std::string_view const word = words_[at_++];
      if (word == "--" && !only_words_) {
        only_words_ = true;
      } else if (only_words_ || !word.starts_with('-') || word == "-") {
        take(word);
      } else {
        read_option(word);
      }
    }
  }

 private:
  void take(std::string_view word) {
    if (command_.take_word) return command_.take_word(options_, word);
    throw UsageError(std::string(word) + ": is no option: those begin with --, and --help lists them");
  }

  void read_option(std::string_view word) {
    auto const equals = word.find('=');
    auto const name = word.substr(0, equals);
    auto const* const option = find(name);
    if (option == nullptr) {
      throw UsageError(std::string(name) + ": unknown option; " + what_was_meant(name, names()));
    }
    if (!option->repeats && options_.asked.has(option->name)) {
      throw UsageError(std::string(name) + ": is given twice: leave one of them out");
    }
    std::string_view const value =
        equals == std::string_view::npos ? next_value(*option, name) : value_of(*option, name, word.substr(equals + 1));
    option->setting.set(options_, name, value);
    options_.asked.given[std::string(option->name)] = value;
  }

  static std::string_view value_of(Option<Options> const& option, std::string_view name, std::string_view value) {
    if (option.value.empty()) throw UsageError(std::string(name) + ": takes no value");
    if (value.empty()) needs_value(option, name);
    return value;
  }

  /// What follows the option's name, where that is its value.
  std::string_view next_value(Option<Options> const& option, std::string_view name) {
    if (option.value.empty()) return {};
    std::string_view const next = at_ < words_.size() ? words_[at_] : std::string_view();
    if (option.value.starts_with('[')) {
      bool const other = next.empty() || next.starts_with('-') || command_.take_word;
      if (next != "on" && next != "off" && other) return "on";
    } else if (next.empty() || find(next.substr(0, next.find('='))) != nullptr) {
      needs_value(option, name);
    }
    ++at_;
    return next;
  }

  [[noreturn]] static void needs_value(Option<Options> const& option, std::string_view name) {
    throw UsageError(std::string(name) + ": needs a value: " + std::string(name) + " " + std::string(option.value) +
                     ", " + std::string(option.help));
  }

  [[nodiscard]] Option<Options> const* find(std::string_view name) const {
    for (auto const& group : command_.groups) {
      for (auto const& option : group.options) {
        if (option.is_named(name)) return &option;
      }
    }
    return nullptr;
  }

  [[nodiscard]] std::vector<std::string_view> names() const {
    std::vector<std::string_view> all{"--help", "--version"};
    for (auto const& group : command_.groups) {
      for (auto const& option : group.options) all.push_back(option.name);
    }
    return all;
  }

  Command<Options> const& command_;
  Words words_;
  Options& options_;
  std::size_t at_ = 0;
  bool only_words_ = false;
};

/// Reads \p words into \p options. `--name=value` is `--name value`. \throws UsageError.
template <class Options>
void parse(Command<Options> const& command, Words words, Options& options) {
  Reader<Options>(command, words, options).read();
}

/// What \p words ask \p command for. Calls \p check with it, unless that is --help or --version. \throws UsageError.
template <class Options, class Check>
[[nodiscard]] Options parsed(Command<Options> const& command, Words words, Check&& check) {
  Options options;
  parse(command, words, options);
  if (!options.asked.help && !options.asked.version) check(options);
  return options;
}

}  // namespace command_line
