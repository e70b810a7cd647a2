// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "stand_in/nccl_ranks.hpp"
#include "stand_in/nccl_runs.hpp"
#include "stand_in/runs.cuh"

#include <exception>

namespace stand_in {

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

}  // namespace stand_in
