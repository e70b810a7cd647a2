// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "engine/runs.hpp"
#include "reference/training.hpp"

#include <cstdint>
#include <cstdlib>

namespace engine_test {

inline constexpr int most_micro_batches = 12;

/// Of combinations that come one after another: all of them with ZERO_TEST_FULL=1, or a sample in which every pair of
/// choices is there. The same on every rank.
class Sample {
 public:
  /// One of \p of is taken.
  explicit Sample(std::uint64_t of) : of_(std::getenv("ZERO_TEST_FULL") != nullptr ? 1 : of) {}
  /// Whether the next combination is.
  [[nodiscard]] bool takes_next() { return reference::mix(++count_) % of_ == 0; }

 private:
  std::uint64_t of_;
  std::uint64_t count_ = 0;
};

/// Calls `check(run)` for runs of \p micro_batches on 1 to 8 ranks that \p sample takes: all stages, with offload and
/// without, adopted and placed, whatever absent ranks hand over.
template <class Check>
void for_ragged_runs(Sample& sample, Types types, int micro_batches, Check const& check) {
  for (int world = 1; world <= 8; ++world) {
    for (auto const stage : stages) {
      for (int choice = 0; choice < 12; ++choice) {
        if (!sample.takes_next()) continue;
        check(Run{.types = types,
                  .stage = stage,
                  .offload = choice % 2 == 1,
                  .world = world,
                  .micro_batches = micro_batches,
                  .absent = static_cast<Absent>(choice / 4),
                  .reduce = std::nullopt,
                  .adopted = choice / 2 % 2 == 1,
                  .clipping = 0.5});
      }
    }
  }
}

}  // namespace engine_test
