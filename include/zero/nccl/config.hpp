// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/nccl/reduction.hpp>

#include <chrono>
#include <optional>

namespace zero {

/// Settings of an NcclCommunicator; the same on every rank, `device` apart.
struct NcclConfig {
  int device = -1;  ///< ordinal; negative: the local rank's, or the only one that the process sees
  /// Absent: native for fp32 where nobody asks for the order of ranks, else ordered. The same on all ranks, as
  /// `register_buffers`.
  std::optional<NcclReduction> reduction{};
  /// Engines take the device memory that collectives use from `ncclMemAlloc`, which rounds every block up to the
  /// device's pages, and register it, so that NCCL moves data without copies of its own where hardware allows it.
  bool register_buffers = false;
  std::chrono::nanoseconds deadline = std::chrono::minutes(10);          ///< of every collective, and of the start
  std::chrono::nanoseconds meeting_deadline = std::chrono::minutes(10);  ///< until all processes have come
};

}  // namespace zero
