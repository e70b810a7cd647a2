// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/error.hpp>
#include <zero/step_decision.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace zero {

/// What became of a step.
struct StepReport {
  std::uint64_t step = 0;           ///< updates done, this one included if it was not skipped
  bool skipped = false;             ///< a gradient was not finite: nothing changed but the scaler
  std::uint64_t skipped_steps = 0;  ///< in all
  double gradient_norm = 0.0;       ///< of the unscaled averaged gradient; of its finite elements if skipped
  double clip_coefficient = 1.0;    ///< what clipping multiplied the gradient with
  float loss_scale = 1.0F;          ///< the scale that backward used
  bool at_minimum_scale = false;    ///< overflow with the scale at its minimum
  std::string bad_parameter{};      ///< the first registered parameter with a non-finite gradient; empty: none
};

/// The reports of the latest steps, in memory that the host reads. Owned by the engine and its tickets together, so
/// that a ticket may be read after the engine is gone.
class StepReports {
 public:
  static constexpr std::size_t kept = 16;

  StepReports(std::vector<std::string> names, bool fail_when_exhausted)
      : names_(std::move(names)), fail_when_exhausted_(fail_when_exhausted) {}

  struct Slot {
    std::uint64_t ticket = UINT64_MAX;
    StepOutcome outcome;
  };
  [[nodiscard]] Slot& slot(std::uint64_t ticket) noexcept { return slots_[ticket % kept]; }

  /// Waits until \p decided has passed. \throws LossScaleError, SequenceError for a report that is too old.
  template <class Event>
  [[nodiscard]] StepReport report(std::uint64_t ticket, Event const& decided) const {
    auto const& slot = slots_[ticket % kept];
    if (slot.ticket != ticket) {
      throw SequenceError(
          detail::sentence({"zero::StepTicket: this step's report is gone: read each within ", kept, " steps"}));
    }
    auto const& o = decided.read(slot.outcome);
    if (o.exhausted && fail_when_exhausted_) {
      throw LossScaleError(detail::sentence(
          {"zero::Engine: gradients overflow at the minimum loss scale, first in ", detail::quoted(bad_parameter(o)),
           ": lower the learning rate or check the model; AtMinimumScale::skip goes on skipping"}));
    }
    return {.step = o.steps,
            .skipped = o.skipped,
            .skipped_steps = o.skipped_steps,
            .gradient_norm = o.gradient_norm,
            .clip_coefficient = o.clip_coefficient,
            .loss_scale = o.loss_scale,
            .at_minimum_scale = o.exhausted,
            .bad_parameter = bad_parameter(o)};
  }

 private:
  [[nodiscard]] std::string bad_parameter(StepOutcome const& o) const {
    return o.skipped ? names_[o.bad_parameter] : "";
  }

  std::vector<std::string> names_;
  bool fail_when_exhausted_;
  std::array<Slot, kept> slots_{};
};

/// The claim to one step's report. Taking it does not synchronize anything; reading it may.
template <class Event>
class [[nodiscard]] StepTicket {
 public:
  StepTicket(std::shared_ptr<StepReports const> reports, std::uint64_t number, std::shared_ptr<Event const> decided)
      : reports_(std::move(reports)), decided_(std::move(decided)), number_(number) {}

  /// Waits until the step has been decided. \throws LossScaleError, SequenceError for a report that is too old.
  [[nodiscard]] StepReport get() const { return reports_->report(number_, *decided_); }
  /// The report if the step has been decided already. Does not wait.
  [[nodiscard]] std::optional<StepReport> try_get() const {
    if (!decided_->done()) return std::nullopt;
    return reports_->report(number_, *decided_);
  }

 private:
  std::shared_ptr<StepReports const> reports_;
  std::shared_ptr<Event const> decided_;
  std::uint64_t number_;
};

}  // namespace zero
