// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <cstdint>
#include <string_view>

namespace zero::activation {

/// Which activations the backward pass computes again from others, rather than that the forward pass keeps them. The
/// bits of all results are the same.
enum class Recompute : std::uint8_t {
  none,       ///< the forward pass keeps all of them
  selective,  ///< of each block, those that are large and cheap; the gathers of stage 3 stay as they are
  block,      ///< the forward pass keeps inputs of blocks only, and the last blocks, which backward needs first
};

/// As options and configurations spell \p recompute. Lives for ever.
[[nodiscard]] constexpr std::string_view name(Recompute recompute) noexcept {
  switch (recompute) {
    case Recompute::none:
      return "none";
    case Recompute::selective:
      return "selective";
    case Recompute::block:
      return "block";
  }
  return "unknown";
}

}  // namespace zero::activation
