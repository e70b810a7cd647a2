// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "reference/training.hpp"

#include <zero/communicator.hpp>
#include <zero/flat_layout.hpp>
#include <zero/gradients/reducer.hpp>
#include <zero/memory/buffer.hpp>
#include <zero/partitioner.hpp>
#include <zero/step_ticket.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace engine_test {

/// Types of parameters, gradients and sums, as one number.
enum class Types : std::uint8_t { fp32, fp16, bf16, bf16_sums };  // fp16: with DynamicScale
#ifdef ZERO_TEST_ONE_TYPE
inline constexpr std::array all_types = {Types::fp16};
#else
inline constexpr std::array all_types = {Types::fp32, Types::fp16, Types::bf16, Types::bf16_sums};
#endif

/// What ranks do in a round in which they have no micro-batch.
enum class Absent : std::uint8_t {
  hands_over_nothing,
  hands_over_nan,
  hands_over_some_nan,  ///< for every other parameter
};

/// What a run of some steps on the reference's model is made of. Everything but `world` and `accumulation`, of which
/// only the product counts, or `micro_batches`, `types`, `clipping` and what is wrong with gradients may not change its
/// result.
struct Run {
  Types types = Types::fp32;
  zero::Stage stage = zero::Stage::none;
  bool offload = false;
  bool self = false;  ///< SelfCommunicator: a world of 1, without offload
  int world = 1;
  int accumulation = 1;
  std::optional<int> micro_batches{};  ///< of a step of the whole world, in place of `accumulation`
  Absent absent = Absent::hands_over_nothing;
  std::optional<zero::Reduce> reduce = zero::Reduce::each_micro_batch;
  std::size_t bucket_elements = 1024;
  std::size_t alignment_elements = 128;
  bool adopted = false;
  int threads = 1;
  bool pool = false;  ///< the threads are the trainer's own
  int prefetch_units = 1;
  std::size_t persistence_threshold = 0;
  int gradient_ring = 2;
  bool shuffled = false;             ///< gradients arrive in another order on every rank and in every micro-batch
  bool zeroed = false;               ///< gradients are added to zeroed places instead of written where possible
  bool evaluates = false;            ///< every parameter is gathered once between steps
  std::size_t chunk_elements = 512;  ///< of offload
  double device_share = 0.0;         ///< of offload
  bool delayed_update = false;       ///< of offload
  double clipping = 0.0;
  int steps = 5;
  int streams = 1;   ///< of the trainer's own work, the last of which evaluates
  int bad_step = 2;  ///< one rank has one infinite gradient in this step; -1: none

  /// Micro-batches of a step of the whole world.
  [[nodiscard]] int total() const { return micro_batches.value_or(world * accumulation); }
  /// Micro-batches that every rank begins in a step.
  [[nodiscard]] int rounds() const { return (total() + world - 1) / world; }
};

struct Result {
  std::uint64_t hash = 0;  ///< of everything below, up to the reports
  std::vector<std::vector<float>> values, first_moments, second_moments;
  std::vector<zero::StepReport> reports;
  std::vector<std::vector<float>> gradients;  ///< read by name before the first step
  zero::Traffic traffic;
  zero::MemoryReport memory;
  bool books_balance = true;  ///< on every rank, after construction and after every step
  bool steady = true;         ///< nothing was allocated after the first step
  bool ranks_agree = true;    ///< every rank gathered the values that the master parameters round to
  std::optional<zero::FlatLayout> layout;
};

/// Trains in as many threads as there are ranks; the result of the first rank.
[[nodiscard]] Result train(Run const& run);

// One translation unit per types, so that they compile side by side.
[[nodiscard]] Result train_fp32(Run const& run);
[[nodiscard]] Result train_fp16(Run const& run);
[[nodiscard]] Result train_bf16(Run const& run);
[[nodiscard]] Result train_bf16_sums(Run const& run);

inline constexpr std::array stages = {zero::Stage::none, zero::Stage::optimizer_states, zero::Stage::gradients,
                                      zero::Stage::parameters};

[[nodiscard]] inline std::string describe(Run const& r) {
  auto const share = r.device_share > 0.0 ? " device share " + std::to_string(r.device_share) : "";
  return "types " + std::to_string(static_cast<int>(r.types)) + " stage " + std::to_string(static_cast<int>(r.stage)) +
         (r.offload ? " offload" : "") + share + (r.delayed_update ? " delayed" : "") + (r.self ? " self" : "") +
         " world " + std::to_string(r.world) + (r.micro_batches ? " micro-batches " : " accumulation ") +
         std::to_string(r.micro_batches.value_or(r.accumulation)) + " absent " +
         std::to_string(static_cast<int>(r.absent)) + " bucket " + std::to_string(r.bucket_elements) + " granule " +
         std::to_string(r.alignment_elements) + (r.adopted ? " adopted" : "") + " threads " +
         std::to_string(r.threads) + " prefetch " + std::to_string(r.prefetch_units) + " whole below " +
         std::to_string(r.persistence_threshold) + " ring " + std::to_string(r.gradient_ring) +
         (r.shuffled ? " shuffled" : "") + (r.zeroed ? " zeroed" : "") + " streams " + std::to_string(r.streams) +
         (r.reduce == zero::Reduce::once_per_step ? " once per step" : "");
}

}  // namespace engine_test
