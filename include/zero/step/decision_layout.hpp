// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/policies.hpp>
#include <zero/kernels/decide.hpp>

#include <cstddef>
#include <cstdint>

namespace zero::detail {

/// Offsets in bytes of what a decision reads and writes: the settings of a step (clipping, hashes of what ranks must do
/// alike, then the rule's settings per group), and its results (outcome, then the state between steps). Each part has
/// cache lines of its own.
struct DecisionLayout {
  DecisionLayout(PolicyTraits const& traits, std::size_t groups) noexcept
      : agreement(sizeof(double)),
        world_agreement(agreement + sizeof(std::uint32_t)),
        rate_agreement(world_agreement + sizeof(std::uint32_t)),
        configs(padded(rate_agreement + sizeof(std::uint32_t))),
        input_bytes(configs + traits.config_bytes * groups),
        state(padded(sizeof(StepOutcome))),
        loss_scale(state + traits.loss_scale_offset),
        result_bytes(state + traits.scaler_bytes),
        results_in_slot(padded(input_bytes)),
        slot_bytes(results_in_slot + padded(result_bytes)) {}

  // Of the settings; the largest norm comes first.
  std::size_t agreement;
  std::size_t world_agreement;  ///< of a joint step
  std::size_t rate_agreement;   ///< of a joint step, for an engine that is repeated
  std::size_t configs;
  std::size_t input_bytes;
  // Of the results; the outcome comes first.
  std::size_t state;
  std::size_t loss_scale;
  std::size_t result_bytes;
  // Of a slot of the host's ring: settings, then results.
  std::size_t results_in_slot;
  std::size_t slot_bytes;

 private:
  [[nodiscard]] static constexpr std::size_t padded(std::size_t bytes) noexcept { return (bytes + 63) / 64 * 64; }
};

}  // namespace zero::detail
