// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "confusion.hpp"
#include "history.hpp"
#include "learner.hpp"
#include "options.hpp"
#include "ranks.hpp"
#include "run_data.hpp"
#include "training/progress.hpp"

#include <zero/schedule/clock.hpp>
#include <zero/schedule/schedule.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace images {

/// Steps and epochs: all steps have as many pictures, so that an epoch ends within a step, which counts to it.
struct Epochs {
  std::uint64_t pictures = 0;  ///< of an epoch
  std::uint64_t per_step = 0;  ///< of all ranks

  /// Epochs that are complete after \p steps steps.
  [[nodiscard]] std::uint64_t done(std::uint64_t steps) const noexcept { return steps * per_step / pictures; }
  /// The first step after which \p epochs are complete, counted from 1.
  [[nodiscard]] std::uint64_t last_step(std::uint64_t epochs) const noexcept {
    return (epochs * pictures + per_step - 1) / per_step;
  }
  /// Whether step number \p step, from 1, completes one.
  [[nodiscard]] bool ends(std::uint64_t step) const noexcept { return done(step) > done(step - 1); }
};

/// Threads of torch for each rank: those that are asked for, or its share of the processors, of \p sharing ranks. The
/// bits on the host depend on them.
[[nodiscard]] int training_threads(Options const& options, int sharing);

/// One rank of a run: the learner, its pictures and its schedule. Every rank makes the same calls.
class Trainer {
 public:
  using Communicator = Ranks;

  /// Collective. All but \p data, which is shared by the ranks, is one rank's. All are borrowed. \p options say how
  /// many threads.
  Trainer(Communicator& ranks, Options const& options, RunData const& data, ModelShape const& shape);

  /// One step of the run, \p step counted from 0.
  training::StepRecord train_step(std::uint64_t step);
  /// The validation pictures, each once. The same on every rank. Collective.
  Tally evaluate();
  /// Whose classes the last evaluation's pictures were taken for, over all ranks. Collective.
  Confusion confusion();
  /// A fingerprint of the bits of all parameters in the order of their names. Collective.
  std::uint64_t parameter_hash();

  [[nodiscard]] Learner& learner() noexcept { return *learner_; }
  [[nodiscard]] Epochs const& epochs() const noexcept { return epochs_; }
  [[nodiscard]] std::uint64_t seed() const noexcept { return seed_; }
  void set_seed(std::uint64_t seed) noexcept { seed_ = seed; }

  /// \name What the steps of the epoch under way have found, and how long they took.
  /// @{
  [[nodiscard]] Tally const& epoch_tally() const noexcept { return tally_; }
  void set_epoch_tally(Tally const& tally) noexcept { tally_ = tally; }
  /// Begins the next epoch; returns what there was of the last.
  Tally end_epoch();
  /// @}

  /// \name See gpt2::Trainer: where the schedule is, and where it begins.
  /// @{
  [[nodiscard]] std::uint64_t schedule_step() const { return clock_.step(); }
  void set_schedule_step(std::uint64_t step) { clock_ = zero::schedule::Clock(options_.skipped_step, step); }
  void set_schedule_start(std::uint64_t start);
  /// @}

 private:
  [[nodiscard]] std::size_t rank() const { return static_cast<std::size_t>(ranks_.rank()); }
  [[nodiscard]] std::size_t world() const { return static_cast<std::size_t>(ranks_.size()); }
  /// The scores of \p count batches of the global sequence, whose k-th is number k / world of rank k mod world, added
  /// in that order, so that the sum is the same on any number of ranks. Collective.
  [[nodiscard]] Tally sum_over_ranks(std::vector<BatchScore> mine, std::size_t rounds, std::size_t count);

  Communicator& ranks_;
  Options const& options_;
  RunData const& data_;
  std::uint64_t seed_;
  zero::schedule::Schedule schedule_;
  zero::schedule::Clock clock_;
  Epochs epochs_;
  std::size_t classes_;  // of the model
  std::unique_ptr<Learner> learner_;
  std::optional<TrainingFeed> feed_;  // made at the first step, when the seed is known
  std::chrono::steady_clock::duration data_time_{};
  Tally tally_;
  std::optional<Confusion> confusion_;
};

}  // namespace images
