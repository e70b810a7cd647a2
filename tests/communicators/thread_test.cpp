// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "communicators/overlaps.hpp"

#include <zero/communicators/self.hpp>
#include <zero/communicators/thread.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace communicators_thread_test {

using zero::CommunicationError;
using zero::CommunicationFailure;
using zero::ThreadCommunicator;

namespace {

constexpr zero::CollectivePurpose purpose{"test", 7};

// Addends whose sum depends on its order: one large, then ones that vanish beside it.
float addend(int rank, std::size_t i) { return rank == 1 ? 0x1p24F : 1.0F + static_cast<float>(i % 3) * 0.25F; }

// The sum in rank order, rounded after each addend.
float sequential_sum(int world, std::size_t i, float start, bool first) {
  float sum = first ? addend(0, i) : start + addend(0, i);
  for (int r = 1; r < world; ++r) sum += addend(r, i);
  return sum;
}

template <class Communicator>
std::vector<float> send_buffer(Communicator const& c, std::size_t count) {
  std::vector<float> send(count * static_cast<std::size_t>(c.size()));
  for (std::size_t i = 0; i < send.size(); ++i) send[i] = addend(c.rank(), i);
  return send;
}

// Ranks from `addends` on are absent: what they hand over, and may be anything, is not there.
template <class Communicator>
void check_absent(Communicator& c, zero::HostStream stream, std::size_t count) {
  std::size_t const begin = static_cast<std::size_t>(c.rank()) * count;
  for (int addends = 0; addends <= c.size(); ++addends) {
    auto send = send_buffer(c, count);
    if (c.rank() >= addends) std::fill(send.begin(), send.end(), NAN);
    std::vector<float> expected(count);
    for (bool first : {true, false}) {
      std::vector<float> sum(count, -0.5F);
      c.reduce_scatter_add(send.data(), sum.data(), count, {.first = first, .addends = addends}, purpose, stream);
      for (std::size_t i = 0; i < count; ++i) {
        expected[i] = addends > 0 ? sequential_sum(addends, begin + i, -0.5F, first) : first ? 0.0F : -0.5F;
      }
      bool const same = std::memcmp(sum.data(), expected.data(), count * sizeof(float)) == 0;
      CHECK(same);
    }
    c.reduce_scatter_add(send.data(), send.data() + begin, count, {.addends = addends}, purpose, stream);
    for (std::size_t i = 0; i < count; ++i) {
      expected[i] = addends > 0 ? sequential_sum(addends, begin + i, 0.0F, true) : 0.0F;
    }
    bool const same = std::memcmp(send.data() + begin, expected.data(), count * sizeof(float)) == 0;
    CHECK(same);
  }
}

template <class Communicator>
void check_reduce_scatter(Communicator& c, zero::HostStream stream, std::size_t count) {
  auto const send = send_buffer(c, count);
  std::size_t const begin = static_cast<std::size_t>(c.rank()) * count;
  std::vector<float> sum(count, 0.5F);
  for (bool first : {true, false}) {
    auto const start = sum;
    c.reduce_scatter_add(send.data(), sum.data(), count, {.first = first}, purpose, stream);
    std::vector<float> expected(count);
    for (std::size_t i = 0; i < count; ++i) expected[i] = sequential_sum(c.size(), begin + i, start[i], first);
    CHECK(sum == expected);
  }
  auto in_place = send;
  c.reduce_scatter_add(in_place.data(), in_place.data() + begin, count, {}, purpose, stream);
  auto expected = send;
  for (std::size_t i = begin; i < begin + count; ++i) expected[i] = sequential_sum(c.size(), i, 0.0F, true);
  CHECK(in_place == expected);
}

template <class Communicator>
void check_all_gather(Communicator& c, zero::HostStream stream, std::size_t count) {
  std::size_t const begin = static_cast<std::size_t>(c.rank()) * count;
  std::vector<std::uint16_t> full(count * static_cast<std::size_t>(c.size()), 0), own(count);
  for (std::size_t i = 0; i < count; ++i) own[i] = static_cast<std::uint16_t>(begin + i + 1);
  std::vector<std::uint16_t> expected(full.size());
  std::iota(expected.begin(), expected.end(), std::uint16_t{1});
  c.all_gather(own.data(), full.data(), count, purpose, stream);
  CHECK(full == expected);
  for (std::size_t i = 0; i < full.size(); ++i) {
    if (i < begin || i >= begin + count) full[i] = 0;
  }
  c.all_gather(full.data() + begin, full.data(), count, purpose, stream);
  CHECK(full == expected);
}

template <class Communicator>
void check_integers(Communicator& c, zero::HostStream stream) {
  std::vector<std::uint64_t> words{1, static_cast<std::uint64_t>(c.rank()), UINT64_MAX};
  c.all_reduce(words.data(), words.size(), purpose, stream);
  auto const w = static_cast<std::uint64_t>(c.size());
  CHECK(words == std::vector<std::uint64_t>{w, w * (w - 1) / 2, UINT64_MAX * w});
  std::vector<std::byte> const mine{std::byte(c.rank()), std::byte{42}};
  std::vector<std::byte> all(2 * static_cast<std::size_t>(c.size()));
  c.exchange(mine, all);
  for (std::size_t r = 0; r < all.size() / 2; ++r)
    CHECK((all[2 * r] == std::byte(r) && all[2 * r + 1] == std::byte{42}));
}

template <class Communicator>
void check_all(Communicator& c) {
  for (int threads : {1, 2}) {
    zero::HostExecutor executor(zero::best_instruction_set(), nullptr, threads);
    zero::HostStream const stream(executor);
    for (std::size_t count : {std::size_t{1}, std::size_t{37}, std::size_t{256}}) {
      check_reduce_scatter(c, stream, count);
      check_absent(c, stream, count);
      check_all_gather(c, stream, count);
    }
    check_integers(c, stream);
  }
  std::vector<float> memory(3 * static_cast<std::size_t>(c.size()));
  communicators_test::check_overlaps(c, zero::HostStream{}, memory.data());
}

// A collective that any rank may wait in.
void meet(ThreadCommunicator& c) {
  std::uint64_t word = 1;
  c.all_reduce(&word, 1, purpose, zero::HostStream{});
}

}  // namespace

TEST_CASE("self communicator: collectives of a world of one") {
  zero::SelfCommunicator self;
  check_all(self);
}

TEST_CASE("thread communicator: sums come in rank order, gathers in place, in worlds of 1 to 8, 17 and 40") {
  for (int world : {1, 2, 3, 4, 5, 6, 7, 8, 17, 40}) {
    zero::run_ranks(world, [world](ThreadCommunicator& c) {
      CHECK(c.size() == world);
      CHECK(c.local_size() == world);
      check_all(c);
    });
  }
}

TEST_CASE("thread communicator: large slices are shared by the rank's threads") {
  zero::run_ranks(2, [](ThreadCommunicator& c) {
    zero::HostExecutor executor(zero::best_instruction_set(), nullptr, 3);
    std::size_t const count = 3 * zero::HostExecutor::chunk + 5;
    auto const send = send_buffer(c, count);
    std::vector<float> sum(count);
    c.reduce_scatter_add(send.data(), sum.data(), count, {}, purpose, zero::HostStream(executor));
    std::size_t const begin = static_cast<std::size_t>(c.rank()) * count;
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < count; ++i) wrong += sum[i] != sequential_sum(2, begin + i, 0.0F, true);
    CHECK(wrong == 0);
  });
}

TEST_CASE("thread communicator: many collectives in a row keep the ranks in step") {
  zero::run_ranks(5, [](ThreadCommunicator& c) {
    for (std::uint64_t i = 0; i < 300; ++i) {
      std::uint64_t word = i + static_cast<std::uint64_t>(c.rank());
      c.all_reduce(&word, 1, purpose, zero::HostStream{});
      CHECK(word == 5 * i + 10);
    }
  });
}

TEST_CASE("thread communicator: a rank that throws releases all others, and its error is the one thrown") {
  std::atomic<int> released{0};
  auto const run = [&] {
    zero::run_ranks(6, [&](ThreadCommunicator& c) {
      meet(c);
      if (c.rank() == 4) throw std::domain_error("out of paper");
      try {
        meet(c);
      } catch (CommunicationError const& error) {
        CHECK(error.kind() == CommunicationFailure::peer_failed);
        CHECK(error.where().rank == 4);
        CHECK(error.where().bucket == 7);
        CHECK(error.where().sequence == 1);
        CHECK(std::string(error.what()).find("rank 4 failed: out of paper") != std::string::npos);
        ++released;
        throw;
      }
    });
  };
  CHECK_THROWS_WITH_AS(run(), "out of paper", std::domain_error);
  CHECK(released == 5);
}

TEST_CASE("thread communicator: something that is no std::exception releases the others too") {
  auto const run = [] {
    zero::run_ranks(3, [](ThreadCommunicator& c) {
      if (c.rank() == 0) throw 7;
      meet(c);
    });
  };
  CHECK_THROWS_AS(run(), int);
}

TEST_CASE("thread communicator: a rank that does not come is named when the deadline is over") {
  // The first rank that is missing is named: one that is merely slow must not come before it.
  for (int const world : {2, 3}) {
    int const absent = world == 2 ? 1 : 0;
    std::atomic<int> told{0};
    auto const run = [&] {
      zero::run_ranks(world,
                      [&](ThreadCommunicator& c) {
                        if (c.rank() == absent) {
                          while (told < world - 1) std::this_thread::yield();
                          return;
                        }
                        try {
                          meet(c);
                        } catch (CommunicationError const& error) {
                          CHECK(error.kind() == CommunicationFailure::deadline);
                          CHECK(error.where().rank == absent);
                          auto const expected = "rank " + std::to_string(absent) +
                                                " did not arrive within the deadline of 50 ms: find what holds it up, "
                                                "or set a longer RunOptions::deadline";
                          CHECK(std::string(error.what()).find(expected) != std::string::npos);
                          ++told;
                          throw;
                        }
                      },
                      {.deadline = std::chrono::milliseconds(50)});
    };
    CHECK_THROWS_AS(run(), CommunicationError);
    CHECK(told == world - 1);
  }
}

TEST_CASE("thread communicator: a rank that returns early is named at once") {
  auto const run = [] {
    zero::run_ranks(4, [](ThreadCommunicator& c) {
      meet(c);
      if (c.rank() == 2) return;
      meet(c);
    });
  };
  try {
    run();
    FAIL_CHECK("nothing was thrown");
  } catch (CommunicationError const& error) {
    CHECK(error.kind() == CommunicationFailure::peer_failed);
    CHECK(error.where().rank == 2);
    CHECK(std::string(error.what()).find("rank 2 has left: call the engine equally often on every rank") !=
          std::string::npos);
  }
}

namespace {

// What every rank hears when rank 1 does something else than the others.
template <class F>
void check_mismatch(std::string const& mine, std::string const& theirs, F&& f) {
  std::atomic<int> told{0};
  auto const run = [&] {
    zero::run_ranks(3, [&](ThreadCommunicator& c) {
      try {
        f(c);
      } catch (CommunicationError const& error) {
        std::string const what = error.what();
        CHECK(error.kind() == CommunicationFailure::mismatch);
        CHECK(error.where().rank == 1);
        CHECK_MESSAGE(what.find("rank 0 " + mine) != std::string::npos, what);
        CHECK_MESSAGE(what.find("rank 1 " + theirs) != std::string::npos, what);
        ++told;
      }
    });
  };
  run();
  CHECK(told == 3);
}

}  // namespace

TEST_CASE("thread communicator: ranks in different collectives hear of both") {
  check_mismatch("all_reduce #0 of test, bucket 7", "exchange #0 of settings", [](ThreadCommunicator& c) {
    std::array<std::byte, 1> const mine{};
    std::array<std::byte, 3> all{};
    if (c.rank() == 1) return c.exchange(mine, all);
    meet(c);
  });
  check_mismatch("all_reduce #0 of test, bucket 7 (1 x 8 bytes)", "all_reduce #0 of test, bucket 7 (2 x 8 bytes)",
                 [](ThreadCommunicator& c) {
                   std::array<std::uint64_t, 2> words{};
                   c.all_reduce(words.data(), c.rank() == 1 ? 2 : 1, purpose, zero::HostStream{});
                 });
}

TEST_CASE("thread communicator: worlds and deadlines that cannot be are refused") {
  auto const nothing = [](ThreadCommunicator&) {};
  CHECK_THROWS_AS(zero::run_ranks(0, nothing), zero::ConfigurationError);
  CHECK_THROWS_AS(zero::run_ranks(-1, nothing), zero::ConfigurationError);
  CHECK_THROWS_AS(zero::run_ranks(257, nothing), zero::ConfigurationError);
  CHECK_THROWS_AS(zero::run_ranks(2, nothing, {.deadline = std::chrono::seconds(0)}), zero::ConfigurationError);
  CHECK_NOTHROW(zero::run_ranks(2, nothing));
}

TEST_CASE("thread communicator: a collective that differs is every rank's error, and nobody goes on") {
  for (int ranks : {2, 3}) {
    std::vector<int> errors(static_cast<std::size_t>(ranks)), wrong(static_cast<std::size_t>(ranks));
    zero::run_ranks(ranks, [&](ThreadCommunicator& c) {
      auto const rank = static_cast<std::size_t>(c.rank());
      std::vector<float> own(64), full(64 * static_cast<std::size_t>(ranks));
      for (int i = 0; i < 50; ++i) {
        own.assign(own.size(), static_cast<float>(i));
        try {
          c.all_gather(own.data(), full.data(), own.size(), {i == 7 && rank == 0 ? "other" : "same", 0},
                       zero::HostStream{});
          if (full != std::vector<float>(full.size(), static_cast<float>(i))) ++wrong[rank];
        } catch (CommunicationError const& error) {
          CHECK(error.kind() == CommunicationFailure::mismatch);
          ++errors[rank];
        }
      }
    });
    CHECK(errors == std::vector<int>(static_cast<std::size_t>(ranks), 43));
    CHECK(wrong == std::vector<int>(static_cast<std::size_t>(ranks), 0));
  }
}

TEST_CASE("thread communicator: a sum that starts on one rank and goes on at another is refused") {
  std::array<int, 2> errors{};
  zero::run_ranks(2, [&](ThreadCommunicator& c) {
    std::array<float, 2> const send{1, 2};
    float sum = 0;
    try {
      c.reduce_scatter_add(send.data(), &sum, 1, {.first = c.rank() == 0}, purpose, zero::HostStream{});
    } catch (CommunicationError const& error) {
      CHECK(error.kind() == CommunicationFailure::mismatch);
      ++errors[static_cast<std::size_t>(c.rank())];
    }
  });
  CHECK(errors == std::array{1, 1});
}

}  // namespace communicators_thread_test
