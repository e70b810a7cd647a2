// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "run.hpp"

#include "checkpoints.hpp"
#include "shown_batch.hpp"
#include "trainer.hpp"
#include "training/console.hpp"
#include "training/divergence.hpp"
#include "training/memory_table.hpp"
#include "training/progress.hpp"
#include "training/run_settings.hpp"
#include "training/run_state.hpp"
#include "training/stop_signal.hpp"
#include "training/summary.hpp"

#include <zero/communicators/thread.hpp>
#include <zero/memory_report.hpp>
#include <zero/rank_agreement.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cinttypes>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace images {
namespace {

using training::say;
using training::StepRecord;
using Communicator = Trainer::Communicator;

/// Bytes of one rank.
struct RankMemory {
  zero::MemoryReport engine;
  std::size_t torch = 0;  ///< of torch's tensors on a device at once; 0 on the host
  std::size_t process = 0;
};

/// One run on one rank, step by step.
class Run {
 public:
  Run(Communicator& ranks, RunParts const& parts)
      : ranks_(ranks),
        options_(parts.options),
        data_(parts.data),
        output_(parts.output),
        file_(parts.history),
        summary_(options_, "images"),
        progress_(options_, "images"),
        guard_(options_.max_skips, training::lowers_scale(options_)),
        trainer_(ranks, options_, data_, parts.shape),
        checkpoints_(ranks, options_, data_, parts.shape, trainer_, state_, history_) {
    state_.items_key = "images";
  }

  /// False where a signal has stopped it. A dry run is started, and ends before its first step.
  bool train() {
    say_head();
    std::uint64_t done = checkpoints_.start();
    bool ends = ends_at_once(done);
    if (options_.dry_run) return true;
    if (options_.show_batch && speaks()) {
      show_batch(options_, data_, {.seed = trainer_.seed(), .first = done * trainer_.epochs().per_step});
    }
    losses_.emplace(data_.classes().size(), state_.best_loss);
    if (speaks()) output_.log.begin(done);
    curves().begin(state_.items, run_options(options_));
    epoch_start_ = Clock::now();
    for (std::uint64_t step = done; !ends; ++step) {
      auto record = trainer_.train_step(step);
      done = record.step;
      ends = take(record);
      if (checkpoints_.after_step(record, ends, evaluated_) || stops_unsaved(ends)) {
        auto const memory = gather_memory();
        summarize(done, "stopped by a signal", peak_of(memory));
        checkpoints_.throw_failure();
        return false;
      }
    }
    finish(done);
    return true;
  }

  void evaluate() { evaluate_checkpoint(ranks_, options_, data_, trainer_); }

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] bool speaks() const { return ranks_.rank() == 0; }
  [[nodiscard]] training::Curves& curves() { return speaks() ? output_.curves : none_; }

  void say_head() const {
    auto const& drawn = const_cast<Run*>(this)->trainer_.learner().drawn();  // NOLINT
    if (!speaks() || drawn.empty()) return;
    say("model: the head of %s is for other classes than the %zu here: %s drawn anew\n", options_.init_from->c_str(),
        options_.classes.value_or(data_.classes().size()),
        (drawn.front() + (drawn.size() > 1 ? " and " + drawn.back() + " are" : " is")).c_str());
  }

  [[nodiscard]] bool ends_at_once(std::uint64_t done) const {
    auto const nothing = state_.nothing_to_train(
        {.done = trainer_.epochs().done(done), .all = options_.epochs, .unit = "epochs", .option = "--epochs"},
        options_.patience);
    if (nothing && speaks()) say("run: nothing to train: %s\n", nothing->c_str());
    return nothing.has_value();
  }

  /// What becomes of a step, saving apart. Whether the run ends with it. Collective.
  bool take(StepRecord& record) {
    state_.draw(static_cast<std::uint64_t>(record.items), data_.training_pictures());
    record.samples = state_.items;
    record.epoch = state_.epoch;
    auto const& epochs = trainer_.epochs();
    bool const is_last = record.step == options_.iterations;
    bool const ends_epoch = epochs.ends(record.step);
    bool const validates = data_.validation_pictures() > 0 &&
                           (is_last || (ends_epoch && epochs.done(record.step) % options_.eval_interval == 0));
    if (is_last || validates || checkpoints_.may_save_after(record.step, validates)) trainer_.learner().finish_update();
    if (validates) validate(record);
    ends_early_ = !is_last && validates && state_.should_stop(options_.patience);
    bool const ends = is_last || ends_early_;
    if (ends_epoch) end_epoch(record);
    summary_.step(record);
    tell(record);
    if (auto const diverged = guard_.judge(record, ends)) {
      checkpoints_.finish_save();
      if (speaks()) summarize(record.step, "the training has diverged");
      throw zero::DivergenceError(*diverged);
    }
    record.in_doubt = guard_.is_in_doubt(record);
    if (ends_early_ && speaks()) {
      say("run: stops early after epoch %" PRIu64 ": %s\n", epochs.done(record.step), state_.no_improvement().c_str());
    }
    return ends;
  }

  void validate(StepRecord& record) {
    auto const start = Clock::now();
    evaluated_ = trainer_.evaluate();
    record.val_loss = evaluated_->loss();
    auto const add = [&](char const* name, char const* what, double value) {
      record.evaluated.push_back({name, value, what + training::formatted(" %.2f %%", 100.0 * value)});
    };
    add("val_accuracy", "accuracy", evaluated_->accuracy());
    add("val_accuracy_top5", "top-5", evaluated_->accuracy_top5());
    record.eval_seconds = std::chrono::duration<double>(Clock::now() - start).count();
    record.is_best = state_.take_validation(record.step, *record.val_loss, options_.min_delta);
  }

  void end_epoch(StepRecord const& record) {
    auto const tally = trainer_.end_epoch();
    EpochRecord epoch{.epoch = trainer_.epochs().done(record.step),
                      .train_loss = tally.loss(),
                      .train_accuracy = tally.accuracy(),
                      .lr = record.lr};
    constexpr double none = std::numeric_limits<double>::quiet_NaN();  // null, where it was not validated
    epoch.val_loss = record.val_loss.value_or(none);
    epoch.val_accuracy = record.val_loss ? evaluated_->accuracy() : none;
    epoch.val_accuracy_top5 = record.val_loss ? evaluated_->accuracy_top5() : none;
    epoch.seconds = std::chrono::duration<double>(Clock::now() - epoch_start_).count();
    epoch_start_ = Clock::now();
    history_.add(epoch);
    if (speaks()) file_.write(history_);
  }

  void tell(StepRecord const& record) {
    if (!speaks()) return;
    (void)progress_.step(record);
    if (record.zero_norm_steps == 3) {
      say("training: the gradient was exactly 0 in 3 steps in a row: the model learns nothing from this data\n");
    }
    output_.log.step(record);
    output_.curves.step(record, record.samples);
    if (record.val_loss) draw_memory(record.samples);
    if (record.val_loss || training::stop_requested()) output_.curves.flush();
    if (auto const warning = losses_->judge(record)) say("training: %s\n", warning->c_str());
  }

  void draw_memory(std::uint64_t samples) {
    auto& learner = trainer_.learner();
    std::vector<std::pair<std::string, std::size_t>> others;
    if (auto const peak = learner.peak_of_torch()) others.emplace_back("torch_peak", *peak);
    output_.curves.memory(learner.memory(), others, samples);
  }

  /// Whether a signal stops a run that has curves to end well, but no checkpoints to save. Collective.
  bool stops_unsaved(bool is_last) {
    if (options_.checkpoint_dir || !has_curves(options_)) return false;
    return zero::any_rank(ranks_, training::stop_requested()) && !is_last;
  }

  void summarize(std::uint64_t done, std::string const& why, std::optional<training::PeakMemory> memory = {}) {
    if (!speaks()) return;
    summary_.print(
        done, state_,
        {.why = why, .memory = memory, .checkpoints = checkpoints_.places(), .models = checkpoints_.models()});
  }

  /// By rank. Collective.
  [[nodiscard]] std::vector<RankMemory> gather_memory() {
    auto& learner = trainer_.learner();
    RankMemory const mine{learner.memory(), learner.peak_of_torch().value_or(0), training::peak_of_process()};
    std::vector<RankMemory> all(static_cast<std::size_t>(ranks_.size()));
    ranks_.exchange(std::as_bytes(std::span(&mine, 1)), std::as_writable_bytes(std::span(all)));
    return all;
  }
  [[nodiscard]] training::PeakMemory peak_of(std::vector<RankMemory> const& ranks) {
    training::PeakMemory peak{.is_of_engine = !trainer_.learner().peak_of_torch()};
    for (auto const& rank : ranks) {
      peak.rank = std::max(peak.rank, rank.engine.total() + rank.torch);
      peak.process = std::max(peak.process, rank.process);
    }
    return peak;
  }
  /// What of it torch counts is in the table.
  void print_memory(std::vector<RankMemory> const& ranks) {
    std::vector<training::MemoryRows> rows;
    for (auto const& rank : ranks) {
      rows.push_back({rank.engine, {}});
      if (trainer_.learner().peak_of_torch()) rows.back().others.push_back({"device", "torch's peak", rank.torch});
    }
    training::print_memory(rows, trainer_.learner().layout());
  }

  void finish(std::uint64_t done) {
    checkpoints_.finish();
    auto const hash = trainer_.parameter_hash();
    if (speaks()) {
      output_.log.parameter_hash(hash);
      say("parameter hash: %016" PRIx64 "\n", hash);
    }
    if (evaluated_) {
      auto const confusion = trainer_.confusion();
      if (speaks()) print_scores(*evaluated_, confusion, data_);
    }
    auto const memory = gather_memory();
    if (speaks()) print_memory(memory);
    summarize(done, ends_early_ ? "stopped early: " + state_.no_improvement() : "all are done", peak_of(memory));
    checkpoints_.throw_failure();
  }

  Communicator& ranks_;
  Options const& options_;
  RunData const& data_;
  training::RunOutput& output_;  // of the rank that speaks, as is `file_`
  HistoryFile& file_;
  training::Curves none_;
  training::RunSummary summary_;
  training::Progress progress_;
  training::DivergenceGuard guard_;
  std::optional<training::LossWatch> losses_;
  training::RunState state_;
  History history_;
  Trainer trainer_;
  Checkpoints checkpoints_;
  std::optional<Tally> evaluated_;  // the last validation
  Clock::time_point epoch_start_{};
  bool ends_early_ = false;
};

}  // namespace

bool run_rank(Ranks& ranks, RunParts const& parts) {
  Run run(ranks, parts);
  if (!parts.options.evaluate) return run.train();
  run.evaluate();
  return true;
}

bool run_on_host(RunParts const& parts) {
  std::atomic<bool> finished{true};
  zero::run_ranks(parts.options.ranks,
                  [&](zero::ThreadCommunicator& threads) {
                    HostRanks ranks(threads);
                    if (!run_rank(ranks, parts)) finished = false;
                  },
                  {.deadline = training::deadline(parts.options)});
  return finished;
}

}  // namespace images
