// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#pragma once

#include <zero/kernels/update.hpp>

#include <doctest/doctest.h>
#include <kernels/support.hpp>
#include <reference/rules.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

// One step of a rule by `fused_update`, from random states, beside the reference in double.
namespace kernel_test {

/// Bounds of the errors of one step, in units in the last place: of s0 and s1 over the magnitudes added to make them,
/// of p over |p| + |update|.
struct Bounds {
  double s0, s1, p;
};

struct RuleCase {
  std::vector<float> p, g;
  std::array<std::vector<float>, 2> s;

  RuleCase(std::size_t n, std::uint64_t seed, bool first_step)
      : p(n), g(n), s{std::vector<float>(n), std::vector<float>(n)} {
    std::mt19937_64 random(seed);
    for (std::size_t i = 0; i < n; ++i) {
      p[i] = ordinary(random), g[i] = ordinary(random);
      if (!first_step) s[0][i] = ordinary(random), s[1][i] = std::abs(ordinary(random));
    }
  }

  template <class Rule>
  void step(zero::InstructionSet set, typename Rule::Constants const& constants) {
    zero::UpdateArguments<Rule, float, float> a{p.data(), nullptr, g.data(), {}, p.size(), constants, 1.0F};
    for (std::size_t k = 0; k < Rule::state_count; ++k) a.states[k] = s[k].data();
    zero::fused_update(set, a);
  }

  [[nodiscard]] reference::Element element(std::size_t i) const {
    return {.p = p[i], .g = g[i], .s0 = s[0][i], .s1 = s[1][i]};
  }
};

/// Steps \p n elements at step \p t by the rule and by \p oracle, and compares. States of a rule that keeps sums of
/// squares in s0 must not be negative: \p positive_s0.
template <class Rule, class Oracle>
void compare_with_reference(typename Rule::Config const& config, Oracle const& oracle, std::uint64_t t, Bounds bounds,
                            bool positive_s0 = false, std::size_t n = 4096) {
  RuleCase before(n, t, t == 1);
  if (positive_s0) {
    for (float& x : before.s[0]) x = std::abs(x);
  }
  auto after = before;
  after.step<Rule>(zero::best_instruction_set(), Rule::constants(config, t));
  double worst_s0 = 0, worst_s1 = 0, worst_p = 0;
  for (std::size_t i = 0; i < n; ++i) {
    auto const expected = oracle.step(before.element(i), t);
    worst_s0 = std::max(worst_s0, std::abs(after.s[0][i] - expected.s0) / ulp(expected.s0_scale));
    worst_s1 = std::max(worst_s1, std::abs(after.s[1][i] - expected.s1) / ulp(expected.s1_scale));
    worst_p = std::max(worst_p, std::abs(after.p[i] - expected.p) / ulp(std::abs(expected.p) + expected.update));
  }
  INFO("step ", t, ", worst errors in units in the last place: s0 ", worst_s0, ", s1 ", worst_s1, ", p ", worst_p);
  CHECK(worst_s0 <= bounds.s0);
  CHECK(worst_s1 <= bounds.s1);
  CHECK(worst_p <= bounds.p);
}

/// Every count from 1 to 33 gives each element the bits that it has among many, and touches nothing behind the last;
/// and so does every instruction set.
template <class Rule>
void check_tails(typename Rule::Config const& config) {
  auto const constants = Rule::constants(config, 7);
  for (std::size_t n = 1; n <= 33; ++n) {
    RuleCase expected(64, n, false);
    for (float& x : expected.s[0]) x = std::abs(x);
    auto const before = expected;
    expected.step<Rule>(zero::InstructionSet::baseline, constants);
    for (auto set : instruction_sets()) {
      auto actual = before;
      zero::UpdateArguments<Rule, float, float> a{actual.p.data(), nullptr, actual.g.data(), {}, n, constants, 1.0F};
      for (std::size_t k = 0; k < Rule::state_count; ++k) a.states[k] = actual.s[k].data();
      zero::fused_update(set, a);
      auto wanted = before;
      std::copy_n(expected.p.begin(), n, wanted.p.begin());
      for (std::size_t k = 0; k < 2; ++k) {
        std::copy_n(expected.s[k].begin(), k < Rule::state_count ? n : 0, wanted.s[k].begin());
      }
      CHECK(same_bits(actual.p, wanted.p));
      CHECK(same_bits(actual.s[0], wanted.s[0]));
      CHECK(same_bits(actual.s[1], wanted.s[1]));
    }
  }
}

/// What `validate` says; empty where it accepts.
template <class Rule>
std::string complaint(typename Rule::Config const& config) {
  try {
    Rule::validate(config);
  } catch (std::invalid_argument const& error) {
    return error.what();
  }
  return {};
}

}  // namespace kernel_test
