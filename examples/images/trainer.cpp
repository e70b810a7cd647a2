// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "trainer.hpp"

#include "training/run_settings.hpp"

#include <zero/processors.hpp>
#include <zero/utility/fingerprint.hpp>

#include <algorithm>
#include <span>
#include <string>
#include <utility>

namespace images {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

LearnerRequest request_of(Options const& options, ModelShape const& shape) {
  LearnerRequest request{.shape = shape, .seed = options.seed, .settings = training::settings_of(options)};
  if (!options.evaluate) request.weights = options.init_from;
  request.reduce = options.reduce;
  request.allow_idle_ranks = options.allow_idle_ranks;
  request.threads = options.threads;
  return request;
}

training::Measure percentage(std::string name, std::string const& what, double value) {
  return {std::move(name), value, what + " " + training::formatted("%.2f", 100.0 * value) + " %"};
}

}  // namespace

int training_threads(Options const& options, int sharing) {
  return options.threads > 0 ? options.threads : std::max(1, zero::usable_processors() / sharing);
}

Trainer::Trainer(Communicator& ranks, Options const& options, RunData const& data, ModelShape const& shape)
    : ranks_(ranks),
      options_(options),
      data_(data),
      seed_(options.seed),
      schedule_(training::schedule_of(options)),
      clock_(options.skipped_step),
      epochs_{data.training_pictures(), options.batch * training::global_micro_batches(options)},
      classes_(shape.classes),
      learner_(ranks.make_learner(request_of(options, shape))) {
  schedule_.require_steps(options.iterations);
}

void Trainer::set_schedule_start(std::uint64_t start) {
  if (start == 0 || start >= options_.iterations) return;
  Options of_rest = options_;
  of_rest.iterations -= start;
  schedule_ = training::schedule_of(of_rest);
  schedule_.require_steps(of_rest.iterations);
}

training::StepRecord Trainer::train_step(std::uint64_t step) {
  auto const start = Clock::now();
  data_time_ = {};
  auto const count = static_cast<std::size_t>(training::global_micro_batches(options_));
  if (!feed_) feed_.emplace(data_, options_, seed_, FeedPlace{step, rank(), world(), count});
  auto const rates = schedule_.at(clock_.step());
  auto const feed = [this] {
    auto const asked = Clock::now();
    auto const batch = feed_->take();
    data_time_ += Clock::now() - asked;
    return batch;
  };
  auto const rounds = training::micro_batch_rounds(options_);
  for (std::size_t r = 0; r < rounds; ++r) learner_->micro_batch(feed);
  auto const report = learner_->step({.lr = rates.lr, .momentum = rates.momentum, .beta2 = rates.beta2});
  clock_.after_step(report.skipped);
  auto const tally = sum_over_ranks(learner_->take_scores(), rounds, count);
  tally_.add(tally);
  training::StepRecord record{.step = step + 1, .lr = rates.lr};
  record.loss = tally.loss();
  record.measured.push_back(percentage("accuracy", "accuracy", tally.accuracy()));
  if (!report.skipped) record.grad_norm = report.gradient_norm;
  record.loss_scale = static_cast<double>(report.loss_scale);
  record.skipped = report.skipped;
  record.scales = training::lowers_scale(options_);
  record.bad_parameter = report.bad_parameter;
  record.skipped_in_row = report.skipped_in_row;
  record.skipped_steps = report.skipped_steps;
  record.zero_norm_steps = report.zero_norm_steps;
  record.seconds = seconds_since(start);
  record.items = static_cast<double>(epochs_.per_step);
  record.items_per_second = record.items / record.seconds;
  record.data_seconds = std::chrono::duration<double>(data_time_).count();
  return record;
}

Tally Trainer::end_epoch() { return std::exchange(tally_, Tally()); }

Tally Trainer::evaluate() {
  EvaluationFeed feed(data_, options_, rank(), world());
  auto found = learner_->evaluate(feed.rounds(), feed.counted(), [&] { return feed.take(); });
  confusion_ = std::move(found.confusion);
  return sum_over_ranks(std::move(found.batches), feed.rounds(), feed.batches());
}

Confusion Trainer::confusion() {
  auto const& mine = confusion_->counts();
  std::vector<std::uint64_t> all(mine.size() * world());
  ranks_.exchange(std::as_bytes(std::span(mine)), std::as_writable_bytes(std::span(all)));
  Confusion sum(classes_);
  for (std::size_t i = 0; i < all.size(); ++i) sum.add_to(i % mine.size(), all[i]);
  return sum;
}

std::uint64_t Trainer::parameter_hash() {
  std::vector<std::string> names;
  for (auto const& parameter : learner_->parameters()) names.push_back(parameter.name);
  std::sort(names.begin(), names.end());
  zero::Fingerprint fingerprint;
  for (auto const& name : names) {
    auto const values = learner_->read_parameter(name);
    fingerprint.add(std::as_bytes(std::span(name)));
    fingerprint.add(std::as_bytes(std::span(values)));
  }
  return fingerprint.value();
}

Tally Trainer::sum_over_ranks(std::vector<BatchScore> mine, std::size_t rounds, std::size_t count) {
  mine.resize(rounds);  // of which this rank may have had none in the last one
  std::vector<BatchScore> all(rounds * world());
  ranks_.exchange(std::as_bytes(std::span(mine)), std::as_writable_bytes(std::span(all)));
  Tally sum;
  for (std::size_t k = 0; k < count; ++k) sum.add(all[k % world() * rounds + k / world()]);
  return sum;
}

}  // namespace images
