// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "support/command_line.hpp"

#include <zero/activation/segment_plan.hpp>
#include <zero/config/settings.hpp>
#include <zero/monitor/curve_folder.hpp>
#include <zero/partitioner.hpp>
#include <zero/precision.hpp>
#include <zero/schedule/clock.hpp>
#include <zero/schedule/schedule.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// What every trainer here has, whatever its model and data are: options, output, checkpoints and the state of a run.
namespace training {

using command_line::UsageError;

/// Steps by number, from 1, both included.
struct StepRange {
  std::uint64_t first = 1, last = 1;
};

/// What the learning rate does after warm-up.
enum class ScheduleChoice : std::uint8_t {
  cosine,    ///< half a cosine down to the lowest
  linear,    ///< a line down to the lowest
  constant,  ///< stays
  wsd,       ///< warm-up, stable, decay: stays, and falls at the end in a line to the lowest
};

/// Which rule updates the parameters.
enum class RuleName : std::uint8_t { adamw, adam, sgd, lion, adagrad };

/// What any trainer is asked to do, whatever its model and data are: the program's own options are derived from it. The
/// defaults are nanoGPT's setting for a CPU.
struct CommonOptions {
  std::optional<std::string> config;           ///< DeepSpeed's configuration, which says some of what follows
  bool deepspeed = false;                      ///< as DeepSpeed's users write beside it
  bool dry_run = false;                        ///< end before anything is trained or written
  std::optional<std::string> data;             ///< without it: the program's own
  std::optional<std::string> validation_data;  ///< without it: a part of `data`
  std::optional<std::size_t> workers;          ///< threads of a rank that load; default: the program's
  std::size_t prefetch = 2;                    ///< micro-batches that are loaded ahead, on each rank
  bool cuda = false;                           ///< compute on GPUs
  bool cuda_graph = false;                     ///< steps are recorded once, and launched as a whole
  int ranks = 1;
  int threads = 0;          ///< per rank; 0: the cores divided by the ranks
  double deadline = 600.0;  ///< seconds, of every wait for another rank
  zero::Stage stage = zero::Stage::gradients;
  zero::ElementType precision = zero::ElementType::fp32;
  bool offload = false;
  bool delayed_update = false;  ///< of offloaded states
  zero::activation::Recompute recompute = zero::activation::Recompute::none;
  std::size_t batch = 12;            ///< samples, such as sequences, per rank and micro-batch
  int accumulate = 1;                ///< micro-batches per rank and step
  std::optional<int> micro_batches;  ///< per step of all ranks, in place of `accumulate`
  bool allow_idle_ranks = false;
  std::optional<zero::Reduce> reduce;
  std::uint64_t iterations = 2000;
  double lr = 1e-3;
  std::optional<double> min_lr;         ///< default: a tenth of lr
  std::optional<std::uint64_t> warmup;  ///< default: 100 steps, or a tenth of a shorter run
  ScheduleChoice shape = ScheduleChoice::cosine;
  std::optional<std::uint64_t> decay;                ///< steps at the end, of wsd; default: a fifth of the run
  std::optional<zero::schedule::Schedule> schedule;  ///< in place of all that `lr` to `decay` say
  zero::schedule::SkippedStep skipped_step = zero::schedule::SkippedStep::advance;  ///< as in nanoGPT
  RuleName optimizer = RuleName::adamw;
  double weight_decay = 0.1, beta2 = 0.99, momentum = 0.0, clip = 1.0;
  /// \name What only a configuration can say
  /// @{
  std::optional<zero::config::RuleChoice> rule{};  ///< in place of `optimizer`; the numbers above stay options
  std::optional<zero::config::Sharding> sharding{};
  std::optional<zero::config::ScaleChoice> scale{};  ///< of fp16
  std::optional<std::size_t> kept_inputs{};          ///< with Recompute::block; empty: all
  bool inputs_in_host_memory = false;                ///< these, of a model on a GPU
  std::vector<std::string> logged_collectives{};     ///< of comms_log; empty: all
  /// @}
  std::optional<double> loss_scale;  ///< of fp16; 0: dynamic; default: `scale`, or dynamic
  std::uint64_t eval_interval = 250;
  std::optional<std::string> evaluate;  ///< a checkpoint whose losses are asked for, without training
  std::uint64_t seed = 1337;
  std::optional<std::string> log;
  std::optional<zero::monitor::CurveFolder> tensorboard;
  std::optional<zero::monitor::CurveFolder> csv;
  std::optional<zero::monitor::CurveFolder> json_lines;
  std::optional<std::string> job_name;        ///< of all three; without it each has its own
  std::optional<std::uint64_t> log_interval;  ///< steps between lines on standard output
  std::uint64_t patience = 0;                 ///< validations in a row without an improvement; 0: any number
  double min_delta = 0.0;                     ///< what is not more is no improvement
  bool wall_clock_breakdown = false;          ///< where the time of steps went, after lines that stay
  std::optional<StepRange> profile;           ///< steps whose trace is written
  std::optional<std::string> profile_file;    ///< where to; default: profile.json of checkpoint_dir, or here
  bool comms_log = false;                     ///< collectives, at the end
  bool memory_breakdown = false;              ///< lines of memory, at points of the run
  bool nvtx = false;                          ///< ranges for NVIDIA's tools
  std::uint64_t max_skips = 20;               ///< steps in a row; 0: any number
  std::optional<std::string> checkpoint_dir;
  std::optional<std::uint64_t> save_interval;  ///< steps; default: eval_interval
  std::size_t keep = 0;                        ///< checkpoints; 0: all
  std::optional<std::string> resume;           ///< `auto`, or a checkpoint's folder
  std::optional<std::string> init_from;        ///< a model of another program's
  std::optional<std::string> client_state;     ///< a file with JSON
  std::string client_json{};                   ///< what it says; empty: nothing
  bool parameters_only = false;
  bool new_optimizer = false;    ///< of a run that is resumed: without optimizer states
  bool new_schedule = false;     ///< of a run that is resumed: from its first step on
  bool overwrite = false;        ///< take a folder of another run
  bool saves_best_only = false;  ///< and the end
  std::string tag = "step";      ///< what checkpoints are called before their number
  command_line::Asked asked{};
};

/// How long a rank waits for another one, wherever it does.
[[nodiscard]] std::chrono::nanoseconds deadline(CommonOptions const& options);

/// The option by which a run that resumes another is one of its own; empty where there is none.
[[nodiscard]] std::string option_of_another_run(CommonOptions const& options);

/// \throws UsageError for more ranks than micro-batches, unless that is allowed.
void check_micro_batches(CommonOptions const& options);

/// Micro-batches of a step of all ranks, and those of the ranks that have most.
[[nodiscard]] std::uint64_t global_micro_batches(CommonOptions const& options);
[[nodiscard]] std::size_t micro_batch_rounds(CommonOptions const& options);

/// \name What the defaults of --min-lr, --warmup and --decay stand for.
/// @{
[[nodiscard]] double lowest_learning_rate(CommonOptions const& options);

[[nodiscard]] std::uint64_t warmup_steps(CommonOptions const& options);
[[nodiscard]] std::uint64_t decay_steps(CommonOptions const& options);
/// @}

/// `options.schedule`, or the one that the other options say, nanoGPT's by default. \throws zero::ConfigurationError
[[nodiscard]] zero::schedule::Schedule schedule_of(CommonOptions const& options);

/// \name What options are worth together, in the order in which a program looks. \throws UsageError.
/// @{
/// --deepspeed, of the command line alone: a configuration does not say it.
void check_configuration(CommonOptions const& options);
/// --workers and --prefetch.
void check_loading(CommonOptions const& options);
/// Learning rate, micro-batches, rule and types.
void check_training(CommonOptions const& options);
/// Times, memory and traces.
void check_profiling(CommonOptions const& options);
/// Of --evaluate: no option is given but \p kept, to which it leaves something to say.
void check_evaluation(CommonOptions const& options, std::span<char const* const> kept);
/// What needs --checkpoint-dir or --resume. \p writes_models: the run writes models, by \p model_option.
void check_checkpoints(CommonOptions const& options, bool writes_models, std::string_view model_option);
/// --overwrite, --save and --tag.
void check_saving(CommonOptions const& options);
/// @}

/// Gives --job-name to all curves. \throws UsageError where there are none.
void take_job_name(CommonOptions& options);

/// FROM:TO of --profile, or nothing.
[[nodiscard]] std::string profile_of(CommonOptions const& options);

}  // namespace training
