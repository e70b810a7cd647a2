// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "differential/plain_norm.hpp"
#include "reference/training.hpp"

#include <zero/any_engine.hpp>
#include <zero/communicators/thread.hpp>
#include <zero/joint_step.hpp>
#include <zero/topology.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace joint_groups_test {

// Engines of different groups of ranks step together: with the norm and the bits of a plain loop.

using zero::Stage;

namespace {

using Dense = zero::AnyEngine<zero::Sgd, zero::Precision<zero::FP32>>;
using Expert = zero::AnyEngine<zero::Sgd, zero::Precision<zero::BF16>>;
using Joint = zero::JointStep<zero::HostBackend, zero::ThreadCommunicator>;

constexpr int steps = 3;
constexpr double lr_of_dense = 0.25, lr_of_experts = 0.015625;

// Held exactly by every type, and spread so that a sum in another order is another sum.
[[nodiscard]] float gradient(int step, int k, int rank, std::size_t parameter, std::size_t i) {
  auto const seed = ((static_cast<std::uint64_t>(step) * 64 + static_cast<std::uint64_t>(k)) * 64 +
                     static_cast<std::uint64_t>(rank)) *
                        64 +
                    parameter;
  std::uint64_t const random = reference::mix(seed * 100003 + i);
  return std::ldexp(static_cast<float>(random % 255) - 127.0F, -static_cast<int>((random >> 32U) % 24));
}

struct Parameter {
  std::string name;
  std::size_t count;
  int unit;
  std::vector<int> ranks;  ///< of its engine
  double lr;
};

/// What a run of a few steps is to be like.
struct World {
  int size = 4;
  int positions = 4;
  int micro_batches = 4;
  std::vector<int> position;  ///< of each rank
  std::vector<Parameter> parameters;
  double clipping = 0.0;

  [[nodiscard]] int rounds() const { return (micro_batches + positions - 1) / positions; }
};

struct Outcome {
  std::vector<std::vector<float>> values;
  std::vector<double> norms, coefficients;
};

/// Nothing of zero: sums, norm and update as the documents say.
[[nodiscard]] Outcome plain_loop(World const& world) {
  Outcome outcome;
  for (auto const& parameter : world.parameters) outcome.values.emplace_back(parameter.count);
  for (int step = 0; step < steps; ++step) {
    differential::Values sums;
    for (std::size_t p = 0; p < world.parameters.size(); ++p) {
      auto& sum = sums.emplace_back(world.parameters[p].count);
      bool first = true;
      for (int round = 0; round < world.rounds(); ++round) {
        for (int rank : world.parameters[p].ranks) {
          int const k = round * world.positions + world.position[static_cast<std::size_t>(rank)];
          if (k >= world.micro_batches) continue;
          for (std::size_t i = 0; i < sum.size(); ++i) {
            float const g = gradient(step, k, rank, p, i);
            sum[i] = first ? g : sum[i] + g;
          }
          first = false;
        }
      }
    }
    double const average = 1.0 / static_cast<double>(world.micro_batches);
    double const norm = std::sqrt(differential::PlainNorm(sums, differential::Mutant::none).sum_of_squares()) * average;
    double const clip = world.clipping > 0.0 ? std::min(1.0, world.clipping / (norm + 1e-6)) : 1.0;
    outcome.norms.push_back(norm), outcome.coefficients.push_back(clip);
    float const multiplier = static_cast<float>(average * clip);
    for (std::size_t p = 0; p < sums.size(); ++p) {
      auto const minus_lr = static_cast<float>(-world.parameters[p].lr);
      for (std::size_t i = 0; i < sums[p].size(); ++i) {
        outcome.values[p][i] = std::fma(minus_lr, sums[p][i] * multiplier, outcome.values[p][i]);
      }
    }
  }
  return outcome;
}

/// The parameters of one engine on one rank, in forward and backward.
template <class Engine>
class Layers {
 public:
  Layers(World const& world, std::vector<std::size_t> parameters) : world_(world), parameters_(std::move(parameters)) {}

  [[nodiscard]] zero::ParameterList list() const {
    zero::ParameterList list;
    for (auto p : parameters_) {
      (void)list.add({.name = world_.parameters[p].name,
                      .shape = {world_.parameters[p].count},
                      .unit = world_.parameters[p].unit});
    }
    return list;
  }
  void use(Engine& engine, int unit) const {
    for (std::uint32_t i = 0; i < parameters_.size(); ++i) {
      if (world_.parameters[parameters_[i]].unit == unit) auto const weights = engine.gather(zero::ParameterId{i}, {});
    }
  }
  void backward(Engine& engine, int unit, bool contributes, int step, int k, int rank) const {
    for (auto i = static_cast<std::uint32_t>(parameters_.size()); i-- > 0;) {
      auto const p = parameters_[i];
      if (world_.parameters[p].unit != unit) continue;
      auto const weights = engine.gather(zero::ParameterId{i}, {});
      if (!contributes) continue;
      auto gradients = engine.gradients(zero::ParameterId{i}, {});
      auto const target = gradients.write(zero::ParameterId{i}).values;
      for (std::size_t at = 0; at < target.size(); ++at) {
        target[at] = zero::narrow<typename Engine::Compute>(gradient(step, k, rank, p, at));
      }
      gradients.ready({});
    }
  }
  void compare(Engine& engine, Outcome const& expected) const {
    for (auto p : parameters_) CHECK(engine.read_parameter(world_.parameters[p].name) == expected.values[p]);
  }

 private:
  World const& world_;
  std::vector<std::size_t> parameters_;
};

constexpr int last_unit = 2;

template <class Train>
void train_steps(World const& world, Outcome const& expected, Joint& joint, Train const& train) {
  bool const has_experts = std::any_of(world.parameters.begin(), world.parameters.end(),
                                       [](Parameter const& p) { return p.lr == lr_of_experts; });
  for (int step = 0; step < steps; ++step) {
    for (int round = 0; round < world.rounds(); ++round) {
      auto micro_batch = joint.begin_micro_batch({});
      train(step, micro_batch);
      micro_batch.finish({});
    }
    zero::JointStepOptions options{.lr = {{"dense", lr_of_dense}}, .gradient_clipping = {}};
    if (has_experts) options.lr.push_back({"expert", lr_of_experts});
    auto const report = joint.step(options, {}).get();
    CHECK(report.gradient_norm == expected.norms[static_cast<std::size_t>(step)]);
    CHECK(report.clip_coefficient == expected.coefficients[static_cast<std::size_t>(step)]);
    CHECK(!report.skipped);
  }
}

[[nodiscard]] std::optional<zero::CpuOffload::Config> offload_if(bool offloads) {
  if (!offloads) return std::nullopt;
  return zero::CpuOffload::Config{.chunk_elements = 256};
}

/// Two experts on two ranks each, under layers that all four share.
void check_experts(int micro_batches, double clipping, Stage dense_stage, Stage expert_stage, bool offloads) {
  World const world{.micro_batches = micro_batches,
                    .position = {0, 1, 2, 3},
                    .parameters = {{"in", 300, 0, {0, 1, 2, 3}, lr_of_dense},
                                   {"out", 1000, 2, {0, 1, 2, 3}, lr_of_dense},
                                   {"expert0.up", 500, 1, {0, 1}, lr_of_experts},
                                   {"expert0.down", 7, 1, {0, 1}, lr_of_experts},
                                   {"expert1.up", 500, 1, {2, 3}, lr_of_experts},
                                   {"expert1.down", 7, 1, {2, 3}, lr_of_experts}},
                    .clipping = clipping};
  auto const expected = plain_loop(world);
  zero::run_ranks(4, [&](zero::ThreadCommunicator& ranks) {
    zero::Topology topology{ranks, {{"expert", 2}, {"data", 2}}};
    std::size_t const first = topology.position("expert") == 0 ? 2 : 4;
    Layers<Dense> const dense_layers(world, {0, 1});
    Layers<Expert> const expert_layers(world, {first, first + 1});
    auto const dense = zero::make_any_engine<zero::Sgd, zero::Precision<zero::FP32>>(
        dense_stage, ranks, dense_layers.list(), std::nullopt,
        {.micro_batches_per_step = micro_batches, .bucket_elements = 512});
    auto const expert = zero::make_any_engine<zero::Sgd, zero::Precision<zero::BF16>>(
        expert_stage, topology.group("data"), expert_layers.list(), offload_if(offloads),
        {.gradient_accumulation_steps = world.rounds(), .reduce = zero::Reduce::each_micro_batch});
    zero::JointStep joint{ranks,
                          {dense->member("dense"), expert->member("expert")},
                          {.gradient_clipping = clipping, .data = zero::data_position(topology, {"data", "expert"})}};
    train_steps(world, expected, joint, [&](int step, auto const& micro_batch) {
      bool const here = micro_batch.contributes();
      CHECK(here == (micro_batch.index() < micro_batches));
      int const k = static_cast<int>(micro_batch.index());
      for (int unit = 0; unit <= last_unit; ++unit) dense_layers.use(*dense, unit), expert_layers.use(*expert, unit);
      for (int unit = last_unit; unit >= 0; --unit) {
        dense_layers.backward(*dense, unit, here, step, k, ranks.rank());
        expert_layers.backward(*expert, unit, here, step, k, ranks.rank());
      }
    });
    dense_layers.compare(*dense, expected);
    expert_layers.compare(*expert, expected);
  });
}

/// Two stages of a pipeline on two ranks each, which have no engine in common.
void check_pipeline(int micro_batches, double clipping, Stage first_stage, Stage second_stage) {
  World const world{.positions = 2,
                    .micro_batches = micro_batches,
                    .position = {0, 1, 0, 1},
                    .parameters = {{"first.a", 300, 0, {0, 1}, lr_of_dense},
                                   {"first.b", 1000, 1, {0, 1}, lr_of_dense},
                                   {"second.a", 700, 2, {2, 3}, lr_of_dense}},
                    .clipping = clipping};
  auto const expected = plain_loop(world);
  zero::run_ranks(4, [&](zero::ThreadCommunicator& ranks) {
    zero::Topology topology{ranks, {{"pipeline", 2}, {"data", 2}}};
    bool const is_first = topology.position("pipeline") == 0;
    Layers<Dense> const layers(world, is_first ? std::vector<std::size_t>{0, 1} : std::vector<std::size_t>{2});
    auto const engine = zero::make_any_engine<zero::Sgd, zero::Precision<zero::FP32>>(
        is_first ? first_stage : second_stage, topology.group("data"), layers.list(), std::nullopt,
        {.micro_batches_per_step = micro_batches, .bucket_elements = 512});
    // One name for both: they are told apart by their parameters.
    zero::JointStep joint{ranks,
                          {engine->member("dense")},
                          {.gradient_clipping = clipping, .data = zero::data_position(topology, {"data"})}};
    train_steps(world, expected, joint, [&](int step, auto const& micro_batch) {
      int const k = static_cast<int>(micro_batch.index());
      for (int unit = 0; unit <= last_unit; ++unit) layers.use(*engine, unit);
      for (int unit = last_unit; unit >= 0; --unit) {
        layers.backward(*engine, unit, micro_batch.contributes(), step, k, ranks.rank());
      }
    });
    layers.compare(*engine, expected);
  });
}

/// A pipeline whose first and last stage have an embedding in common, whose whole gradient both hand over.
void check_repeated(int micro_batches, double clipping, Stage tied_stage, Stage other_stage) {
  World const world{.positions = 2,
                    .micro_batches = micro_batches,
                    .position = {0, 1, 0, 1},
                    .parameters = {{"embedding", 500, 0, {0, 1}, lr_of_experts},
                                   {"first", 300, 1, {0, 1}, lr_of_dense},
                                   {"second", 700, 1, {2, 3}, lr_of_dense}},
                    .clipping = clipping};
  auto const expected = plain_loop(world);
  zero::run_ranks(4, [&](zero::ThreadCommunicator& ranks) {
    zero::Topology topology{ranks, {{"pipeline", 2}, {"data", 2}}};
    bool const is_first = topology.position("pipeline") == 0;
    Layers<Expert> const tied_layers(world, {0});
    Layers<Dense> const own_layers(world, {is_first ? 1U : 2U});
    auto const tied = zero::make_any_engine<zero::Sgd, zero::Precision<zero::BF16>>(
        tied_stage, topology.group("data"), tied_layers.list(), std::nullopt,
        {.micro_batches_per_step = micro_batches});
    auto const own = zero::make_any_engine<zero::Sgd, zero::Precision<zero::FP32>>(
        other_stage, topology.group("data"), own_layers.list(), std::nullopt,
        {.micro_batches_per_step = micro_batches});
    zero::JointStep joint{ranks,
                          {own->member("dense"), tied->member("expert", {.repeated_over = "pipeline"})},
                          {.gradient_clipping = clipping, .data = zero::data_position(topology, {"data"})}};
    train_steps(world, expected, joint, [&](int step, auto const& micro_batch) {
      bool const here = micro_batch.contributes();
      int const k = static_cast<int>(micro_batch.index());
      for (int unit = 0; unit <= last_unit; ++unit) tied_layers.use(*tied, unit), own_layers.use(*own, unit);
      for (int unit = last_unit; unit >= 0; --unit) {
        tied_layers.backward(*tied, unit, here, step, k, topology.position("data"));
        own_layers.backward(*own, unit, here, step, k, ranks.rank());
      }
    });
    tied_layers.compare(*tied, expected);
    own_layers.compare(*own, expected);

    // A gradient that is bad on the second position alone skips the step of all.
    for (int round = 0; round < world.rounds(); ++round) {
      auto micro_batch = joint.begin_micro_batch({});
      for (int unit = last_unit; unit >= 0; --unit) {
        own_layers.backward(*own, unit, micro_batch.contributes(), steps, 0, ranks.rank());
      }
      if (micro_batch.contributes()) {
        auto gradients = tied->gradients(zero::ParameterId{0}, {});
        for (auto& g : gradients[zero::ParameterId{0}]) g = zero::narrow<zero::bfloat16>(is_first ? 1.0F : HUGE_VALF);
        gradients.ready({});
      }
      micro_batch.finish({});
    }
    auto const report = joint.step({}).get();
    CHECK(report.skipped);
    CHECK(report.bad_parameter == "embedding");
    CHECK(report.bad_engine == "expert");
    tied_layers.compare(*tied, expected);

    // Repeats that were updated with other rates would not stay alike.
    for (int round = 0; round < world.rounds(); ++round) {
      auto micro_batch = joint.begin_micro_batch({});
      for (int unit = last_unit; unit >= 0; --unit) {
        tied_layers.backward(*tied, unit, micro_batch.contributes(), steps, 0, topology.position("data"));
        own_layers.backward(*own, unit, micro_batch.contributes(), steps, 0, ranks.rank());
      }
      micro_batch.finish({});
    }
    auto const ticket = joint.step({.lr = {{"expert", is_first ? 0.5 : 0.25}}, .gradient_clipping = {}}, {});
    try {
      (void)ticket.get();
      FAIL_CHECK("nothing was thrown");
    } catch (zero::MismatchError const& error) {
      CHECK(std::string(error.what()).find("rank 2 took a step otherwise") != std::string::npos);
    }
    tied_layers.compare(*tied, expected);
  });
}

constexpr std::array stages = {Stage::none, Stage::optimizer_states, Stage::gradients, Stage::parameters};

}  // namespace

TEST_CASE("joint step: experts of two groups under layers of all ranks have the norm and bits of a plain loop") {
  for (int micro_batches : {4, 6, 7, 8}) {  // with 6, the second group has no addend in the last round
    for (double clipping : {0.0, 3.0}) {
      for (auto dense : stages) {
        for (auto expert : stages) check_experts(micro_batches, clipping, dense, expert, clipping > 0.0);
      }
    }
  }
}

TEST_CASE("joint step: stages of a pipeline, which have no engine in common, have one norm and one decision") {
  for (int micro_batches : {2, 3, 4}) {
    for (double clipping : {0.0, 3.0}) {
      for (auto first : stages) {
        for (auto second : stages) check_pipeline(micro_batches, clipping, first, second);
      }
    }
  }
}

TEST_CASE("joint step: parameters that are repeated over a pipeline count once in the norm, and stay alike") {
  for (int micro_batches : {2, 3, 4}) {
    for (double clipping : {0.0, 3.0}) {
      for (auto tied : stages) {
        for (auto other : {Stage::none, Stage::parameters}) check_repeated(micro_batches, clipping, tied, other);
      }
    }
  }
}

}  // namespace joint_groups_test
