// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "training/options.hpp"

#include "support/settings.hpp"
#include "training/option_groups.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

namespace training {
namespace {

void check_tag_prefix(std::string const& tag) {
  constexpr std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  bool const is_valid = !tag.empty() && tag.size() <= 100 && tag.find_first_not_of(allowed) == std::string::npos &&
                        std::string_view("._-").find(tag.front()) == std::string_view::npos;
  if (!is_valid) throw UsageError("--tag " + tag + ": expected letters, digits, '.', '_' and '-', at most 100");
}

}  // namespace

void check_configuration(CommonOptions const& o) {
  if (o.deepspeed && !o.config) throw UsageError("--deepspeed: needs --config FILE");
}

void check_loading(CommonOptions const& o) {
  if (o.workers == std::size_t{0} && o.prefetch > 0 && o.asked.has("--prefetch")) {
    throw UsageError("--prefetch " + std::to_string(o.prefetch) +
                     ": nothing is loaded ahead with --workers 0: leave it out, or give at least one worker");
  }
}

void check_evaluation(CommonOptions const& o, std::span<char const* const> kept) {
  for (auto const& [name, value] : o.asked.given) {
    if (std::find(kept.begin(), kept.end(), name) == kept.end()) {
      throw UsageError(name + ": --evaluate trains nothing and writes nothing: leave one of the two out");
    }
  }
}

void check_training(CommonOptions const& o) {
  if (o.min_lr && *o.min_lr > o.lr) throw UsageError("--min-lr: must not be above --lr");
  if (o.warmup && *o.warmup > o.iterations) throw UsageError("--warmup: must not be more than --iterations");
  if (o.min_lr && o.shape == ScheduleChoice::constant) {
    throw UsageError("--min-lr: the learning rate of --schedule constant stays --lr: leave one of them out");
  }
  if (o.decay && o.shape != ScheduleChoice::wsd) throw UsageError("--decay: needs --schedule wsd");
  if (o.decay && *o.decay > o.iterations - warmup_steps(o)) {
    throw UsageError("--decay: must not be more than the --iterations after --warmup");
  }
  if (o.reduce == zero::Reduce::once_per_step && o.stage >= zero::Stage::gradients) {
    throw UsageError("--reduce once_per_step: keeps whole gradients: use --stage 0 or 1");
  }
  if (o.micro_batches && o.asked.has("--accumulate")) {
    throw UsageError("--micro-batches counts those of all ranks, --accumulate those of each: give one of them");
  }
  if (o.asked.has("--momentum") && o.optimizer != RuleName::sgd) {
    throw UsageError("--momentum: needs --optimizer sgd");
  }
  if (o.asked.has("--beta2") && (o.optimizer == RuleName::sgd || o.optimizer == RuleName::adagrad)) {
    throw UsageError("--beta2: SGD and Adagrad have none: leave it out, or use another --optimizer");
  }
  if (o.asked.has("--loss-scale") && o.precision != zero::ElementType::fp16) {
    throw UsageError("--loss-scale: needs --precision fp16");
  }
  if (o.loss_scale && *o.loss_scale > 0.0 && *o.loss_scale < 1e-30) {
    command_line::reject("--loss-scale", o.asked.given.at("--loss-scale"), scale_range);
  }
  if (o.delayed_update && !o.offload) throw UsageError("--delayed-update: needs --offload cpu");
}

void check_profiling(CommonOptions const& o) {
  if (o.nvtx && !o.cuda) throw UsageError("--nvtx: needs --device cuda");
  if (o.profile_file && !o.profile) throw UsageError("--profile-file: needs --profile");
  if (o.profile && o.profile->first > o.iterations) {
    throw UsageError("--profile " + profile_of(o) + ": the run has " + std::to_string(o.iterations) + " steps");
  }
}

void check_checkpoints(CommonOptions const& o, bool writes_models, std::string_view model_option) {
  if (!o.checkpoint_dir) {
    if (o.saves_best_only) throw UsageError("--save best: needs --checkpoint-dir");
    bool const writes = writes_models || o.tensorboard || o.csv || o.json_lines;
    if (o.overwrite && !writes) {
      throw UsageError("--overwrite: needs --checkpoint-dir, " + std::string(model_option) +
                       ", --tensorboard, --csv or --json-lines");
    }
    if (o.save_interval) throw UsageError("--save-interval: needs --checkpoint-dir");
    if (o.client_state) throw UsageError("--client-state: needs --checkpoint-dir");
    if (o.keep > 0) throw UsageError("--keep: needs --checkpoint-dir");
    if (o.resume == "auto") throw UsageError("--resume auto: needs --checkpoint-dir, or name a checkpoint");
  }
  if (o.keep == 1) throw UsageError("--keep 1: expected 0 for all, or at least 2: the only one may be damaged");
  if (o.parameters_only && !o.resume) throw UsageError("--parameters-only: needs --resume");
  if (o.new_optimizer && !o.resume) throw UsageError("--new-optimizer: needs --resume");
  if (o.new_optimizer && o.parameters_only) {
    throw UsageError("--new-optimizer: keeps step and data order, which --parameters-only does not: leave one out");
  }
  if (o.new_schedule && !o.resume) throw UsageError("--new-schedule: needs --resume");
  if (o.new_schedule && o.parameters_only) {
    throw UsageError("--new-schedule: --parameters-only begins a run, and a schedule, anew: leave one out");
  }
}

void check_saving(CommonOptions const& o) {
  if (o.overwrite && o.resume == "auto" && !o.parameters_only && !o.new_optimizer && !o.new_schedule) {
    throw UsageError("--overwrite: starts anew, --resume auto goes on: leave one out");
  }
  if (o.saves_best_only && o.save_interval) throw UsageError("--save best: saves at no interval: leave one out");
  check_tag_prefix(o.tag);
}

void take_job_name(CommonOptions& o) {
  if (!o.job_name) return;
  if (!o.tensorboard && !o.csv && !o.json_lines) {
    throw UsageError("--job-name: names a folder of curves: needs --tensorboard, --csv or --json-lines");
  }
  if (o.tensorboard) o.tensorboard->job_name = *o.job_name;
  if (o.csv) o.csv->job_name = *o.job_name;
  if (o.json_lines) o.json_lines->job_name = *o.job_name;
}

std::string profile_of(CommonOptions const& o) {
  return o.profile ? std::to_string(o.profile->first) + ":" + std::to_string(o.profile->last) : std::string();
}

std::chrono::nanoseconds deadline(CommonOptions const& o) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(o.deadline));
}

void check_micro_batches(CommonOptions const& o) {
  if (!o.micro_batches) {
    if (o.allow_idle_ranks) {
      throw UsageError(
          "--allow-idle-ranks: every rank has micro-batches unless --micro-batches says how many there are");
    }
    return;
  }
  if (*o.micro_batches >= o.ranks || o.allow_idle_ranks) return;
  throw UsageError("--micro-batches " + std::to_string(*o.micro_batches) + ": fewer than the " +
                   std::to_string(o.ranks) +
                   " ranks: take fewer ranks, or --allow-idle-ranks, where the last ones hold states only");
}

std::uint64_t global_micro_batches(CommonOptions const& o) {
  return o.micro_batches ? static_cast<std::uint64_t>(*o.micro_batches)
                         : static_cast<std::uint64_t>(o.accumulate) * static_cast<std::uint64_t>(o.ranks);
}

std::size_t micro_batch_rounds(CommonOptions const& o) {
  auto const ranks = static_cast<std::size_t>(o.ranks);
  return (static_cast<std::size_t>(global_micro_batches(o)) + ranks - 1) / ranks;
}

double lowest_learning_rate(CommonOptions const& options) { return options.min_lr.value_or(options.lr / 10.0); }

std::string option_of_another_run(CommonOptions const& options) {
  if (!options.resume) return {};
  if (options.parameters_only) return "--parameters-only";
  if (options.new_optimizer) return "--new-optimizer";
  return options.new_schedule ? "--new-schedule" : "";
}

std::uint64_t warmup_steps(CommonOptions const& options) {
  return options.warmup.value_or(std::min<std::uint64_t>(100, options.iterations / 10));
}

std::uint64_t decay_steps(CommonOptions const& options) {
  return options.decay.value_or(std::min(options.iterations / 5, options.iterations - warmup_steps(options)));
}

zero::schedule::Schedule schedule_of(CommonOptions const& options) {
  namespace schedule = zero::schedule;
  if (options.schedule) return *options.schedule;
  double const lr = options.lr, least = lowest_learning_rate(options);
  std::uint64_t const warmup = warmup_steps(options), total = options.iterations;
  switch (options.shape) {
    case ScheduleChoice::constant:
      return schedule::Constant({.lr = lr, .warmup_steps = warmup});
    case ScheduleChoice::linear:
      return schedule::Linear({.lr = lr, .min_lr = least, .warmup_steps = warmup, .total_steps = total});
    case ScheduleChoice::wsd:
      return schedule::WarmupStableDecay({.lr = lr,
                                          .min_lr = least,
                                          .warmup_steps = warmup,
                                          .decay_steps = decay_steps(options),
                                          .total_steps = total});
    case ScheduleChoice::cosine:
      break;
  }
  return schedule::Cosine({.lr = lr, .min_lr = least, .warmup_steps = warmup, .total_steps = total});
}

}  // namespace training
