// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "hugging_face.hpp"
#include "options.hpp"
#include "progress.hpp"
#include "stop_signal.hpp"
#include "tokens.hpp"

#include <zero/checkpoint/import.hpp>
#include <zero/checkpoint/load.hpp>
#include <zero/checkpoint/locate.hpp>
#include <zero/checkpoint/saver.hpp>
#include <zero/rank_agreement.hpp>

#include <cstdint>
#include <cstdio>
#include <limits>
#include <optional>
#include <string>
#include <utility>

namespace gpt2 {

/// What a run leaves behind and starts from, on one rank. Data order and randomness are functions of the seed and the
/// number of the step, so those two, and the best validation, are all that a checkpoint holds beside the engine's
/// state.
template <class Trainer>
class Checkpoints {
 public:
  using Communicator = typename Trainer::Communicator;

  Checkpoints(Communicator& ranks, Options const& options, Corpus const& corpus, Trainer& trainer)
      : ranks_(ranks), options_(options), corpus_(corpus), trainer_(trainer) {
    if (!options.checkpoint_dir) return;
    saver_.emplace(*options.checkpoint_dir);
    saver_->reserve(trainer.engine());
  }

  /// Starts where the options say. Returns the number of steps that the run has behind it. Collective.
  std::uint64_t start() {
    if (options_.init_from) {
      auto const report =
          zero::import_parameters(trainer_.engine(), *options_.init_from, {.names = hugging_face_names});
      if (speaks()) std::printf("parameters: %zu from %s\n", report.parameters, options_.init_from->c_str());
    }
    if (!options_.resume) return 0;
    auto const place = place_to_resume();
    return place ? resume(*place) : 0;
  }

  /// Whether `after_step` saves after step number \p step, signals aside.
  [[nodiscard]] bool saves_after(std::uint64_t step) const {
    if (!saver_) return false;
    return step == options_.iterations || step % options_.save_interval.value_or(options_.eval_interval) == 0;
  }

  /// After each step: saves where it is time to, and says whether the run is to stop, because a signal came.
  /// Collective.
  bool after_step(StepRecord const& record) {
    if (!saver_) return false;
    report(attempt([&] { return saver_->poll(); }));
    bool const stops = zero::any_rank(ranks_, stop_requested());
    bool const is_last = record.step == options_.iterations;
    if (stops || is_last) {
      report(save(record, is_last));
      report(saver_->finish());
    } else if (saves_after(record.step)) {
      report(attempt([&] { return save(record, false); }));
    }
    return stops && !is_last;
  }

  /// What the options ask for at the end. Collective.
  void finish() {
    if (!options_.save_hf) return;
    save_hugging_face(trainer_.shape(), *options_.save_hf, speaks(),
                      [&](std::string const& name) { return trainer_.engine().read_parameter(name); });
    if (speaks()) std::printf("model: saved for transformers in %s\n", options_.save_hf->c_str());
  }

 private:
  [[nodiscard]] bool speaks() const { return ranks_.rank() == 0; }

  /// Nothing where --resume auto finds nothing to resume.
  std::optional<zero::CheckpointLocation> place_to_resume() const {
    if (*options_.resume != "auto") return zero::locate_checkpoint(ranks_, *options_.resume);
    return zero::CheckpointLocation{*options_.checkpoint_dir, ""};
  }

  std::uint64_t resume(zero::CheckpointLocation const& place) {
    zero::LoadReport loaded;
    try {
      loaded = zero::load_checkpoint(trainer_.engine(), place.root,
                                     {.tag = place.tag, .parameters_only = options_.parameters_only});
    } catch (zero::CheckpointError const& error) {
      if (error.kind() != zero::CheckpointFailure::not_found || *options_.resume != "auto") throw;
      if (speaks()) std::printf("checkpoint: none in %s, starting anew\n", place.root.c_str());
      return 0;
    }
    for (auto const& why : loaded.skipped) {
      if (speaks()) std::printf("checkpoint: passed over %s\n", why.c_str());
    }
    if (speaks()) {
      std::printf("checkpoint: %s %s/%s, %llu updates done\n",
                  options_.parameters_only ? "parameters of" : "resumed from", place.root.c_str(), loaded.tag.c_str(),
                  static_cast<unsigned long long>(loaded.steps));
    }
    return options_.parameters_only ? 0 : continue_run(loaded);
  }

  /// The run goes on with its own data order, wherever it was started again.
  std::uint64_t continue_run(zero::LoadReport const& loaded) {
    auto const number = [&](char const* key) {
      auto const found = loaded.user_state.find(key);
      if (found == loaded.user_state.end()) {
        throw zero::CheckpointError(zero::CheckpointFailure::mismatch,
                                    loaded.tag + " was not saved by train_gpt2: use --parameters-only");
      }
      return std::stoull(found->second);
    };
    if (number("data hash") != corpus_.hash() && speaks()) {
      std::printf("checkpoint: saved while training on other data than %s\n", corpus_.name().c_str());
    }
    trainer_.set_seed(number("seed"));
    if (auto const best = loaded.user_state.find("best validation"); best != loaded.user_state.end()) {
      best_ = std::stod(best->second);
    }
    return number("step");
  }

  std::optional<zero::SaveReport> save(StepRecord const& record, bool is_last) {
    bool const is_best = record.val_loss && *record.val_loss < best_;
    if (is_best) best_ = *record.val_loss;
    zero::SaveOptions how{.tag = "step-" + std::to_string(trainer_.engine().state()->progress().steps),
                          .user_state = {{"step", std::to_string(record.step)},
                                         {"seed", std::to_string(trainer_.seed())},
                                         {"data hash", std::to_string(corpus_.hash())}},
                          .replace = true,
                          .keep = options_.keep};
    if (best_ < std::numeric_limits<double>::max()) how.user_state["best validation"] = json_number(best_);
    if (is_best) how.aliases.push_back("best");
    if (is_last) how.aliases.push_back("final");
    return saver_->start(trainer_.engine(), std::move(how));
  }

  /// A save that fails on the way is no reason to lose the run: the next one may succeed, and the last one has to.
  template <class F>
  std::optional<zero::SaveReport> attempt(F&& f) {
    try {
      return f();
    } catch (zero::CheckpointError const& error) {
      if (speaks()) std::printf("checkpoint: NOT SAVED: %s\n", error.what());
      return std::nullopt;
    }
  }
  void report(std::optional<zero::SaveReport> const& saved) const {
    if (!saved || !speaks()) return;
    for (auto const& warning : saved->warnings) std::printf("checkpoint: %s\n", warning.c_str());
    std::printf("checkpoint: saved %s/%s, %s bytes\n", options_.checkpoint_dir->c_str(), saved->tag.c_str(),
                with_separators(saved->bytes).c_str());
    std::fflush(stdout);
  }

  Communicator& ranks_;
  Options const& options_;
  Corpus const& corpus_;
  Trainer& trainer_;
  std::optional<zero::CheckpointSaver> saver_;
  double best_ = std::numeric_limits<double>::max();
};

}  // namespace gpt2
