// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "support/byte_size.hpp"
#include "support/command_line.hpp"

#include <zero/utility/shortest_number.hpp>

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

/// What options may be set to: a member of a program's options, read strictly and written as it would be read.
namespace command_line {

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

/// The name of \p meaning among \p choices; empty where it has none.
template <class Value, std::size_t N>
[[nodiscard]] std::string spelled(Value const& meaning, Choices<Value, N> const& choices) {
  for (auto const& [spelled, other] : choices) {
    if (other == meaning) return std::string(spelled);
  }
  return {};
}

namespace detail {

template <class T>
struct Inner {
  using Type = T;
};
template <class T>
struct Inner<std::optional<T>> {
  using Type = T;
};

template <class Value>
[[nodiscard]] auto const* value_in(Value const& value) {
  if constexpr (requires { value.has_value(); }) {
    return value ? &*value : nullptr;
  } else {
    return &value;
  }
}

}  // namespace detail

/// Makes the settings of a program whose options are an `Options`. \p at is a pointer to a member, or a function that
/// returns the place in the options that it is given; what is there is a number, or an optional one.
template <class Options>
struct Settings {
  using View = std::string_view;

  template <class At>
  [[nodiscard]] static Setting<Options> whole(At at, std::uint64_t least, std::uint64_t most) {
    using Number = typename detail::Inner<std::remove_cvref_t<std::invoke_result_t<At, Options&>>>::Type;
    return {[=](Options& options, View name, View value) {
              std::invoke(at, options) = static_cast<Number>(command_line::whole(name, value, least, most));
            },
            [=](Options const& options) {
              auto const* const number = detail::value_in(std::invoke(at, options));
              return number == nullptr ? std::string() : std::to_string(*number);
            }};
  }

  template <class At>
  [[nodiscard]] static Setting<Options> real(At at, double least, double most, View expected) {
    return {[=](Options& options, View name, View value) {
              auto const number = parse_number<double>(name, value, expected);
              if (!(number >= least && number <= most)) reject(name, value, expected);
              std::invoke(at, options) = number;
            },
            [=](Options const& options) {
              auto const* const number = detail::value_in(std::invoke(at, options));
              return number == nullptr ? std::string() : zero::shortest_number(*number);
            }};
  }

  template <class At, class Value, std::size_t N>
  [[nodiscard]] static Setting<Options> choice(At at, Choices<Value, N> const& choices) {
    return {[=](Options& options, View name, View value) {
              std::invoke(at, options) = command_line::choice(name, value, choices);
            },
            [=](Options const& options) { return spelled<Value>(std::invoke(at, options), choices); }};
  }

  /// An option that is on where it is given without a value.
  template <class At>
  [[nodiscard]] static Setting<Options> flag(At at) {
    return {[=](Options& options, View name, View value) {
              if (value != "" && value != "on" && value != "off") reject(name, value, "on|off");
              std::invoke(at, options) = value != "off";
            },
            [=](Options const& options) { return std::string(std::invoke(at, options) ? "on" : "off"); }};
  }

  [[nodiscard]] static Setting<Options> text(std::optional<std::string> Options::*at) {
    return {[=](Options& options, View, View value) { options.*at = std::string(value); },
            [=](Options const& options) { return (options.*at).value_or(""); }};
  }

  /// A size in bytes.
  template <class At>
  [[nodiscard]] static Setting<Options> size(At at) {
    return {[=](Options& options, View name, View value) { std::invoke(at, options) = size_of(name, value); },
            [=](Options const& options) {
              auto const* const bytes = detail::value_in(std::invoke(at, options));
              return bytes == nullptr ? std::string() : std::to_string(*bytes);
            }};
  }
  /// A size in bytes that is not zero. Its default is the option's to tell.
  template <class At>
  [[nodiscard]] static Setting<Options> positive_size(At at) {
    return {[=](Options& options, View name, View value) {
      auto const bytes = size_of(name, value);
      if (bytes == 0) reject(name, value, "at least one byte");
      std::invoke(at, options) = bytes;
    }};
  }
};

}  // namespace command_line
