// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "console.hpp"
#include "options.hpp"
#include "output_folders.hpp"
#include "progress.hpp"
#include "rank_texts.hpp"
#include "stop_signal.hpp"

#include <zero/checkpoint/folder.hpp>
#include <zero/checkpoint/load.hpp>
#include <zero/checkpoint/locate.hpp>
#include <zero/checkpoint/lock.hpp>
#include <zero/checkpoint/saver.hpp>
#include <zero/rank_agreement.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

namespace training {

/// The checkpoints of a run on one rank: their folder, from its lock to the last save. What they hold is the trainer's
/// business. Every rank makes the same calls.
template <class Engine, class Communicator>
class CheckpointKeeper {
 public:
  /// Both are borrowed.
  CheckpointKeeper(Communicator& ranks, CommonOptions const& options) : ranks_(ranks), options_(options) {}

  // ------------------------------------------------------------------------------------------------- the start

  /// Takes --checkpoint-dir, where there is one. Where the owner may be a process of another machine that has just
  /// died, as when a job is queued again, it is worth waiting until that is known. A dry run takes nothing: it looks
  /// whether the folder could be written to. Collective.
  void lock() {
    if (!options_.checkpoint_dir) return;
    if (options_.dry_run) return look();
    try {
      lock_.emplace(ranks_, *options_.checkpoint_dir);
    } catch (zero::CheckpointError const& error) {
      if (error.kind() != zero::CheckpointFailure::locked) throw;
      if (speaks()) {
        say("checkpoint: %s is taken; looking whether its owner is alive\n", options_.checkpoint_dir->c_str());
      }
      zero::CheckpointLockOptions patient;
      // Rank 0 alone waits here, and the others for it.
      auto const half = std::chrono::duration_cast<std::chrono::milliseconds>(deadline(options_) / 2);
      patient.patience = std::min<std::chrono::milliseconds>(patient.stale_after + std::chrono::seconds(10), half);
      lock_.emplace(ranks_, *options_.checkpoint_dir, patient);
    }
  }

  /// Nothing where --resume auto finds nothing to resume. Collective.
  [[nodiscard]] std::optional<zero::CheckpointLocation> place_to_resume() const {
    if (!options_.resume) return std::nullopt;
    if (*options_.resume != "auto") return zero::locate_checkpoint(ranks_, *options_.resume);
    return zero::CheckpointLocation{*options_.checkpoint_dir, ""};
  }

  /// Loads the checkpoint at \p place by \p load, and says so. Nothing where --resume auto finds none: then \p on_none
  /// is called. Collective. \throws zero::CheckpointError.
  std::optional<zero::LoadReport> load(zero::CheckpointLocation const& place,
                                       std::function<zero::LoadReport(zero::LoadOptions)> const& load,
                                       std::function<void()> const& on_none) {
    zero::LoadReport loaded;
    bool const drops_states = options_.parameters_only || options_.new_optimizer;
    try {
      loaded = load({.tag = place.tag, .parameters_only = drops_states});
    } catch (zero::CheckpointError const& error) {
      if (error.kind() == zero::CheckpointFailure::mismatch && !options_.config) {
        throw zero::CheckpointError(error.kind(),
                                    error.what() + std::string("; a run that began by --config goes on by it, too"));
      }
      if (error.kind() != zero::CheckpointFailure::not_found || *options_.resume != "auto") throw;
      on_none();
      if (speaks()) say("checkpoint: none in %s, starting anew\n", place.root.c_str());
      return std::nullopt;
    }
    for (auto const& why : loaded.skipped) {
      if (speaks()) say("checkpoint: passed over %s\n", why.c_str());
    }
    if (speaks()) {
      auto const* const what = options_.parameters_only ? "parameters of"
                               : options_.dry_run       ? "would be resumed from"
                                                        : "resumed from";
      say("checkpoint: %s %s/%s, %llu updates done%s\n", what, place.root.c_str(), loaded.tag.c_str(),
          static_cast<unsigned long long>(loaded.steps),
          (std::string(options_.new_optimizer ? ", with a new optimizer" : "") +
           (options_.new_schedule ? ", with a new schedule" : ""))
              .c_str());
    }
    return loaded;
  }

  /// Rank 0 looks where it is going to write, and calls \p also for what is no checkpoint; every rank throws what it
  /// finds. \p run is this run's id, and \p is_new says that it goes on from no step of the same run. Collective.
  /// \throws UsageError.
  void check_folders(std::string const& run, bool is_new, std::function<void()> const& also) {
    std::string problem;
    if (speaks()) {
      try {
        if (auto const* const saved = folder(); saved != nullptr && !options_.overwrite)
          refuse_other_runs(*saved, run, is_new, option_of_another_run(options_));
        also();
      } catch (UsageError const& error) {
        problem = error.what();
      }
    }
    auto const said = texts_of_all(ranks_, problem).front();
    if (!said.empty()) throw UsageError(said);
    removes_other_runs_ = lock_ && options_.overwrite;
  }

  /// From here on the run \p run saves what \p engine, which is borrowed, has; nothing without --checkpoint-dir, or in
  /// a dry run. Warns where \p to_come checkpoints have no room. Collective.
  void begin(Engine& engine, std::string const& run, std::uint64_t to_come) {
    run_ = run;
    if (!options_.checkpoint_dir) return;
    engine_ = &engine;
    if (lock_) {
      saver_.emplace(*lock_);
      saver_->reserve(engine);
    }
    auto const state = engine.state();
    auto const bytes = zero::checkpoint_bytes(*state);
    if (!speaks() || to_come == 0) return;
    auto const warning = space_warning(*options_.checkpoint_dir, bytes, {.to_come = to_come, .kept = options_.keep});
    if (!warning.empty()) say("checkpoint: %s\n", warning.c_str());
  }

  // ------------------------------------------------------------------------------------------------- saving

  /// Whether there are checkpoints.
  [[nodiscard]] bool saves() const noexcept { return saver_.has_value(); }

  /// After each step, of which \p is_last says whether it is the run's: saves \p how where the validation was the best
  /// or \p is_time, and says whether the run is to stop, because a signal came. Collective. \throws
  /// zero::CheckpointError where another run has taken the folder over.
  bool after_step(StepRecord const& record, bool is_last, bool is_time, std::function<zero::SaveOptions()> const& how) {
    if (!saver_) return false;
    report(attempt([&] { return saver_->poll(); }));
    bool const stops = zero::any_rank(ranks_, stop_requested());
    if (stops || is_last) {
      save_at_the_end(how());
    } else if (!record.in_doubt && (record.is_best || is_time)) {
      report(attempt([&] { return saver_->finish(); }));
      report(attempt([&] { return saver_->start(*engine_, how()); }));
    }
    return stops && !is_last;
  }

  /// Waits for a save that is under way. Collective.
  void finish_save() {
    if (saver_) report(attempt([&] { return saver_->finish(); }));
  }

  /// Where checkpoints are, and which of them have names. For the rank that speaks.
  [[nodiscard]] std::string places() const {
    if (!lock_) return {};
    std::string text = *options_.checkpoint_dir;
    for (auto const* const name : {"latest", "best", "final"}) {
      try {
        if (auto const tag = lock_->folder().pointer(name)) text.append(", ").append(name).append(" is ").append(*tag);
      } catch (zero::CheckpointError const&) {  // the summary is no place to fail
      }
    }
    return text;
  }

  /// Calls \p save, by which the run writes its model for others, and says where it fails. Returns what has gone wrong,
  /// on every rank. Collective.
  template <class F>
  [[nodiscard]] std::optional<zero::CheckpointError> save_for_others(F&& save) const {
    std::optional<zero::CheckpointError> failure;
    try {
      save();
    } catch (zero::CheckpointError const& error) {
      failure = error;
      say("model: NOT SAVED: %s\n", error.what());
    }
    if (zero::any_rank(ranks_, failure.has_value()) && !failure) {
      failure = zero::CheckpointError(zero::CheckpointFailure::input_output,
                                      "rank 0 could not save the model: see its message");
    }
    return failure;
  }

  /// Keeps \p failure for `throw_failure`, unless there is one, so that the run ends as it would have otherwise.
  void keep_failure(std::optional<zero::CheckpointError> failure) {
    if (!failure_) failure_ = std::move(failure);
  }
  /// \throws zero::CheckpointError where the last checkpoint, or what `keep_failure` was given, could not be saved.
  void throw_failure() const {
    if (failure_) throw zero::CheckpointError(*failure_);
  }

 private:
  [[nodiscard]] bool speaks() const { return ranks_.rank() == 0; }

  /// What a dry run does in place of taking the folder.
  void look() {
    expect_writable_folder("--checkpoint-dir", *options_.checkpoint_dir);
    std::error_code error;
    if (!std::filesystem::exists(*options_.checkpoint_dir, error)) return;
    looked_at_.emplace(zero::posix_file_system(), *options_.checkpoint_dir);
    auto const owner = looked_at_->look_for_owner();
    if (!owner || !speaks()) return;
    say("checkpoint: %s belongs to %s, if that is alive, which only a run waits to see\n",
        options_.checkpoint_dir->c_str(), owner->c_str());
  }
  /// Where checkpoints are; null where there is no folder.
  [[nodiscard]] zero::CheckpointFolder const* folder() const {
    if (lock_) return &lock_->folder();
    return looked_at_ ? &*looked_at_ : nullptr;
  }

  /// The last one is tried again, since no other follows. Where it fails for good, the run ends as it would have.
  void save_at_the_end(zero::SaveOptions const& how) {
    constexpr int attempts = 3;
    report(attempt([&] { return saver_->finish(); }));
    for (int i = 1; i <= attempts; ++i) {
      failure_.reset();
      try {
        (void)saver_->start(*engine_, how);
        return report(saver_->finish());
      } catch (zero::CheckpointError const& error) {
        not_saved(error);
        failure_ = error;
      }
      if (i < attempts) std::this_thread::sleep_for(std::chrono::seconds(2));
    }
  }

  /// A save that fails on the way is no reason to lose the run: the next one may succeed.
  template <class F>
  std::optional<zero::SaveReport> attempt(F&& f) {
    try {
      return f();
    } catch (zero::CheckpointError const& error) {
      not_saved(error);
      return std::nullopt;
    }
  }
  /// In a folder that another run has taken over, none will.
  void not_saved(zero::CheckpointError const& error) const {
    if (error.kind() == zero::CheckpointFailure::locked) throw zero::CheckpointError(error);
    if (speaks()) say("checkpoint: NOT SAVED: %s\n", error.what());
  }
  void report(std::optional<zero::SaveReport> const& saved) {
    if (!saved || !speaks()) return;
    for (auto const& warning : saved->warnings) say("checkpoint: %s\n", warning.c_str());
    say("checkpoint: saved %s/%s, %s bytes\n", options_.checkpoint_dir->c_str(), saved->tag.c_str(),
        with_separators(saved->bytes).c_str());
    if (std::exchange(removes_other_runs_, false)) remove_other_runs(lock_->folder(), run_);
  }

  Communicator& ranks_;
  CommonOptions const& options_;
  Engine* engine_ = nullptr;  // whose states are saved
  std::optional<zero::CheckpointLock> lock_;
  std::optional<zero::CheckpointFolder> looked_at_;  // by a dry run
  std::optional<zero::CheckpointSaver> saver_;
  std::string run_;
  bool removes_other_runs_ = false;               // once a checkpoint of this run is safe
  std::optional<zero::CheckpointError> failure_;  // of what a run leaves at its end
};

}  // namespace training
