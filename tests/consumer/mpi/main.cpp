// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <zero/communicators/mpi.hpp>
#include <zero/engine.hpp>

#include <cstdio>
#include <vector>

// One step on a world of this process alone: what a step over several does is tests/mpi's.
int main(int argc, char** argv) {
  int level = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &level);
  bool moved = false;
  {
    zero::MpiCommunicator ranks(MPI_COMM_SELF);
    std::vector<float> const initial(100, 1.0F);
    zero::ParameterList parameters;
    auto const w = parameters.add({.name = "w", .shape = {100}, .initial = initial});
    zero::Engine<zero::Partitioner<zero::Stage::parameters>, zero::Optimizer<zero::AdamW>, zero::Precision<zero::FP32>,
                 zero::HostBackend, zero::MpiCommunicator>
        engine{ranks, parameters, {}};
    auto micro_batch = engine.begin_micro_batch({});
    auto gradients = engine.gradients(w, {});
    for (auto& g : gradients.write(w).values) g = 1.0F;
    gradients.ready({});
    micro_batch.finish({});
    (void)engine.step({}).get();
    moved = engine.read_parameter("w").front() < 1.0F;
  }
  MPI_Finalize();
  std::puts(moved ? "moved" : "did not move");
  return moved ? 0 : 1;
}
