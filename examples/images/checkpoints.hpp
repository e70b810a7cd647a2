// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "history.hpp"
#include "models/model_shape.hpp"
#include "options.hpp"
#include "run_data.hpp"
#include "trainer.hpp"
#include "training/checkpoint_keeper.hpp"
#include "training/run_state.hpp"

#include <zero/checkpoint/load.hpp>
#include <zero/checkpoint/manifest.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace images {

/// What a checkpoint says of the model that it holds.
struct SavedModel {
  ModelShape shape;
  std::vector<std::string> classes;  ///< names
};

/// The checkpoint that \p path names, which is one or a folder of them; \p path becomes it. Nothing where \p may_lack
/// and there is none. \throws DataError where train_images has not saved it; zero::CheckpointError.
[[nodiscard]] std::optional<SavedModel> saved_model(std::string const& path, bool may_lack);

/// What a run leaves behind and starts from, on one rank; see gpt2::Checkpoints.
class Checkpoints {
 public:
  /// All are borrowed. \p state and \p history are the run's own, which a run that is resumed reads here.
  Checkpoints(Trainer::Communicator& ranks, Options const& options, RunData const& data, ModelShape const& shape,
              Trainer& trainer, training::RunState& state, History& history);

  /// Starts where the options say, and makes sure that the run can save where it is going to. Returns the number of
  /// steps that the run has behind it. Collective. \throws UsageError, DataError, zero::CheckpointError, on every rank.
  std::uint64_t start();
  /// Whether `after_step` may save after step number \p step, which is validated or not.
  [[nodiscard]] bool may_save_after(std::uint64_t step, bool is_validated) const;
  /// After each step: see training::CheckpointKeeper. \p evaluated: the last validation, if there is one.
  bool after_step(training::StepRecord const& record, bool is_last, std::optional<Tally> const& evaluated);
  /// Writes --save-model. Collective.
  void finish();

  void finish_save() { keeper_.finish_save(); }
  [[nodiscard]] std::string places() const { return keeper_.places(); }
  [[nodiscard]] std::vector<std::string> const& models() const noexcept { return models_; }
  void throw_failure() const { keeper_.throw_failure(); }

 private:
  [[nodiscard]] bool speaks() const { return ranks_.rank() == 0; }
  [[nodiscard]] bool is_time_after(std::uint64_t step) const;
  [[nodiscard]] std::uint64_t saves_to_come(std::uint64_t step) const;
  void check_folders();
  std::uint64_t continue_run(zero::LoadReport const& loaded);
  [[nodiscard]] zero::SaveOptions how_to_save(training::StepRecord const& record, bool is_last,
                                              std::optional<Tally> const& evaluated);

  Trainer::Communicator& ranks_;
  Options const& options_;
  RunData const& data_;
  ModelShape shape_;
  Trainer& trainer_;
  training::RunState& state_;
  History& history_;
  training::CheckpointKeeper<Learner, Trainer::Communicator> keeper_;
  std::string run_;     // this run's id
  bool is_new_ = true;  // it goes on from no other step of the same run
  std::vector<std::string> models_;
};

/// Says how well the checkpoint of --evaluate does, and writes nothing. Collective. \throws zero::CheckpointError.
void evaluate_checkpoint(Trainer::Communicator& ranks, Options const& options, RunData const& data, Trainer& trainer);

/// Loss and accuracies of \p tally, and the table, as lines; for the rank that speaks.
void print_scores(Tally const& tally, Confusion const& confusion, RunData const& data);

}  // namespace images
