// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "differential/line.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <type_traits>

namespace differential {
namespace {

// Names of enumerators, in their order.
constexpr std::array rules = {"adam", "adamw", "sgd", "lion", "adagrad"};
constexpr std::array types = {"fp32", "fp16", "bf16"};
constexpr std::array reduces = {"standard", "each_micro_batch", "once_per_step"};
constexpr std::array scalings = {"none", "constant", "dynamic"};
constexpr std::array gathers = {"units", "backward", "recompute", "all", "none"};
constexpr std::array arrivals = {"registered", "unit", "free"};
constexpr auto const& names(Rule) { return rules; }
constexpr auto const& names(Type) { return types; }
constexpr auto const& names(ReduceOrder) { return reduces; }
constexpr auto const& names(Scaling) { return scalings; }
constexpr auto const& names(Gathers) { return gathers; }
constexpr auto const& names(Arrival) { return arrivals; }

template <class T>
std::string text(T const& value) {
  if constexpr (std::is_enum_v<T>) {
    return names(value)[static_cast<std::size_t>(value)];
  } else if constexpr (std::is_floating_point_v<T>) {
    std::array<char, 32> digits{};  // the shortest text of the same number
    return {digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr};
  } else {
    return std::to_string(value);
  }
}

[[noreturn]] void refuse(std::string_view word) {
  throw std::invalid_argument("cannot read \"" + std::string(word) + "\" in the line of a scenario");
}

template <class T>
void read(std::string_view word, std::string_view from, T& value) {
  if constexpr (std::is_enum_v<T>) {
    auto const& all = names(T{});
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (from == all[i]) return void(value = static_cast<T>(i));
    }
    refuse(word);
  } else if constexpr (std::is_same_v<T, bool>) {
    if (from != "0" && from != "1") refuse(word);
    value = from == "1";
  } else {
    auto const [end, error] = std::from_chars(from.data(), from.data() + from.size(), value);
    if (error != std::errc{} || end != from.data() + from.size()) refuse(word);
  }
}

std::vector<std::string_view> fields(std::string_view word, std::string_view value, std::size_t count) {
  std::vector<std::string_view> found;
  for (std::size_t at = 0; at <= value.size();) {
    std::size_t const end = std::min(value.find(':', at), value.size());
    found.push_back(value.substr(at, end - at));
    at = end + 1;
  }
  if (found.size() != count) refuse(word);
  return found;
}

Group read_group(std::string_view word, std::string_view value) {
  auto const part = fields(word, value, 2);
  Group group;
  read(word, part[0], group.lr_factor), read(word, part[1], group.weight_decay);
  return group;
}

Parameter read_parameter(std::string_view word, std::string_view value) {
  auto const part = fields(word, value, 5);
  Parameter parameter;
  read(word, part[0], parameter.count), read(word, part[1], parameter.unit), read(word, part[2], parameter.group);
  read(word, part[3], parameter.contributions);
  parameter.frozen = part[4].find('f') != std::string_view::npos;
  parameter.adopts_values = part[4].find('v') != std::string_view::npos;
  parameter.adopts_gradients = part[4].find('g') != std::string_view::npos;
  return parameter;
}

std::string text_of(Parameter const& p) {
  std::string flags;
  if (p.frozen) flags += 'f';
  if (p.adopts_values) flags += 'v';
  if (p.adopts_gradients) flags += 'g';
  if (flags.empty()) flags = "-";
  return " parameter=" + text(p.count) + ":" + text(p.unit) + ":" + text(p.group) + ":" + text(p.contributions) + ":" +
         flags;
}

}  // namespace

std::string to_line(Scenario const& scenario) {
  std::string line;
  Scenario standard;
  std::vector<std::string> defaults;
  for_each_member(standard, [&](char const*, auto const& value) { defaults.push_back(text(value)); });
  std::size_t i = 0;
  for_each_member(scenario, [&](char const* name, auto const& value) {
    auto const now = text(value);
    if (now != defaults[i++]) line += (line.empty() ? "" : " ") + std::string(name) + "=" + now;
  });
  for (auto const& group : scenario.groups) line += " group=" + text(group.lr_factor) + ":" + text(group.weight_decay);
  for (auto const& parameter : scenario.parameters) line += text_of(parameter);
  return line;
}

Scenario from_line(std::string const& line) {
  Scenario scenario;
  std::istringstream words(line);
  for (std::string word; words >> word;) {
    auto const equals = word.find('=');
    if (equals == std::string::npos) refuse(word);
    auto const name = std::string_view(word).substr(0, equals), value = std::string_view(word).substr(equals + 1);
    bool known = true;
    if (name == "group") {
      scenario.groups.push_back(read_group(word, value));
    } else if (name == "parameter") {
      scenario.parameters.push_back(read_parameter(word, value));
    } else {
      known = false;
      for_each_member(scenario, [&](char const* member, auto& into) {
        if (name == member) known = true, read(word, value, into);
      });
    }
    if (!known) refuse(word);
  }
  if (scenario.groups.empty()) scenario.groups.push_back({});
  if (scenario.parameters.empty()) throw std::invalid_argument("the line of a scenario names no parameter");
  for (auto const& parameter : scenario.parameters) {
    if (parameter.group >= scenario.groups.size())
      throw std::invalid_argument("a parameter names a group that is none");
  }
  return scenario;
}

}  // namespace differential
