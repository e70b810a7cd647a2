// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mpi/worlds.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

namespace mpi_mismatch_test {

// What every rank is told where one differs, fails or does not come. A world ends with it, so that each has its own.

using mpi_test::contains;
using mpi_test::error_of;
using zero::CommunicationError;
using zero::CommunicationFailure;

namespace {

constexpr mpi_test::Grouping hosts[] = {"aaaaaaaa", "aaaabbbb", "abbbbbbb", "aaaaaaab"};

zero::MpiCommunicator patient_world(mpi_test::Grouping grouping) { return mpi_test::world(grouping); }

/// A world whose ranks wait for two seconds for each other.
zero::MpiCommunicator impatient_world(mpi_test::Grouping grouping) {
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return zero::MpiCommunicator(
      {.deadline = std::chrono::seconds(2), .host = std::string(1, grouping[static_cast<std::size_t>(rank)])});
}

[[noreturn]] void await_failure(zero::MpiCommunicator const& communicator) {
  for (;;) {
    (communicator.check)();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

}  // namespace

TEST_CASE("mpi: another count, purpose, type, engine or range on one rank is a mismatch on all of them") {
  std::vector<float> buffer(64);
  std::uint64_t word = 1;
  for (auto const grouping : hosts) {
    for (int what = 0; what < 5; ++what) {
      auto all = patient_world(grouping);
      bool const odd = all.rank() == 6;
      auto const error = error_of<CommunicationError>([&] {
        switch (what) {
          case 0:
            return all.all_gather(&buffer[0], &buffer[8], odd ? 2 : 1, {.what = "parameters"}, {});
          case 1:
            return all.all_gather(&buffer[0], &buffer[8], 1, {.what = odd ? "values" : "parameters"}, {});
          case 2:
            return all.all_gather(&buffer[0], &buffer[8], 1, {.what = "parameters", .engine = odd ? 2U : 1U}, {});
          case 3:
            return all.reduce_scatter_add(&buffer[0], &buffer[32], 1, {.addends = odd ? 3 : 4}, {.what = "sums"}, {});
          default:
            return odd ? all.all_reduce(&word, 1, {.what = "norm"}, {})
                       : all.all_gather(&buffer[0], &buffer[8], 1, {.what = "norm"}, {});
        }
      });
      CHECK(error.kind() == CommunicationFailure::mismatch);
      CHECK(error.where().rank == 6);
      CHECK(contains(error.what(), "rank 0"));
      CHECK(contains(error.what(), "rank 6"));
      CHECK_THROWS_AS(all.exchange({}, {}), CommunicationError);  // for good
      CHECK_THROWS_AS((all.check)(), CommunicationError);
    }
  }
}

TEST_CASE("mpi: a rank that throws, or leaves, ends the waits of all, in whatever group they wait") {
  for (auto const grouping : hosts) {
    int rank = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    auto const run = [&] {
      auto all = patient_world(grouping);
      auto group = all.split(all.rank() % 2, 0);
      if (rank == 3) throw std::runtime_error("out of memory");
      group->exchange({}, {});
      all.exchange({}, {});
    };
    if (rank == 3) {
      CHECK_THROWS_AS(run(), std::runtime_error);
    } else {
      auto const error = error_of<CommunicationError>(run);
      CHECK(error.kind() == CommunicationFailure::peer_failed);
      CHECK(error.where().rank == 3);
      CHECK(contains(error.what(), "rank 3 has failed: an exception ended it"));
    }
    auto all = patient_world(grouping);
    if (all.rank() == 7) continue;  // leaves
    auto const error = error_of<CommunicationError>([&] { all.exchange({}, {}); });
    CHECK(error.where().rank == 7);
    CHECK(contains(error.what(), "rank 7 has left"));
  }
}

TEST_CASE("mpi: what all ranks have come to the end of does not fail because one of them throws then") {
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  for (int i = 0; i < 8; ++i) {
    CAPTURE(i);
    std::uint64_t word = 1;
    auto const run = [&] {
      auto all = patient_world(hosts[i % 2]);
      all.all_reduce(&word, 1, {.what = "norm"}, {});
      if (rank == 3) throw std::runtime_error("no luck");
      await_failure(all);
    };
    CHECK_THROWS(run());
    CHECK(word == 8);
  }
}

TEST_CASE("mpi: a rank that leaves before it has received its messages ends the wait of who sends them") {
  for (auto const grouping : hosts) {
    auto all = patient_world(grouping);
    if (all.rank() == 7) continue;  // leaves
    auto const error = error_of<CommunicationError>([&] {
      int const token = 1;
      if (all.rank() == 6) all.send(&token, 1, 7, {.what = "token"}, {});
      await_failure(all);
    });
    CHECK(error.kind() == CommunicationFailure::peer_failed);
    CHECK(error.where().rank == 7);
  }
}

TEST_CASE("mpi: what was sent before its rank has left is received") {
  for (auto const grouping : hosts) {
    int token = 0;
    {
      auto all = patient_world(grouping);
      if (all.rank() == 7) {
        std::vector<int> const sent(1 << 20, 1);
        all.send(sent.data(), sent.size(), 0, {.what = "token"}, {});
      }
      if (all.rank() == 0) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        std::vector<int> received(1 << 20);
        all.receive(received.data(), received.size(), 7, {.what = "token"}, {});
        token = received.back();
      }
      if (all.rank() != 7 && all.rank() != 0) continue;
      CHECK(token == (all.rank() == 0 ? 1 : 0));
    }
  }
  MPI_Barrier(MPI_COMM_WORLD);
}

TEST_CASE("mpi: a rank that does not come is named by all others, which come from several hosts") {
  for (auto const grouping : std::span(hosts).first(2)) {  // each waits for a deadline
    auto all = impatient_world(grouping);
    if (all.rank() == 2) {  // until the others have given up
      CHECK_THROWS_AS(await_failure(all), CommunicationError);
      continue;
    }
    auto const error = error_of<CommunicationError>([&] { all.exchange({}, {}); });
    CHECK(error.kind() == CommunicationFailure::deadline);
    CHECK(error.where().rank == 2);
    CHECK(contains(error.what(), "rank 2 did not arrive within the deadline of 2000 ms"));
  }
}

TEST_CASE("mpi: messages of another size, or that nobody receives, are errors of both ranks, and end the world") {
  for (auto const grouping : std::span(hosts).first(2)) {
    auto all = impatient_world(grouping);
    int const partner = all.rank() ^ 1;
    std::vector<int> buffer(8);
    auto const error = error_of<CommunicationError>([&] {
      if (all.rank() % 2 == 0) {
        all.send(buffer.data(), 4, partner, {.what = "activations"}, {});
      } else {
        all.receive(buffer.data(), all.rank() == 5 ? 3 : 4, partner, {.what = "activations"}, {});
      }
      all.exchange({}, {});  // of those whose messages fit
    });
    CHECK(error.kind() == CommunicationFailure::mismatch);
    CHECK(error.where().rank == 5);
    auto silent = impatient_world(grouping);
    auto const missed = error_of<CommunicationError>([&] {
      if (silent.rank() == 0) silent.send(buffer.data(), 1, 7, {.what = "activations"}, {});
      await_failure(silent);
    });
    CHECK(missed.kind() == CommunicationFailure::deadline);
    CHECK(missed.where().rank == 7);
  }
}

TEST_CASE("mpi: communicators of MPI that cannot be a world are refused, and a deadline may be for ever") {
  auto const none = error_of<zero::ConfigurationError>([] { zero::MpiCommunicator const c(MPI_COMM_NULL); });
  CHECK(contains(none.what(), "MPI_COMM_NULL"));
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm half = MPI_COMM_NULL, between = MPI_COMM_NULL;
  MPI_Comm_split(MPI_COMM_WORLD, rank / 4, rank, &half);
  MPI_Intercomm_create(half, 0, MPI_COMM_WORLD, rank < 4 ? 4 : 0, 1, &between);
  auto const two = error_of<zero::ConfigurationError>([&] { zero::MpiCommunicator const c(between); });
  CHECK(contains(two.what(), "a communicator between two groups of ranks"));
  zero::MpiCommunicator mine(half, {.deadline = (std::chrono::nanoseconds::max)(), .host = rank % 2 == 0 ? "a" : "b"});
  std::uint64_t word = 1;
  mine.all_reduce(&word, 1, {.what = "norm"}, {});
  CHECK(word == 4);
  MPI_Comm_free(&between);
  MPI_Comm_free(&half);
  static_assert(!std::is_copy_constructible_v<zero::MpiCommunicator>);
}

TEST_CASE("mpi: settings that differ, or cannot work, are errors of all ranks") {
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  auto const differing = error_of<zero::MismatchError>(
      [&] { zero::MpiCommunicator const c({.bounce_bytes = std::size_t{rank == 4 ? 1U : 2U} << 20}); });
  CHECK(contains(differing.what(), "rank 4 has another deadline or bounce_bytes than rank 0"));
  auto const wrong = error_of<zero::ConfigurationError>(
      [&] { zero::MpiCommunicator const c({.bounce_bytes = rank == 4 ? std::size_t{1} : std::size_t{1} << 20}); });
  CHECK(contains(wrong.what(), "rank 4: zero::MpiCommunicator: bounce_bytes must be from 64 KB to 1 GB"));
  auto const nowhere = error_of<zero::ConfigurationError>(
      [&] { zero::MpiCommunicator const c({.host = rank < 4 ? "a" : "b", .network_interface = "no-such-interface"}); });
  CHECK(contains(nowhere.what(), "rank 0: "));
  CHECK(contains(nowhere.what(), "MpiConfig::network_interface"));
  CHECK(contains(nowhere.what(), "no-such-interface"));
}

}  // namespace mpi_mismatch_test
