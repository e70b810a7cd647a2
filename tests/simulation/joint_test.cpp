// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "joint/joint_trainer.hpp"
#include "simulation/on_streams.hpp"
#include "simulation/scripts.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <vector>

namespace simulation_joint_test {

// Joint steps under every order of execution: no race, no deadlock, the same bits.

using joint_test::Result;
using joint_test::Run;

namespace {

using Communicator = zero::SimulationCommunicator;
using Engine = zero::AnyEngine<zero::AdamW, zero::Precision<zero::FP16, zero::DynamicScale>, zero::SimulationBackend,
                               Communicator>;

Result train(Run const& run, zero::SimulationOptions options) {
  options.ranks = run.world;
  std::vector<Result> results(static_cast<std::size_t>(run.world));
  (void)zero::simulate(options, [&](Communicator& world) {
    results[static_cast<std::size_t>(world.rank())] =
        joint_test::Trainer<Engine, Communicator, simulation_test::OnStreams>(world, run).train();
  });
  for (auto const& other : results) {
    REQUIRE(other.hash == results[0].hash);
    REQUIRE(other.steady);
  }
  return results[0];
}

// Draws settings from a seed, one after another.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : seed_(seed) {}
  [[nodiscard]] std::uint64_t below(std::uint64_t n) { return reference::mix(seed_ * 64 + turn_++) % n; }
  [[nodiscard]] bool coin() { return below(2) != 0; }

 private:
  std::uint64_t seed_;
  std::uint64_t turn_ = 0;
};

Run drawn_run(std::uint64_t seed) {
  Draws draw(seed);
  Run run{.parts = std::vector<joint_test::Part>(1 + draw.below(3)),
          .world = 1 + static_cast<int>(draw.below(3)),
          .accumulation = 1 + static_cast<int>(draw.below(2)),
          .gathers_once = draw.below(4) == 0,
          .steps = 1 + static_cast<int>(draw.below(2)),
          .bad_step = 1,
          .streams = 1 + static_cast<int>(draw.below(3))};
  run.shuffled = run.gathers_once && draw.coin();
  for (auto& part : run.parts) {
    part.stage = engine_test::stages[draw.below(4)];
    part.offload = draw.coin();
    part.device_share = draw.coin() ? 0.4 : 0.0;
    part.bucket_elements = draw.coin() ? 1024 : 2048;
    part.persistence_threshold = draw.below(2) * 200;
    part.gradient_ring = run.gathers_once ? 64 : 4;
  }
  if (draw.coin()) {
    run.micro_batches = 1 + static_cast<int>(draw.below(5));
    run.absent = static_cast<joint_test::Absent>(draw.below(3));
  }
  return run;
}

// Ranks on the host, or over NCCL with the staging of its reductions.
std::optional<zero::NcclReductions> nccl_of(std::uint64_t seed) {
  if (seed % 3 == 0) return std::nullopt;
  return zero::NcclReductions{seed % 3 == 1 ? std::optional(zero::NcclReduction::native) : std::nullopt};
}

}  // namespace

TEST_CASE("joint step, simulated: runs of other divisions, settings, order and seed raise no alarm and agree on bits") {
  std::map<std::tuple<int, int>, std::uint64_t> bits;  // by micro-batches and steps
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    auto const run = drawn_run(seed);
    INFO("seed " << seed << ": " << joint_test::describe(run));
    auto const result = train(run, {.seed = seed, .order = simulation_test::orders[seed % 4], .nccl = nccl_of(seed)});
    auto const known = bits.emplace(std::tuple(run.total(), run.steps), result.hash).first;
    REQUIRE(result.hash == known->second);
  }
}

TEST_CASE("joint step, simulated: delayed updates beside others raise no alarm") {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    auto run = drawn_run(seed);
    run.delayed = true, run.steps = 3;
    run.parts[0].offload = true;
    for (auto& part : run.parts) part.device_share = 0.0;
    INFO("seed " << seed << ": " << joint_test::describe(run));
    CHECK(train(run, {.seed = seed, .order = simulation_test::orders[seed % 4], .nccl = nccl_of(seed)}).hash != 0);
  }
}

TEST_CASE("joint step, simulated: engines of groups beside one of all ranks raise no alarm, at any stages") {
  using simulation_test::OnStreams;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    Draws draw(seed);
    auto const shared_stage = engine_test::stages[draw.below(4)], own_stage = engine_test::stages[draw.below(4)];
    bool const offloads = draw.coin(), empty_round = draw.coin();
    INFO("seed " << seed);
    zero::SimulationOptions const options{
        .ranks = 4, .seed = seed, .order = simulation_test::orders[seed % 4], .nccl = nccl_of(seed)};
    (void)zero::simulate(options, [&](Communicator& world) {
      OnStreams work(world, 2);
      int const group = world.rank() / 2;
      auto data = world.split(group, world.rank());
      zero::ParameterList shared, own;
      for (int unit = 0; unit < 3; ++unit) {
        (void)shared.add({.name = "s" + std::to_string(unit), .shape = {300}, .unit = unit});
        (void)own.add({.name = "o" + std::to_string(unit) + std::to_string(group), .shape = {200}, .unit = unit});
      }
      int const micro_batches = empty_round ? 6 : 8;  // with 6, the second group has no addend in the last round
      Engine::Config config{.micro_batches_per_step = micro_batches, .bucket_elements = 512};
      work.configure(config, {});
      Engine dense{shared_stage, world, shared, config};
      config.micro_batches_per_step.reset(), config.gradient_accumulation_steps = 2;
      config.reduce = zero::Reduce::each_micro_batch;
      if (offloads) config.offload = zero::CpuOffload::Config{.chunk_elements = 256};
      Engine expert{own_stage, *data, own, config};
      zero::JointStep joint{world, {dense.member("dense"), expert.member("expert")}, {.gradient_clipping = 1.0}};
      for (int step = 0; step < 2; ++step) {
        for (int round = 0; round < 2; ++round) {
          auto micro_batch = joint.begin_micro_batch(work.stream(0));
          for (std::uint32_t p = 0; p < 3; ++p) {
            for (auto* engine : {&dense, &expert}) auto const weights = engine->gather({p}, work.stream(0));
          }
          for (std::uint32_t p = 3; p-- > 0;) {
            for (auto* engine : {&dense, &expert}) {
              auto const stream = work.stream(p);
              auto const weights = engine->gather({p}, stream);
              if (!micro_batch.contributes()) continue;
              auto gradients = engine->gradients({p}, stream);
              auto const values = gradients.write({p}).values;
              std::span const scale(joint.loss_scale().data(), 1);
              work.launch(stream, "backward", {engine_test::reads(scale), engine_test::writes(values)}, values.size(),
                          [values, scale](std::size_t i) { values[i] = zero::narrow<zero::float16>(scale[0] / 64); });
              gradients.ready(stream);
            }
          }
          micro_batch.finish(work.stream(0));
        }
        // Each element is the sum of the micro-batches of its ranks.
        double const first = 4, second = empty_round ? 2 : 4;
        double const squares =
            3 * 300.0 * micro_batches * micro_batches + 3 * 200.0 * (first * first + second * second);
        double const norm = std::sqrt(squares) / micro_batches / 64;
        CHECK(joint.step(work.stream(0)).get().gradient_norm == doctest::Approx(norm).epsilon(1e-12));
      }
    });
  }
}

}  // namespace simulation_joint_test
