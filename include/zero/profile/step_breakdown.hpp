// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/profile/phase.hpp>
#include <zero/profile/span.hpp>
#include <zero/support/message.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace zero {
namespace detail {

[[nodiscard]] inline std::string in_milliseconds(std::int64_t nanoseconds, std::uint64_t parts) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", static_cast<double>(nanoseconds) * 1e-6 / static_cast<double>(parts));
  return text;
}

[[nodiscard]] inline std::string dropped_spans(std::uint64_t count) {
  return counted(count, "span") + (count == 1 ? " was" : " were") + " dropped";
}

}  // namespace detail

namespace profile {

/// Where the time of one step went, or of several: nanoseconds by phase. What streams have run (busy) may overlap. What
/// the caller's stream has spent in a phase or has waited for it (exposed) does not: it adds up to the whole.
struct StepBreakdown {
  std::uint64_t steps = 0;                     ///< that it is the sum of
  std::int64_t total = 0;                      ///< from the beginning of a step to its end, on the caller's stream
  std::array<std::int64_t, phases> busy{};     ///< time that streams have run, all of them added up
  std::array<std::int64_t, phases> exposed{};  ///< part of the total
  std::uint64_t dropped = 0;                   ///< spans that there was no room for: figures are too small then

  /// Nanoseconds that streams have run for \p phase.
  [[nodiscard]] std::int64_t busy_in(Phase phase) const noexcept { return busy[static_cast<std::size_t>(phase)]; }
  /// Nanoseconds of the total that were spent in \p phase.
  [[nodiscard]] std::int64_t exposed_in(Phase phase) const noexcept { return exposed[static_cast<std::size_t>(phase)]; }

  /// Takes a part of a step in.
  void add(Span const& span) noexcept {
    auto const phase = static_cast<std::size_t>(span.operation.phase);
    if (span.runs) busy[phase] += span.duration();
    if (!span.exposed) return;
    exposed[phase] += span.duration();
    total += span.duration();
  }
  /// Sums, of two runs of steps.
  StepBreakdown& operator+=(StepBreakdown const& other) noexcept {
    steps += other.steps;
    total += other.total;
    dropped += other.dropped;
    for (std::size_t p = 0; p < phases; ++p) {
      busy[p] += other.busy[p];
      exposed[p] += other.exposed[p];
    }
    return *this;
  }
};

/// One line, in milliseconds per step: what is exposed of each phase, and what else ran beside it.
[[nodiscard]] inline std::string to_line(StepBreakdown const& breakdown) {
  if (breakdown.steps == 0) return "no step has been timed";
  auto text = zero::detail::in_milliseconds(breakdown.total, breakdown.steps) + " ms per step:";
  for (std::size_t p = 0; p < phases; ++p) {
    if (breakdown.busy[p] == 0 && breakdown.exposed[p] == 0) continue;
    text += ' ';
    text += name(static_cast<Phase>(p));
    text += ' ' + zero::detail::in_milliseconds(breakdown.exposed[p], breakdown.steps);
    auto const hidden = breakdown.busy[p] - breakdown.exposed[p];
    if (hidden > 0) text += " (busy " + zero::detail::in_milliseconds(breakdown.busy[p], breakdown.steps) + ")";
    text += ',';
  }
  if (text.back() == ',') text.pop_back();
  if (breakdown.dropped > 0) text += "; " + zero::detail::dropped_spans(breakdown.dropped);
  return text;
}

/// A table with a line for each phase that took time: milliseconds per step exposed, their share, and busy.
[[nodiscard]] inline std::string to_table(StepBreakdown const& breakdown) {
  if (breakdown.steps == 0) return "no step has been timed\n";
  char line[128];
  std::snprintf(line, sizeof line, "%-9s %12s %7s %12s\n", "phase", "exposed ms", "share", "busy ms");
  std::string text = line;
  auto const add = [&](std::string_view phase, std::int64_t exposed, std::string const& busy) {
    double const share =
        breakdown.total > 0 ? 100.0 * static_cast<double>(exposed) / static_cast<double>(breakdown.total) : 0.0;
    std::snprintf(line, sizeof line, "%-9.*s %12s %6.1f%% %12s\n", static_cast<int>(phase.size()), phase.data(),
                  zero::detail::in_milliseconds(exposed, breakdown.steps).c_str(), share, busy.c_str());
    text += line;
  };
  for (std::size_t p = 0; p < phases; ++p) {
    if (breakdown.busy[p] == 0 && breakdown.exposed[p] == 0) continue;
    add(name(static_cast<Phase>(p)), breakdown.exposed[p],
        zero::detail::in_milliseconds(breakdown.busy[p], breakdown.steps));
  }
  add("step", breakdown.total, "");
  if (breakdown.dropped > 0) text += zero::detail::dropped_spans(breakdown.dropped) + "\n";
  return text;
}

}  // namespace profile
}  // namespace zero
