// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/kernels/adagrad.hpp>
#include <zero/kernels/adam.hpp>
#include <zero/kernels/lion.hpp>
#include <zero/kernels/real.hpp>
#include <zero/kernels/sgd.hpp>
#include <zero/offload.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace zero {

/// A rule: `state_count`, a `Config` with `lr`, trivially copyable `Constants`, `constants(config, step)` in double
/// (step 1 is the first), and `update` over an operations type, called once per element or lane. What else it has it
/// says in its `facts`; see RuleFacts.
template <class Rule>
concept update_rule = requires(typename Rule::Config config, std::uint64_t step) {
  { Rule::state_count } -> std::convertible_to<std::size_t>;
  { config.lr } -> std::convertible_to<double>;
  { Rule::constants(config, step) } -> std::same_as<typename Rule::Constants>;
  requires std::is_trivially_copyable_v<typename Rule::Constants>;
}
&&requires(Real1& parameter, Real1 const& gradient, States<Real1, Rule::state_count>& states,
           typename Rule::Constants const& constants) {
  Rule::update(parameter, gradient, states, constants);
};
static_assert(update_rule<Adam> && update_rule<AdamW> && update_rule<Sgd> && update_rule<Lion> && update_rule<Adagrad>);

/// The second policy of an engine. \tparam Rule how a gradient changes a parameter; \tparam Offload where the fp32
/// states live and the update runs.
template <class Rule, class Offload = NoOffload>
struct Optimizer {
  /// The rule.
  using rule = Rule;
  /// Where its states live.
  using offload = Offload;
};

template <class Opt>
concept optimizer_policy = requires {
  typename Opt::rule;
  typename Opt::offload;
};
static_assert(optimizer_policy<Optimizer<AdamW, CpuOffload>>);

}  // namespace zero
