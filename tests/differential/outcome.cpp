// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "differential/outcome.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <cstdio>
#include <type_traits>

namespace differential {
namespace {

template <class T>
bool same(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
    return (std::isnan(a) && std::isnan(b)) || std::bit_cast<Bits>(a) == std::bit_cast<Bits>(b);
  } else {
    return a == b;
  }
}

template <class T>
std::string difference(std::string const& what, T expected, T got) {
  if (same(expected, got)) return {};
  std::array<char, 128> text{};
  std::snprintf(text.data(), text.size(), ": expected %.17g (%a), got %.17g (%a)", static_cast<double>(expected),
                static_cast<double>(expected), static_cast<double>(got), static_cast<double>(got));
  return what + text.data();
}

std::string difference(std::string const& what, Values const& expected, Values const& got) {
  if (expected.size() != got.size()) return what + ": of another number of parameters";
  for (std::size_t p = 0; p < expected.size(); ++p) {
    auto const place = what + " of parameter " + std::to_string(p);
    if (expected[p].size() != got[p].size()) return place + ": of another size";
    for (std::size_t i = 0; i < expected[p].size(); ++i) {
      auto text = difference(place + " [" + std::to_string(i) + "]", expected[p][i], got[p][i]);
      if (!text.empty()) return text;
    }
  }
  return {};
}

std::string difference(std::string const& step, StepOutcome const& a, StepOutcome const& b) {
  std::string text;
  auto const compare = [&](char const* what, auto const& expected, auto const& got) {
    if (text.empty()) text = difference(step + what, expected, got);
  };
  compare("gradients read", a.gradients, b.gradients);
  compare("whether there is a report", a.told, b.told);
  if (a.told && b.told) {
    compare("whether it was skipped", a.skips, b.skips), compare("bad parameter", a.bad_parameter, b.bad_parameter);
    compare("norm", a.norm, b.norm), compare("clip coefficient", a.clip, b.clip), compare("scale", a.scale, b.scale);
    compare("whether the scale is at its minimum", a.at_minimum, b.at_minimum);
  }
  compare("updates", a.updates, b.updates), compare("skipped steps", a.skipped, b.skipped);
  compare("next scale", a.next_scale, b.next_scale), compare("values gathered", a.seen, b.seen);
  return text;
}

}  // namespace

std::string first_difference(Outcome const& expected, Outcome const& got) {
  if (expected.steps.size() != got.steps.size()) return "another number of steps";
  for (std::size_t i = 0; i < expected.steps.size(); ++i) {
    auto text = difference("step " + std::to_string(i) + ": ", expected.steps[i], got.steps[i]);
    if (!text.empty()) return text;
  }
  auto text = difference("parameters at the end", expected.values, got.values);
  if (!text.empty()) return text;
  if (expected.states.size() != got.states.size()) return "another number of states";
  for (std::size_t k = 0; k < expected.states.size(); ++k) {
    text = difference("state " + std::to_string(k) + " at the end", expected.states[k], got.states[k]);
    if (!text.empty()) return text;
  }
  return {};
}

}  // namespace differential
