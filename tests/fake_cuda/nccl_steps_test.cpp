// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Steps of engines over NCCL: their bits, and what they wait for.

#include "fake_cuda/machine.hpp"
#include "fake_cuda/nccl_fixtures.hpp"
#include "fake_cuda/steps.hpp"

#include <zero/error.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <exception>
#include <vector>

namespace fake_cuda_nccl_steps_test {

using fake_cuda::check_goes_on;
using fake_cuda::Seen;
using fake_cuda::Small;
using zero::SimulationOrder;

namespace {

std::vector<fake_cuda::NcclRank> train_all(Small const& small, SimulationOrder order = SimulationOrder::random) {
  fake_cuda::start({.seed = 1, .order = order, .devices = small.world});
  auto ranks = fake_cuda::train_small_over_nccl(small);
  fake_cuda::finish();
  CHECK(fake_cuda::live_handles() == fake_cuda::LiveHandles{});
  return ranks;
}

Seen train(Small const& small, SimulationOrder order = SimulationOrder::random) {
  return fake_cuda::first_of(train_all(small, order));
}

Seen train_over_threads(Small const& small) {
  fake_cuda::start();
  Seen seen;
  fake_cuda::train_small(small, seen);
  return seen;
}

}  // namespace

TEST_CASE("nccl steps: none after the first waits on the host or allocates, on one, two and three ranks") {
  for (auto stage : fake_cuda::sharded) {
    for (int world : {1, 2, 3}) {
      auto const ranks = train_all({.stage = stage, .world = world, .steps = 6, .waits = false});
      for (auto const& rank : ranks) {
        CHECK(rank.seen.steps.size() == 6);
        check_goes_on(rank.seen, 1);
      }
    }
  }
}

TEST_CASE("nccl steps: the values are those of ranks in threads, in every order, with and without offload") {
  for (auto stage : fake_cuda::sharded) {
    for (bool offload : {false, true}) {
      for (int world : {1, 2, 3}) {
        Small const small{.stage = stage, .offload = offload, .world = world, .steps = 4, .accumulation = 2};
        auto const expected = train_over_threads(small);
        for (auto order : fake_cuda::every_order) CHECK(train(small, order).values == expected.values);
      }
    }
  }
}

TEST_CASE("nccl steps: engines put their collectives on the communicator's stream and make none of their own") {
  for (auto stage : fake_cuda::sharded) {
    Small const small{.stage = stage, .world = 1, .steps = 2};
    auto const expected = static_cast<std::size_t>(small.streams) + 2;  // of the trainer, of set-up and of exchanges
    CHECK(train_all(small)[0].streams == expected);
  }
}

TEST_CASE("nccl steps: engines take what collectives use from NCCL and register all of it, which changes no value") {
  for (auto stage : fake_cuda::sharded) {
    for (bool offload : {false, true}) {
      Small small{.stage = stage, .offload = offload, .world = 2, .steps = 3};
      auto const expected = train(small);
      CHECK(fake_cuda::counts().for_collectives == 0);
      CHECK(fake_cuda::counts().registrations == 0);
      small.registers = true;
      CHECK(train(small).values == expected.values);
      auto const counts = fake_cuda::counts();
      CHECK(counts.for_collectives >= 2 * 4);  // parameters, gradients, sums and staging of either rank
      CHECK(counts.registrations == counts.for_collectives);
    }
  }
}

TEST_CASE("nccl steps: where a rank cannot register, no engine is made, and every rank hears why") {
  for (int refuses : {0, 1}) {
    fake_cuda::start({.devices = 2, .without_registration = refuses});
    for (auto const& rank : fake_cuda::train_small_over_nccl({.registers = true, .world = 2})) {
      CHECK(rank.seen.calls_of_construction == 0);
      REQUIRE(rank.end.thrown);
      CHECK_THROWS_WITH_AS(std::rethrow_exception(rank.end.thrown), doctest::Contains("leave out register_buffers"),
                           zero::ConfigurationError);
    }
    CHECK(fake_cuda::live_handles() == fake_cuda::LiveHandles{});
  }
}

TEST_CASE("nccl steps: a captured step gives the values of an ordinary one, on one, two and three ranks") {
  for (auto stage : fake_cuda::sharded) {
    for (int world : {1, 2, 3}) {
      Small small{.stage = stage, .world = world, .steps = 6, .accumulation = 2};
      auto const expected = train(small);
      small.captured_from = 1;
      for (auto order : fake_cuda::every_order) {
        for (bool waits : {false, true}) {
          small.waits = waits, small.alternates = !waits;
          CHECK(train(small, order).values == expected.values);
        }
      }
    }
  }
}

TEST_CASE("nccl steps: captured steps whose last round is ragged give the values of one rank") {
  for (auto stage : fake_cuda::sharded) {
    auto const expected = train({.stage = stage, .steps = 5, .micro_batches = 5});
    for (int world : {2, 3, 4}) {
      Small small{.stage = stage, .world = world, .steps = 5, .micro_batches = 5};
      CHECK(train(small).values == expected.values);
      small.captured_from = 1;
      for (auto order : fake_cuda::every_order) CHECK(train(small, order).values == expected.values);
    }
  }
}

TEST_CASE("nccl steps: a replayed step launches one graph and waits for nothing") {
  for (auto const& rank : train_all({.world = 2, .steps = 6, .waits = false, .captured_from = 1})) {
    CHECK(rank.seen.steps.size() == 6);
    check_goes_on(rank.seen, 2, 1);
  }
}

TEST_CASE("nccl steps: a rank may replay a step that others take") {
  for (auto stage : fake_cuda::sharded) {
    Small small{.stage = stage, .world = 2, .steps = 5, .accumulation = 2};
    auto const expected = train(small);
    small.captured_from = 1;
    small.rank_0_replays_alone = true;
    CHECK(train(small).values == expected.values);
  }
}

TEST_CASE(
    "nccl steps: another learning rate or momentum on one rank is every rank's error, in ordinary and in replayed "
    "steps") {
  for (auto stage : fake_cuda::sharded) {
    for (auto [captured_from, momentum] : {std::pair{-1, false}, {1, false}, {-1, true}, {1, true}}) {
      auto const ranks = train_all({.stage = stage,
                                    .world = 2,
                                    .steps = 5,
                                    .captured_from = captured_from,
                                    .differs_at = 3,
                                    .cycles_momentum = momentum});
      for (auto const& rank : ranks) {
        CHECK(rank.seen.reports.size() == 3);
        REQUIRE(rank.end.thrown);
        CHECK_THROWS_WITH_AS(std::rethrow_exception(rank.end.thrown), doctest::Contains("rank 1 took a step otherwise"),
                             zero::MismatchError);
      }
    }
  }
}

TEST_CASE("nccl steps: a difference that nobody reads of, step() and replay() throw 16 steps later, on every rank") {
  constexpr int differs_at = 3;
  for (auto stage : fake_cuda::sharded) {
    for (int captured_from : {-1, 1}) {
      auto const ranks = train_all({.stage = stage,
                                    .world = 2,
                                    .steps = differs_at + 16 + 2,
                                    .waits = false,
                                    .captured_from = captured_from,
                                    .differs_at = differs_at});
      for (auto const& rank : ranks) {
        CAPTURE(captured_from);
        CHECK(rank.seen.steps.size() == differs_at + 16);
        REQUIRE(rank.end.thrown);
        CHECK_THROWS_WITH_AS(std::rethrow_exception(rank.end.thrown), doctest::Contains("rank 1 took a step otherwise"),
                             zero::MismatchError);
      }
    }
  }
}

}  // namespace fake_cuda_nccl_steps_test
