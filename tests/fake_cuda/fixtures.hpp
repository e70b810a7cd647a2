// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "fake_cuda/machine.hpp"

#include <zero/partitioner.hpp>
#include <zero/profile/span.hpp>
#include <zero/profile/step_breakdown.hpp>
#include <zero/step_ticket.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fake_cuda {

/// A training of two parameters in FP16, as small as one can be that uses all of an engine.
struct Small {
  zero::Stage stage = zero::Stage::gradients;
  bool offload = false;
  double device_share = 0.0;    ///< of offload
  bool delayed_update = false;  ///< of offload
  bool registers = false;       ///< with NCCL: what collectives use
  bool adopted = false;
  int world = 1;
  int device = -1;
  int steps = 2;
  bool evaluates = false;  ///< on another stream, before and after each step
  bool evaluates_before_capture = false;
  bool evaluates_after_capture = false;
  bool gives_up = false;    ///< a micro-batch, first
  bool waits = true;        ///< for each step's report
  int captured_from = -1;   ///< this step and those after it are replayed from a captured one; -1: none
  bool alternates = false;  ///< every other step after a capture is an ordinary one
  std::size_t bucket_elements = 256;
  bool rank_0_replays_alone = false;  ///< after a capture the other ranks take ordinary steps
  int differs_at = -1;                ///< rank 1 takes this step with another learning rate
  int loads_before = -1;              ///< before this step parameter "a" gets a step count of its own
  bool abandons_capture = false;      ///< before the last step, by an error in its middle
  int accumulation = 1;
  int micro_batches = 0;           ///< of a step of the whole world, in place of `accumulation`; 0: that one
  int streams = 2;                 ///< of the trainer's work: gradients come from all but the last
  int bad_step = -1;               ///< has an infinite gradient
  bool gradients_on_host = false;  ///< adopted gradients lie in memory of the program
  bool cycles_momentum = false;    ///< each step has a momentum of its own, in which `differs_at` differs
  bool profiles = false;           ///< with a profiler, whose room is `spans`
  std::size_t spans = 4096;
  bool marks_ranges = false;  ///< of a run that profiles: NvtxRanges, too
  bool broadcasts = false;    ///< before each step, what its second stream has written and goes on with
  bool broadcasts_in_capture = false;
};

struct Seen {
  // Calls so far, after construction, after the last step, and after everything has been read.
  std::uint64_t calls_of_construction = 0;
  std::uint64_t calls_of_steps = 0;
  std::uint64_t calls = 0;
  std::vector<Counts> steps{};  ///< of the rank's thread, at the end of each step
  std::vector<zero::StepReport> reports{};
  std::vector<std::vector<float>> values{};
  std::vector<zero::profile::StepBreakdown> breakdowns{};  ///< of a run that profiles
  std::vector<std::string> streams{};                      ///< by span
  std::vector<zero::profile::Span> spans{};
  std::vector<float> received{};  ///< of a run that broadcasts: what the last one has brought, from the last rank
};

/// Trains on \p small.world threads; what rank 0 has seen. \throws what the engine throws; \p seen is filled as far as
/// it went.
void train_small(Small const& small, Seen& seen);

/// Launches a kernel that has no host kernel.
[[nodiscard]] cudaError_t launch_without_host_kernel(cudaStream_t stream);

}  // namespace fake_cuda
