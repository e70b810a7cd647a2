// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "engine/ragged_runs.hpp"
#include "mpi/runs.hpp"
#include "mpi/worlds.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>

namespace mpi_engine_test {

// The engine over processes: one hash for any number of them, however they lie on hosts.

using engine_test::Run;
using engine_test::Types;

namespace {

constexpr std::array types = {Types::fp32, Types::fp16, Types::bf16};

[[nodiscard]] std::uint64_t hash_of(zero::MpiCommunicator& communicator, Run const& run) {
  switch (run.types) {
    case Types::fp32:
      return mpi_test::hash_of_fp32(communicator, run);
    case Types::fp16:
      return mpi_test::hash_of_fp16(communicator, run);
    default:
      return mpi_test::hash_of_bf16(communicator, run);
  }
}

/// Of one process by itself.
[[nodiscard]] std::uint64_t expected(zero::MpiCommunicator& all, Types type, int micro_batches) {
  std::uint64_t hash = 0;
  mpi_test::on_first(all, 1, [&](zero::MpiCommunicator& alone) {
    hash = hash_of(alone, {.types = type, .accumulation = micro_batches, .clipping = 0.5});
    REQUIRE(hash != 0);
  });
  std::array<std::uint64_t, 8> hashes{};
  all.exchange(std::as_bytes(std::span(&hash, 1)), std::as_writable_bytes(std::span(hashes)));
  return hashes[0];
}

}  // namespace

TEST_CASE("mpi: one hash for all numbers of processes, stages, types, hosts, and with offload and adopted buffers") {
  engine_test::Sample sample(145);
  // Of the first four: one host, 2 + 2, 3 + 1, and each on its own.
  for (mpi_test::Grouping const grouping : {"aaaaaaaa", "aabbaabb", "aaabbbbb", "abcdefgh"}) {
    auto all = mpi_test::world(grouping);
    for (auto const type : types) {
      for (int micro_batches = 1; micro_batches <= engine_test::most_micro_batches; ++micro_batches) {
        std::optional<std::uint64_t> alone;
        engine_test::for_ragged_runs(sample, type, micro_batches, [&](Run const& run) {
          if (!alone) alone = expected(all, type, micro_batches);
          CAPTURE(grouping);
          INFO(engine_test::describe(run));
          mpi_test::on_first(all, run.world, [&](zero::MpiCommunicator& c) { CHECK(hash_of(c, run) == *alone); });
        });
      }
    }
  }
}

}  // namespace mpi_engine_test
