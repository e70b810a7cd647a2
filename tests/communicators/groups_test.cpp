// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Groups of ranks that are threads of one process.

#include "communicators/rank_ends.hpp"

#include <zero/engine.hpp>
#include <zero/topology.hpp>

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace communicators_groups_test {

using communicators_test::ends_of;
using zero::CommunicationError;
using zero::CommunicationFailure;
using zero::ThreadCommunicator;
using namespace std::chrono_literals;

namespace {

/// The world's numbers of the ranks of \p group, in its order. Collective in the group.
std::vector<int> world_ranks(ThreadCommunicator& group, ThreadCommunicator const& world) {
  std::vector<int> all(static_cast<std::size_t>(group.size()));
  int const mine = world.rank();
  group.exchange(std::as_bytes(std::span(&mine, 1)), std::as_writable_bytes(std::span(all)));
  return all;
}

/// A step of a small model on the ranks of \p communicator, whose gradients are of \p seed: a parameter afterwards.
template <class Communicator>
float train(Communicator& communicator, float seed) {
  zero::ParameterList parameters;
  auto const w = parameters.add({.name = "w", .shape = {300}});
  zero::Engine<zero::Partitioner<zero::Stage::parameters>, zero::Optimizer<zero::Sgd>, zero::Precision<zero::FP32>,
               zero::HostBackend, Communicator>
      engine{communicator, parameters, {.micro_batches_per_step = 4, .backend = {.threads = 1}}};
  zero::HostStream const stream;
  for (int round = 0; round < (4 + communicator.size() - 1) / communicator.size(); ++round) {
    auto micro_batch = engine.begin_micro_batch(stream);
    auto const weights = engine.gather(w, stream);
    if (micro_batch.contributes()) {
      auto gradients = engine.gradients(w, stream);
      for (auto& g : gradients.write(w).values) g = seed / static_cast<float>(3 + micro_batch.index());
      gradients.ready(stream);
    }
    micro_batch.finish(stream);
  }
  (void)engine.step({.lr = 0.3}, stream).get();
  return engine.read_parameter("w")[150];
}

float train_alone(float seed) {
  zero::SelfCommunicator self;
  return train(self, seed);
}

}  // namespace

TEST_CASE("groups: ranks of one color, in the order of key and rank; those with a negative color are in none") {
  zero::run_ranks(6, [](ThreadCommunicator& world) {
    int const rank = world.rank();
    auto group = world.split(rank == 4 ? -1 : rank % 2, -rank);
    CHECK(group.has_value() == (rank != 4));
    if (!group) return;
    auto const expected = rank % 2 == 1 ? std::vector<int>{5, 3, 1} : std::vector<int>{2, 0};
    CHECK(world_ranks(*group, world) == expected);
    CHECK(group->size() == static_cast<int>(expected.size()));
    CHECK(expected[static_cast<std::size_t>(group->rank())] == rank);
    CHECK(group->local_size() == 6);  // they share the cores with all others
    auto equal_keys = group->split(0, 7);
    CHECK(world_ranks(*equal_keys, world) == expected);
  });
}

TEST_CASE("groups: engines of two groups train beside each other, with the bits of one rank") {
  float const expected[] = {train_alone(1.0F), train_alone(2.0F), train_alone(3.0F)};
  zero::run_ranks(7, [&](ThreadCommunicator& world) {
    int const color = world.rank() < 2 ? 0 : world.rank() < 6 ? 1 : 2;
    auto group = world.split(color, 0);
    CHECK(train(*group, 1.0F + static_cast<float>(color)) == expected[color]);
  });
}

TEST_CASE("groups: a group outlives what it was split from, and dies in any order") {
  zero::run_ranks(4, [](ThreadCommunicator& world) {
    std::optional<ThreadCommunicator> inner;
    {
      auto outer = world.split(world.rank() / 2, 0);
      inner = outer->split(0, -outer->rank());
    }
    CHECK(inner->size() == 2);
    CHECK(world_ranks(*inner, world).front() == world.rank() / 2 * 2 + 1);
    if (world.rank() % 2 == 0) inner.reset();
    world.exchange({}, {});
  });
  std::optional<ThreadCommunicator> left;  // longer than the world
  zero::run_ranks(2, [&](ThreadCommunicator& world) {
    auto group = world.split(0, 0);
    if (world.rank() == 0) left = std::move(group);
  });
  CHECK(left->size() == 2);
}

TEST_CASE("groups: a rank that throws ends the waits in every group, and is named as the world counts") {
  auto const ends = ends_of(5, [](ThreadCommunicator& world) {
    auto group = world.split(world.rank() / 2, -world.rank());
    if (world.rank() == 4) throw std::runtime_error("the data has ended");
    // Rank 1 waits for rank 0, which never comes; ranks 2 and 3 in the world.
    if (world.rank() == 1) group->exchange({}, {});
    world.exchange({}, {});
  });
  for (std::size_t rank = 0; rank < 4; ++rank) {
    CAPTURE(rank);
    CHECK(ends[rank].kind == CommunicationFailure::peer_failed);
    CHECK(ends[rank].rank == 4);
    CHECK(ends[rank].message.find("rank 4 failed: the data has ended") != std::string::npos);
    CHECK(ends[rank].message.find("rank " + std::to_string(rank)) != std::string::npos);
  }
}

TEST_CASE("groups: a failure elsewhere takes no buffer away that a rank of a collective still reads") {
  zero::detail::Posting const posting{.operation = "test", .purpose = {.what = "buffers"}};
  auto const all = zero::detail::ThreadGroup::of_all(3, 60s);
  auto const group = all->make_group({0, 1});
  std::promise<void> has_read;
  auto slow = std::async(std::launch::async, [&] {
    group->enter(1, posting);
    has_read.get_future().wait();
    group->leave(1);
  });
  group->enter(0, posting);
  all->world().fail(CommunicationFailure::peer_failed, 2, "has gone");
  auto fast = std::async(std::launch::async, [&] { group->leave(0); });
  CHECK(fast.wait_for(50ms) == std::future_status::timeout);
  has_read.set_value();
  CHECK_NOTHROW(fast.get());
  CHECK_NOTHROW(slow.get());
  CHECK_THROWS_AS(group->enter(0, posting), CommunicationError);
}

TEST_CASE("groups: ranks that are stopped at any time free what they sent") {  // for the sanitizers, above all
  for (int trial = 0; trial < 40; ++trial) {
    (void)ends_of(3, [&](ThreadCommunicator& world) {
      auto group = world.split(world.rank() / 2, 0);
      if (world.rank() == 2) {
        std::this_thread::sleep_for(std::chrono::microseconds(100 * trial));
        throw std::runtime_error("rank 2 gives up");
      }
      for (;;) {
        std::vector<float> send(2048, 1.0F), sum(1024);
        group->reduce_scatter_add(send.data(), sum.data(), 1024, {}, {.what = "test"}, zero::HostStream{});
      }
    });
  }
}

TEST_CASE("groups: ranks that are stopped in a split leave nothing behind that others use") {
  for (int trial = 0; trial < 40; ++trial) {
    (void)ends_of(3, [&](ThreadCommunicator& world) {
      auto group = world.split(world.rank() / 2, 0);
      if (world.rank() == 2) {
        std::this_thread::sleep_for(std::chrono::microseconds(100 * trial));
        throw std::runtime_error("rank 2 gives up");
      }
      for (;;) {
        auto const inner = group->split(0, 0);  // throws at last, which a CHECK would keep
        CHECK(inner->size() == 2);
      }
    });
  }
}

TEST_CASE("groups: a split that meets another call is a mismatch, and no guess at what was meant") {
  for (bool with_engine : {false, true}) {
    auto const ends = ends_of(2, [&](ThreadCommunicator& world) {
      if (world.rank() == 0) {
        (void)world.split(20, 0);
      } else if (with_engine) {
        (void)train(world, 1.0F);
      } else {
        zero::Topology topology{world, {{"data", 2}}};
      }
    });
    for (auto const& end : ends) CHECK(end.kind == CommunicationFailure::mismatch);
  }
}

TEST_CASE("groups: a rank that leaves, one that is late and one that differs fail a group by their world's numbers") {
  auto const leaves = ends_of(4, [](ThreadCommunicator& world) {
    auto group = world.split(world.rank() % 2, 0);
    if (world.rank() != 3) group->exchange({}, {});
  });
  CHECK(leaves[1].rank == 3);
  CHECK(leaves[1].message.find("rank 3 has left") != std::string::npos);

  // Rank 3 of the world, which is rank 1 of its group, never comes.
  auto const all = zero::detail::ThreadGroup::of_all(4, 50ms);
  zero::detail::Posting const posting{.operation = "test", .purpose = {.what = "numbers"}};
  try {
    all->make_group({1, 3})->enter(0, posting);
    FAIL_CHECK("a wait without end");
  } catch (CommunicationError const& error) {
    CHECK(error.kind() == CommunicationFailure::deadline);
    CHECK(error.where().rank == 3);
    CHECK(std::string_view(error.what()).find("rank 1 waited in") != std::string_view::npos);
  }
  CHECK_THROWS_AS(all->enter(2, posting), CommunicationError);  // nobody waits for anybody any more

  auto const differs = ends_of(4, [](ThreadCommunicator& world) {
    auto group = world.split(world.rank() % 2, 0);
    std::array<float, 2> own{};
    std::array<float, 4> full{};
    group->all_gather(own.data(), full.data(), world.rank() == 3 ? 2 : 1, {.what = "test"}, zero::HostStream{});
    world.exchange({}, {});
  });
  for (std::size_t rank : {1U, 3U}) {
    CHECK(differs[rank].kind == CommunicationFailure::mismatch);
    CHECK(differs[rank].message.find("rank 1 all_gather") != std::string::npos);
    CHECK(differs[rank].message.find("rank 3 all_gather") != std::string::npos);
  }
  for (std::size_t rank : {0U, 2U}) CHECK(differs[rank].rank == 3);
}

TEST_CASE("groups: of a world of one rank there is that rank, or nothing") {
  zero::SelfCommunicator self;
  CHECK(self.split(3, 0)->size() == 1);
  CHECK(!self.split(-1, 0));
}

TEST_CASE("topology: positions, groups along one axis and along several") {
  zero::run_ranks(8, [](ThreadCommunicator& world) {
    zero::Topology topology{world, {{"pipeline", 2}, {"data", 2}, {"expert", 2}}};
    int const rank = world.rank();
    CHECK(topology.position("pipeline") == rank / 4);
    CHECK(topology.position("expert") == rank % 2);
    CHECK(topology.size("data") == 2);
    auto& data = topology.group("data");
    CHECK(data.rank() == topology.position("data"));
    CHECK(world_ranks(data, world) == topology.grid().members(rank, {"data"}));
    auto& both = topology.group({"expert", "data"});
    CHECK(world_ranks(both, world) == topology.grid().members(rank, {"data", "expert"}));
    CHECK(&topology.group({"data", "expert"}) == &both);
    CHECK(&topology.group({std::string_view("data")}) == &data);
    CHECK(train(data, 1.0F) == train_alone(1.0F));
  });
}

TEST_CASE("topology: ranks that ask for other axes are told so, instead of getting groups that nobody knows") {
  std::atomic<int> told{0};
  zero::run_ranks(8, [&](ThreadCommunicator& world) {
    zero::Topology topology{world, {{"a", 2}, {"b", 2}, {"c", 2}}};
    try {
      (void)(world.rank() < 4 ? topology.group({"a", "b"}) : topology.group({"a", "c"}));
    } catch (zero::MismatchError const& error) {
      if (std::string_view(error.what()).find("'a' 'c'") != std::string_view::npos) ++told;
    }
  });
  CHECK(told == 8);
}

TEST_CASE("topology: axes that do not make the world, or differ over ranks, are refused on all of them") {
  std::atomic<int> refused{0};
  auto const refuse = [&](auto axes_of, std::string_view part) {
    refused = 0;
    (void)ends_of(6, [&](ThreadCommunicator& world) {
      try {
        zero::Topology topology{world, axes_of(world.rank())};
      } catch (zero::Error const& error) {
        if (std::string_view(error.what()).find(part) != std::string_view::npos) ++refused;
      }
    });
    CHECK(refused == 6);
  };
  using Axes = std::vector<zero::Axis>;
  refuse([](int) { return Axes{{"pipeline", 2}, {"data", 4}}; }, "are 8 ranks, but the world has 6");
  refuse([](int) { return Axes{{"data", 6}, {"data", 1}}; }, "twice");
  refuse([](int rank) { return rank == 5 ? Axes{{"data", 6}} : Axes{{"data", 3}, {"expert", 2}}; }, "rank 5 has");
  zero::run_ranks(6, [](ThreadCommunicator& world) {
    zero::Topology topology{world, {{"data", 6}}};
    CHECK_THROWS_AS((void)topology.group("pipeline"), zero::ConfigurationError);
    CHECK_THROWS_AS((void)topology.group({"data", "data"}), zero::ConfigurationError);
  });
}

}  // namespace communicators_groups_test
