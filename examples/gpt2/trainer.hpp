// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "activations.hpp"
#include "data/batch_loader.hpp"
#include "data/training_data.hpp"
#include "data/training_feed.hpp"
#include "dropout.hpp"
#include "engines.hpp"
#include "options.hpp"
#include "parameters.hpp"
#include "registered_parameters.hpp"
#include "run_schedule.hpp"
#include "sharded_model.hpp"
#include "training/progress.hpp"
#include "training/run_settings.hpp"
#include "training_sample.hpp"
#include "weights.hpp"

#include <zero/activation/segment_plan.hpp>
#include <zero/backend.hpp>
#include <zero/captured_step.hpp>
#include <zero/engine_config.hpp>
#include <zero/profile/memory.hpp>
#include <zero/profile/profiler.hpp>
#include <zero/step_report.hpp>
#include <zero/utility/fingerprint.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace gpt2 {

/// One rank of a training run: its data, its steps, and what it is evaluated by. Every rank makes the same calls.
///
/// \tparam Target where it computes: HostTarget (host_target.hpp) or CudaTarget (cuda/target.hpp). It says the engine's
/// backend and communicator, and its `Compute<T>` owns a rank's model and stream:
///
///   Compute(options, shape, communicator)
///   model()                                     the calls of Model, those of the head apart
///   head_forward(weights, targets)              keeps the mean loss for `take_losses`
///   head_backward(loss_scale, weights, gradients)   takes the engine's handle of the scale
///   take_losses()                               of all forward passes since the last time, in order; waits for them
///   stream(), backend_config()
///   model().record(passes), fill(k, tokens, targets), replay(launch)    where the backend records graphs
///   model().host_activation_bytes()             of GPUs: activations in pinned host memory
///   device_memory(), ranges()                   of GPUs: what the device holds; ranges for NVIDIA's tools
template <class Target, class T>
class Trainer {
 public:
  using Communicator = typename Target::Communicator;

  /// Collective. \p data is borrowed and shared by the ranks of a process.
  Trainer(Communicator& communicator, Options const& options, TrainingData const& data)
      : communicator_(communicator),
        options_(options),
        data_(data),
        seed_(options.seed),
        schedule_(options),
        shape_{options.layers, options.heads, options.width, options.context, data.vocabulary()},
        compute_(options, shape_, communicator),
        stream_(compute_.stream()),
        parameters_(shape_, options.weight_decay),
        batch_{std::vector<Token>(options.batch * options.context),
               std::vector<Token>(options.batch * options.context)},
        load_options_(load_options(options, data.is_in_files())),
        feed_(data, load_options_, batch_.tokens.size(), share_of(options, communicator)) {
    if (wants_profiler(options)) profiler_.emplace(typename Profiler::Config{.also = ranges()});
    engine_ = make_engine<Target, T>(engine_request(), communicator, parameters_.list());
    sharded_model_.emplace(*engine_, compute_, parameters_, options.context);
    for (auto const& parameter : parameter_shapes(shape_)) {
      std::vector<float> values(parameter.size());
      initialize(shape_, parameter.name, values, seed_);
      engine_->write_parameter(parameter.name, values);
    }
  }

  /// One step of the run, \p step counted from 0.
  StepRecord train_step(std::uint64_t step) {
    auto const start = std::chrono::steady_clock::now();
    data_time_ = {};
    auto const rates = schedule_.rates();
    StepRecord record{.step = step + 1, .lr = rates.lr};
    auto const report = take_step(step, {.lr = rates.lr, .momentum = rates.momentum, .beta2 = rates.beta2});
    schedule_.after_step(report.skipped);
    auto losses = compute_.take_losses();
    losses.resize(rounds());  // of a rank without a micro-batch in the last round: not among the first `micro_batches`
    record.loss = mean_over_ranks(losses, micro_batches());
    if (!report.skipped) record.grad_norm = report.gradient_norm;
    record.loss_scale = static_cast<double>(report.loss_scale);
    record.skipped = report.skipped;
    record.scales = lowers_scale(options_);
    record.bad_parameter = report.bad_parameter;
    record.skipped_in_row = report.skipped_in_row;
    record.skipped_steps = report.skipped_steps;
    record.zero_norm_steps = report.zero_norm_steps;
    std::chrono::duration<double> const took = std::chrono::steady_clock::now() - start;
    record.items = static_cast<double>(batch_.tokens.size() * micro_batches());
    record.items_per_second = record.items / took.count();
    record.seconds = took.count();
    record.data_seconds = std::chrono::duration<double>(data_time_).count();
    return record;
  }

  /// The losses over validation data and over a part of the training data that no step has as its own. The same on
  /// every rank. Collective.
  Evaluation evaluate() {
    auto const start = std::chrono::steady_clock::now();
    Evaluation found;
    if (auto const count = train_batches(options_); count > 0) {
      found.train_loss = mean_loss(Split::train, 0, std::numeric_limits<std::uint64_t>::max(), count);
    }
    evaluate_sets(found);
    found.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return found;
  }

  /// See sample_text. Collective.
  std::string sample() {
    auto sample = sample_text<T>(*engine_, communicator_, shape_, data_, options_, seed_);
    sample_bytes_ = sample.bytes;
    return std::move(sample.text);
  }

  /// TrainingSample::bytes of the last one; 0 before.
  [[nodiscard]] std::size_t sample_bytes() const noexcept { return sample_bytes_; }

  /// A fingerprint of the bits of all parameters in the order of their names. Collective.
  std::uint64_t parameter_hash() {
    std::vector<std::string> names;
    for (auto const& parameter : parameter_shapes(shape_)) names.push_back(parameter.name);
    std::sort(names.begin(), names.end());
    zero::Fingerprint fingerprint;
    for (auto const& name : names) {
      auto const values = engine_->read_parameter(name);
      fingerprint.add(std::as_bytes(std::span(name)));
      fingerprint.add(std::as_bytes(std::span(values)));
    }
    return fingerprint.value();
  }

  [[nodiscard]] TrainerEngine<Target, T>& engine() { return *engine_; }
  [[nodiscard]] ModelShape const& shape() const { return shape_; }
  /// Of data order and sample.
  [[nodiscard]] std::uint64_t seed() const { return seed_; }
  void set_seed(std::uint64_t seed) { seed_ = seed; }
  [[nodiscard]] std::uint64_t schedule_step() const { return schedule_.step(); }
  void set_schedule_start(std::uint64_t start) { schedule_.set_start(start); }
  void set_schedule_step(std::uint64_t step) { schedule_.set_step(step); }
  [[nodiscard]] zero::MemoryReport const& memory() const { return engine_->memory(); }
  /// What this rank's memory is now, of the engine, its process and its device.
  [[nodiscard]] zero::profile::MemoryUse memory_use() const {
    if constexpr (requires { compute_.device_memory(); }) {
      return zero::profile::memory_use(memory(), compute_.device_memory());
    } else {
      return zero::profile::memory_use(memory());
    }
  }
  /// Null where the options ask for none of its results.
  [[nodiscard]] zero::profile::Profiler<typename Target::Backend>* profiler() {
    return profiler_ ? &*profiler_ : nullptr;
  }
  [[nodiscard]] zero::FlatLayout const& layout() const { return engine_->layout(); }
  [[nodiscard]] std::size_t activation_bytes() const { return compute_.model().activation_bytes(); }
  [[nodiscard]] std::size_t scratch_bytes() const { return compute_.model().scratch_bytes(); }
  /// Of the model, in pinned host memory.
  [[nodiscard]] std::size_t host_activation_bytes() const {
    if constexpr (requires { compute_.model().host_activation_bytes(); }) {
      return compute_.model().host_activation_bytes();
    } else {
      return 0;
    }
  }

 private:
  using Engine = TrainerEngine<Target, T>;
  using Profiler = zero::profile::Profiler<typename Target::Backend>;
  using Recorded = zero::CapturedStep<typename Target::Backend>;
  static constexpr bool records_graphs = zero::backend_facts<typename Target::Backend>().captures_graphs;

  EngineRequest<typename Target::Backend> engine_request() {
    auto settings = settings_of(options_);
    if (settings.sharding) {
      auto& units = settings.sharding->prefetch_units;
      units = zero::activation::prefetch_units(compute_.model().plan(), units);
    }
    return {.settings = std::move(settings),
            .reduce = options_.reduce,
            .allow_idle_ranks = options_.allow_idle_ranks,
            .backend = compute_.backend_config(),
            .profiler = profiler_ ? &*profiler_ : nullptr};
  }

  [[nodiscard]] static bool wants_profiler(Options const& options) {
    return options.wall_clock_breakdown || options.profile || options.comms_log || options.nvtx;
  }
  /// What a profiler tells, too; null without --nvtx, which is of GPUs.
  [[nodiscard]] zero::profile::Observer<typename Target::Backend::Stream>* ranges() {
    if constexpr (requires { compute_.ranges(); }) {
      return options_.nvtx ? &compute_.ranges() : nullptr;
    } else {
      return nullptr;
    }
  }

  // ------------------------------------------------------------------------------------------------- a micro-batch

  [[nodiscard]] static LoadOptions load_options(Options const& options, bool is_in_files) {
    bool const is_ahead = is_in_files || (options.asked.has("--prefetch") && options.prefetch > 0);
    return {.workers = options.workers.value_or(is_ahead ? 1 : 0), .prefetch = options.prefetch};
  }
  [[nodiscard]] static RankShare share_of(Options const& options, Communicator const& communicator) {
    return {.rank = static_cast<std::uint64_t>(communicator.rank()),
            .ranks = static_cast<std::uint64_t>(communicator.size()),
            .micro_batches = global_micro_batches(options),
            .steps = options.iterations};
  }

  /// Micro-batches of a step of all ranks, and of each.
  [[nodiscard]] std::size_t micro_batches() const { return static_cast<std::size_t>(global_micro_batches(options_)); }
  [[nodiscard]] std::size_t rounds() const { return micro_batch_rounds(options_); }

  /// Takes the step, from its first micro-batch on, and waits for it. The first one cannot be recorded: it warms up.
  zero::StepReport take_step(std::uint64_t step, zero::StepOptions const& options) {
    if constexpr (records_graphs) {
      if (options_.cuda_graph && has_stepped_) return replay_step(step, options);
    }
    for (std::size_t a = 0; a < rounds(); ++a) micro_batch(step);
    auto report = engine_->step(options, stream_).get();
    has_stepped_ = true;
    return report;
  }

  /// The same by one launch. What is recorded does not run meanwhile, so that the step of the recording is launched,
  /// too.
  zero::StepReport replay_step(std::uint64_t step, zero::StepOptions const& options) {
    if (!recorded_step_) {
      recorded_step_.emplace(engine_->capture(stream_, [&] {
        model().record([&] {
          for (std::size_t a = 0; a < rounds(); ++a) record_micro_batch();
        });
        (void)engine_->step(options, stream_);
      }));
    }
    for (std::size_t k = 0; k < recorded_.size(); ++k) {
      draw(step, recorded_[k]);
      model().fill(k, batch_.tokens, batch_.targets);
    }
    std::optional<typename Recorded::Ticket> ticket;
    model().replay([&] { ticket.emplace(recorded_step_->replay(options, stream_)); });
    return ticket->get();
  }

  /// Its tokens are those that were drawn last: a recording looks at their number and range only.
  void record_micro_batch() {
    pass([&](std::uint64_t index) { recorded_.push_back(index); });
  }

  /// Draws a micro-batch by its place in the sequence of all ranks.
  void draw(std::uint64_t step, std::uint64_t index) {
    auto const start = std::chrono::steady_clock::now();
    feed_.take({seed_, step, index}, batch_);
    data_time_ += std::chrono::steady_clock::now() - start;
  }

  /// What is dropped depends on the seed and on the place of the micro-batch alone, whichever rank has it.
  void set_dropout(std::uint64_t step, std::uint64_t index) {
    if (options_.dropout > 0.0) model().set_dropout(Dropout(options_.dropout, seed_, step, index));
  }

  /// The next micro-batch of this rank, which has none in the last round where the ranks do not divide them.
  void micro_batch(std::uint64_t step) {
    pass([&](std::uint64_t index) {
      std::optional<typename Profiler::Scope> loading;
      if (profiler_) loading.emplace(profiler_->phase(zero::profile::Phase::data, stream_));
      draw(step, index);
      loading.reset();
      set_dropout(step, index);
    });
  }

  /// A micro-batch, for which \p prepare is called with its place in the sequence of all ranks where this rank has one.
  template <class F>
  void pass(F&& prepare) {
    auto batch = engine_->begin_micro_batch(stream_);
    if (batch.contributes()) {
      prepare(static_cast<std::uint64_t>(batch.index()));
      sharded_model_->forward_and_backward(batch_);
    } else {
      sharded_model_->gather_as_others_do();
    }
    batch.finish(stream_);
  }

  /// The loss of each validation set, and their mean by weight, which is that of the mixture.
  void evaluate_sets(Evaluation& found) {
    auto const& sets = data_.validation_sets();
    for (std::size_t set = 0; set < sets.size(); ++set) {
      double const loss = mean_loss(Split::validation, set, 0, options_.eval_batches);
      if (sets.size() == 1) {
        found.val_loss = loss;
        return;
      }
      if (sets[set].weight > 0.0) found.val_loss += sets[set].weight * loss;
      found.val_losses.push_back({sets[set].label, loss});
    }
  }

  /// Over \p count batches that \p step names, the same ones at every call and on any number of ranks.
  double mean_loss(Split split, std::size_t set, std::uint64_t step, std::size_t count) {
    std::size_t const rounds = (count + ranks() - 1) / ranks();
    BatchLoader loader(data_, load_options_, batch_.tokens.size(), rounds, [=, this](std::uint64_t i) {
      // Gathering is collective: a rank whose turn has no batch left repeats one, which the mean leaves out.
      auto const batch = std::min<std::uint64_t>(i * ranks() + rank(), count - 1);
      return BatchRequest{split, set, {seed_, step, batch}};
    });
    model().set_dropout(Dropout());
    for (std::size_t i = 0; i < rounds; ++i) {
      loader.take(batch_);
      sharded_model_->forward(batch_);
    }
    return mean_over_ranks(compute_.take_losses(), count);
  }

  // ------------------------------------------------------------------------------------------------- ranks

  [[nodiscard]] auto& model() { return compute_.model(); }
  [[nodiscard]] std::size_t rank() const { return static_cast<std::size_t>(communicator_.rank()); }
  [[nodiscard]] std::size_t ranks() const { return static_cast<std::size_t>(communicator_.size()); }

  /// Mean of the first \p count values of the global sequence, whose k-th is value k / ranks of rank k mod ranks: added
  /// in that order, so that it is the same on any number of ranks.
  double mean_over_ranks(std::vector<double> const& mine, std::size_t count) {
    std::vector<double> all(mine.size() * ranks());
    communicator_.exchange(std::as_bytes(std::span(mine)), std::as_writable_bytes(std::span(all)));
    double sum = 0.0;
    for (std::size_t k = 0; k < count; ++k) sum += all[k % ranks() * mine.size() + k / ranks()];
    return sum / static_cast<double>(count);
  }

  Communicator& communicator_;
  Options const& options_;
  TrainingData const& data_;
  std::uint64_t seed_;
  RunSchedule schedule_;
  ModelShape shape_;
  typename Target::template Compute<T> compute_;
  typename Target::Backend::Stream stream_;
  RegisteredParameters parameters_;
  TokenBatch batch_;
  LoadOptions load_options_;
  TrainingFeed feed_;
  std::chrono::steady_clock::duration data_time_{};  // of the step under way
  std::optional<Profiler> profiler_;                 // outlives the engine
  std::optional<Engine> engine_;
  std::optional<ShardedModel<Target, T>> sharded_model_;
  bool has_stepped_ = false;
  std::size_t sample_bytes_ = 0;
  std::optional<Recorded> recorded_step_;
  std::vector<std::uint64_t> recorded_;  // places of its micro-batches in the sequence of all ranks
};

}  // namespace gpt2
