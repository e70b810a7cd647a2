// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/checkpoint/manifest.hpp>

#include <cstdint>

namespace gpt2 {

/// What a run knows of itself beside model and optimizer. It goes into checkpoints, so that a run that is resumed goes
/// on as one that was not stopped would have. The same on every rank.
struct RunState {
  std::uint64_t tokens = 0;  ///< drawn by all ranks
  double epoch = 0.0;        ///< those tokens, divided by the tokens of the training data

  /// Counts \p drawn more tokens, of data that have \p whole.
  void draw(std::uint64_t drawn, std::uint64_t whole) noexcept {
    tokens += drawn;
    epoch = static_cast<double>(tokens) / static_cast<double>(whole);
  }
  void write(zero::UserState& to) const;
  /// What is missing, as in checkpoints of earlier versions, stays as it is.
  void read(zero::UserState const& from);
};

}  // namespace gpt2
