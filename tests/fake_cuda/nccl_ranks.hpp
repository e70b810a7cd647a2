// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "fake_cuda/machine.hpp"

#include <zero/communicators/nccl.hpp>

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <thread>
#include <vector>

namespace fake_cuda {

/// An address of this machine that no other process of these tests uses: what is a free port there stays one.
inline std::string own_host() {
  auto const process = ::getpid();
  return zero::detail::concat({"127.", 1 + (process >> 16) % 64, ".", (process >> 8) % 256, ".", process % 256});
}
inline std::uint16_t free_port() {
  auto const listener = zero::detail::listen_on("", own_host(), 0);
  return zero::detail::local_address(listener.get()).port();
}

/// How the thread of a rank has ended.
struct RankEnd {
  std::exception_ptr thrown{};
  std::uint64_t calls = 0;  ///< in all
};

/// Calls `f(rank)` on a thread for each of \p n ranks, with its device.
template <class F>
std::vector<RankEnd> on_rank_threads(int n, F const& f) {
  std::vector<RankEnd> ends(static_cast<std::size_t>(n));
  std::vector<std::thread> threads;
  threads.reserve(ends.size());
  for (int rank = 0; rank < n; ++rank) {
    threads.emplace_back([&, rank] {
      auto& end = ends[static_cast<std::size_t>(rank)];
      enter_rank(rank);
      try {
        f(rank);
      } catch (...) {
        end.thrown = std::current_exception();
      }
      end.calls = calls_so_far();
    });
  }
  for (auto& thread : threads) thread.join();
  return ends;
}

/// Calls `f(launch)` on \p n ranks of this machine, as a launcher starts processes.
template <class F>
std::vector<RankEnd> on_launched_ranks(int n, F const& f) {
  auto const port = free_port();
  return on_rank_threads(n, [&](int rank) {
    f(zero::LaunchEnvironment{
        .rank = rank, .world = n, .local_rank = rank, .local_world = n, .host = own_host(), .port = port});
  });
}

/// Calls `f(communicator)` on \p n ranks that meet on this machine.
template <class F>
std::vector<RankEnd> on_nccl_ranks(int n, zero::NcclCommunicator::Config const& config, F const& f) {
  return on_launched_ranks(n, [&](zero::LaunchEnvironment const& launch) {
    zero::NcclCommunicator communicator(launch, config);
    f(communicator);
  });
}

}  // namespace fake_cuda
