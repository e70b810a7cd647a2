// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#pragma once

#include <zero/kernels/real.hpp>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

// What the tests of the kernels share.
namespace kernel_test {

/// The instruction sets that this machine has, the baseline first.
inline std::vector<zero::InstructionSet> instruction_sets() {
  std::vector<zero::InstructionSet> sets = {zero::InstructionSet::baseline};
  if (zero::best_instruction_set() >= zero::InstructionSet::avx2) sets.push_back(zero::InstructionSet::avx2);
  if (zero::best_instruction_set() >= zero::InstructionSet::avx512) sets.push_back(zero::InstructionSet::avx512);
  return sets;
}

/// Any finite float, all exponents alike: zeros, denormals and the largest included.
inline float any_finite(std::mt19937_64& random) {
  for (;;) {
    auto const bits = static_cast<std::uint32_t>(random());
    if ((bits & 0x7F800000U) != 0x7F800000U) return std::bit_cast<float>(bits);
  }
}

/// A number of the magnitude that training sees: 2^-20 to 2, either sign.
inline float ordinary(std::mt19937_64& random) {
  double const exponent = std::uniform_real_distribution(-20.0, 1.0)(random);
  return static_cast<float>(std::exp2(exponent)) * (random() % 2 == 0 ? 1.0F : -1.0F);
}

/// The distance from |x|, rounded to float, to the next larger float.
inline double ulp(double x) {
  auto const rounded = static_cast<float>(std::abs(x));
  return static_cast<double>(std::nextafter(rounded, INFINITY)) - static_cast<double>(rounded);
}

template <class T>
bool same_bits(std::vector<T> const& a, std::vector<T> const& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

}  // namespace kernel_test
