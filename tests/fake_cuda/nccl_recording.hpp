// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/partitioner.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace fake_cuda {

/// A call that was made while an engine of the same thread recorded a step, and what it threw.
struct Intrusion {
  std::string call;
  std::string refused;  ///< the message of a SequenceError; empty: nothing was thrown
};

/// What one rank has seen of a recording.
struct Recorded {
  std::vector<Intrusion> intrusions{};
  std::string capture_refused{};              ///< what the capture threw, a SequenceError
  std::vector<std::vector<float>> values{};   ///< of all engines, after the replays
  std::vector<std::vector<float>> moments{};  ///< the same of their states
  std::vector<std::uint64_t> sums{};          ///< of a collective that the program puts into each step
};

/// Where calls of others come in a recording.
enum class When : std::uint8_t { never, before, inside_micro_batch, after_step };

struct RecordingRun {
  zero::Stage stage = zero::Stage::gradients;
  int world = 2;
  When intrudes = When::never;
  bool only_rank_0 = false;      ///< intrudes
  bool lets_through = false;     ///< the first refusal ends the capture, which is repeated without it
  bool destroys = false;         ///< the other engine, in the place of the calls; the capture is repeated
  bool opens = false;            ///< the other engine, before: what is called ends its lease and its micro-batch
  bool leaves_open = false;      ///< a stream that is drawn into the recording, which cannot end so; it is repeated
  bool records_jointly = false;  ///< the recording is a joint step's
  bool sums = false;             ///< the program puts a collective of its own on the stream that is recorded
};

/// Trains engines of one NCCL world and a group of it, of which one records a step and replays it, and the other is
/// called meanwhile. By rank.
[[nodiscard]] std::vector<Recorded> record_among_others(RecordingRun const& run);

/// What the last of two ranks calls before the other's call, and the other after it.
enum class Swapped : std::uint8_t { nothing, micro_batches, replays };

/// Trains two engines with equal parameters on one NCCL communicator, which cannot tell their collectives apart.
/// \p replays_alone: rank 0 replays recorded steps where the other rank takes them as usual. By rank: the message of
/// the MismatchError that its step has thrown, if any.
[[nodiscard]] std::vector<std::string> train_two_engines(zero::Stage stage, Swapped swapped,
                                                         bool replays_alone = false);

/// Calls of an engine without a world of its own on streams of one that records; \p shares: the stream that is
/// recorded.
[[nodiscard]] Recorded record_beside_another(bool shares);

/// What each of two ranks that are threads throws, if anything, where they meet on a stream that rank 0 records, or
/// both do.
[[nodiscard]] std::vector<std::string> meet_inside_captures(bool all_record);

}  // namespace fake_cuda
