// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "curves.hpp"

#include "console.hpp"
#include "run_settings.hpp"

#include <zero/config/write.hpp>
#include <zero/error.hpp>

#include <array>
#include <cctype>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace training {
namespace {

using Value = std::optional<double>;
using zero::profile::Phase;

/// One curve: its tag, and its value where a step has one.
struct Curve {
  char const* tag;
  Value (*value)(StepRecord const&);
};

/// Milliseconds that a step has spent in \p phases, the mean of those that have ended; nothing where none has.
Value ms_in(StepRecord const& record, std::initializer_list<Phase> phases) {
  if (record.times.steps == 0) return std::nullopt;
  std::int64_t sum = 0;
  for (auto const phase : phases) sum += record.times.exposed_in(phase);
  return 1e-6 * static_cast<double>(sum) / static_cast<double>(record.times.steps);
}

/// DeepSpeed's tags first, then those of its kind that it lacks.
constexpr std::array step_curves{
    Curve{"Train/Samples/lr", [](StepRecord const& r) -> Value { return r.lr; }},
    Curve{"Train/Samples/loss_scale", [](StepRecord const& r) -> Value { return r.loss_scale; }},
    Curve{"Train/Samples/train_loss", [](StepRecord const& r) -> Value { return r.loss; }},
    Curve{"Train/Samples/elapsed_time_ms_forward", [](StepRecord const& r) { return ms_in(r, {Phase::forward}); }},
    Curve{"Train/Samples/elapsed_time_ms_backward",
          [](StepRecord const& r) {
            return ms_in(r, {Phase::backward, Phase::reduce});
          }},
    Curve{"Train/Samples/elapsed_time_ms_backward_inner",
          [](StepRecord const& r) { return ms_in(r, {Phase::backward}); }},
    Curve{"Train/Samples/elapsed_time_ms_backward_allreduce",
          [](StepRecord const& r) { return ms_in(r, {Phase::reduce}); }},
    Curve{"Train/Samples/elapsed_time_ms_step",
          [](StepRecord const& r) {
            return ms_in(r, {Phase::update, Phase::offload});
          }},
    Curve{"Train/Samples/elapsed_time_ms_gather", [](StepRecord const& r) { return ms_in(r, {Phase::gather}); }},
    Curve{"Train/Samples/elapsed_time_ms_data", [](StepRecord const& r) { return ms_in(r, {Phase::data}); }},
    Curve{"Train/Samples/elapsed_time_ms_captured", [](StepRecord const& r) { return ms_in(r, {Phase::captured}); }},
    Curve{"Train/Samples/grad_norm", [](StepRecord const& r) -> Value { return r.grad_norm; }},
    Curve{"Train/Samples/skipped_steps",
          [](StepRecord const& r) -> Value { return static_cast<double>(r.skipped_steps); }},
};

/// Behind how many items are drawn in a second.
constexpr std::array speed_curves{
    Curve{"Train/Samples/mfu", [](StepRecord const& r) -> Value { return r.mfu; }},
    Curve{"Train/Samples/ms_per_step", [](StepRecord const& r) -> Value { return 1e3 * r.seconds; }},
};

constexpr std::array evaluation_curves{
    Curve{"Evaluation/Samples/train_loss", [](StepRecord const& r) -> Value { return r.train_loss; }},
    Curve{"Evaluation/Samples/seconds", [](StepRecord const& r) -> Value { return r.eval_seconds; }},
};

zero::monitor::Monitors::Config monitors_of(CommonOptions const& options) {
  zero::monitor::Monitors::Config config{
      .tensorboard = options.tensorboard, .csv = options.csv, .json_lines = options.json_lines};
  config.warning = [](std::string const& what) { console().warn(what); };
  return config;
}

/// A table in Markdown, as TensorBoard shows it.
std::string table_of(NamedOptions const& options) {
  std::string text = "| option | value |\n| --- | --- |\n";
  for (auto const& [name, value] : options) {
    text.append("| ").append(name).append(" | ").append(value).append(" |\n");
  }
  return text;
}

template <std::size_t N>
void write(zero::monitor::Monitors& monitors, std::array<Curve, N> const& curves, StepRecord const& record,
           std::uint64_t samples) {
  for (auto const& curve : curves) {
    if (auto const value = curve.value(record)) monitors.scalar(curve.tag, *value, samples);
  }
}

/// A part of a tag, and of a file's name.
std::string as_tag(std::string text) {
  for (char& c : text) {
    bool const stays = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-';
    if (!stays) c = '_';
  }
  return text;
}

}  // namespace

bool has_curves(CommonOptions const& options) { return options.tensorboard || options.csv || options.json_lines; }

Curves::Curves(CommonOptions const& options, std::string items, LossKind kind) try
    : options_(&options), items_(std::move(items)), kind_(kind), monitors_(monitors_of(options)) {
  refuse_others();
} catch (zero::ConfigurationError const& error) {
  throw UsageError(std::string("--job-name: ") + error.what());
}

void Curves::refuse_others() const {
  bool const goes_on = options_->resume && !options_->parameters_only;
  auto const others = monitors_.place_of_others();
  if (!others || goes_on || options_->overwrite) return;
  throw UsageError("--job-name: " + *others +
                   " holds the curves of another run: give this one another name, go on with that run by --resume, or "
                   "let --overwrite take its place");
}

void Curves::claim() {
  if (!monitors_.enabled()) return;
  try {
    monitors_.claim();
  } catch (zero::ConfigurationError const& error) {
    throw UsageError(std::string("--job-name: ") + error.what());
  }
  refuse_others();
}

void Curves::begin(std::uint64_t samples, NamedOptions const& settings) {
  if (!monitors_.enabled()) return;
  if (samples > 0) {
    monitors_.resume_at(samples);
  } else {
    if (auto const others = monitors_.place_of_others()) {
      say("curves: the run starts anew, and replaces those in %s\n", others->c_str());
    }
    monitors_.begin(zero::monitor::Existing::replace);
  }
  monitors_.text("settings", table_of(settings), samples);
  monitors_.text("configuration", "```json\n" + zero::config::to_json(settings_of(*options_)) + "```\n", samples);
}

void Curves::step(StepRecord const& record, std::uint64_t samples) {
  if (!monitors_.enabled()) return;
  write(monitors_, step_curves, record, samples);
  monitors_.scalar("Train/Samples/" + items_ + "_per_second", record.items_per_second, samples);
  write(monitors_, speed_curves, record, samples);
  for (auto const& measure : record.measured) monitors_.scalar("Train/Samples/" + measure.name, measure.value, samples);
  if (record.val_loss) evaluation(record, samples);
}

void Curves::evaluation(StepRecord const& record, std::uint64_t samples) {
  if (!monitors_.enabled()) return;
  if (record.val_loss) {
    monitors_.scalar("Evaluation/Samples/val_loss", *record.val_loss, samples);
    if (kind_ == LossKind::of_tokens) {
      monitors_.scalar("Evaluation/Samples/perplexity", std::exp(*record.val_loss), samples);
    }
  }
  write(monitors_, evaluation_curves, record, samples);
  for (auto const& measure : record.evaluated) {
    monitors_.scalar("Evaluation/Samples/" + measure.name, measure.value, samples);
  }
  for (auto const& [label, loss] : record.val_losses) {
    monitors_.scalar("Evaluation/Samples/val_loss/" + as_tag(label), loss, samples);
  }
}

void Curves::flush() { (void)monitors_.flush(std::chrono::seconds(1)); }

void Curves::memory(zero::MemoryReport const& engine, std::vector<std::pair<std::string, std::size_t>> const& others,
                    std::uint64_t samples) {
  auto const write = [&](std::string const& kind, std::size_t bytes) {
    monitors_.scalar("Memory/Samples/" + kind, static_cast<double>(bytes), samples);
  };
  if (!monitors_.enabled()) return;
  for (std::size_t k = 0; k < zero::memory_kinds; ++k) {
    auto const kind = static_cast<zero::MemoryKind>(k);
    write(std::string(name(kind)), engine.bytes(kind));
  }
  for (auto const& [kind, bytes] : others) write(kind, bytes);
}

}  // namespace training
