// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dry_engine.hpp"

#include "engines.hpp"

#include <zero/communicators/self.hpp>
#include <zero/kernels/rule_facts.hpp>
#include <zero/loss_scaler.hpp>
#include <zero/precision.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace gpt2 {
namespace {

/// As the engine's own: checkpoints know states by these names.
template <class Rule>
std::vector<std::string> state_names() {
  constexpr auto named = zero::rule_facts<Rule>().state_names;
  std::vector<std::string> names;
  for (std::size_t k = 0; k < Rule::state_count; ++k) {
    names.push_back(named[k].empty() ? "state_" + std::to_string(k) : std::string(named[k]));
  }
  return names;
}

zero::EngineTraits traits_of(zero::config::Settings const& settings) {
  using Types = zero::config::Types<zero::FP32, zero::BF16, zero::FP16>;
  return settings.visit<Rules, Types>([&](auto rule, auto precision) {
    using Rule = typename decltype(rule)::rule;
    using Scaler = typename decltype(precision)::precision::scale;
    zero::EngineTraits traits{.rule = std::string(zero::rule_facts<Rule>().name),
                              .states = state_names<Rule>(),
                              .scaler = std::string(zero::scaler_facts<Scaler>().name),
                              .scaler_bytes = sizeof(Scaler::initial(precision.scale)),
                              .compute = settings.precision->compute};
    auto const& batch = settings.batch;
    if (batch.accumulation == 0) traits.micro_batches_per_step = static_cast<int>(batch.micro_batches);
    return traits;
  });
}

/// Whole parameters and states, none of which are there.
class DryState final : public zero::EngineState {
 public:
  /// Both are borrowed.
  DryState(zero::EngineTraits const& traits, std::vector<zero::ParameterSpec> const& parameters)
      : traits_(traits), parameters_(parameters) {}

  [[nodiscard]] int rank() const override { return 0; }
  [[nodiscard]] int size() const override { return 1; }
  void exchange(std::span<std::byte const> mine, std::span<std::byte> all) override {
    zero::SelfCommunicator().exchange(mine, all);
  }
  [[nodiscard]] zero::EngineTraits const& traits() const override { return traits_; }
  [[nodiscard]] std::vector<zero::ParameterSpec> const& parameters() const override { return parameters_; }
  [[nodiscard]] std::vector<zero::StateRange> owned_ranges() const override { return resident_ranges(); }
  [[nodiscard]] std::vector<zero::StateRange> resident_ranges() const override {
    std::vector<zero::StateRange> ranges;
    for (std::uint32_t p = 0; p < parameters_.size(); ++p) {
      for (std::uint32_t kind = 0; kind <= traits_.states.size(); ++kind) {
        ranges.push_back(
            {.parameter = p, .kind = kind, .count = zero::ParameterList::element_count(parameters_[p].shape)});
      }
    }
    return ranges;
  }
  [[nodiscard]] zero::StepProgress progress() const override {
    return {.scaler = std::vector<std::byte>(traits_.scaler_bytes)};
  }
  /// Nothing asks for what nobody keeps.
  void read(zero::StateRange const& /*range*/, std::uint64_t /*first*/, std::span<std::byte> /*into*/) override {}
  void begin_load() override {}
  void write(zero::StateRange const& /*range*/, std::uint64_t /*first*/, std::span<std::byte const> /*from*/) override {
  }
  void set_progress(zero::StepProgress const& /*progress*/) override {}
  void finish_load() override {}

 private:
  zero::EngineTraits const& traits_;
  std::vector<zero::ParameterSpec> const& parameters_;
};

}  // namespace

DryEngine::DryEngine(zero::config::Settings const& settings, ModelShape const& shape) : traits_(traits_of(settings)) {
  for (auto const& parameter : parameter_shapes(shape)) {
    parameters_.push_back({.name = parameter.name, .shape = parameter.shape});
  }
}

std::unique_ptr<zero::EngineState> DryEngine::state() { return std::make_unique<DryState>(traits_, parameters_); }

}  // namespace gpt2
