// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The plain loop's loss scaler. Nothing of zero is included.

#include "differential/mutants.hpp"
#include "differential/scenario.hpp"

#include <cstdint>

namespace differential {

/// A loss scale that stays, or one that grows after a window of clean steps and shrinks after some overflows.
class PlainScaler {
 public:
  PlainScaler(Scenario const& s, Mutant mutant)
      : s_(s), mutant_(mutant), scale_(s.scaling == Scaling::none ? 1.0F : static_cast<float>(s.scale)) {}

  [[nodiscard]] float scale() const { return scale_; }
  /// The last step overflowed with nowhere to go.
  [[nodiscard]] bool exhausted() const { return exhausted_; }

  void after_step(bool overflow) {
    if (s_.scaling != Scaling::dynamic) return;
    overflow ? after_overflow() : after_clean_step();
  }

 private:
  void after_overflow() {
    clean_ = 0;
    ++overflows_;
    if (overflows_ < s_.hysteresis && mutant_ != Mutant::scaler_ignores_hysteresis) return;
    overflows_ = s_.hysteresis - 1;  // the next one shrinks the scale again
    auto const minimum = static_cast<float>(s_.minimum);
    exhausted_ = scale_ <= minimum;
    scale_ = static_cast<float>(static_cast<double>(scale_) / static_cast<double>(static_cast<float>(s_.factor)));
    if (scale_ < minimum) scale_ = minimum;
  }
  void after_clean_step() {
    exhausted_ = false;
    if (s_.consecutive) overflows_ = 0;
    ++clean_;
    if (clean_ < s_.window + (mutant_ == Mutant::scaler_grows_late ? 1 : 0)) return;
    clean_ = 0;
    overflows_ = 0;
    double const grown = static_cast<double>(scale_) * static_cast<double>(static_cast<float>(s_.factor));
    if (grown <= 0x1p127) scale_ = static_cast<float>(grown);
  }

  Scenario const& s_;
  Mutant mutant_;
  float scale_;
  std::uint32_t clean_ = 0, overflows_ = 0;
  bool exhausted_ = false;
};

}  // namespace differential
