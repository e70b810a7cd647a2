// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Messages between ranks that are threads of one process, and all-to-all.

#include "communicators/rank_ends.hpp"

#include <zero/communicators/self.hpp>
#include <zero/communicators/thread.hpp>
#include <zero/point_to_point.hpp>

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace communicators_point_to_point_test {

using communicators_test::ends_of;
using zero::CommunicationError;
using zero::CommunicationFailure;
using zero::ConfigurationError;
using zero::ThreadCommunicator;
using zero::Transfer;
using namespace std::chrono_literals;

namespace {

constexpr zero::CollectivePurpose purpose{"activations", 3};
zero::HostStream const stream;

bool contains(std::string const& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// \p n numbers of \p rank that no other rank has.
std::vector<int> values_of(int rank, std::size_t n) {
  std::vector<int> values(n);
  for (std::size_t i = 0; i < n; ++i) values[i] = 1000 * rank + static_cast<int>(i);
  return values;
}

/// A host stream on which a copy waits for a caller, or fails: `before(bytes)` is called in front of each.
struct HookedStream : zero::HostStream {
  std::function<void(std::size_t)>* before = nullptr;
  void copy(void* to, void const* from, std::size_t bytes) const {
    if (before != nullptr) (*before)(bytes);
    HostStream::copy(to, from, bytes);
  }
  void enable_peer_access(HookedStream const& /*peer*/) const noexcept {}
};
static_assert(zero::point_to_point_on<ThreadCommunicator, HookedStream>);

template <class T>
void wait_until(std::atomic<T> const& value, T expected) {
  for (T now = value.load(); now != expected; now = value.load()) value.wait(now);
}
template <class T>
void set(std::atomic<T>& value, T to) {
  value = to;
  value.notify_all();
}

}  // namespace

TEST_CASE("messages: those of two ranks are matched in order, one by one, in lists, and over lists of other lengths") {
  zero::run_ranks(2, [](ThreadCommunicator& world) {
    for (std::size_t sent_at_once : {1U, 2U, 3U, 6U}) {
      for (std::size_t received_at_once : {1U, 2U, 3U, 6U}) {
        auto const expected = values_of(0, 6);
        std::vector<int> values = world.rank() == 0 ? expected : std::vector<int>(6);
        std::size_t const at_once = world.rank() == 0 ? sent_at_once : received_at_once;
        for (std::size_t i = 0; i < 6; i += at_once) {
          std::vector<Transfer> list;
          for (std::size_t j = i; j < i + at_once; ++j) {
            list.push_back(world.rank() == 0 ? Transfer::send(&values[j], 1, 1) : Transfer::receive(&values[j], 1, 0));
          }
          world.transfer(list, purpose, stream);
        }
        CHECK(values == expected);
      }
    }
  });
}

TEST_CASE("messages: neighbours that both list a send first, and rings in both directions at once") {
  for (int size : {2, 3, 5}) {
    zero::run_ranks(size, [size](ThreadCommunicator& world) {
      int const next = (world.rank() + 1) % size, previous = (world.rank() + size - 1) % size;
      auto const mine = values_of(world.rank(), 100);
      for (int round = 0; round < 20; ++round) {
        std::vector<int> from_next(100), from_previous(100);
        std::array<Transfer, 4> list{Transfer::send(mine.data(), 100, next), Transfer::send(mine.data(), 100, previous),
                                     Transfer::receive(from_next.data(), 100, next),
                                     Transfer::receive(from_previous.data(), 100, previous)};
        if (size == 2) list[3] = Transfer::receive(from_previous.data(), 100, next);
        world.transfer(list, purpose, stream);
        CHECK(from_next == values_of(next, 100));
        CHECK(from_previous == values_of(previous, 100));
      }
    });
  }
}

TEST_CASE("messages: a chain of ranks receives, computes and sends on, beside collectives of the same group") {
  zero::run_ranks(4, [](ThreadCommunicator& world) {
    for (int micro_batch = 0; micro_batch < 8; ++micro_batch) {
      double value = micro_batch;
      if (world.rank() > 0) world.receive(&value, 1, world.rank() - 1, purpose, stream);
      CHECK(value == micro_batch + world.rank());
      value += 1;
      if (world.rank() < 3) world.send(&value, 1, world.rank() + 1, purpose, stream);
    }
    std::uint64_t word = 1;
    world.all_reduce(&word, 1, {"norm"}, stream);
    CHECK(word == 4);
  });
}

TEST_CASE("messages: one moves before the others of its list, so that the rank that needs it goes on") {
  zero::run_ranks(3, [](ThreadCommunicator& world) {
    int a = 1, b = 2, c = 3, first = 0, second = 0;
    if (world.rank() == 0) {
      world.send(&a, 1, 1, purpose, stream);  // rank 1 waits for rank 2 in the same operation, which waits for the next
      world.send(&b, 1, 2, purpose, stream);
    } else if (world.rank() == 1) {
      world.transfer(std::array{Transfer::receive(&second, 1, 2), Transfer::receive(&first, 1, 0)}, purpose, stream);
      CHECK(first == 1);
      CHECK(second == 3);
    } else {
      world.receive(&first, 1, 0, purpose, stream);
      world.send(&c, 1, 1, purpose, stream);
      CHECK(first == 2);
    }
  });
}

TEST_CASE("messages: empty ones are matched, empty lists are nothing, and a rank may send to itself within a list") {
  auto const to_itself = [](auto& c) {
    int const sent[] = {7, 8};
    int received[] = {0, 0};
    int const me = c.rank();
    c.transfer(std::array{Transfer::receive(&received[0], 1, me), Transfer::send(&sent[0], 1, me),
                          Transfer::send(&sent[1], 1, me), Transfer::receive(&received[1], 1, me)},
               purpose, stream);
    CHECK(received[0] == 7);
    CHECK(received[1] == 8);
    c.transfer(std::span<Transfer const>(), purpose, stream);
    int const* const nothing = nullptr;
    c.transfer(std::array{Transfer::send(nothing, 0, me), Transfer::receive(received, 0, me)}, purpose, stream);
  };
  zero::SelfCommunicator self;
  to_itself(self);
  zero::run_ranks(2, [&](ThreadCommunicator& world) {
    to_itself(world);
    int value = world.rank() == 0 ? 5 : 0;
    int* const nothing = nullptr;
    if (world.rank() == 0) world.send(nothing, 0, 1, purpose, stream);
    if (world.rank() == 0) world.send(&value, 1, 1, purpose, stream);
    if (world.rank() == 1) world.receive(nothing, 0, 0, purpose, stream);
    if (world.rank() == 1) world.receive(&value, 1, 0, purpose, stream);
    CHECK(value == 5);
  });
}

TEST_CASE("messages: what cannot work is refused before anything has happened") {
  auto const refused = [](auto& c, std::vector<Transfer> const& list, std::string_view part) {
    std::string message;
    try {
      c.transfer(list, purpose, stream);
    } catch (ConfigurationError const& error) {
      message = error.what();
    }
    CAPTURE(message);
    CHECK(contains(message, part));
  };
  auto const refuse_all = [&](auto& c) {
    int values[4]{};
    int const me = c.rank(), size = c.size();
    refused(c, {Transfer::send(values, 1, size)}, "ranks count from 0 to");
    refused(c, {Transfer::receive(values, 1, -1)}, "receives from rank -1");
    refused(c, {Transfer::send(values, 1, me)}, "list both sides");
    refused(c, {Transfer::receive(values, 1, me)}, "list both sides");
    refused(c, {Transfer::send(values, 1, me), Transfer::receive(values + 2, 2, me)}, "sends itself 4 bytes");
    refused(c, {Transfer::send(values, 2, me), Transfer::receive(values + 1, 2, me)}, "overlap");
    CHECK_THROWS_AS(c.all_to_all(values, values, 1, purpose, stream), ConfigurationError);
    CHECK_THROWS_AS(c.send(values, 1, me, purpose, stream), ConfigurationError);
  };
  zero::SelfCommunicator self;
  refuse_all(self);
  zero::run_ranks(2, [&](ThreadCommunicator& world) {
    refuse_all(world);
    int values[4]{}, others[3]{};
    int const peer = 1 - world.rank();
    refused(world, {Transfer::receive(values, 2, peer), Transfer::receive(values + 1, 2, peer)}, "overlap");
    refused(world, {Transfer::receive(values, 4, peer), Transfer::send(values + 1, 1, peer)}, "overlap");
    world.transfer(std::array{Transfer::send(values, 2, peer), Transfer::send(values, 1, peer),  // the same twice
                              Transfer::receive(others, 2, peer), Transfer::receive(others + 2, 1, peer)},
                   purpose, stream);
  });
}

TEST_CASE("messages: of different sizes fail both sides, and name both") {
  for (bool receiver_first : {true, false}) {
    std::atomic<bool> posted{false};
    auto const ends = ends_of(3, [&](ThreadCommunicator& world) {
      int values[2]{};
      if (world.rank() == 0) {
        if (receiver_first) wait_until(posted, true);
        world.send(values, 2, 1, purpose, stream);
      } else if (world.rank() == 1) {
        set(posted, true);
        world.receive(values, 1, 0, purpose, stream);
      } else {
        world.receive(values, 1, 0, purpose, stream);
      }
    });
    for (auto const& end : ends) {
      CAPTURE(end.message);
      CHECK(end.kind == CommunicationFailure::mismatch);
      CHECK(end.rank == 1);
      CHECK(contains(end.message, "rank 0 send #0 of activations, bucket 3 to rank 1 (8 bytes)"));
      CHECK(contains(end.message, "rank 1 receive #0 of activations, bucket 3 from rank 0 (4 bytes)"));
    }
  }
}

TEST_CASE("messages: between two kinds of streams are refused on both sides") {
  auto const ends = ends_of(2, [](ThreadCommunicator& world) {
    int value = 0;
    if (world.rank() == 0) world.send(&value, 1, 1, purpose, stream);
    if (world.rank() == 1) world.receive(&value, 1, 0, purpose, HookedStream{});
  });
  for (auto const& end : ends) CHECK(end.kind == CommunicationFailure::mismatch);
}

TEST_CASE("messages: a peer that throws ends the wait of who sends to it, receives from it, and of other groups") {
  auto const ends = ends_of(4, [&](ThreadCommunicator& world) {
    auto group = world.split(world.rank() < 2 ? 1 : 0, 0);  // rank 3 is the second of its group
    int value = 0;
    if (world.rank() == 3) throw std::runtime_error("the data has ended");
    if (world.rank() == 2) group->send(&value, 1, 1, purpose, stream);
    if (world.rank() == 1) world.receive(&value, 1, 3, purpose, stream);
    if (world.rank() == 0) group->receive(&value, 1, 1, purpose, stream);
  });
  for (std::size_t rank : {0U, 1U, 2U}) {
    CAPTURE(ends[rank].message);
    CHECK(ends[rank].kind == CommunicationFailure::peer_failed);
    CHECK(ends[rank].rank == 3);
    CHECK(contains(ends[rank].message, "rank 3 failed: the data has ended"));
    CHECK(contains(ends[rank].message, "zero: rank " + std::to_string(rank)));
  }
}

TEST_CASE("messages: a peer that leaves without the other side of one ends the wait of the other rank") {
  for (bool sends : {true, false}) {
    auto const ends = ends_of(3, [&](ThreadCommunicator& world) {
      auto group = world.split(world.rank() == 0 ? 0 : 1, 0);  // rank 2 is the second of its group
      int value = 0;
      if (world.rank() == 1) {
        sends ? group->send(&value, 1, 1, purpose, stream) : group->receive(&value, 1, 1, purpose, stream);
      }
    });
    CAPTURE(ends[1].message);
    CHECK(ends[1].kind == CommunicationFailure::peer_failed);
    CHECK(ends[1].rank == 2);
    CHECK(contains(ends[1].message, sends ? "rank 1 waited in send #0 of activations, bucket 3 to rank 2"
                                          : "rank 1 waited in receive #0 of activations, bucket 3 from rank 2"));
    CHECK(contains(ends[1].message,
                   sends ? "rank 2 has left before it has received it" : "rank 2 has left before it has sent it"));
  }
}

TEST_CASE("messages: a peer that has sent may leave, and one that comes late is waited for") {
  zero::run_ranks(2, [&](ThreadCommunicator& world) {
    int value = world.rank() == 0 ? 4 : 0;
    if (world.rank() == 0) world.send(&value, 1, 1, purpose, stream);
    if (world.rank() == 1) std::this_thread::sleep_for(20ms);
    if (world.rank() == 1) world.receive(&value, 1, 0, purpose, stream);
    CHECK(value == 4);
  });
}

TEST_CASE("messages: a peer that never posts, and two that both send first, are told at the deadline") {
  std::atomic<int> over{0};
  auto const never = ends_of(
      3,
      [&](ThreadCommunicator& world) {
        int value = 0;
        if (world.rank() == 2) return wait_until(over, 2);
        try {
          world.rank() == 0 ? world.send(&value, 1, 2, purpose, stream) : world.receive(&value, 1, 2, purpose, stream);
        } catch (CommunicationError const&) {
          ++over;
          over.notify_all();
          throw;
        }
      },
      50ms);
  for (std::size_t rank : {0U, 1U}) {
    CAPTURE(never[rank].message);
    CHECK(never[rank].kind == CommunicationFailure::deadline);
    CHECK(never[rank].rank == 2);
    CHECK(contains(never[rank].message, "it within the deadline of 50 ms"));
  }
  bool advised = false;  // where the machine is so slow that one has not come before the deadline: with a longer one
  for (std::chrono::milliseconds deadline = 100ms; deadline < 5min && !advised; deadline *= 8) {
    auto const both = ends_of(
        2,
        [](ThreadCommunicator& world) {
          int value = world.rank(), theirs = 0;
          world.send(&value, 1, 1 - world.rank(), purpose, stream);
          world.receive(&theirs, 1, 1 - world.rank(), purpose, stream);
        },
        deadline);
    for (auto const& end : both) CHECK(end.kind == CommunicationFailure::deadline);
    advised = contains(both[0].message, "send and receive in one list") &&
              contains(both[1].message, "send and receive in one list");
  }
  CHECK(advised);
}

TEST_CASE("messages: a sender that fails keeps what it sends until its receiver has read it") {
  std::atomic<bool> reads{false}, failed{false}, sender_over{false};
  std::vector<int> received(1000);
  std::function<void(std::size_t)> const before = [&](std::size_t) {
    set(reads, true);
    wait_until(failed, true);
    std::this_thread::sleep_for(20ms);  // time to go wrong
    CHECK(!sender_over);
  };
  auto hook = before;
  auto const ends = ends_of(4, [&](ThreadCommunicator& world) {
    if (world.rank() == 0) {
      auto const sent = std::make_unique<std::vector<int>>(values_of(0, 1000));
      try {
        world.send(sent->data(), 1000, 1, purpose, HookedStream{});
      } catch (CommunicationError const&) {
        sender_over = true;
        throw;
      }
    } else if (world.rank() == 1) {
      HookedStream slow;
      slow.before = &hook;
      world.receive(received.data(), 1000, 0, purpose, slow);
    } else if (world.rank() == 2) {
      wait_until(reads, true);
      throw std::runtime_error("out of paper");
    } else {
      int value = 0;
      try {
        world.receive(&value, 1, 2, purpose, stream);
      } catch (CommunicationError const&) {
        set(failed, true);
        throw;
      }
    }
  });
  CHECK(received == values_of(0, 1000));
  CHECK(contains(ends[0].message, "out of paper"));
  CHECK(ends[1].message.empty());
}

TEST_CASE("messages: what a failed sender has posted is read by nobody") {
  std::atomic<bool> gone{false};
  int received = 77;
  auto const ends = ends_of(3, [&](ThreadCommunicator& world) {
    if (world.rank() == 0) {
      auto sent = std::make_unique<int>(1);
      try {
        world.send(sent.get(), 1, 1, purpose, stream);
      } catch (CommunicationError const&) {
        *sent = 2;
        sent.reset();
        set(gone, true);
        throw;
      }
    } else if (world.rank() == 1) {
      wait_until(gone, true);
      world.receive(&received, 1, 0, purpose, stream);
    } else {
      throw std::runtime_error("out of paper");
    }
  });
  CHECK(received == 77);
  CHECK(contains(ends[0].message, "out of paper"));
  CHECK(contains(ends[1].message, "out of paper"));
}

TEST_CASE("messages: a receiver that fails in the middle of its list ends all that send to it") {
  std::function<void(std::size_t)> before = [](std::size_t bytes) {
    if (bytes == 8) throw std::runtime_error("the device is lost");
  };
  auto const ends = ends_of(3, [&](ThreadCommunicator& world) {
    std::int64_t value = 0;
    int small = 0;
    if (world.rank() == 0) {
      HookedStream failing;
      failing.before = &before;
      int received = 0;
      world.transfer(
          std::array{Transfer::send(&small, 1, 1), Transfer::receive(&received, 1, 1), Transfer::receive(&value, 1, 2)},
          purpose, failing);
    } else if (world.rank() == 1) {
      int received = 0;
      world.send(&small, 1, 0, purpose, HookedStream{});
      world.receive(&received, 1, 0, purpose, HookedStream{});
      world.receive(&received, 1, 0, purpose, HookedStream{});  // which is never sent
    } else {
      world.send(&value, 1, 0, purpose, HookedStream{});
    }
  });
  CHECK(ends[0].message == "the device is lost");
  CHECK(ends[1].kind == CommunicationFailure::peer_failed);
  CHECK(ends[1].rank == 0);
  CHECK(contains(ends[1].message, "rank 0 failed inside transfer #0 of activations"));
}

TEST_CASE("all-to-all: slice q goes to rank q and comes from it, in worlds and in groups") {
  auto const check = [](auto& c, int world_rank, std::vector<int> const& members) {
    std::size_t const count = 7, size = members.size();
    auto const sent = values_of(world_rank, count * size);
    std::vector<int> received(count * size), expected;
    c.all_to_all(sent.data(), received.data(), count, purpose, stream);
    for (int const member : members) {
      auto const theirs = values_of(member, count * size);
      auto const begin = theirs.begin() + static_cast<std::ptrdiff_t>(count) * c.rank();
      expected.insert(expected.end(), begin, begin + static_cast<std::ptrdiff_t>(count));
    }
    CHECK(received == expected);
  };
  zero::SelfCommunicator self;
  check(self, 0, {0});
  zero::run_ranks(5, [&](ThreadCommunicator& world) {
    check(world, world.rank(), {0, 1, 2, 3, 4});
    auto group = world.split(world.rank() % 2, -world.rank());
    check(*group, world.rank(), world.rank() % 2 == 0 ? std::vector{4, 2, 0} : std::vector{3, 1});
    check(world, world.rank(), {0, 1, 2, 3, 4});
  });
}

TEST_CASE("all-to-all: counts that differ fail all ranks") {
  auto const ends = ends_of(3, [](ThreadCommunicator& world) {
    int sent[6]{}, received[6]{};
    world.all_to_all(sent, received, world.rank() == 2 ? 2 : 1, purpose, stream);
  });
  for (auto const& end : ends) {
    CHECK(end.kind == CommunicationFailure::mismatch);
    CHECK(contains(end.message, "rank 2 all_to_all #0"));
  }
}

}  // namespace communicators_point_to_point_test
