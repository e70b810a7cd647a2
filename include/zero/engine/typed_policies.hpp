// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/policies.hpp>
#include <zero/engine/policy_fingerprint.hpp>
#include <zero/engine/settings.hpp>
#include <zero/engine_config.hpp>
#include <zero/kernels/cast.hpp>
#include <zero/kernels/decide.hpp>
#include <zero/kernels/rule_facts.hpp>
#include <zero/loss_scaler.hpp>
#include <zero/offload.hpp>
#include <zero/support/out_of_line.hpp>
#include <zero/support/padding.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace zero::detail {

/// What policies of these types do on the host. Out of line: see ZERO_OUT_OF_LINE.
template <class Opt, class Prec, class Config>
class TypedPolicies final : public Policies {
 public:
  using Rule = typename Opt::rule;
  using Offload = typename Opt::offload;
  using Scaler = typename Prec::scale;
  using Value = typename Prec::compute::type;
  using Sum = typename Prec::sum::type;

  /// \p config, the engine's, is borrowed.
  explicit TypedPolicies(Config const& config) : Policies(traits_of(config)), config_(config) {}

  ZERO_OUT_OF_LINE void validate(std::span<ParameterGroup const> groups) const override {
    if constexpr (rule_facts<Rule>().validates) detail::validate<Rule>(config_.optimizer);
    if constexpr (scaler_facts<Scaler>().validates) detail::validate<Scaler>(config_.scale);
    detail::validate<Offload>(config_.offload);
    for (auto const& group : groups) {
      auto const config = config_of(group);
      if constexpr (rule_facts<Rule>().validates) detail::validate<Rule>(config);
    }
  }
  [[nodiscard]] ZERO_OUT_OF_LINE std::uint64_t fingerprint_of_rule(ParameterGroup const& group) const override {
    return detail::fingerprint_of_rule<Rule>(config_of(group));
  }
  [[nodiscard]] ZERO_OUT_OF_LINE std::uint64_t fingerprint_of_scaler() const override {
    return detail::fingerprint_of_scaler<Scaler>(config_.scale);
  }
  void start(void* at) const override {
    auto& state = *static_cast<StepState<Scaler>*>(at);
    state = {.scaler = Scaler::initial(config_.scale)};
    state.scale = static_cast<float>(state.scaler.scale);
  }
  [[nodiscard]] StepProgress progress(void const* at) const override {
    auto const& state = *static_cast<StepState<Scaler> const*>(at);
    StepProgress progress{state.steps, state.skipped, std::vector<std::byte>(sizeof state.scaler)};
    std::memcpy(progress.scaler.data(), &state.scaler, sizeof state.scaler);
    clear_padding<typename Scaler::State>(progress.scaler.data());  // checkpoints and joint steps compare the bytes
    return progress;
  }
  void set_progress(void* at, StepProgress const& progress) const override {
    auto& state = *static_cast<StepState<Scaler>*>(at);
    std::memcpy(&state.scaler, progress.scaler.data(), (std::min)(sizeof state.scaler, progress.scaler.size()));
    state.scale = static_cast<float>(state.scaler.scale);
    state.steps = progress.steps;
    state.skipped = progress.skipped;
  }
  ZERO_OUT_OF_LINE void configure(void* configs, std::span<ParameterGroup const> groups,
                                  RuleSettings const& step) const override {
    auto* config = static_cast<typename Rule::Config*>(configs);
    for (auto const& group : groups) {
      *config = group_config<Rule>(config_.optimizer, group, step.lr);
      if constexpr (rule_facts<Rule>().sets_momentum) {
        if (step.momentum) Rule::set_momentum(*config, *step.momentum);
      }
      if constexpr (rule_facts<Rule>().sets_beta2) {
        if (step.beta2) Rule::set_beta2(*config, *step.beta2);
      }
      ++config;
    }
  }
  [[nodiscard]] bool applies(void const* decision) const override {
    return static_cast<Decision<Rule> const*>(decision)->apply;
  }
  ZERO_OUT_OF_LINE void widen(ElementRole role, float* to, void const* from, std::size_t n) const override {
    if (role == ElementRole::value) return convert(to, static_cast<Value const*>(from), n);
    if (role == ElementRole::sum) return convert(to, static_cast<Sum const*>(from), n);
    convert(to, static_cast<float const*>(from), n);
  }
  ZERO_OUT_OF_LINE void narrow(ElementRole role, void* to, float const* from, std::size_t n) const override {
    if (role == ElementRole::value) return convert(static_cast<Value*>(to), from, n);
    if (role == ElementRole::sum) return convert(static_cast<Sum*>(to), from, n);
    convert(static_cast<float*>(to), from, n);
  }

 private:
  static PolicyTraits traits_of(Config const& config) {
    bool const offloads = offload_of(config.offload).has_value();
    return {.rule = rule_facts<Rule>().name,
            .scaler = scaler_facts<Scaler>().name,
            .offload = offloads ? CpuOffload::name : NoOffload::name,
            .state_names = state_names(),
            .compute = element_type<Value>,
            .sum = element_type<Sum>,
            .takes_momentum = rule_facts<Rule>().sets_momentum,
            .takes_beta2 = rule_facts<Rule>().sets_beta2,
            .offloads = offloads,
            .scales = !std::is_same_v<Scaler, NoScale>,
            .fails_when_exhausted = fails_at_minimum(config.scale),
            .state_count = Rule::state_count,
            .scaler_bytes = sizeof(StepState<Scaler>),
            .loss_scale_offset = offsetof(StepState<Scaler>, scale),
            .config_bytes = sizeof(typename Rule::Config),
            .constants_bytes = sizeof(typename Rule::Constants),
            .decision_bytes = sizeof(Decision<Rule>)};
  }
  static std::span<std::string_view const> state_names() {
    static constexpr auto names = rule_facts<Rule>().state_names;
    std::size_t count = 0;
    while (count < (std::min)(names.size(), Rule::state_count) && !names[count].empty()) ++count;
    return std::span(names).first(count);
  }
  static bool fails_at_minimum(typename Scaler::Config const& config) {
    if constexpr (requires { config.at_minimum; }) {
      return config.at_minimum == AtMinimumScale::fail;
    } else {
      return true;
    }
  }

  [[nodiscard]] typename Rule::Config config_of(ParameterGroup const& group) const {
    return group_config<Rule>(config_.optimizer, group, static_cast<double>(config_.optimizer.lr));
  }

  template <class To, class From>
  static void convert(To* to, From const* from, std::size_t n) {
    cast(best_instruction_set(), to, from, n);
  }

  Config const& config_;
};

}  // namespace zero::detail
