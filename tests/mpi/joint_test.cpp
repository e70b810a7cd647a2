// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "joint/joint_trainer.hpp"
#include "mpi/worlds.hpp"

#include <zero/communicators/mpi.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace mpi_joint_test {

// Joint steps over processes have the bits of one engine in one process.

using joint_test::Part;
using joint_test::Run;
using zero::Stage;

namespace {

[[nodiscard]] std::uint64_t hash_of(zero::MpiCommunicator& communicator, Run const& run) {
  using Engine = zero::AnyEngine<zero::AdamW, zero::Precision<zero::FP16, zero::DynamicScale>, zero::HostBackend,
                                 zero::MpiCommunicator>;
  auto const result = joint_test::Trainer<Engine, zero::MpiCommunicator>(communicator, run).train();
  CHECK(result.books_balance);
  CHECK(result.steady);
  return result.hash;
}

/// Of one engine in one process, which every rank is told.
[[nodiscard]] std::uint64_t expected(zero::MpiCommunicator& all, int micro_batches) {
  std::uint64_t hash = 0;
  mpi_test::on_first(all, 1, [&](zero::MpiCommunicator& alone) {
    hash = hash_of(alone, {.parts = {{.gradient_ring = 64}}, .alone = true, .accumulation = micro_batches});
  });
  std::array<std::uint64_t, 8> hashes{};
  all.exchange(std::as_bytes(std::span(&hash, 1)), std::as_writable_bytes(std::span(hashes)));
  return hashes[0];
}

std::vector<std::vector<Part>> const divisions{
    {{.stage = Stage::gradients}, {.stage = Stage::none}},
    {{.stage = Stage::parameters}, {.stage = Stage::optimizer_states, .offload = true}},
    {{.stage = Stage::none}, {.stage = Stage::gradients}, {.stage = Stage::parameters, .persistence_threshold = 200}}};

}  // namespace

TEST_CASE("mpi: joint steps of processes have the bits of one engine, on one host and on several") {
  for (mpi_test::Grouping const grouping : {"aaaaaaaa", "aabbaabb"}) {
    CAPTURE(grouping);
    auto all = mpi_test::world(grouping);
    for (int const micro_batches : {3, 4}) {
      auto const alone = expected(all, micro_batches);
      REQUIRE(alone != 0);
      for (auto const& parts : divisions) {
        for (int const ranks : {2, 3, 5}) {
          Run const run{.parts = parts, .world = ranks, .micro_batches = micro_batches};
          INFO(joint_test::describe(run));
          mpi_test::on_first(all, ranks, [&](zero::MpiCommunicator& c) { CHECK(hash_of(c, run) == alone); });
        }
      }
    }
  }
}

}  // namespace mpi_joint_test
