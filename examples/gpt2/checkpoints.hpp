// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "data/training_data.hpp"
#include "hugging_face.hpp"
#include "model_source.hpp"
#include "options.hpp"
#include "training/checkpoint_keeper.hpp"
#include "training/console.hpp"
#include "training/output_folders.hpp"
#include "training/progress.hpp"
#include "training/run_options.hpp"
#include "training/run_settings.hpp"
#include "training/run_state.hpp"

#include <zero/checkpoint/load.hpp>
#include <zero/config/write.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace gpt2 {

/// What a run leaves behind and starts from, on one rank. Data order and randomness are functions of the seed and the
/// number of the step, and the schedule's of its own step, so those, the run's own state and its id are all that a
/// checkpoint holds beside the engine's state.
template <class Trainer>
class Checkpoints {
 public:
  using Communicator = typename Trainer::Communicator;

  /// \p state is the run's own, which a run that is resumed reads here. All are borrowed.
  Checkpoints(Communicator& ranks, Options const& options, TrainingData const& data, Trainer& trainer, RunState& state)
      : ranks_(ranks), options_(options), data_(data), trainer_(trainer), state_(state), keeper_(ranks, options) {}

  /// Starts where the options say, and makes sure that the run can save where it is going to. Returns the number of
  /// steps that the run has behind it. A dry run looks at the same, and writes nothing. Collective. \throws UsageError,
  /// zero::CheckpointError, on every rank.
  std::uint64_t start() {
    keeper_.lock();
    auto const place = keeper_.place_to_resume();
    bool const is_another = !option_of_another_run(options_).empty();
    if (!place || is_another) check_folders();  // what is refused is, before anything is loaded
    auto const resumed = place ? resume(*place) : std::nullopt;
    std::uint64_t const done = resumed.value_or(0);
    if (!resumed && options_.init_from) {
      import_model(trainer_.engine(), trainer_.shape(), *options_.init_from, speaks());
    }
    if (!options_.client_json.empty()) state_.client = options_.client_json;
    is_new_ = !resumed || is_another;
    if (is_new_) run_ = zero::CheckpointFolder::make_nonce();
    if (place && !is_another) check_folders();
    prepare_models();
    keeper_.begin(trainer_.engine(), run_, saves_to_come(done));
    return done;
  }

  /// Whether `after_step` may save after step number \p step, which is validated or not.
  [[nodiscard]] bool may_save_after(std::uint64_t step, bool is_validated) const {
    return keeper_.saves() ? is_validated || saves_after(step) : is_validated && options_.save_hf_best.has_value();
  }

  /// After each step, of which \p is_last says whether it is the run's: saves where it is time to or the validation was
  /// the best, and says whether the run is to stop, because a signal came. Collective. \throws zero::CheckpointError
  /// where another run has taken the folder over.
  bool after_step(StepRecord const& record, bool is_last) {
    bool const is_best = record.is_best;
    if (is_best && options_.save_hf_best && !record.in_doubt) best_failure_ = export_to(*options_.save_hf_best);
    return keeper_.after_step(record, is_last, saves_after(record.step),
                              [&] { return how_to_save(record, is_best, is_last); });
  }

  /// Waits for a save that is under way. Collective.
  void finish_save() { keeper_.finish_save(); }

  /// What the options ask for at the end. A failure is kept for `throw_failure`, so that the run ends as it would have
  /// otherwise. Collective.
  void finish() {
    auto failure = options_.save_hf ? export_to(*options_.save_hf) : std::nullopt;
    if (!failure) failure = best_failure_;
    keeper_.keep_failure(std::move(failure));
  }

  /// Where checkpoints are, and which of them have names. For the rank that speaks.
  [[nodiscard]] std::string places() const { return keeper_.places(); }
  /// Where models for others were saved. For the rank that speaks.
  [[nodiscard]] std::vector<std::string> const& models() const noexcept { return models_; }

  /// \throws zero::CheckpointError where the last checkpoint or the model for others could not be saved.
  void throw_failure() const { keeper_.throw_failure(); }

 private:
  [[nodiscard]] bool speaks() const { return ranks_.rank() == 0; }

  [[nodiscard]] bool saves_after(std::uint64_t step) const {
    if (step == options_.iterations) return true;
    return !options_.saves_best_only && step % options_.save_interval.value_or(options_.eval_interval) == 0;
  }

  // ------------------------------------------------------------------------------------------------- the start

  /// The steps done; nothing where there was nothing to resume.
  std::optional<std::uint64_t> resume(zero::CheckpointLocation const& place) {
    auto const load = [&](zero::LoadOptions how) {
      return zero::load_checkpoint(trainer_.engine(), place.root, std::move(how));
    };
    auto const loaded = keeper_.load(place, load, [&] {
      if (!options_.continue_with) return;
      throw UsageError("--continue-with: there is no run to go on with in " + place.root + ": begin one by --data");
    });
    if (!loaded) return std::nullopt;
    return options_.parameters_only ? 0 : continue_run(*loaded);
  }

  /// The run goes on with its own data order, wherever it was started again.
  std::uint64_t continue_run(zero::LoadReport const& loaded) {
    auto const find = [&](std::string const& key) -> std::optional<std::string> {
      auto const found = loaded.user_state.find(key);
      return found == loaded.user_state.end() ? std::nullopt : std::optional(found->second);
    };
    auto const number = [&](char const* key) {
      auto const value = find(key);
      if (!value) {
        throw zero::CheckpointError(zero::CheckpointFailure::mismatch,
                                    loaded.tag + " was not saved by train_gpt2: use --parameters-only");
      }
      return std::stoull(*value);
    };
    auto const identity = find(DataIdentity::key);
    auto const other = data_.difference_from(identity, number("data hash"));
    if (other && !options_.continue_with) {
      throw DataError(data_.name() + ": is not what the run of " + loaded.tag + " has trained on: " + *other +
                      "; go on with these data by --continue-with in place of --data");
    }
    trainer_.set_seed(number("seed"));
    auto saved = saved_options(loaded.user_state), now = run_options(options_);
    if (auto const configuration = find(saved_configuration_key)) {
      take_configuration_values(*configuration, saved);
      take_configuration_values(zero::config::to_json(settings_of(options_)), now);
    }
    auto const changes = differences(saved, now);
    if (speaks() && !changes.empty()) say("%s", changes.c_str());
    run_ = find(std::string(zero::run_id_key)).value_or("");
    trainer_.set_schedule_step(number(find("schedule step") ? "schedule step" : "step"));
    auto const steps = number("step");
    auto const tokens = global_micro_batches(options_) * options_.batch * options_.context;
    state_.draw(steps * tokens, data_.train_tokens());  // as in a checkpoint that does not say it
    state_.read(loaded.user_state);
    if (identity) earlier_ = DataIdentity::parse(*identity);
    if (other) {
      if (identity) require_same_tokenizer(earlier_);
      take_other_data(*other);
    }
    if (options_.new_optimizer) state_.in_vain = 0;
    if (options_.new_schedule) {
      state_.begin_schedule(steps);
      trainer_.set_schedule_step(0);
    }
    check_schedule();
    trainer_.set_schedule_start(state_.schedule_start);
    return steps;
  }

  /// Tokens of other data must mean what they meant. \p saved: the identity of the data before.
  void require_same_tokenizer(DataIdentity const& saved) const {
    if (saved.speaks_otherwise(data_.identity())) {
      throw DataError(data_.name() +
                      ": has another tokenizer, or other characters, than the run has trained on; prepare the data "
                      "with those of the run");
    }
    if (!speaks() || saved.knows_tokens() || !data_.identity().knows_tokens()) return;
    say("checkpoint: nothing says what the tokens of the earlier data stood for: it must be what those of %s do\n",
        data_.name().c_str());
  }

  /// Bare tokens stand for what those before them did.
  [[nodiscard]] DataIdentity identity() const {
    auto identity = data_.identity();
    if (identity.knows_tokens()) return identity;
    identity.characters = earlier_.characters;
    identity.tokenizer = earlier_.tokenizer;
    return identity;
  }

  void take_other_data(std::string const& other) {
    state_.begin_data();
    if (!speaks()) return;
    say("checkpoint: goes on with other data: %s\n", other.c_str());
    say("checkpoint: the run keeps parameters, %sthe number of the step, %sand the seed; the best validation, "
        "--patience and the count of epochs begin anew\n",
        options_.new_optimizer ? "" : "the optimizer's states, ",
        options_.new_schedule ? "" : "the learning rate's schedule ");
  }

  /// Of a run that has steps left to do.
  void check_schedule() const {
    auto const start = state_.schedule_start;
    if (start == 0 || start >= options_.iterations) return;
    auto const left = options_.iterations - start;
    if (!options_.warmup || *options_.warmup <= left) return;
    throw UsageError("--warmup " + std::to_string(*options_.warmup) + ": the schedule that begins at step " +
                     std::to_string(start) + " has " + std::to_string(left) + " steps: give no more");
  }

  /// Every rank throws what rank 0 finds.
  void check_folders() {
    keeper_.check_folders(run_, is_new_, [&] {
      if (options_.save_hf) check_export("--save-hf", *options_.save_hf);
      if (options_.save_hf_best) check_export("--save-hf-best", *options_.save_hf_best);
    });
  }
  void check_export(std::string const& option, std::string const& path) const {
    bool const may_replace = options_.overwrite || !is_new_;
    if (!options_.dry_run) return prepare_export(option, path, may_replace);
    expect_writable_folder(option, path);
    if (!may_replace) refuse_other_models(option, path);
  }

  /// What lies beside the models for others; read before the run, so that nothing of it is found missing at its end.
  void prepare_models() {
    if (!options_.save_hf && !options_.save_hf_best) return;
    auto const shape = trainer_.shape();
    std::vector<std::string> places;
    if (options_.data) {
      for (auto const& set : parse_data_paths("--data", *options_.data)) places.push_back(set.path);
    }
    exported_ = {.max_shard_bytes = options_.max_shard_bytes,
                 .type = options_.hf_precision,
                 .tokenizer = find_tokenizer(data_.identity().characters, places, options_.init_from, shape.vocabulary,
                                             shape.context),
                 .removes_other_tokenizer = options_.overwrite};
  }

  /// Checkpoints behind step \p step.
  [[nodiscard]] std::uint64_t saves_to_come(std::uint64_t step) const {
    if (step >= options_.iterations) return 0;
    auto const interval =
        options_.saves_best_only ? options_.eval_interval : options_.save_interval.value_or(options_.eval_interval);
    return (options_.iterations - step - 1) / interval + 1;
  }

  // ------------------------------------------------------------------------------------------------- saving

  /// Saves the model for others; what has gone wrong, on every rank. Collective.
  std::optional<zero::CheckpointError> export_to(std::string const& path) {
    return keeper_.save_for_others([&] {
      save_hugging_face(
          trainer_.shape(), path, speaks(),
          [&](std::string const& name) { return trainer_.engine().read_parameter(name); }, exported_);
      auto const& tokenizer = exported_.tokenizer;
      auto const with = tokenizer.is_there() && !tokenizer.of_characters ? ", with " + tokenizer.origin : std::string();
      if (speaks()) say("model: saved for transformers in %s%s\n", path.c_str(), with.c_str());
      if (std::find(models_.begin(), models_.end(), path) == models_.end()) models_.push_back(path);
    });
  }

  zero::SaveOptions how_to_save(StepRecord const& record, bool is_best, bool is_last) const {
    zero::SaveOptions how{.tag = options_.tag + "-" + std::to_string(record.step),
                          .user_state = {{"step", std::to_string(record.step)},
                                         {"seed", std::to_string(trainer_.seed())},
                                         {"data hash", std::to_string(data_.hash())},
                                         {DataIdentity::key, identity().to_text()},
                                         {saved_options_key, to_text(run_options(options_))},
                                         {saved_configuration_key, zero::config::to_json(settings_of(options_))}},
                          .replace = true,
                          .keep = options_.keep};
    state_.write(how.user_state);
    if (!run_.empty()) how.user_state[std::string(zero::run_id_key)] = run_;
    if (trainer_.schedule_step() != record.step) {
      how.user_state["schedule step"] = std::to_string(trainer_.schedule_step());
    }
    if (is_best) how.aliases.push_back("best");
    if (is_last) how.aliases.push_back("final");
    return how;
  }

  Communicator& ranks_;
  Options const& options_;
  TrainingData const& data_;
  Trainer& trainer_;
  RunState& state_;
  training::CheckpointKeeper<std::remove_reference_t<decltype(std::declval<Trainer&>().engine())>, Communicator>
      keeper_;
  DataIdentity earlier_;                               // of the data that a run that is resumed had
  std::string run_;                                    // this run's id; empty for one that an earlier version began
  bool is_new_ = true;                                 // it goes on from no other step of the same run
  HuggingFaceOptions exported_;                        // how models for others are written
  std::vector<std::string> models_;                    // folders
  std::optional<zero::CheckpointError> best_failure_;  // of the last model of --save-hf-best
};

}  // namespace gpt2
