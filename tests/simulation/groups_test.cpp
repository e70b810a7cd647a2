// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Groups of simulated ranks, whose collectives run in one order on each rank.

#include "simulation/scripts.hpp"

#include <zero/backends/simulation.hpp>
#include <zero/communicators/simulation.hpp>
#include <zero/engine.hpp>
#include <zero/topology.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace simulation_groups_test {

using simulation_test::clean;
using simulation_test::failure_of;
using simulation_test::orders;
using Rank = zero::SimulationCommunicator;

namespace {

bool contains(std::string const& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// One all-reduce in \p group on \p stream.
void reduce(Rank& group, std::uint64_t& word, zero::SimulationStream stream) {
  group.all_reduce(&word, 1, {"words"}, stream);
}

}  // namespace

TEST_CASE("simulated groups: colors, keys and numbers are those of threads, in every order of events") {
  CHECK(clean(
      [](Rank& world) {
        int const rank = world.rank();
        auto group = world.split(rank == 4 ? -1 : rank % 2, -rank);
        CHECK(group.has_value() == (rank != 4));
        if (!group) return;
        CHECK(group->size() == (rank % 2 == 1 ? 3 : 2));
        CHECK(group->rank() == (rank % 2 == 1 ? (5 - rank) / 2 : (2 - rank) / 2));
        auto inner = group->split(0, -group->rank());
        CHECK(inner->rank() == group->size() - 1 - group->rank());
        std::uint64_t word = static_cast<std::uint64_t>(rank);
        auto const stream = world.make_stream("communication");
        zero::SimulationBackend backend({world.process()}, 1);
        reduce(*inner, word, stream);
        backend.synchronize(stream);
        CHECK(word == (rank % 2 == 1 ? 9U : 2U));
      },
      6));
}

TEST_CASE("simulated groups: engines along two axes of a grid train without a race or a deadlock") {
  for (auto order : orders) {
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      std::vector<std::set<float>> values(2);
      (void)zero::simulate({.ranks = 6, .seed = seed, .order = order}, [&](Rank& world) {
        zero::Topology topology{world, {{"pipeline", 2}, {"data", 3}}};
        auto const train = [&](Rank& group, float gradient) {
          zero::ParameterList parameters;
          auto const w = parameters.add({.name = "w", .shape = {500}});
          zero::Engine<zero::Partitioner<zero::Stage::parameters>, zero::Optimizer<zero::Sgd>,
                       zero::Precision<zero::FP32>, zero::SimulationBackend, Rank>
              engine{group, parameters, {.micro_batches_per_step = 5, .backend = {group.process()}}};
          auto const stream = world.make_stream("compute");
          for (int round = 0; round < (5 + group.size() - 1) / group.size(); ++round) {
            auto micro_batch = engine.begin_micro_batch(stream);
            auto const weights = engine.gather(w, stream);
            if (micro_batch.contributes()) {
              auto gradients = engine.gradients(w, stream);
              auto const target = gradients.write(w).values;
              float const g = gradient / static_cast<float>(1 + micro_batch.index());
              stream.launch("backward", {zero::simulation::writes(target)}, [=] {
                for (auto& element : target) element = g;
              });
              gradients.ready(stream);
            }
            micro_batch.finish(stream);
          }
          (void)engine.step({.lr = 0.1}, stream).get();
          return engine.read_parameter("w").front();
        };
        values[0].insert(train(topology.group("data"), 1.0F));
        values[1].insert(train(topology.group("pipeline"), 2.0F));
      });
      CHECK(values[0].size() == 1);
      CHECK(values[1].size() == 1);
    }
  }
}

TEST_CASE("simulated groups: two groups that ranks call in another order wait for each other, whatever the streams") {
  auto const script = [](bool as_others_do) {
    return [=](Rank& world) {
      auto rows = world.split(world.rank() / 2, 0);
      auto columns = world.split(world.rank() % 2, 0);
      auto const one = world.make_stream("one"), two = world.make_stream("two");
      std::uint64_t words[2]{};
      bool const rows_first = as_others_do || world.rank() == 0 || world.rank() == 3;
      reduce(rows_first ? *rows : *columns, words[0], one);
      reduce(rows_first ? *columns : *rows, words[1], two);
      zero::SimulationBackend backend({world.process()}, 1);
      backend.synchronize(one);
      backend.synchronize(two);
    };
  };
  CHECK(clean(script(true), 4));
  for (auto order : orders) {
    for (bool const over_nccl : {false, true}) {
      zero::SimulationOptions options{.order = order};
      if (over_nccl) options.nccl.emplace();
      auto const message = failure_of<zero::DeadlockError>(script(false), 4, options);
      CHECK(contains(message, "waits in all_reduce #0 of words"));
      CHECK(contains(message, "launched another collective before it"));
      for (auto const* group : {"ranks 0, 1", "ranks 2, 3", "ranks 0, 2", "ranks 1, 3"}) {
        CAPTURE(group);
        CHECK(contains(message, std::string("of the group of ") + group));
      }
      CHECK(contains(message, "again"));
    }
  }
}

TEST_CASE("simulated groups: three groups in a ring of orders are told link by link") {
  auto const message = failure_of<zero::DeadlockError>(
      [](Rank& world) {
        int const rank = world.rank();
        auto first = world.split(rank == 2 ? -1 : 0, 0);   // ranks 0 and 1
        auto second = world.split(rank == 0 ? -1 : 0, 0);  // ranks 1 and 2
        auto third = world.split(rank == 1 ? -1 : 0, 0);   // ranks 2 and 0
        auto const stream = world.make_stream("communication");
        std::uint64_t word = 0;
        reduce(rank == 0 ? *first : rank == 1 ? *second : *third, word, stream);
        reduce(rank == 0 ? *third : rank == 1 ? *first : *second, word, stream);
        zero::SimulationBackend backend({world.process()}, 1);
        backend.synchronize(stream);
      },
      3);
  for (auto const* group : {"ranks 0, 1", "ranks 1, 2", "ranks 0, 2"}) {
    CAPTURE(group);
    CHECK(contains(message, group));
  }
}

TEST_CASE("simulated groups: collectives that differ within a group name ranks as the world counts") {
  auto const message = failure_of<zero::CommunicationError>(
      [](Rank& world) {
        auto group = world.split(world.rank() % 2, 0);
        std::vector<float> own(2), all(4);
        group->all_gather(own.data(), all.data(), world.rank() == 3 ? 2 : 1, {"values"},
                          world.make_stream("communication"));
      },
      4);
  CHECK(contains(message, "rank 1 all_gather"));
  CHECK(contains(message, "rank 3 all_gather"));
}

TEST_CASE("simulated groups: one rank that stands for all is refused") {
  zero::SimulationOptions const options{.storage = zero::SimulationStorage::phantom, .check = false, .only_rank = 0};
  CHECK(contains(failure_of<zero::ConfigurationError>([](Rank& world) { (void)world.split(0, 0); }, 4, options),
                 "simulate a world of the group's size"));
}

}  // namespace simulation_groups_test
