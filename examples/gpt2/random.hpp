// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "training/counter_random.hpp"

#include <cmath>
#include <cstdint>

namespace gpt2 {

using training::CounterRandom;

/// A quotient of polynomials in \p r, coefficients from the highest down; the lowest of the denominator is 1.
inline double rational(double r, double n3, double n2, double n1, double n0, double d3, double d2, double d1) {
  return (((n3 * r + n2) * r + n1) * r + n0) / (((d3 * r + d2) * r + d1) * r + 1.0);
}

/// The quantile of N(0, 1) at \p p in (0, 1) to about 1e-7 relative: Wichura's algorithm AS 241, PPND7 (1988). It needs
/// no library function for 85 % of all p, and so is fast and nearly always the same with every library.
[[nodiscard]] inline double normal_quantile(double p) {
  double const q = p - 0.5;
  if (std::abs(q) <= 0.425) {
    return q * rational(0.180625 - q * q, 59.109374720, 159.29113202, 50.434271938, 3.3871327179, 67.187563600,
                        78.757757664, 17.895169469);
  }
  double const r = std::sqrt(-std::log(q < 0.0 ? p : 1.0 - p));
  double const z = r <= 5.0 ? rational(r - 1.6, 0.17023821103, 1.3067284816, 2.7568153900, 1.4234372777, 0.0,
                                       0.12021132975, 0.73700164250)
                            : rational(r - 5.0, 0.017337203997, 0.42868294337, 3.0812263860, 6.6579051150, 0.0,
                                       0.012258202635, 0.24197894225);
  return q < 0.0 ? -z : z;
}

}  // namespace gpt2
