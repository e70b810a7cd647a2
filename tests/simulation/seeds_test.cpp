// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "engine/runs.hpp"
#include "reference/training.hpp"
#include "simulation/runs.hpp"
#include "simulation/scripts.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <map>
#include <tuple>

namespace simulation_seeds_test {

using engine_test::Run;

namespace {

// Draws settings from a seed, one after another.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : seed_(seed) {}
  [[nodiscard]] std::uint64_t below(std::uint64_t n) { return reference::mix(seed_ * 64 + turn_++) % n; }

 private:
  std::uint64_t seed_;
  std::uint64_t turn_ = 0;
};

Run drawn_run(std::uint64_t seed) {
  Draws draw(seed);
  Run run{.types = engine_test::Types::fp16,
          .stage = engine_test::stages[draw.below(4)],
          .offload = draw.below(2) != 0,
          .world = 1 + static_cast<int>(draw.below(3)),
          .accumulation = 1 + static_cast<int>(draw.below(2)),
          .bucket_elements = draw.below(2) != 0 ? 1024U : 4096U,
          .adopted = draw.below(2) != 0,
          .prefetch_units = static_cast<int>(draw.below(3)),
          .persistence_threshold = draw.below(2) * 200,
          .gradient_ring = 2 + static_cast<int>(draw.below(3)),
          .shuffled = draw.below(4) == 0,
          .zeroed = draw.below(2) != 0,
          .evaluates = draw.below(2) != 0,
          .steps = 1 + static_cast<int>(draw.below(2)),
          .streams = 1 + static_cast<int>(draw.below(3)),
          .bad_step = 1};
  if (run.shuffled) run.gradient_ring = 64;
  if (draw.below(2) == 0) {
    run.micro_batches = 1 + static_cast<int>(draw.below(5));
    run.absent = static_cast<engine_test::Absent>(draw.below(3));
  }
  return run;
}

// Ranks on the host, or over NCCL with the staging of its reductions.
std::optional<zero::NcclReductions> nccl_of(std::uint64_t seed) {
  if (seed % 3 == 0) return std::nullopt;
  return zero::NcclReductions{seed % 3 == 1 ? std::optional(zero::NcclReduction::native) : std::nullopt};
}

}  // namespace

TEST_CASE("seeds: runs, each of other settings, order and seed, raise no alarm and agree on their bits") {
  std::uint64_t const seeds = std::getenv("ZERO_TEST_FULL") != nullptr ? 10'000 : 2'500;
  std::map<std::tuple<int, int>, std::uint64_t> bits;  // by micro-batches and steps
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    auto const run = drawn_run(seed);
    INFO("seed " << seed << ": " << engine_test::describe(run));
    auto const result =
        simulation_test::train(run, {.seed = seed, .order = simulation_test::orders[seed % 4], .nccl = nccl_of(seed)});
    auto const known = bits.emplace(std::tuple(run.total(), run.steps), result.hash).first;
    REQUIRE(result.hash == known->second);
    REQUIRE(result.ranks_agree);
  }
}

}  // namespace simulation_seeds_test
