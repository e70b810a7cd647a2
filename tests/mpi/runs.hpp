// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "engine/runs.hpp"
#include "engine/trainer.hpp"

#include <zero/communicators/mpi.hpp>
#include <zero/engine.hpp>

#include <cstdint>

namespace mpi_test {

// What a run of some steps on the reference's model ends with, on this rank of a world of processes; 0 where the engine
// has lost count of its memory, or allocated after its first step. One translation unit per type.
[[nodiscard]] std::uint64_t hash_of_fp32(zero::MpiCommunicator& communicator, engine_test::Run const& run);
[[nodiscard]] std::uint64_t hash_of_fp16(zero::MpiCommunicator& communicator, engine_test::Run const& run);
[[nodiscard]] std::uint64_t hash_of_bf16(zero::MpiCommunicator& communicator, engine_test::Run const& run);

template <zero::Stage Stage, class Offload, class Prec>
std::uint64_t hash_at(zero::MpiCommunicator& communicator, engine_test::Run const& run) {
  using Engine = zero::Engine<zero::Partitioner<Stage>, zero::Optimizer<zero::AdamW, Offload>, Prec, zero::HostBackend,
                              zero::MpiCommunicator>;
  auto const result = engine_test::Trainer<Engine, zero::MpiCommunicator>(communicator, run).train();
  return result.books_balance && result.steady && result.ranks_agree ? result.hash : 0;
}

template <class Offload, class Prec>
std::uint64_t hash_on(zero::MpiCommunicator& communicator, engine_test::Run const& run) {
  switch (run.stage) {
    case zero::Stage::none:
      return hash_at<zero::Stage::none, Offload, Prec>(communicator, run);
    case zero::Stage::optimizer_states:
      return hash_at<zero::Stage::optimizer_states, Offload, Prec>(communicator, run);
    case zero::Stage::gradients:
      return hash_at<zero::Stage::gradients, Offload, Prec>(communicator, run);
    default:
      return hash_at<zero::Stage::parameters, Offload, Prec>(communicator, run);
  }
}

template <class Prec>
std::uint64_t hash_with(zero::MpiCommunicator& communicator, engine_test::Run const& run) {
  return run.offload ? hash_on<zero::CpuOffload, Prec>(communicator, run)
                     : hash_on<zero::NoOffload, Prec>(communicator, run);
}

}  // namespace mpi_test
