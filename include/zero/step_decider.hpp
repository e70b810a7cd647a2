// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/buffer.hpp>
#include <zero/engine_config.hpp>
#include <zero/engine_context.hpp>
#include <zero/gradient_norm.hpp>
#include <zero/parameter.hpp>
#include <zero/step_decision.hpp>
#include <zero/step_ticket.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
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
template <class Backend>
class StepDecider {
 public:
  using Stream = typename Backend::Stream;
  using Event = typename Backend::Event;
  using Reports = StepReports<Event>;

  StepDecider(EngineContext<Backend> const& engine, std::shared_ptr<ParameterList const> const& parameters)
      : engine_(engine),
        parameters_(*parameters),
        state_(allocate(MemoryKind::pinned, facts().scaler_bytes)),
        configs_(allocate(MemoryKind::pinned, config_bytes() * Reports::kept)),
        constants_(allocate(MemoryKind::device, facts().constants_bytes * groups().size())),
        decision_(allocate(MemoryKind::pinned, facts().decision_bytes)),
        reports_(std::make_shared<Reports>(parameters, facts().fails_when_exhausted)),
        scale_(engine.operations.start(state_.data())) {}

  /// Takes the settings of the coming step. \throws ConfigurationError; LossScaleError where the scale was exhausted
  /// and nobody has read a report since. Nothing has changed then.
  void set(double lr, double clipping) {
    detail::check_lr(lr);
    detail::check_clipping(clipping);
    // Waits for the step that used this place of the ring, which is long over. At a fixed distance every rank throws at
    // the same step, whatever its device has come to.
    if (number_ >= Reports::kept) (void)reports_->report(number_ - Reports::kept);
    engine_.backend.host_writes(configs(), config_bytes());
    engine_.operations.configure(configs(), groups(), lr);
    clipping_ = clipping;
  }

  /// Puts the decision on \p stream. \p addends is world x accumulation.
  void decide(NormWords norm, double addends, Stream stream) {
    auto& slot = reports_->slot(number_);
    slot.ticket = number_;
    engine_.operations.decide(engine_.backend,
                              {.norm = norm,
                               .addends = addends,
                               .clipping = clipping_,
                               .state = state_.data(),
                               .configs = configs(),
                               .group_count = static_cast<std::uint32_t>(groups().size()),
                               .constants = constants_.data(),
                               .decision = decision_.data(),
                               .outcome = &slot.outcome},
                              stream);
    engine_.backend.record(slot.decided, stream);
    latest_ = &slot.decided;
  }

  /// The ticket of the step that was decided last.
  [[nodiscard]] StepTicket<Event> take_ticket() { return {reports_, number_++}; }

  /// What the fused update reads.
  [[nodiscard]] void const* decision() const noexcept { return decision_.data(); }
  [[nodiscard]] LossScale<Event> loss_scale() const { return {scale_, *latest_}; }
  /// The StepState: scaler and step counts, which the host may read after `decided`.
  [[nodiscard]] void const* state() const noexcept { return state_.data(); }
  [[nodiscard]] Event const& decided() const noexcept { return *latest_; }
  /// Where the run stands, and where it is to go on from. Wait until the last step has been decided.
  [[nodiscard]] StepProgress progress() const {
    latest_->synchronize();
    engine_.backend.host_reads(state_.data(), facts().scaler_bytes);
    return engine_.operations.progress(state_.data());
  }
  void set_progress(StepProgress const& progress) {
    latest_->synchronize();
    engine_.backend.host_writes(state_.data(), facts().scaler_bytes);
    engine_.operations.set_progress(state_.data(), progress);
  }

 private:
  using Bytes = Buffer<std::byte, Backend>;

  [[nodiscard]] PolicyFacts const& facts() const noexcept { return engine_.operations.facts(); }
  [[nodiscard]] std::vector<ParameterGroup> const& groups() const noexcept { return parameters_.groups(); }
  [[nodiscard]] std::size_t config_bytes() const noexcept { return facts().config_bytes * groups().size(); }
  [[nodiscard]] Bytes allocate(MemoryKind kind, std::size_t bytes) const {
    return {engine_.backend, engine_.books, kind, MemoryPurpose::control, bytes};
  }
  [[nodiscard]] void* configs() const noexcept { return configs_.data() + number_ % Reports::kept * config_bytes(); }

  EngineContext<Backend> const& engine_;
  ParameterList const& parameters_;
  Bytes state_;
  Bytes configs_;  // a ring: the device may still read those of earlier steps
  Bytes constants_;
  Bytes decision_;
  std::shared_ptr<Reports> reports_;
  float const* scale_;
  Event const never_decided_{};
  Event const* latest_ = &never_decided_;
  double clipping_ = 0.0;
  std::uint64_t number_ = 0;
};

}  // namespace zero
