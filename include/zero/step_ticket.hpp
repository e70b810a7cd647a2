// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/step/reports.hpp>
#include <zero/step_report.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace zero {

namespace detail {

template <class Backend>
class StepDecider;

}  // namespace detail

/// The claim to one step's report, which a step gives, and the replay of a captured one. Taking it does not synchronize
/// anything; reading it may.
template <class Event>
class [[nodiscard]] StepTicket {
 public:
  /// Waits until the step has been decided. \throws LossScaleError, DivergenceError, MismatchError where ranks did not
  /// take this step or an earlier one alike, SequenceError for a report that is too old, CommunicationError where a
  /// rank has failed meanwhile. What an engine's later calls would throw for this step, they do not throw once it was
  /// read.
  [[nodiscard]] StepReport get() const { return reports_->report(number_); }
  /// The report if the step has been decided already. Does not wait.
  [[nodiscard]] std::optional<StepReport> try_get() const {
    if (number_ != detail::StepReports<Event>::captured_ticket && !reports_->slot(number_).decided.done())
      return std::nullopt;
    return get();
  }

 private:
  template <class Backend>
  friend class detail::StepDecider;

  StepTicket(std::shared_ptr<detail::StepReports<Event> const> reports, std::uint64_t number)
      : reports_(std::move(reports)), number_(number) {}

  std::shared_ptr<detail::StepReports<Event> const> reports_;
  std::uint64_t number_;
};

}  // namespace zero
