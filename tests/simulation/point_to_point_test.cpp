// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Messages between simulated ranks, and all-to-all.

#include "simulation/scripts.hpp"

#include <zero/backends/simulation.hpp>
#include <zero/communicators/simulation.hpp>
#include <zero/point_to_point.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace simulation_point_to_point_test {

using simulation_test::clean;
using simulation_test::failure_of;
using simulation_test::orders;
using simulation_test::race_of;
using zero::Transfer;
using zero::simulation::reads;
using zero::simulation::writes;
using Rank = zero::SimulationCommunicator;

namespace {

constexpr zero::CollectivePurpose purpose{"activations"};

bool contains(std::string const& text, std::string_view part) { return text.find(part) != std::string::npos; }

void synchronize(Rank& world, zero::SimulationStream stream) {
  zero::SimulationBackend backend({world.process()}, 1);
  backend.synchronize(stream);
}

/// Lets \p second wait for all that is on \p first.
void order(Rank& world, zero::SimulationStream first, zero::SimulationStream second) {
  zero::SimulationBackend backend({world.process()}, 1);
  zero::SimulationEvent event;
  backend.record(event, first);
  backend.wait(second, event);
}

/// \p bytes of a rank's device: addresses without memory, with phantom storage.
std::byte* device_memory(Rank& world, std::size_t bytes) {
  zero::SimulationBackend backend({world.process()}, 1);
  auto const block = backend.allocate(zero::MemoryKind::device, zero::MemoryPurpose::gradients, bytes);
  return static_cast<std::byte*>(block.data);
}

/// \p n numbers of \p rank that no other rank has.
std::vector<int> values_of(int rank, std::size_t n) {
  std::vector<int> values(n);
  std::iota(values.begin(), values.end(), 1000 * rank);
  return values;
}

}  // namespace

TEST_CASE("simulated messages: those of two ranks are matched in order, whatever lists and streams they are in") {
  CHECK(clean(
      [](Rank& world) {
        auto const stream = world.make_stream("communication"), other = world.make_stream("other");
        for (std::size_t sent_at_once : {1U, 2U, 6U}) {
          for (std::size_t received_at_once : {1U, 3U, 6U}) {
            std::vector<int> values = world.rank() == 0 ? values_of(0, 6) : std::vector<int>(6);
            std::size_t const at_once = world.rank() == 0 ? sent_at_once : received_at_once;
            for (std::size_t i = 0; i < 6; i += at_once) {
              std::vector<Transfer> list;
              for (std::size_t j = i; j < i + at_once; ++j) {
                list.push_back(world.rank() == 0 ? Transfer::send(&values[j], 1, 1)
                                                 : Transfer::receive(&values[j], 1, 0));
              }
              world.transfer(list, purpose, i % 2 == 0 ? stream : other);
            }
            synchronize(world, stream);
            synchronize(world, other);
            CHECK(values == values_of(0, 6));
          }
        }
      },
      2));
}

TEST_CASE("simulated messages: both send first, in rings and in groups, beside collectives") {
  CHECK(clean(
      [](Rank& world) {
        auto const stream = world.make_stream("communication");
        auto group = world.split(world.rank() % 2, 0);
        auto const ring = [&](Rank& c, int rank, int next_rank, int previous_rank) {
          auto const mine = values_of(rank, 10);
          std::vector<int> from_next(10), from_previous(10);
          int const next = (c.rank() + 1) % c.size(), previous = (c.rank() + c.size() - 1) % c.size();
          c.transfer(std::array{Transfer::send(mine.data(), 10, next), Transfer::send(mine.data(), 10, previous),
                                Transfer::receive(from_next.data(), 10, next),
                                Transfer::receive(from_previous.data(), 10, previous)},
                     purpose, stream);
          synchronize(world, stream);
          CHECK(from_next == values_of(next_rank, 10));
          CHECK(from_previous == values_of(previous_rank, 10));
        };
        for (int round = 0; round < 3; ++round) {
          int const r = world.rank();
          ring(world, r, (r + 1) % 6, (r + 5) % 6);
          std::uint64_t word = 1;
          group->all_reduce(&word, 1, {"words"}, stream);
          ring(*group, r, (r + 2) % 6, (r + 4) % 6);
          CHECK(word == 3);
        }
      },
      6));
}

TEST_CASE("simulated messages: a chain passes on what each rank has computed, in the order of its stream") {
  CHECK(clean(
      [](Rank& world) {
        auto const stream = world.make_stream("stage");
        std::vector<double> values(4);
        for (std::size_t k = 0; k < values.size(); ++k) {
          double* const value = &values[k];
          if (world.rank() > 0) world.receive(value, 1, world.rank() - 1, purpose, stream);
          stream.launch("forward", {reads(value, sizeof *value), writes(value, sizeof *value)}, [=] { *value += 1; });
          if (world.rank() < 2) world.send(value, 1, world.rank() + 1, purpose, stream);
        }
        synchronize(world, stream);
        for (double const value : values) CHECK(value == world.rank() + 1);
      },
      3));
}

TEST_CASE("simulated messages: one moves before the others of its list, so that the rank that needs it goes on") {
  CHECK(clean(
      [](Rank& world) {
        auto const stream = world.make_stream("communication");
        int a = 1, b = 2, c = 3, first = 0, second = 0;
        if (world.rank() == 0) {
          world.send(&a, 1, 1, purpose, stream);
          world.send(&b, 1, 2, purpose, stream);
        } else if (world.rank() == 1) {
          world.transfer(std::array{Transfer::receive(&second, 1, 2), Transfer::receive(&first, 1, 0)}, purpose,
                         stream);
        } else {
          world.receive(&first, 1, 0, purpose, stream);
          world.send(&c, 1, 1, purpose, stream);
        }
        synchronize(world, stream);
        CHECK(first == (world.rank() == 0 ? 0 : world.rank()));
        CHECK(second == (world.rank() == 1 ? 3 : 0));
      },
      3));
}

TEST_CASE("simulated messages: a rank sends to itself within a list, and bad lists are refused") {
  CHECK(clean([](Rank& world) {
    auto const stream = world.make_stream("communication");
    int const sent = 5;
    int received = 0;
    world.transfer(std::array{Transfer::send(&sent, 1, 0), Transfer::receive(&received, 1, 0)}, purpose, stream);
    world.transfer({}, purpose, stream);
    synchronize(world, stream);
    CHECK(received == 5);
    CHECK_THROWS_AS(world.send(&sent, 1, 0, purpose, stream), zero::ConfigurationError);
    CHECK_THROWS_AS(world.receive(&received, 1, 1, purpose, stream), zero::ConfigurationError);
    CHECK_THROWS_AS(world.all_to_all(&received, &received, 1, purpose, stream), zero::ConfigurationError);
  }));
}

TEST_CASE("simulated messages: a buffer that is written before its stream has passed the send is a race") {
  auto const script = [](int how) {
    return [=](Rank& world) {
      auto const stream = world.make_stream("communication"), compute = world.make_stream("compute");
      auto const values = std::make_shared<std::array<int, 4>>();
      if (world.rank() == 0) {
        world.send(values->data(), 4, 1, purpose, stream);
        if (how == 1) order(world, stream, compute);
        if (how == 2) zero::SimulationBackend({world.process()}, 1).host_writes(values->data(), 4);
        if (how != 2) compute.launch("backward", {writes(values->data(), 16)}, [values] { values->fill(1); });
      } else {
        world.receive(values->data(), 4, 0, purpose, stream);
      }
      synchronize(world, stream);
      synchronize(world, compute);
    };
  };
  for (auto order : orders) {
    auto const message = race_of(script(0), 2, {.order = order});
    CHECK(contains(message, "'backward'"));
    CHECK(contains(message, "'send of activations'"));
    CHECK(contains(race_of(script(2), 2, {.order = order}), "the host writes"));
  }
  CHECK(clean(script(1), 2));
}

TEST_CASE("simulated messages: what is received is read too early without an event, and too late to be freed") {
  auto const script = [](bool ordered) {
    return [=](Rank& world) {
      auto const stream = world.make_stream("communication"), compute = world.make_stream("compute");
      auto const values = std::make_shared<std::array<int, 4>>();
      if (world.rank() == 0) world.send(values->data(), 4, 1, purpose, stream);
      if (world.rank() == 1) {
        world.receive(values->data(), 4, 0, purpose, stream);
        if (ordered) order(world, stream, compute);
        compute.launch("forward", {reads(values->data(), 16)}, [values] {});
      }
      synchronize(world, stream);
      synchronize(world, compute);
    };
  };
  for (auto order : orders) CHECK(contains(race_of(script(false), 2, {.order = order}), "'receive of activations'"));
  CHECK(clean(script(true), 2));
}

TEST_CASE("simulated messages: a receipt comes after what its sender did; a send does not come after its receiver") {
  // Rank 1 writes a buffer on one stream and reads it on another: ordered by a message to rank 0 and one back, if at
  // all.
  auto const script = [](bool back_and_forth) {
    return [=](Rank& world) {
      auto const one = world.make_stream("one"), two = world.make_stream("two");
      auto const value = std::make_shared<int>();
      int token = 0, other = 0;
      if (world.rank() == 1) {
        one.launch("first", {writes(value.get(), sizeof(int))}, [value] { *value = 1; });
        if (back_and_forth) world.send(&token, 1, 0, purpose, one);
        if (!back_and_forth) world.receive(&token, 1, 0, purpose, one);
        world.receive(&other, 1, 0, purpose, two);
        two.launch("second", {writes(value.get(), sizeof(int))}, [value] { *value = 2; });
      } else {
        if (back_and_forth) world.receive(&token, 1, 1, purpose, one);
        if (!back_and_forth) world.send(&token, 1, 1, purpose, one);
        world.send(&other, 1, 1, purpose, one);
      }
      synchronize(world, one);
      synchronize(world, two);
    };
  };
  CHECK(clean(script(true), 2));
  CHECK(contains(race_of(script(false), 2), "'second'"));
}

TEST_CASE(
    "simulated messages: two single sends are a deadlock that names both, on one stream and with hosts that wait") {
  for (bool waits : {true, false}) {
    auto const script = [=](Rank& world) {
      auto const stream = world.make_stream("communication");
      static std::array<int, 2> sent, received;  // longer than the hosts
      int const peer = 1 - world.rank();
      auto const me = static_cast<std::size_t>(world.rank());
      world.send(&sent[me], 1, peer, purpose, stream);
      if (waits) synchronize(world, stream);
      world.receive(&received[me], 1, peer, purpose, stream);
    };
    for (auto order : orders) {
      auto const message = failure_of<zero::DeadlockError>(script, 2, {.order = order});
      CAPTURE(message);
      CHECK(contains(message, "of rank 0 waits in send #0 of activations to rank 1 (4 bytes)"));
      CHECK(contains(message, "of rank 1 waits in send #0 of activations to rank 0 (4 bytes)"));
      CHECK(contains(message, waits ? "has not come to receive it" : "receives it after something else"));
      CHECK(contains(message, "again"));
    }
  }
}

TEST_CASE("simulated messages: a ring of sends, a peer that never posts and a group's order are told link by link") {
  auto const ring = failure_of<zero::DeadlockError>(
      [](Rank& world) {
        auto const stream = world.make_stream("communication");
        int value = 0, other = 0;
        world.send(&value, 1, (world.rank() + 1) % 3, purpose, stream);
        world.receive(&other, 1, (world.rank() + 2) % 3, purpose, stream);
        synchronize(world, stream);
      },
      3);
  for (auto const* part : {"send #0 of activations to rank 0", "to rank 1", "to rank 2"}) CHECK(contains(ring, part));

  auto const never = failure_of<zero::DeadlockError>(
      [](Rank& world) {
        int value = 0;
        if (world.rank() == 0) world.receive(&value, 1, 2, purpose, world.make_stream("communication"));
      },
      3);
  CHECK(contains(never, "rank 0 waits in receive #0 of activations from rank 2"));
  CHECK(contains(never, "rank 2 never sends it: its host has ended after 0 transfers"));

  // Rank 0 launches the sum first, rank 1 the message, on other streams: one order decides.
  for (bool waits_for_sum : {true, false}) {
    auto const mixed = failure_of<zero::DeadlockError>(
        [=](Rank& world) {
          auto group = world.split(world.rank() < 2 ? 0 : 1, 0);
          if (world.rank() == 2) return;
          auto const one = world.make_stream("one"), two = world.make_stream("two");
          std::uint64_t word = 0;
          int value = 0;
          if (world.rank() == 0) group->all_reduce(&word, 1, {"words"}, one);
          world.rank() == 0 ? group->send(&value, 1, 1, purpose, two) : group->receive(&value, 1, 0, purpose, two);
          if (world.rank() == 1) group->all_reduce(&word, 1, {"words"}, one);
          synchronize(world, waits_for_sum ? one : two);
        },
        3);
    CAPTURE(mixed);
    auto const first = mixed.find("rank 0 launched another collective before it");
    auto const second = mixed.find("rank 1 launched another collective before it");
    CHECK(first != std::string::npos);
    CHECK(second != std::string::npos);
    CHECK((first < second) != waits_for_sum);
    CHECK(contains(mixed, "(4 bytes) of the group of ranks 0, 1"));
  }
}

TEST_CASE("simulated messages: sizes that differ are a mismatch that names both, whoever posts first") {
  for (int first : {0, 1}) {
    auto const message = failure_of<zero::CommunicationError>(
        [=](Rank& world) {
          auto group = world.split(world.rank() == 0 ? 0 : 1, 0);
          if (world.rank() == 0) return;
          auto const stream = world.make_stream("communication");
          int values[2]{};
          if (group->rank() != first) group->exchange({}, {});
          group->rank() == 0 ? group->send(values, 2, 1, purpose, stream)
                             : group->receive(values, 1, 0, purpose, stream);
          if (group->rank() == first) group->exchange({}, {});
          synchronize(world, stream);
        },
        3);
    CAPTURE(message);
    CHECK(contains(message, "rank 1 send #0 of activations to rank 2 (8 bytes)"));
    CHECK(contains(message, "rank 2 receive #0 of activations from rank 1 (4 bytes)"));
  }
}

TEST_CASE(
    "simulated messages: phantom storage counts bytes and operations, on all ranks and where one stands for all") {
  auto const script = [](Rank& world) {
    auto const stream = world.make_stream("communication");
    auto* const sent = device_memory(world, 1U << 20U);
    auto* const received = device_memory(world, 1U << 20U);
    int const next = (world.rank() + 1) % world.size(), previous = (world.rank() + world.size() - 1) % world.size();
    world.transfer(std::array{Transfer::send(sent, 1U << 20U, next), Transfer::receive(received, 1U << 20U, previous)},
                   purpose, stream);
    world.all_to_all(sent, received, 1U << 10U, purpose, stream);
    world.send(sent, 1U << 4U, next, purpose, stream);
    world.receive(received, 1U << 4U, previous, purpose, stream);
    CHECK(world.bytes_sent() == (1U << 20U) + 3 * (1U << 10U) + (1U << 4U));
  };
  auto const alone = [](bool check) {
    return zero::SimulationOptions{
        .ranks = 4, .storage = zero::SimulationStorage::phantom, .check = check, .only_rank = 2};
  };
  CHECK(zero::simulate(alone(true), script).operations == 4);
  CHECK(zero::simulate(alone(false), script).operations == 4);
  auto const exchange = [](Rank& world) {
    auto const stream = world.make_stream("communication");
    auto* const data = device_memory(world, 128);
    int const peer = world.rank() ^ 1;
    world.transfer(std::array{Transfer::send(data, 64, peer), Transfer::receive(data + 64, 64, peer)}, purpose, stream);
  };
  CHECK(zero::simulate({.ranks = 4, .storage = zero::SimulationStorage::phantom}, exchange).operations == 4);
}

TEST_CASE("simulated messages: a trace has them, and the receiver's stream waits for the sender's") {
  auto const result = zero::simulate({.ranks = 2, .trace = true}, [](Rank& world) {
    auto const stream = world.make_stream("communication");
    int value = 0;
    if (world.rank() == 0) stream.launch("long", {reads(&value, std::size_t{1} << 20U)}, [] {});
    world.rank() == 0 ? world.send(&value, 1, 1, {"x", 6}, stream) : world.receive(&value, 1, 0, {"x", 6}, stream);
    synchronize(world, stream);
  });
  REQUIRE(result.trace.size() == 3);
  for (auto const& event : result.trace) {
    if (event.name == "long") continue;
    CHECK(event.name == (event.rank == 0 ? "send of x" : "receive of x"));
    CHECK(event.bucket == 6);
    CHECK(event.begin == 1025);
  }
}

TEST_CASE("simulated all-to-all: slice q goes to rank q and comes from it, in worlds and in groups, without a race") {
  CHECK(clean(
      [](Rank& world) {
        auto const stream = world.make_stream("communication");
        auto const check = [&](Rank& c, std::vector<int> const& members) {
          std::size_t const count = 7, size = members.size();
          auto const sent = values_of(world.rank(), count * size);
          std::vector<int> received(count * size), expected;
          c.all_to_all(sent.data(), received.data(), count, purpose, stream);
          synchronize(world, stream);
          for (int const member : members) {
            auto const theirs = values_of(member, count * size);
            auto const begin = theirs.begin() + static_cast<std::ptrdiff_t>(count) * c.rank();
            expected.insert(expected.end(), begin, begin + static_cast<std::ptrdiff_t>(count));
          }
          CHECK(received == expected);
        };
        check(world, {0, 1, 2, 3, 4});
        auto group = world.split(world.rank() % 2, -world.rank());
        check(*group, world.rank() % 2 == 0 ? std::vector{4, 2, 0} : std::vector{3, 1});
      },
      5));
}

TEST_CASE("simulated all-to-all: both buffers are in use until the stream has passed; counts that differ are told") {
  for (bool reads_it : {true, false}) {
    auto const message = race_of(
        [=](Rank& world) {
          auto const stream = world.make_stream("communication"), compute = world.make_stream("compute");
          auto const values = std::make_shared<std::array<int, 4>>();
          world.all_to_all(values->data(), values->data() + 2, 1, purpose, stream);
          auto* const touched = values->data() + (reads_it ? 2 : 0);
          compute.launch("touch", {reads_it ? reads(touched, 8) : writes(touched, 8)}, [values] {});
          synchronize(world, stream);
          synchronize(world, compute);
        },
        2);
    CHECK(contains(message, "'all_to_all of activations'"));
  }
  auto const differs = failure_of<zero::CommunicationError>(
      [](Rank& world) {
        int sent[4]{}, received[4]{};
        auto const stream = world.make_stream("communication");
        world.all_to_all(sent, received, world.rank() == 1 ? 2 : 1, purpose, stream);
        synchronize(world, stream);
      },
      2);
  CHECK(contains(differs, "all_to_all #0 of activations (1 x 4 bytes)"));
}

}  // namespace simulation_point_to_point_test
