// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/error.hpp>
#include <zero/support/message.hpp>

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace zero::detail {

/// A number that a variable of the environment holds, and the variable's name, for errors.
struct NamedNumber {
  std::string name;
  std::int64_t value = 0;
};

/// Reads variables of an environment, strictly: a number is a number from end to end. Empty counts as not set.
class Environment {
 public:
  using Lookup = std::function<char const*(char const*)>;

  explicit Environment(Lookup lookup) : lookup_(std::move(lookup)) {}
  /// That of the process. No thread may change it meanwhile.
  Environment() : lookup_([](char const* name) { return std::getenv(name); }) {}

  [[nodiscard]] std::optional<std::string> text(char const* name) const {
    auto const* const value = lookup_(name);
    if (value == nullptr || *value == '\0') return std::nullopt;
    return std::string(value);
  }
  [[nodiscard]] bool has(char const* name) const { return text(name).has_value(); }

  /// \throws ConfigurationError for anything but a whole number from \p least to \p most.
  [[nodiscard]] std::optional<NamedNumber> number(char const* name, std::int64_t least, std::int64_t most) const {
    auto const value = text(name);
    if (!value) return std::nullopt;
    std::int64_t number = 0;
    auto const [end, code] = std::from_chars(value->data(), value->data() + value->size(), number);
    if (code != std::errc{} || end != value->data() + value->size()) {
      fail<ConfigurationError>({"zero::LaunchEnvironment: ", name, "=", quote(*value),
                                " is not a whole number: set it as the launcher would, or unset it"});
    }
    if (number < least || number > most) {
      fail<ConfigurationError>({"zero::LaunchEnvironment: ", name, "=", number, " is not between ", least, " and ",
                                most, ": set it as the launcher would, or unset it"});
    }
    return NamedNumber{name, number};
  }
  /// The first of two names that is set.
  [[nodiscard]] std::optional<NamedNumber> number(char const* name, char const* other, std::int64_t least,
                                                  std::int64_t most) const {
    auto const found = number(name, least, most);
    return found ? found : number(other, least, most);
  }

 private:
  Lookup lookup_;
};

}  // namespace zero::detail
