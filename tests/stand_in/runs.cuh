// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "stand_in/runs.hpp"
#include "stand_in/twins.cuh"
#include "stand_in/work.cuh"

namespace stand_in {

using engine_test::Result;
using engine_test::Run;

template <zero::Stage S, class Offload, class Prec>
Result train_on(Run const& run) {
  using Engine = zero::Engine<zero::Partitioner<S>, zero::Optimizer<zero::AdamW, Offload>, Prec, zero::CudaBackend,
                              zero::ThreadCommunicator>;
  std::vector<Result> results(static_cast<std::size_t>(run.world));
  zero::run_ranks(run.world, [&](zero::ThreadCommunicator& communicator) {
    results[static_cast<std::size_t>(communicator.rank())] =
        engine_test::Trainer<Engine, zero::ThreadCommunicator, OnCudaStreams>(communicator, run).train();
  });
  return engine_test::merged(std::move(results));
}

template <zero::Stage S, class Prec>
Result train_at(Run const& run) {
  return run.offload ? stand_in::train_on<S, zero::CpuOffload, Prec>(run)
                     : stand_in::train_on<S, zero::NoOffload, Prec>(run);
}

template <class Prec>
Result train_with(Run const& run) {
  [[maybe_unused]] static bool const added = [] {
    add_twins<zero::AdamW, typename Prec::scale, typename Prec::compute::type, typename Prec::sum::type>();
    return true;
  }();
  switch (run.stage) {
    case zero::Stage::none:
      return stand_in::train_at<zero::Stage::none, Prec>(run);
    case zero::Stage::optimizer_states:
      return stand_in::train_at<zero::Stage::optimizer_states, Prec>(run);
    case zero::Stage::gradients:
      return stand_in::train_at<zero::Stage::gradients, Prec>(run);
    default:
      return stand_in::train_at<zero::Stage::parameters, Prec>(run);
  }
}

}  // namespace stand_in
