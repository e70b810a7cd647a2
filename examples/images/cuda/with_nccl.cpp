// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "learner.hpp"
#include "processes.hpp"
#include "training/run_settings.hpp"

#include <zero/communicators/nccl.hpp>

namespace images {

bool has_nccl() { return true; }

// Gradients are added in the order of the ranks in every precision, as they are on the host.
bool run_over_nccl(RunParts const& parts, zero::LaunchEnvironment const& launch) {
  auto const deadline = training::deadline(parts.options);
  zero::NcclCommunicator communicator(
      launch, {.reduction = zero::NcclReduction::ordered, .deadline = deadline, .meeting_deadline = deadline});
  CudaRanks ranks(communicator, communicator.device());
  return run_rank(ranks, parts);
}

}  // namespace images
