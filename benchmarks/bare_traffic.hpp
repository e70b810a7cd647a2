// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

// What collectives are measured against: the least that moves their bytes.

#if defined(__x86_64__)
#define ZERO_BENCHMARK_TARGET __attribute__((target("avx2"), noinline))
#else
#define ZERO_BENCHMARK_TARGET __attribute__((noinline))
#endif

namespace bare {

typedef float Vector __attribute__((vector_size(32)));

/// to[i] += from[i], eight at a time and prefetched: the least that a sum in place can cost.
ZERO_BENCHMARK_TARGET inline void add(float* to, float const* from, std::size_t n) {
  auto* const sum = reinterpret_cast<Vector*>(to);
  auto const* const addend = reinterpret_cast<Vector const*>(from);
  for (std::size_t i = 0; i < n / 8; i += 2) {
    __builtin_prefetch(sum + i + 32);
    __builtin_prefetch(addend + i + 32);
    sum[i] += addend[i];
    sum[i + 1] += addend[i + 1];
  }
}

/// The value below which \p share of all lie.
[[nodiscard]] inline double quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

}  // namespace bare
