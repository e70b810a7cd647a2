// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "checkpoints.hpp"
#include "data/training_data.hpp"
#include "evaluation.hpp"
#include "flops.hpp"
#include "options.hpp"
#include "trainer.hpp"
#include "training/console.hpp"
#include "training/divergence.hpp"
#include "training/memory_table.hpp"
#include "training/progress.hpp"
#include "training/run_output.hpp"
#include "training/run_profile.hpp"
#include "training/run_state.hpp"
#include "training/stop_signal.hpp"
#include "training/summary.hpp"

#include <zero/rank_agreement.hpp>

#include <algorithm>
#include <atomic>
#include <cinttypes>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

/// A run from its first step to its table of memory, on the ranks of one target.
namespace gpt2 {

struct RankMemory {
  zero::MemoryReport engine;
  std::size_t activations;
  std::size_t scratch;
  std::size_t host_activations;  ///< in pinned memory, of a model on a GPU
  std::size_t sample;   ///< of the model that the sample was drawn from, beside the engine's; 0: there was none
  std::size_t process;  ///< peak_of_process

  [[nodiscard]] std::size_t total() const noexcept {
    return engine.total() + activations + scratch + host_activations + sample;
  }
};

inline void print_memory(std::vector<RankMemory> const& ranks, zero::FlatLayout const& layout) {
  std::vector<training::MemoryRows> rows;
  for (auto const& rank : ranks) {
    training::MemoryRows of_rank{rank.engine,
                                 {{"model", "activations", rank.activations}, {"model", "scratch", rank.scratch}}};
    if (rank.host_activations > 0) of_rank.others.push_back({"pinned", "kept inputs", rank.host_activations});
    if (rank.sample > 0) of_rank.others.push_back({"model", "sample", rank.sample});
    rows.push_back(std::move(of_rank));
  }
  training::print_memory(rows, layout);
}

/// By rank. Collective.
template <class Target, class T>
std::vector<RankMemory> gather_memory(Trainer<Target, T>& trainer, typename Target::Communicator& communicator) {
  RankMemory const mine{trainer.memory(),        trainer.activation_bytes(),
                        trainer.scratch_bytes(), trainer.host_activation_bytes(),
                        trainer.sample_bytes(),  peak_of_process()};
  std::vector<RankMemory> all(static_cast<std::size_t>(communicator.size()));
  communicator.exchange(std::as_bytes(std::span(&mine, 1)), std::as_writable_bytes(std::span(all)));
  return all;
}

inline PeakMemory peak_of(std::vector<RankMemory> const& ranks) {
  PeakMemory peak;
  for (auto const& rank : ranks) {
    peak.rank = std::max(peak.rank, rank.total());
    peak.process = std::max(peak.process, rank.process);
  }
  return peak;
}

inline void take(Evaluation const& found, StepRecord& record) {
  record.val_loss = found.val_loss;
  record.val_losses = found.val_losses;
  record.train_loss = found.train_loss;
  record.eval_seconds = found.seconds;
}

/// Before the first step there is no loss of a step, and nothing that could be the best. A run that is resumed has
/// this line in its log already.
template <class Trainer>
void evaluate_at_start(Trainer& trainer, std::uint64_t first, bool speaks, RunLog& log, Curves& curves,
                       RunSummary& summary) {
  StepRecord record{.step = first, .loss = std::numeric_limits<double>::quiet_NaN()};
  take(trainer.evaluate(), record);
  summary.evaluated(record.eval_seconds);
  if (!speaks) return;
  auto const training = record.train_loss ? ", training " + json_number(record.train_loss) : std::string();
  say("evaluation: after %" PRIu64 " steps, validation %s%s%s\n", first, json_number(record.val_loss).c_str(),
      in_brackets(record.val_losses).c_str(), training.c_str());
  if (first > 0) return;
  log.step(record);
  curves.evaluation(record, 0);
}

/// Share of what all ranks compute on at most; nothing where that is not known.
inline std::optional<double> utilization(Options const& options, ModelShape const& shape, StepRecord const& record) {
  if (!options.peak_flops) return std::nullopt;
  return flops_per_token(shape) * record.items_per_second / (*options.peak_flops * static_cast<double>(options.ranks));
}

/// Sequences that all ranks have drawn: the x axis of the curves.
inline std::uint64_t samples_of(RunState const& state, Options const& options) { return state.items / options.context; }

/// What a step leaves for the curves. They are in their files before the run \p saves: a run that is killed then goes
/// on without a gap in them.
template <class Trainer>
void draw(Trainer const& trainer, StepRecord const& record, std::uint64_t samples, bool saves, Curves& curves) {
  curves.step(record, samples);
  if (record.val_loss) {
    curves.memory(trainer.memory(), {{"activations", trainer.activation_bytes()}, {"scratch", trainer.scratch_bytes()}},
                  samples);
  }
  if (saves || stop_requested()) curves.flush();
}

/// Whether a signal stops a run that has curves to end well, but no checkpoints to save. Collective.
template <class Communicator>
bool stops_unsaved(Communicator& communicator, Options const& options, bool is_last) {
  if (options.checkpoint_dir || !has_curves(options)) return false;
  return zero::any_rank(communicator, stop_requested()) && !is_last;
}

/// False where a signal has stopped it.
template <class Target, class T>
bool train(typename Target::Communicator& communicator, Options const& options, TrainingData const& data,
           RunOutput& output) {
  Trainer<Target, T> trainer(communicator, options, data);
  if (options.evaluate) {
    evaluate_checkpoint(communicator, options, data, trainer);
    return true;
  }
  bool const speaks = communicator.rank() == 0;
  RunSummary summary(options, "tokens");
  Progress progress(options, "tokens");
  RunProfile profile(communicator, options, trainer);
  Curves none;
  auto& log = output.log;  // of the rank that speaks
  auto& curves = speaks ? output.curves : none;
  DivergenceGuard const guard(options.max_skips, lowers_scale(options));
  RunState state;
  Checkpoints checkpoints(communicator, options, data, trainer, state);
  std::uint64_t const first = checkpoints.start();
  LossWatch losses(data.vocabulary(), state.best_loss);
  auto const nothing = state.nothing_to_train({.done = first, .all = options.iterations}, options.patience);
  if (nothing && speaks) say("run: nothing to train: %s\n", nothing->c_str());
  bool ends = nothing.has_value();
  bool ends_early = ends && first < options.iterations;
  if (speaks) log.begin(first);
  curves.begin(samples_of(state, options), run_options(options));
  if (options.eval_at_start && !ends) evaluate_at_start(trainer, first, speaks, log, curves, summary);
  std::uint64_t done = first;
  auto const end = [&](std::string const& why) {
    return RunEnd{
        .why = why, .checkpoints = checkpoints.places(), .models = checkpoints.models(), .profile = profile.file()};
  };
  for (std::uint64_t step = first; !ends; ++step) {
    profile.before_step(step + 1);
    auto record = trainer.train_step(step);
    state.draw(static_cast<std::uint64_t>(record.items), data.train_tokens());
    record.samples = samples_of(state, options);
    record.epoch = state.epoch;
    record.mfu = utilization(options, trainer.shape(), record);
    done = record.step;
    bool const is_last = record.step == options.iterations;
    bool const validates = record.step % options.eval_interval == 0 || is_last;
    // What is saved and what is measured are the same parameters.
    bool const saves = checkpoints.may_save_after(record.step, validates);
    if (is_last || saves || (validates && options.patience > 0)) trainer.engine().finish_update();
    if (validates) {
      take(trainer.evaluate(), record);
      record.is_best = state.take_validation(record.step, *record.val_loss, options.min_delta);
    }
    ends_early = !is_last && validates && state.should_stop(options.patience);
    ends = is_last || ends_early;
    summary.step(record);
    profile.take_times(record);
    bool const stays = speaks && progress.step(record);
    profile.after_step(record.step, stays);
    if (speaks && record.zero_norm_steps == 3) {
      say("training: the gradient was exactly 0 in 3 steps in a row: the model learns nothing from this data\n");
    }
    if (speaks) log.step(record);
    draw(trainer, record, samples_of(state, options), saves, curves);
    if (auto const warning = speaks ? losses.judge(record) : std::nullopt) say("training: %s\n", warning->c_str());
    if (auto const diverged = guard.judge(record, ends)) {
      summary.saving([&] { checkpoints.finish_save(); });
      if (speaks) summary.print(done, state, end("the training has diverged"));
      throw zero::DivergenceError(*diverged);
    }
    record.in_doubt = guard.is_in_doubt(record);
    if (ends_early && speaks) {
      say("run: stops early after step %" PRIu64 ": %s\n", record.step, state.no_improvement().c_str());
    }
    bool const stops = summary.saving([&] { return checkpoints.after_step(record, ends); });
    if (stops || stops_unsaved(communicator, options, ends)) {
      profile.finish();
      auto const memory = peak_of(gather_memory(trainer, communicator));
      if (speaks) {
        auto stopped = end("stopped by a signal");
        stopped.memory = memory;
        summary.print(done, state, stopped);
      }
      checkpoints.throw_failure();
      return false;
    }
  }
  summary.saving([&] { checkpoints.finish(); });
  profile.finish();
  auto const hash = trainer.parameter_hash();
  if (speaks) log.parameter_hash(hash);
  if (speaks) say("parameter hash: %016" PRIx64 "\n", hash);
  if (options.sample > 0) {
    auto const text = trainer.sample();
    if (speaks) say("\nsample:\n");
    if (speaks) (void)std::fwrite(text.data(), 1, text.size(), stdout);  // NUL is a character, too
    if (speaks) say("\n");
  }
  auto const memory = gather_memory(trainer, communicator);
  if (speaks) {
    print_memory(memory, trainer.layout());
    auto ended = end(ends_early ? "stopped early: " + state.no_improvement() : "all are done");
    ended.memory = peak_of(memory);
    summary.print(done, state, ended);
  }
  checkpoints.throw_failure();
  return true;
}

/// What the options say, in \p Target. False where a signal has stopped it.
template <class Target>
bool run_on(Options const& options, TrainingData const& data, RunOutput& output) {
  std::atomic<bool> finished{true};
  Target::run_ranks(options, [&](typename Target::Communicator& communicator) {
    auto const train_as = [&]<class T>(T) {
      if (!train<Target, T>(communicator, options, data, output)) finished = false;
    };
    switch (options.precision) {
      case zero::ElementType::fp32:
        return train_as(float{});
      case zero::ElementType::bf16:
        return train_as(zero::bfloat16{});
      case zero::ElementType::fp16:
        return train_as(zero::float16{});
      default:  // no option names another one
        return;
    }
  });
  return finished;
}

}  // namespace gpt2
