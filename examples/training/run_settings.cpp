// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "run_settings.hpp"

#include <zero/config/read.hpp>
#include <zero/config/write.hpp>
#include <zero/error.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

namespace training {
namespace {

namespace config = zero::config;

static_assert(std::is_same_v<std::variant_alternative_t<2, config::RuleChoice>, zero::Sgd::Config> &&
              static_cast<int>(RuleName::sgd) == 2 && static_cast<int>(RuleName::adagrad) == 4);

config::RuleChoice default_rule(RuleName rule) {
  switch (rule) {
    case RuleName::adamw:
      return zero::AdamW::Config{};
    case RuleName::adam:
      return zero::Adam::Config{};
    case RuleName::sgd:
      return zero::Sgd::Config{};
    case RuleName::lion:
      return zero::Lion::Config{};
    case RuleName::adagrad:
      return zero::Adagrad::Config{};
  }
  return {};
}

/// The rule with what options of their own say of it.
config::RuleChoice rule_of(CommonOptions const& options) {
  auto choice = options.rule ? *options.rule : default_rule(options.optimizer);
  std::visit(
      [&](auto& rule) {
        rule.lr = options.lr;
        rule.weight_decay = options.weight_decay;
        if constexpr (requires { rule.beta2; }) rule.beta2 = options.beta2;
        if constexpr (requires { rule.momentum; }) rule.momentum = options.momentum;
      },
      choice);
  return choice;
}

config::PrecisionChoice precision_of(CommonOptions const& options) {
  config::PrecisionChoice precision{.compute = options.precision};
  if (options.precision != zero::ElementType::fp16) return precision;
  bool const is_said = options.scale && !std::holds_alternative<zero::NoScale::Config>(*options.scale);
  precision.scale = is_said ? *options.scale : config::ScaleChoice(zero::DynamicScale::Config{});
  if (!options.loss_scale) return precision;
  if (*options.loss_scale > 0.0) {
    precision.scale = zero::StaticScale::Config{.scale = static_cast<float>(*options.loss_scale)};
  } else if (!std::holds_alternative<zero::DynamicScale::Config>(precision.scale)) {
    precision.scale = zero::DynamicScale::Config{};
  }
  return precision;
}

config::Sharding sharding_of(CommonOptions const& options) {
  auto sharding = options.sharding.value_or(config::Sharding{.missing_gradient = zero::MissingGradient::error});
  sharding.stage = options.stage;
  if (!options.offload) {
    sharding.offload.reset();
    return sharding;
  }
  if (!sharding.offload) sharding.offload.emplace();
  sharding.offload->delayed_update = options.delayed_update;
  return sharding;
}

/// What stands for "auto", and what was given beside the file.
config::ReadOptions read_options(CommonOptions const& options) {
  auto const& asked = options.asked;
  config::ReadOptions read{.world = options.ranks};
  read.automatic = {.train_micro_batch_size_per_gpu = options.batch,
                    .gradient_accumulation_steps = static_cast<std::uint64_t>(options.accumulate),
                    .gradient_clipping = options.clip,
                    .lr = options.lr,
                    .beta1 = 0.9,
                    .beta2 = options.beta2,
                    .eps = 1e-8,
                    .weight_decay = options.weight_decay,
                    .fp16 = options.precision == zero::ElementType::fp16,
                    .bf16 = options.precision == zero::ElementType::bf16,
                    .warmup_num_steps = warmup_steps(options),
                    .total_num_steps = options.iterations};
  if (asked.has("--batch")) read.batch.train_micro_batch_size_per_gpu = options.batch;
  if (asked.has("--accumulate")) {
    read.batch.gradient_accumulation_steps = static_cast<std::uint64_t>(options.accumulate);
  }
  if (options.micro_batches) read.batch.micro_batches_per_step = static_cast<std::uint64_t>(*options.micro_batches);
  if (asked.has("--lr")) read.lr = options.lr;
  return read;
}

/// Takes what of a configuration no option says otherwise.
class Merge {
 public:
  /// \p lines take what a user is told.
  Merge(CommonOptions& options, config::Settings const& settings, std::vector<std::string>& lines)
      : options_(options), settings_(settings), lines_(lines) {}

  void run() {
    take_batch();
    if (settings_.precision) take_precision();
    if (settings_.sharding) take_sharding();
    if (settings_.recomputation) take_recomputation();
    if (options_.evaluate) return;  // what else a file says is of training
    unless_asked("--clip", [&] { options_.clip = settings_.gradient_clipping; });
    if (settings_.rule) take_rule();
    if (settings_.schedule) take_schedule();
    if (settings_.steps_per_print)
      unless_asked("--log-interval", [&] { options_.log_interval = settings_.steps_per_print; });
    if (settings_.tensorboard) unless_asked("--tensorboard", [&] { options_.tensorboard = settings_.tensorboard; });
    unless_asked("--cuda-graph", [&] { options_.cuda_graph = settings_.cuda_graph; });
    take_profiling();
    if (settings_.csv) unless_asked("--csv", [&] { options_.csv = settings_.csv; });
  }

 private:
  template <class Take>
  void unless_asked(std::string_view option, Take const& take) {
    if (!options_.asked.has(option)) take();
  }
  void take_batch() {
    auto const& batch = settings_.batch;
    options_.batch = batch.micro_batch;
    if (batch.accumulation > 0) {
      options_.accumulate = static_cast<int>(batch.accumulation);
      options_.micro_batches.reset();
    } else {
      options_.micro_batches = static_cast<int>(batch.micro_batches);
    }
  }
  void take_rule() {
    bool const is_same =
        options_.asked.has("--optimizer") && options_.optimizer == static_cast<RuleName>(settings_.rule->index());
    if (is_same) options_.rule = settings_.rule;  // with what else the file says of it
    unless_asked("--optimizer", [&] {
      options_.rule = settings_.rule;
      options_.optimizer = static_cast<RuleName>(settings_.rule->index());  // in the same order
    });
    std::visit(
        [&](auto const& rule) {
          unless_asked("--lr", [&] { options_.lr = rule.lr; });
          unless_asked("--weight-decay", [&] { options_.weight_decay = rule.weight_decay; });
          if constexpr (requires { rule.beta2; }) unless_asked("--beta2", [&] { options_.beta2 = rule.beta2; });
          if constexpr (requires { rule.momentum; })
            unless_asked("--momentum", [&] { options_.momentum = rule.momentum; });
        },
        *settings_.rule);
    keep_nesterov_possible();
  }
  /// Sgd that looks ahead needs a momentum to do so by.
  void keep_nesterov_possible() {
    auto* const sgd = options_.rule ? std::get_if<zero::Sgd::Config>(&*options_.rule) : nullptr;
    if (sgd == nullptr || !sgd->nesterov || options_.momentum > 0.0) return;
    sgd->nesterov = false;
    lines_.push_back(
        "configuration: optimizer.params.nesterov: --momentum 0 leaves nothing to look ahead by: left out");
  }
  void take_precision() {
    auto const& precision = *settings_.precision;
    if (precision.sum != zero::ElementType::fp32) {
      throw UsageError(options_.config.value_or("") + ": data_types.grad_accum_dtype: this program sums gradients in " +
                       "fp32: leave it out, or use the library");
    }
    unless_asked("--precision", [&] { options_.precision = precision.compute; });
    options_.scale = precision.scale;
  }
  void take_sharding() {
    options_.sharding = settings_.sharding;
    auto const& sharding = *settings_.sharding;
    unless_asked("--stage", [&] { options_.stage = sharding.stage; });
    unless_asked("--offload", [&] { options_.offload = sharding.offload.has_value(); });
    unless_asked("--delayed-update", [&] {
      options_.delayed_update = options_.offload && sharding.offload && sharding.offload->delayed_update;
    });
    if (options_.delayed_update && sharding.offload && sharding.offload->device_share > 0.0) {
      options_.sharding->offload->device_share = 0.0;
      lines_.push_back(
          "configuration: zero_optimization.offload_optimizer.ratio: --delayed-update needs all states in host memory, "
          "and so the ratio is 1");
    }
  }
  void take_recomputation() {
    unless_asked("--recompute", [&] { options_.recompute = zero::activation::Recompute::block; });
    options_.kept_inputs = settings_.recomputation->kept_inputs;
    options_.inputs_in_host_memory = settings_.recomputation->inputs_in_host_memory;
  }
  void take_profiling() {
    unless_asked("--wall-clock-breakdown", [&] { options_.wall_clock_breakdown = settings_.wall_clock_breakdown; });
    unless_asked("--memory-breakdown", [&] { options_.memory_breakdown = settings_.memory_breakdown; });
    unless_asked("--comms-log", [&] {
      options_.comms_log = settings_.communication_log.has_value();
      if (settings_.communication_log) options_.logged_collectives = settings_.communication_log->operations;
    });
  }
  void take_schedule() {
    for (auto const* option : {"--min-lr", "--warmup", "--schedule", "--decay"}) {
      if (!options_.asked.has(option)) continue;
      lines_.push_back(std::string("configuration: ") + option + " replaces the file's scheduler, " +
                       std::string(settings_.schedule->name()) +
                       ", whole: --schedule and the options beside it say it");
      return;
    }
    options_.schedule = settings_.schedule;
    expect_momentum_below_one();
    unless_asked("--skipped-step", [&] { options_.skipped_step = zero::schedule::SkippedStep::hold; });
  }

  /// Which step is the last one only the run knows, and what decays without end has its largest value there.
  void expect_momentum_below_one() const {
    try {
      options_.schedule->require_steps(options_.iterations);
    } catch (zero::ConfigurationError const& error) {
      std::string text = error.what();
      constexpr std::string_view setting = "decay_momentum_rate";
      if (auto const at = text.find(setting); at != std::string::npos)
        text.replace(at, setting.size(), "decay_mom_rate");
      throw UsageError(*options_.config + ": scheduler.params.decay_mom_rate: " + text.substr(text.find(": ") + 2));
    }
  }

  CommonOptions& options_;
  config::Settings const& settings_;
  std::vector<std::string>& lines_;
};

/// What a file says of an evaluation replaces what the checkpoint says, as options do.
void ask(CommonOptions& options, config::Settings const& settings) {
  auto& given = options.asked.given;
  given.try_emplace("--batch", std::to_string(settings.batch.micro_batch));
  if (settings.precision) given.try_emplace("--precision", std::string(name(settings.precision->compute)));
}

/// Options that say what a configuration could say, too.
constexpr std::array overlapping{"--batch",
                                 "--accumulate",
                                 "--micro-batches",
                                 "--lr",
                                 "--min-lr",
                                 "--warmup",
                                 "--schedule",
                                 "--decay",
                                 "--skipped-step",
                                 "--weight-decay",
                                 "--beta2",
                                 "--momentum",
                                 "--optimizer",
                                 "--clip",
                                 "--precision",
                                 "--loss-scale",
                                 "--stage",
                                 "--offload",
                                 "--delayed-update",
                                 "--recompute",
                                 "--log-interval",
                                 "--tensorboard",
                                 "--csv",
                                 "--job-name",
                                 "--wall-clock-breakdown",
                                 "--memory-breakdown",
                                 "--cuda-graph",
                                 "--comms-log"};

}  // namespace

config::Settings settings_of(CommonOptions const& options) {
  auto const micro_batches = global_micro_batches(options);
  config::Settings settings;
  settings.batch = {.sequences = options.batch * micro_batches,
                    .micro_batch = options.batch,
                    .micro_batches = micro_batches,
                    .accumulation = options.micro_batches ? 0 : static_cast<std::uint64_t>(options.accumulate)};
  settings.gradient_clipping = options.clip;
  settings.rule = rule_of(options);
  settings.precision = precision_of(options);
  settings.sharding = sharding_of(options);
  settings.schedule = schedule_of(options);
  settings.tensorboard = options.tensorboard;
  settings.csv = options.csv;
  settings.steps_per_print = options.log_interval;
  settings.wall_clock_breakdown = options.wall_clock_breakdown;
  settings.memory_breakdown = options.memory_breakdown;
  settings.cuda_graph = options.cuda_graph;
  if (options.recompute == zero::activation::Recompute::block) {
    settings.recomputation = config::Recomputation{.kept_inputs = options.kept_inputs,
                                                   .inputs_in_host_memory = options.inputs_in_host_memory};
  }
  if (options.comms_log) settings.communication_log = config::CommunicationLog{options.logged_collectives};
  return settings;
}

bool lowers_scale(CommonOptions const& options) {
  return std::holds_alternative<zero::DynamicScale::Config>(precision_of(options).scale);
}

std::vector<std::string> take_configuration(CommonOptions& options, std::function<void()> const& check) {
  if (!options.config) return {};
  std::vector<std::string> lines;
  try {
    auto const settings = config::read(*options.config, read_options(options));
    Merge(options, settings, lines).run();
    check();
    for (auto const* option : overlapping) {
      auto const given = options.asked.given.find(option);
      if (given == options.asked.given.end()) continue;
      lines.push_back("configuration: " + given->first + " " + given->second + " is given beside the file, and wins");
    }
    if (options.evaluate) ask(options, settings);
    for (auto const& note : settings.notes) lines.push_back("configuration: " + note.key + ": " + note.text);
    lines.push_back("configuration: " + *options.config + ", as understood:\n" + config::to_json(settings_of(options)));
  } catch (config::ConfigError const& error) {
    throw UsageError(error.what());
  }
  return lines;
}

}  // namespace training
