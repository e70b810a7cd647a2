// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <cstdint>

namespace zero {

/// What one rank has sent in the collectives of an engine, in elements of the type that travels. In units of
/// elements x (world - 1) / world, as the field counts.
struct Traffic {
  std::uint64_t gradients = 0;      ///< reduce-scatters of gradients
  std::uint64_t gradient_sums = 0;  ///< stage 0: all-gathers of reduced gradients
  std::uint64_t parameters = 0;     ///< stages 1, 2 and whole parameters of stage 3: all-gathers after the update
  std::uint64_t gathered = 0;       ///< stage 3: gathers inside micro-batches
  std::uint64_t evaluation = 0;     ///< stage 3: gathers outside of micro-batches
  std::uint64_t access = 0;         ///< parameters, gradients and states read by name
  std::uint64_t control_words = 0;  ///< 64-bit words of the norm's all-reduces, not scaled
  std::uint64_t collectives = 0;    ///< calls

  /// Elements of the training step: all but evaluation, access and control.
  [[nodiscard]] std::uint64_t training() const noexcept { return gradients + gradient_sums + parameters + gathered; }
  friend bool operator==(Traffic const&, Traffic const&) = default;

  /// Sums of the counters.
  [[nodiscard]] Traffic operator+(Traffic const& o) const noexcept {
    return {gradients + o.gradients,         gradient_sums + o.gradient_sums, parameters + o.parameters,
            gathered + o.gathered,           evaluation + o.evaluation,       access + o.access,
            control_words + o.control_words, collectives + o.collectives};
  }
  /// Differences of the counters.
  [[nodiscard]] Traffic operator-(Traffic const& o) const noexcept {
    return {gradients - o.gradients,         gradient_sums - o.gradient_sums, parameters - o.parameters,
            gathered - o.gathered,           evaluation - o.evaluation,       access - o.access,
            control_words - o.control_words, collectives - o.collectives};
  }
};

}  // namespace zero
