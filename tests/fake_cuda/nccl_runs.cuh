// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "fake_cuda/nccl_ranks.hpp"
#include "fake_cuda/nccl_runs.hpp"
#include "fake_cuda/runs.cuh"

#include <exception>

namespace fake_cuda {

/// Ranks as threads with a device each, over NCCL, whose sums are in rank order in every type.
struct OverNccl {
  using Communicator = zero::NcclCommunicator;
  template <class F>
  static void run(int world, F const& f) {
    for (auto const& end : on_nccl_ranks(world, {.reduction = zero::NcclReduction::ordered}, f)) {
      if (end.thrown) std::rethrow_exception(end.thrown);
    }
  }
};

}  // namespace fake_cuda
