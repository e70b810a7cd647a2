// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "own_backend.hpp"

#include <zero/communicator.hpp>
#include <zero/error.hpp>
#include <zero/kernels/float_types.hpp>

#include <atomic>
#include <barrier>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace own {

/// Where the ranks of this process meet twice in every collective: before they read each other's buffers, and after.
class Team {
 public:
  explicit Team(int size) : parts_(static_cast<std::size_t>(size)), barrier_(size) {}
  [[nodiscard]] int size() const noexcept { return static_cast<int>(parts_.size()); }

  /// Shows \p data to all ranks, and waits for theirs. \throws zero::CommunicationError on all of them where one has
  /// gone, or calls another collective.
  void enter(int rank, std::string_view operation, void const* data, std::size_t bytes) {
    part(rank) = {operation, data, bytes};
    barrier_.arrive_and_wait();
    if (gone_.load()) fail(zero::CommunicationFailure::peer_failed, operation, "another rank has gone");
    for (auto const& other : parts_) {
      if (other.operation == operation && other.bytes == bytes) continue;
      fail(zero::CommunicationFailure::mismatch, operation, "another rank called another collective");
    }
  }
  /// What \p rank shows; until `leave`.
  template <class T>
  [[nodiscard]] T const* shown(int rank) {
    return static_cast<T const*>(part(rank).data);
  }
  /// Waits until every rank has read what it needs.
  void leave() { barrier_.arrive_and_wait(); }
  /// The calling rank will not come again.
  void retire() {
    gone_.store(true);
    barrier_.arrive_and_drop();
  }

 private:
  struct Part {
    std::string_view operation;
    void const* data = nullptr;
    std::size_t bytes = 0;
  };
  [[nodiscard]] Part& part(int rank) { return parts_[static_cast<std::size_t>(rank)]; }
  [[noreturn]] static void fail(zero::CommunicationFailure kind, std::string_view operation, char const* what) {
    throw zero::CommunicationError(kind, {.operation = std::string(operation)}, std::string("own::Team: ") + what);
  }

  std::vector<Part> parts_;
  std::barrier<> barrier_;
  std::atomic<bool> gone_{false};
};

/// One rank of a team. Brings the slices of all ranks into staging memory of the engine's, and adds them there.
class Communicator {
 public:
  static constexpr zero::CommunicatorFacts facts{.needs_staging = true};

  /// \p team is borrowed.
  Communicator(Team& team, int rank) noexcept : team_(team), rank_(rank) {}
  [[nodiscard]] int rank() const noexcept { return rank_; }
  [[nodiscard]] int size() const noexcept { return team_.size(); }
  [[nodiscard]] int local_size() const noexcept { return team_.size(); }

  template <class Sum, class T>
  [[nodiscard]] std::size_t staging_bytes(std::size_t count, zero::SumOrder /*order*/) const noexcept {
    return ranks() * count * sizeof(T);
  }
  template <class Sum, class T>
  void reduce_scatter_add(T const* send, Sum* into, std::size_t count, zero::SumRange range,
                          zero::CollectivePurpose /*purpose*/, Stream /*stream*/, std::span<std::byte> staging) {
    if (staging.size() < staging_bytes<Sum, T>(count, range.order))
      throw zero::ConfigurationError("own::Communicator: no staging");
    auto* const received = reinterpret_cast<T*>(staging.data());
    team_.enter(rank_, "reduce_scatter_add", send, count * sizeof(T));
    int const addends = range.count(size());
    for (int q = 0; q < addends; ++q) {
      std::memcpy(received + of(q) * count, team_.shown<T>(q) + of(rank_) * count, count * sizeof(T));
    }
    team_.leave();
    if (range.first && addends == 0) std::memset(into, 0, count * sizeof(Sum));
    for (int q = 0; q < addends; ++q) add(received + of(q) * count, into, count, range.first && q == 0);
  }

  template <class T>
  void all_gather(T const* own, T* full, std::size_t count, zero::CollectivePurpose /*purpose*/, Stream /*stream*/) {
    team_.enter(rank_, "all_gather", own, count * sizeof(T));
    for (int q = 0; q < size(); ++q) {
      T* const to = full + of(q) * count;
      if (team_.shown<T>(q) != to) std::memcpy(to, team_.shown<T>(q), count * sizeof(T));
    }
    team_.leave();
  }

  void all_reduce(std::uint64_t* words, std::size_t count, zero::CollectivePurpose /*purpose*/, Stream /*stream*/) {
    std::vector<std::uint64_t> sums(count);
    team_.enter(rank_, "all_reduce", words, count * sizeof(std::uint64_t));
    for (int q = 0; q < size(); ++q) {
      for (std::size_t i = 0; i < count; ++i) sums[i] += team_.shown<std::uint64_t>(q)[i];
    }
    team_.leave();
    std::memcpy(words, sums.data(), count * sizeof(std::uint64_t));
  }

  void exchange(std::span<std::byte const> mine, std::span<std::byte> all) {
    team_.enter(rank_, "exchange", mine.data(), mine.size());
    for (int q = 0; q < size(); ++q) {
      std::memcpy(all.data() + of(q) * mine.size(), team_.shown<std::byte>(q), mine.size());
    }
    team_.leave();
  }

 private:
  static std::size_t of(int rank) noexcept { return static_cast<std::size_t>(rank); }
  [[nodiscard]] std::size_t ranks() const noexcept { return of(team_.size()); }

  template <class Sum, class T>
  static void add(T const* from, Sum* into, std::size_t count, bool first) {
    for (std::size_t i = 0; i < count; ++i) {
      into[i] = zero::narrow<Sum>(first ? zero::widen(from[i]) : zero::widen(into[i]) + zero::widen(from[i]));
    }
  }

  Team& team_;
  int rank_;
};
static_assert(zero::communicator_on<Communicator, Stream>);

/// Runs `f(communicator)` on \p size threads, one rank each. Throws the first error of any of them.
template <class F>
void run_ranks(int size, F&& f) {
  Team team(size);
  std::mutex mutex;
  std::exception_ptr first;
  auto const run = [&](int rank) {
    try {
      Communicator communicator(team, rank);
      f(communicator);
    } catch (...) {
      std::lock_guard lock(mutex);
      if (!first) first = std::current_exception();
    }
    team.retire();
  };
  std::vector<std::thread> threads;
  for (int rank = 1; rank < size; ++rank) threads.emplace_back(run, rank);
  run(0);
  for (auto& thread : threads) thread.join();
  if (first) std::rethrow_exception(first);
}

}  // namespace own
