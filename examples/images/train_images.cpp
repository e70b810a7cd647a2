// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "checkpoints.hpp"
#include "cuda/run.hpp"
#include "options.hpp"
#include "run.hpp"
#include "run_data.hpp"
#include "shown_batch.hpp"
#include "support/counted.hpp"
#include "support/data_error.hpp"
#include "support/program.hpp"
#include "training/client_state.hpp"
#include "training/console.hpp"
#include "training/ending.hpp"
#include "training/progress.hpp"
#include "training/run_settings.hpp"
#include "training/said_once.hpp"
#include "training/stop_signal.hpp"

#include <zero/bootstrap/launch_environment.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <utility>

namespace images {
namespace {

using command_line::counted;
using command_line::DataError;
using command_line::ExitCode;
using training::say;

constexpr char const* out_of_memory = "out of memory: use a smaller --batch, a smaller --model, or a higher --stage";

/// On the CPU ranks are threads: a launcher's processes would each train a model of their own.
void expect_one_process() {
  auto const launch = zero::LaunchEnvironment::read();
  if (launch.world <= 1) return;
  std::string const count = std::to_string(launch.world);
  throw UsageError(launch.source + " has started " + count +
                   " processes, and each would train a model of its own: start one process, with --ranks " + count);
}

/// On GPUs each rank is a process.
void take_ranks_of(zero::LaunchEnvironment const& launch, Options& options) {
  std::string const ranks = std::to_string(options.ranks), count = std::to_string(launch.world);
  if (launch.world == 1 && options.ranks > 1) {
    throw UsageError(
        "--ranks " + ranks +
        ": on GPUs each rank is a process, because autograd runs the hooks of a device on one thread, in "
        "which ranks that are threads would wait for each other for ever: torchrun --no-python --nproc-per-node " +
        ranks + " train_images --device cuda ... starts them");
  }
  if (options.ranks != 1 && options.ranks != launch.world) {
    throw UsageError("--ranks " + ranks + ": " + launch.source + " has started " + count +
                     " processes, and each is one rank: leave it out");
  }
  options.ranks = launch.world;
}

/// What a launcher has made of this process; one that is alone on the CPU.
zero::LaunchEnvironment take_place(Options& options) {
  if (!options.cuda) {
    training::said_once([] { expect_one_process(); });
    return {};
  }
  // Reasons that need no GPU first.
  training::said_once([&] { take_ranks_of(zero::LaunchEnvironment::read(), options); });
  auto launch = require_cuda();
  if (launch.world > 1) training::console().show_lines_only();  // nobody looks at a launcher's terminal
  return launch;
}

/// What a configuration says that this program has not.
void tell_of_what_is_left_out(Options& options, bool speaks) {
  auto const leave_out = [speaks](auto& value, char const* key) {
    if (!value) return;
    value = {};
    if (speaks) say("configuration: %s: this program has nothing like it: left out\n", key);
  };
  leave_out(options.wall_clock_breakdown, "wall_clock_breakdown");
  leave_out(options.memory_breakdown, "memory_breakdown");
  leave_out(options.comms_log, "comms_logger");
  leave_out(options.cuda_graph, "cuda_graph");
  if (options.recompute != zero::activation::Recompute::none) {
    options.recompute = zero::activation::Recompute::none;
    if (speaks) say("configuration: activation_checkpointing: this program has nothing like it: left out\n");
  }
}

/// How many steps a run of so many epochs has.
std::uint64_t steps_of(Options const& options, RunData const& data) {
  Epochs const epochs{data.training_pictures(), options.batch * training::global_micro_batches(options)};
  return epochs.last_step(options.epochs);
}

/// Options take on what a configuration says, which knows how long the run is.
void take_configuration(Options& options, RunData const& data, bool speaks) {
  if (options.config) {
    Options sizes = options;  // the steps follow from sizes that the file says
    (void)training::take_configuration(sizes, [&] { check_options(sizes); });
    options.iterations = steps_of(sizes, data);
    for (auto const& line : training::take_configuration(options, [&] { check_options(options); })) {
      if (speaks) say("%s\n", line.c_str());
    }
    tell_of_what_is_left_out(options, speaks);
  }
  options.iterations = steps_of(options, data);
  if (options.warmup && *options.warmup > options.iterations) {
    throw UsageError("--warmup " + std::to_string(*options.warmup) + ": the run has " +
                     counted(options.iterations, "step") + ": give no more, or more --epochs");
  }
  if (options.decay && *options.decay > options.iterations - training::warmup_steps(options)) {
    throw UsageError("--decay " + std::to_string(*options.decay) + ": the run has " +
                     counted(options.iterations, "step") + ", with those of --warmup: give no more");
  }
  training::check_micro_batches(options);
}

ModelShape shape_of(Options const& options, RunData const& data) {
  auto const size = data.size();
  ModelShape shape{.name = options.model,
                   .classes = options.classes.value_or(data.classes().size()),
                   .channels = size.channels,
                   .height = size.height,
                   .width = size.width,
                   .small_stem = options.small_stem,
                   .base_width = options.base_width,
                   .hidden = options.hidden};
  if (shape.classes < data.classes().size()) {
    throw UsageError("--classes " + std::to_string(shape.classes) + ": the data have " +
                     std::to_string(data.classes().size()) + ": give no less");
  }
  return shape;
}

/// Pictures of a checkpoint's model, where nobody asks for another size.
void take_image_size(Options& options) {
  if (!options.evaluate || options.image_size) return;
  auto const shape = saved_model(*options.evaluate, false)->shape;
  if (shape.height == shape.width) options.image_size = shape.height;
}

/// A checkpoint's model takes pictures of one size.
void expect_size(ModelShape const& saved, PictureSize const& size) {
  if (saved.channels == size.channels && saved.height == size.height && saved.width == size.width) return;
  auto const text = [](std::size_t height, std::size_t width) {
    return std::to_string(height) + " x " + std::to_string(width);
  };
  throw UsageError("--evaluate: the checkpoint's model takes pictures of " + text(saved.height, saved.width) +
                   ", and these are of " + text(size.height, size.width) + ": give --image-size " +
                   std::to_string(saved.height) + ", or other data");
}

/// What a run and the checkpoint that it goes on from have not alike, and the option that says it.
std::string difference_of_shapes(ModelShape const& saved, ModelShape const& asked) {
  auto const differ = [](std::string const& there, std::string const& here, std::string const& option) {
    return "the checkpoint holds " + there + ", and this run has " + here + ": give " + option;
  };
  auto const number = [](std::size_t n) { return std::to_string(n); };
  if (saved.name != asked.name) return differ(saved.name, asked.name, "--model " + saved.name);
  if (saved.classes != asked.classes) {
    return differ("a model of " + number(saved.classes) + " classes", "one of " + number(asked.classes),
                  "--classes " + number(saved.classes));
  }
  if (saved.small_stem != asked.small_stem) {
    return saved.small_stem ? differ("a model with a small stem", "one without", "--small-stem")
                            : differ("a model without a small stem", "one with it", "--small-stem off");
  }
  if (saved.base_width != asked.base_width) {
    return differ("a model of base width " + number(saved.base_width), "one of " + number(asked.base_width),
                  "--base-width " + number(saved.base_width));
  }
  if (saved.hidden != asked.hidden) {
    return differ("a hidden layer of " + number(saved.hidden), "one of " + number(asked.hidden),
                  "--hidden " + number(saved.hidden));
  }
  return differ("a model of pictures of " + number(saved.height) + " x " + number(saved.width),
                "pictures of " + number(asked.height) + " x " + number(asked.width),
                "--image-size " + number(saved.height) + ", or the data of its run");
}

/// Forgets the weights to start from, and \p speaks of it, where a checkpoint has all of them.
void leave_out_weights(Options& options, bool speaks) {
  if (!options.init_from) return;
  if (speaks) say("model: %s is not read, as the run is resumed\n", options.init_from->c_str());
  options.init_from.reset();
}

/// Looks at the file of weights to start from before anything is made for them.
void expect_weights(Options const& options) {
  if (!options.init_from) return;
  std::error_code error;
  auto const status = std::filesystem::status(*options.init_from, error);
  if (std::filesystem::is_regular_file(status)) return;
  char const* const what = std::filesystem::exists(status) ? "is no file" : "is not there";
  throw DataError("--init-from " + *options.init_from + ": " + what +
                  ": name a safetensors file with torchvision's names");
}

/// The model of the checkpoint that the run starts from, which options and data must fit.
ModelShape fitted_shape(Options& options, RunData const& data, bool speaks) {
  std::optional<SavedModel> saved;
  if (options.evaluate) saved = saved_model(*options.evaluate, false);
  if (options.resume) {
    bool const is_auto = options.resume == "auto";
    saved = saved_model(is_auto ? *options.checkpoint_dir : *options.resume, is_auto);
  }
  if (!saved) {
    expect_weights(options);
    return shape_of(options, data);
  }
  if (auto const other = difference_of_classes(data.classes(), saved->classes)) {
    throw DataError(data.name() + ": has other classes than the run of the checkpoint: " + *other);
  }
  if (options.evaluate) {
    expect_size(saved->shape, data.size());
    return saved->shape;
  }
  auto asked = shape_of(options, data);
  if (asked != saved->shape) throw UsageError("--resume: " + difference_of_shapes(saved->shape, asked));
  leave_out_weights(options, speaks);
  return asked;
}

/// Warns where each picture that is validated on says more than accuracies can bear.
void warn_of_few(RunData const& data) {
  auto const pictures = data.validation_pictures();
  std::uint64_t const classes = data.classes().size(), least = std::max<std::uint64_t>(20, classes);
  if (pictures == 0 || pictures >= least) return;
  training::console().warn(counted(pictures, "picture") + " to validate on " + (pictures == 1 ? "says" : "say") +
                           " little of " + counted(classes, "class") + ": give " + std::to_string(least) +
                           " or more, by --val-data or --val-share");
}

void print_start(Options const& options, RunData const& data, ModelShape const& shape) {
  using training::with_separators;
  for (auto const& line : data.notes()) say("data: %s\n", line.c_str());
  say("data: %s, %s to train on, %s to validate on, %s\n", data.name().c_str(),
      with_separators(data.training_pictures()).c_str(), with_separators(data.validation_pictures()).c_str(),
      counted(data.classes().size(), "class").c_str());
  say("model: %s%s, %s of %zu x %zu x %zu: %s parameters\n", shape.name.c_str(),
      shape.small_stem ? " with a small stem" : "", counted(shape.classes, "class").c_str(), shape.channels,
      shape.height, shape.width, with_separators(parameter_count(shape)).c_str());
  auto const ranks = counted(static_cast<std::uint64_t>(options.ranks), "rank");
  auto const precision = std::string(zero::name(options.precision));
  say("run: %s, ZeRO-%d, %s%s%s\n", ranks.c_str(), static_cast<int>(options.stage), precision.c_str(),
      options.offload ? ", optimizer states in host memory" : "", options.evaluate ? ", evaluates only" : "");
  if (options.evaluate) return;
  auto const all = training::global_micro_batches(options);
  say("step: G = %s of all ranks, %s pictures; %s in %s\n", counted(all, "micro-batch").c_str(),
      with_separators(all * options.batch).c_str(), counted(options.iterations, "step").c_str(),
      counted(options.epochs, "epoch").c_str());
}

/// Ranks that compute on the same processors share them.
int sharing_ranks(Options const& options, zero::LaunchEnvironment const& launch) {
  return options.cuda && launch.local_world > 0 ? launch.local_world : options.ranks;
}

/// All that the ranks do. Those of a dry run are made and started as any others, so that what a run refuses before its
/// first step is refused, and end before it.
ExitCode run_ranks(RunParts const& parts, zero::LaunchEnvironment const& launch) {
  auto const& options = parts.options;
  if (!options.dry_run && (options.checkpoint_dir || training::has_curves(options))) training::catch_stop_signals();
  bool const finished = options.cuda ? run_on_cuda(parts, launch) : run_on_host(parts);
  bool const speaks = launch.rank == 0;
  if (options.dry_run && speaks) say("dry run: nothing was trained, and nothing was written\n");
  if (!finished && speaks) {
    say("stopped by a signal; %s\n",
        options.checkpoint_dir ? "--resume auto goes on from here" : "its curves are written");
  }
  return finished ? ExitCode::done : ExitCode::stopped;
}

ExitCode run(Options options) {
  return training::in_words_of_options(out_of_memory, [&] {
    auto const launch = take_place(options);
    bool const speaks = launch.rank == 0;
    take_image_size(options);
    auto const data = RunData::open(options);
    if (options.evaluate && data.validation_pictures() == 0) {
      throw UsageError("--evaluate: there is nothing to validate on: give --val-data, or a --val-share above 0");
    }
    take_configuration(options, data, speaks);
    options.threads = training_threads(options, sharing_ranks(options, launch));
    training::RunOutput output(options, speaks, "images", training::LossKind::of_classes);
    HistoryFile history(speaks ? options.history : std::nullopt);
    if (options.show_batch && speaks) expect_place_of_batch(options);
    auto const shape = fitted_shape(options, data, speaks);
    if (options.client_state && speaks) options.client_json = training::read_client_state(*options.client_state);
    if (speaks) {
      print_start(options, data, shape);
      warn_of_few(data);
      if (options.cuda) say("device: %s\n", describe_device(launch).c_str());
    }
    if (!options.evaluate && !options.dry_run) output.claim();
    return run_ranks({options, data, shape, output, history}, launch);
  });
}

Options parse_as_rank(std::span<char const* const> arguments) {
  return training::said_once([&] { return parse_options(arguments); });
}

}  // namespace
}  // namespace images

int main(int count, char const* const* arguments) {
  // What torch multiplies matrices with on Intel's processors: without this the bits depend on where memory lies.
  (void)::setenv("MKL_CBWR", "AUTO,STRICT", /*overwrite=*/0);  // NOLINT(concurrency-mt-unsafe): before any thread
  training::console().set_program(std::string(images::command().name));
  return command_line::run_program(
      images::command(), command_line::words_of(count, arguments), images::parse_as_rank, images::run,
      [] { return command_line::version_of(images::command().name); }, training::exit_code_of);
}
