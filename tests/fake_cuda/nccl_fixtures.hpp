// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "fake_cuda/fixtures.hpp"
#include "fake_cuda/nccl_ranks.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace fake_cuda {

/// What a rank over NCCL has seen, and how it ended.
struct NcclRank {
  Seen seen{};
  std::uint64_t calls = 0;  ///< of its thread when it knew that all ranks had done all; 0: it did not come so far
  std::size_t streams = 0;  ///< alive with its engine, less those that were before
  RankEnd end{};
};

struct NcclSettings {
  std::chrono::nanoseconds deadline = std::chrono::seconds(30);
  bool awaits_failure = false;  ///< having done all, ranks go on until their communicators fail
};

/// Trains on \p small.world ranks, each a thread with a device of its own, that meet as processes do.
[[nodiscard]] std::vector<NcclRank> train_small_over_nccl(Small const& small, NcclSettings const& settings = {});

/// Calls what engines do not: the library's own sums, groups and registered buffers.
[[nodiscard]] std::vector<NcclRank> use_communicators(int world, NcclSettings const& settings = {});
/// Exchanges bytes between ranks that have nothing but an id in common: each receives them, or fails.
[[nodiscard]] std::vector<NcclRank> use_communicators_without_rendezvous(int world, NcclSettings const& settings = {});

/// What rank 0 has seen. \throws what the first rank that failed has thrown.
[[nodiscard]] Seen first_of(std::vector<NcclRank> ranks);

}  // namespace fake_cuda
