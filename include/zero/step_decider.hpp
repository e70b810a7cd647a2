// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/backend.hpp>
#include <zero/buffer.hpp>
#include <zero/communicator.hpp>
#include <zero/engine_config.hpp>
#include <zero/gradient_norm.hpp>
#include <zero/parameter.hpp>
#include <zero/step_decision.hpp>
#include <zero/step_ticket.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace zero {

/// The loss scale where it lives. Valid as long as the engine.
template <class Event>
class LossScale {
 public:
  LossScale(float const* scale, Event const& decided) : scale_(scale), decided_(&decided) {}
  /// For kernels: device memory, current on every stream that the engine's last step was called with.
  [[nodiscard]] float const* data() const noexcept { return scale_; }
  /// For host code. Waits until the last step has been decided.
  [[nodiscard]] float value() const { return decided_->read(*scale_); }

 private:
  float const* scale_;
  Event const* decided_;
};

/// Settles a step on the device: whether to update, with what multiplier and constants, and the next loss scale. Owns
/// what a step leaves for the next: scaler, step counts and the reports that tickets read.
template <class Rule, class Scaler, class Backend>
class StepDecider {
 public:
  using Stream = typename Backend::Stream;
  using Event = typename Backend::Event;
  using RuleConfig = typename Rule::Config;

  StepDecider(Backend& backend, MemoryReport& books, std::vector<std::string> names, std::vector<ParameterGroup> groups,
              typename Scaler::Config const& scaler)
      : backend_(backend),
        scaler_(scaler),
        groups_(std::move(groups)),
        state_(backend, books, MemoryKind::pinned, MemoryPurpose::control, 1),
        configs_(backend, books, MemoryKind::pinned, MemoryPurpose::control, groups_.size() * StepReports::kept),
        constants_(backend, books, MemoryKind::device, MemoryPurpose::control, groups_.size()),
        decision_(backend, books, MemoryKind::pinned, MemoryPurpose::control, 1),
        reports_(std::make_shared<StepReports>(std::move(names), fails_at_minimum(scaler))) {
    *state_.data() = StepState<Scaler>{.scaler = Scaler::initial(scaler)};
    state_.data()->scale = static_cast<float>(state_.data()->scaler.scale);
    for (auto& event : decided_) event = std::make_shared<Event>();
  }

  /// Takes the settings of the coming step. \throws ConfigurationError; LossScaleError where the scale was exhausted
  /// and nobody has read a report since. Nothing has changed then.
  void set(RuleConfig config, double lr, double clipping) {
    detail::check_lr(lr);
    detail::check_clipping(clipping);
    // Waits for the step that used this place of the ring, which is long over. At a fixed distance every rank throws at
    // the same step, whatever its device has come to.
    if (number_ >= StepReports::kept) (void)reports_->report(number_ - StepReports::kept, *event());
    backend_.host_writes(configs(), groups_.size() * sizeof(RuleConfig));
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      configs()[g] = detail::group_config<Rule>(config, groups_[g], lr);
    }
    clipping_ = clipping;
  }

  /// Puts the decision on \p stream. \p addends is world x accumulation.
  void decide(NormWords norm, double addends, Stream stream) {
    auto& slot = reports_->slot(number_);
    slot.ticket = number_;
    backend_.decide(DecisionArguments<Rule, Scaler>{.norm = norm,
                                                    .addends = addends,
                                                    .clipping = clipping_,
                                                    .scaler = scaler_,
                                                    .state = state_.data(),
                                                    .groups = configs(),
                                                    .group_count = static_cast<std::uint32_t>(groups_.size()),
                                                    .constants = constants_.data(),
                                                    .decision = decision_.data(),
                                                    .outcome = &slot.outcome},
                    stream);
    backend_.record(*event(), stream);
    latest_ = event();
  }

  /// The ticket of the step that was decided last.
  [[nodiscard]] StepTicket<Event> take_ticket() { return {reports_, number_++, latest_}; }

  [[nodiscard]] Decision<Rule> const* decision() const noexcept { return decision_.data(); }
  [[nodiscard]] LossScale<Event> loss_scale() const { return {&state_.data()->scale, *latest_}; }
  /// Scaler and step counts. Waits until the last step has been decided.
  [[nodiscard]] StepState<Scaler> const& state() const { return latest_->read(*state_.data()); }

 private:
  [[nodiscard]] RuleConfig* configs() const noexcept {
    return configs_.data() + number_ % StepReports::kept * groups_.size();
  }
  [[nodiscard]] std::shared_ptr<Event>& event() noexcept { return decided_[number_ % StepReports::kept]; }

  static bool fails_at_minimum(typename Scaler::Config const& config) {
    if constexpr (requires { config.at_minimum; }) {
      return config.at_minimum == AtMinimumScale::fail;
    } else {
      return true;
    }
  }

  Backend& backend_;
  typename Scaler::Config scaler_;
  std::vector<ParameterGroup> groups_;
  Buffer<StepState<Scaler>, Backend> state_;
  Buffer<RuleConfig, Backend> configs_;  // a ring: the device may still read those of earlier steps
  Buffer<typename Rule::Constants, Backend> constants_;
  Buffer<Decision<Rule>, Backend> decision_;
  std::shared_ptr<StepReports> reports_;
  std::array<std::shared_ptr<Event>, StepReports::kept> decided_;
  std::shared_ptr<Event> latest_ = std::make_shared<Event>();
  double clipping_ = 0.0;
  std::uint64_t number_ = 0;
};

}  // namespace zero
