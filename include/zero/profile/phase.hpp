// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace zero::profile {

/// What a part of a step is spent on.
enum class Phase : std::uint8_t {
  data,      ///< the time between two micro-batches, and what the caller marks so
  forward,   ///< from the beginning of a micro-batch to its first lease of gradients
  backward,  ///< from there to the end of the micro-batch
  gather,    ///< all-gathers of parameters
  reduce,    ///< reduction of gradients, and their norm
  update,    ///< the decision and the rule
  offload,   ///< copies between device and host memory
  captured,  ///< the whole of a step that was captured and is replayed
  other,     ///< what the caller marks so, and collectives outside of steps
};
inline constexpr std::size_t phases = 9;

[[nodiscard]] constexpr std::string_view name(Phase phase) noexcept {
  constexpr std::array<std::string_view, phases> names{"data",   "forward", "backward", "gather", "reduce",
                                                       "update", "offload", "captured", "other"};
  return names[static_cast<std::size_t>(phase)];
}

}  // namespace zero::profile
