// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/lease_interfaces.hpp>
#include <zero/error.hpp>
#include <zero/kernels/decide.hpp>
#include <zero/step/joint_names.hpp>
#include <zero/step_report.hpp>
#include <zero/support/message.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace zero::detail {

/// Throws what has become of the other ranks, where a wait for their work has ended because one of them failed.
class PeerCheck {
 public:
  virtual void check_peers() const = 0;

 protected:
  ~PeerCheck() = default;
};

[[noreturn, gnu::cold]] ZERO_OUT_OF_LINE inline void throw_mismatched_step(std::uint32_t rank) {
  fail<MismatchError>(
      {"zero::Engine: rank ", rank,
       " took a step otherwise than rank 0, or has called other collectives since the last one, so that "
       "nothing was updated, and nothing will be: pass the same learning rate and clipping to step() on "
       "every rank, make the same calls in the same order, and load a checkpoint into new engines"});
}

/// The reports of the latest steps: where the host reads them, and the events after which it may. Owned by the engine
/// and its tickets together, so that a ticket may be read after the engine is gone: what lies in the engine's memory is
/// then kept here.
template <class Event>
class StepReports {
 public:
  static constexpr std::size_t history = 16;  ///< steps whose reports can be read

  struct Slot {
    std::uint64_t ticket = UINT64_MAX;
    StepOutcome const* outcome = nullptr;     // in the engine's memory, until that goes
    StepOutcome saved_outcome{};              // the same, once that has gone
    mutable bool told = false;                // somebody has read it, and knows of what it reports
    std::shared_ptr<JointNames const> names;  // of a joint step
    Event decided{};
  };

  /// Number of the ticket of a step that was recorded, and not run.
  static constexpr std::uint64_t captured_ticket = UINT64_MAX - 1;

  /// \p max_skipped is how many steps in a row may be skipped; 0: any number.
  StepReports(std::shared_ptr<EngineLifetime const> lifetime, bool fail_when_exhausted, std::uint64_t max_skipped,
              PeerCheck const& peers)
      : lifetime_(std::move(lifetime)),
        fails_when_exhausted_(fail_when_exhausted),
        own_max_skipped_(max_skipped),
        peers_(&peers) {
    leave_joint();
  }

  /// From the next report on they are of joint steps, whose parameters \p names knows. One engine of a rank, the
  /// \p leader, says what went wrong, and how many steps may be skipped.
  void enter_joint(std::shared_ptr<JointNames const> names, bool leader, std::uint64_t max_skipped) {
    names_ = std::move(names);
    fail_when_exhausted_ = leader && fails_when_exhausted_;
    max_skipped_ = leader ? max_skipped : 0;
  }
  /// They are of the engine's own steps again.
  void leave_joint() noexcept {
    names_ = nullptr;
    fail_when_exhausted_ = fails_when_exhausted_;
    max_skipped_ = own_max_skipped_;
  }
  /// What the next step reports to.
  [[nodiscard]] Slot& open(std::uint64_t ticket, StepOutcome const* outcome) {
    auto& slot = this->slot(ticket);
    slot.ticket = ticket;
    slot.told = false;
    slot.outcome = outcome;
    slot.names = names_;
    return slot;
  }

  [[nodiscard]] Slot& slot(std::uint64_t ticket) noexcept { return slots_[ticket % history]; }
  [[nodiscard]] Slot const& slot(std::uint64_t ticket) const noexcept { return slots_[ticket % history]; }

  /// The engine's memory is about to go, after all that was put on its streams has run. A report that never came,
  /// because the device has failed, is gone.
  void detach_from_engine() noexcept {
    peers_ = nullptr;
    for (auto& slot : slots_) {
      if (slot.outcome == nullptr || slot.outcome == &slot.saved_outcome) continue;
      try {
        if (!slot.decided.done()) slot.ticket = UINT64_MAX;
      } catch (...) {
        slot.ticket = UINT64_MAX;
      }
      slot.saved_outcome = *slot.outcome;
      slot.outcome = &slot.saved_outcome;
    }
  }

  /// Throws what the report of \p ticket would, where nobody has read it.
  void tell_once(std::uint64_t ticket) const {
    if (!slot(ticket).told) (void)report(ticket);
  }

  /// Waits until the step has been decided. \throws LossScaleError, DivergenceError; MismatchError where ranks did not
  /// take it alike; SequenceError for a report that is too old.
  [[nodiscard]] StepReport report(std::uint64_t ticket) const {
    auto const& slot = this->slot(ticket);
    if (ticket == captured_ticket) {
      fail<SequenceError>(
          {"zero::StepTicket: this step was recorded, not run: read the ticket that CapturedStep::replay returns"});
    }
    if (slot.ticket != ticket) {
      fail<SequenceError>({"zero::StepTicket: this step's report is gone: read each within ", history, " steps"});
    }
    auto const& o = slot.decided.read(*slot.outcome);
    if (peers_ != nullptr) peers_->check_peers();
    slot.told = true;
    if (o.mismatched != 0) throw_mismatched_step(o.mismatched - 1);
    StepReport report{.step = o.steps,
                      .skipped = o.skipped,
                      .skipped_steps = o.skipped_steps,
                      .skipped_in_row = o.skipped_in_row,
                      .zero_norm_steps = o.zero_norm_steps,
                      .gradient_norm = o.gradient_norm,
                      .clip_coefficient = o.clip_coefficient,
                      .loss_scale = o.loss_scale,
                      .at_minimum_scale = o.exhausted};
    if (o.skipped) name_bad_parameter(slot, report);
    if (o.exhausted && fail_when_exhausted_) {
      fail<LossScaleError>({"zero::Engine: gradients overflow at the minimum loss scale, first in ", place_in(report),
                            ": lower the learning rate or check the model; AtMinimumScale::skip goes on skipping"});
    }
    if (max_skipped_ > 0 && o.skipped_in_row >= max_skipped_) {
      auto const steps = o.skipped_in_row == 1 ? "a step was" : concat({o.skipped_in_row, " steps in a row were"});
      fail<DivergenceError>({"zero::Engine: training has diverged: ", steps,
                             " skipped for a gradient that is not finite, ",
                             o.skipped_in_row == 1 ? "first in " : "the last one first in ", place_in(report),
                             ": lower the learning rate, clip gradients, or go on from an earlier checkpoint"});
    }
    return report;
  }

 private:
  void name_bad_parameter(Slot const& slot, StepReport& report) const {
    std::uint32_t const parameter = slot.outcome->bad_parameter;
    if (slot.names == nullptr) {
      report.bad_parameter = lifetime_->parameters.specs()[parameter].name;
      return;
    }
    auto const& engine = slot.names->engine_of(parameter);
    report.bad_engine = engine.name;
    report.bad_parameter = engine.parameters[parameter - engine.first_parameter];
  }
  [[nodiscard]] static std::string place_in(StepReport const& report) {
    if (report.bad_engine.empty()) return concat({quote(report.bad_parameter)});
    return concat({quote(report.bad_parameter), " of ", quote(report.bad_engine)});
  }

  std::shared_ptr<EngineLifetime const> lifetime_;
  bool fails_when_exhausted_;
  std::uint64_t own_max_skipped_;
  bool fail_when_exhausted_ = false;
  std::uint64_t max_skipped_ = 0;
  std::shared_ptr<JointNames const> names_;  // of the coming steps, in a joint step
  PeerCheck const* peers_;                   // as long as the engine
  std::array<Slot, history> slots_{};
};

}  // namespace zero::detail
