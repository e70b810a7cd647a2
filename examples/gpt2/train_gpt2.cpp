// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "blas.hpp"
#include "cuda/run.hpp"
#include "data/data_paths.hpp"
#include "data/shard_set.hpp"
#include "data/training_data.hpp"
#include "dry_start.hpp"
#include "flops.hpp"
#include "host_target.hpp"
#include "model_source.hpp"
#include "mpi/run.hpp"
#include "options.hpp"
#include "run.hpp"
#include "support/counted.hpp"
#include "support/program.hpp"
#include "training/client_state.hpp"
#include "training/console.hpp"
#include "training/curves.hpp"
#include "training/ending.hpp"
#include "training/output_folders.hpp"
#include "training/progress.hpp"
#include "training/run_output.hpp"
#include "training/run_settings.hpp"
#include "training/said_once.hpp"
#include "training/stop_signal.hpp"

#include <zero/activation/segment_plan.hpp>
#include <zero/bootstrap/launch_environment.hpp>
#include <zero/utility/shortest_number.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <exception>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

#include <unistd.h>

namespace gpt2 {
namespace {

using command_line::counted;

/// What ranks do, and what a step of all of them is.
void print_run(Options const& options, TrainingData const& data) {
  auto const ranks = counted(static_cast<std::uint64_t>(options.ranks), "rank");
  auto const precision = std::string(zero::name(options.precision));
  if (options.evaluate) {
    say("run: %s, ZeRO-%d, %s, evaluates only\n", ranks.c_str(), static_cast<int>(options.stage), precision.c_str());
    return;
  }
  bool const of_all = options.micro_batches.has_value();
  auto const micro_batches = static_cast<std::uint64_t>(options.micro_batches.value_or(options.accumulate));
  say("run: %s, ZeRO-%d, %s, offload %s%s, %s x %s per %sstep\n", ranks.c_str(), static_cast<int>(options.stage),
      precision.c_str(), options.offload ? "cpu" : "none", options.delayed_update ? " a step late" : "",
      counted(options.batch, "sequence").c_str(), counted(micro_batches, "micro-batch").c_str(),
      of_all ? "" : "rank and ");
  auto const all = global_micro_batches(options);
  auto const tokens = all * options.batch * options.context;
  auto const epoch = static_cast<double>(data.train_tokens()) / static_cast<double>(tokens);
  say("step: G = %s of all ranks, %s sequences, %s tokens; an epoch of the training data is %.1f steps\n",
      counted(all, "micro-batch").c_str(), with_separators(all * options.batch).c_str(),
      with_separators(tokens).c_str(), epoch);
}

/// What is not kept of the forward pass, and what is dropped in it.
void print_activations(Options const& options) {
  using zero::activation::SegmentPlan;
  auto const settings = activation_settings(options);
  SegmentPlan const plan(options.layers, settings.recompute, settings.kept_inputs);
  if (settings.recompute == Recompute::selective) {
    say("activations: the backward pass computes attention again\n");
  } else if (settings.recompute == Recompute::block && plan.kept_inputs() > 0) {
    char const* const pinned = options.cuda ? " in pinned host memory" : " in host memory, as all is on the CPU";
    say("activations: the backward pass computes blocks again, from %s%s\n",
        counted(plan.kept_inputs(), "kept input").c_str(), settings.inputs_in_host_memory ? pinned : "");
  } else if (settings.recompute == Recompute::block) {
    say("activations: nothing is computed again, as the last block never is, and there is no other\n");
  }
  if (options.dropout > 0.0) {
    say("dropout: %s of the elements, in training only\n", zero::shortest_number(options.dropout).c_str());
  }
}

void print_start(Options const& options, TrainingData const& data) {
  std::size_t const parameters =
      parameter_count({options.layers, options.heads, options.width, options.context, data.vocabulary()});
  say("data: %s, %s bytes, hash %016" PRIx64 ", vocabulary %zu\n", data.name().c_str(),
      with_separators(data.bytes()).c_str(), data.hash(), data.vocabulary());
  for (auto const& line : data.details()) say("data: %s\n", line.c_str());
  say("model: %s, %s, width %zu, context %zu: %s parameters\n", counted(options.layers, "layer").c_str(),
      counted(options.heads, "head").c_str(), options.width, options.context, with_separators(parameters).c_str());
  print_run(options, data);
  print_activations(options);
  say("products: %s\n", options.cuda ? describe_cuda().c_str() : describe_products().c_str());
  if (!options.peak_flops || options.evaluate) return;
  ModelShape const shape{options.layers, options.heads, options.width, options.context, data.vocabulary()};
  say("flops: %.4g per token, and each rank has at most %.4g per second\n", flops_per_token(shape),
      *options.peak_flops);
}

/// Where a launcher has started several processes, each is one rank of the run.
void take_ranks_of(Processes const& processes, Options& options) {
  if (processes.world == 1) return;
  if (options.ranks != 1 && options.ranks != processes.world) {
    throw UsageError("--ranks " + std::to_string(options.ranks) + ": a launcher has started " +
                     std::to_string(processes.world) + " processes, and each is one rank: leave it out");
  }
  options.ranks = processes.world;
}

/// On the CPU a launcher's processes reach each other over MPI: without it each would train a model of its own, and
/// write to the same files.
void expect_mpi(zero::LaunchEnvironment const& launch) {
  std::string const count = std::to_string(launch.world);
  std::string const refused = "--device cpu: " + launch.source + " has started " + count +
                              " processes, and each would train a model of its own: ";
  std::string const otherwise = ", or start one process, with --ranks " + count;
  if (mpi_version().empty()) {
    throw UsageError(refused + "this program was built without MPI: build it where MPI is (Debian, Ubuntu: " +
                     "libopenmpi-dev)" + otherwise);
  }
  if (launch.source != "torchrun") return;
  training::said_once([&] {
    throw UsageError(refused + "MPI does not know torchrun's processes: start them with mpirun, or srun --mpi=TYPE" +
                     otherwise);
  });
}

/// Takes the model's shape from what the run starts from. Returns its vocabulary, or 0 where it starts from nothing.
std::size_t take_start(Options& options, bool speaks) {
  if (options.evaluate) return take_shape_of_checkpoint(std::string(*options.evaluate), options).value_or(0);
  if (options.resume) {
    auto const& place = options.resume == "auto" ? *options.checkpoint_dir : *options.resume;
    if (auto const vocabulary = take_shape_of_checkpoint(place, options)) {
      if (options.init_from && speaks)
        say("parameters: %s is not read, as the run is resumed\n", options.init_from->c_str());
      options.init_from.reset();
      return *vocabulary;
    }
  }
  if (!options.init_from) {
    check_heads(options);
    return 0;
  }
  auto const source = open_model(*options.init_from);
  take_shape(source, options);
  options.init_from = source.tensors;
  options.characters = characters_beside(source.tensors);
  return source.shape.vocabulary;
}

/// The data, with the vocabulary of the model that the run starts from; 0: there is none.
TrainingData open_data(Options const& options, std::size_t vocabulary) {
  DataChoice const choice{.option = options.continue_with ? "--continue-with" : "--data",
                          .data = options.data,
                          .validation = options.validation_data};
  bool const tokens = options.data && names_shards(parse_data_paths(choice.option, *options.data).front().path);
  bool const fits = options.vocabulary == 0 || vocabulary == 0 || options.vocabulary == vocabulary;
  if (!fits) {
    throw UsageError("--vocab " + std::to_string(options.vocabulary) + ": the model that the run starts from has " +
                     std::to_string(vocabulary) + ": leave the option out");
  }
  DataRequirements const requirements{options.context, tokens && vocabulary != 0 ? vocabulary : options.vocabulary};
  auto data = TrainingData::open(choice, requirements, options.characters);
  if (vocabulary != 0 && data.vocabulary() != vocabulary) {
    bool const goes_on = options.resume && !options.parameters_only && !options.continue_with;
    throw DataError(data.name() + ": has " + std::to_string(data.vocabulary()) +
                    " characters, but the model that the run starts from has a vocabulary of " +
                    std::to_string(vocabulary) +
                    (goes_on ? ": the text is another one; go on with other data by --continue-with"
                             : ": give the text's tokens in a .bin file"));
  }
  return data;
}

/// Refuses a model whose states no machine like this one can hold, before the memory is asked for piece by piece.
void expect_room(Options const& options, std::size_t vocabulary) {
  if (options.cuda) return;
  auto const parameters =
      static_cast<double>(parameter_count({options.layers, options.heads, options.width, options.context, vocabulary}));
  double const least = 16.0 * parameters;  // parameters, sums and AdamW's two states, over all ranks
  double const there = static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGESIZE));
  if (there <= 0.0 || least < 4.0 * there) return;  // swap may hold some of it
  throw std::runtime_error(
      "out of memory: the model has " + with_separators(static_cast<std::uint64_t>(parameters)) +
      " parameters, whose states take " + with_separators(static_cast<std::uint64_t>(least / 1e9)) +
      " GB and more; this machine has " + with_separators(static_cast<std::uint64_t>(there / 1e9)) +
      ": use a smaller --width or --layers");
}

/// What a rank's part of the GPUs has at most, where that is known by their name. Ranks that are threads share them.
std::optional<double> peak_of_gpus(Options const& options, Processes const& processes) {
  auto const gpus = find_gpus();
  auto const peak = known_peak_flops(gpus.name, options.precision);
  if (!peak || processes.world > 1) return peak;
  return *peak * std::min(1.0, static_cast<double>(gpus.count) / static_cast<double>(options.ranks));
}

/// What a run reads before it trains.
struct Inputs {
  std::optional<RunOutput> output;
  std::optional<TrainingData> data;

  /// \p options take on what the inputs say.
  void read(Options& options, Processes const& processes) {
    take_ranks_of(processes, options);
    bool const speaks = processes.rank == 0;
    for (auto const& line : take_configuration(options, [&] { check_options(options); })) {
      if (speaks) say("%s\n", line.c_str());
    }
    output.emplace(options, speaks, "tokens", LossKind::of_tokens);
    if (options.profile_file && speaks) training::expect_writable_file("--profile-file", *options.profile_file);
    std::size_t const vocabulary = take_start(options, speaks);
    check_micro_batches(options);
    check_cuda_graph(options, processes.world);
    data.emplace(open_data(options, vocabulary));
    expect_room(options, data->vocabulary());
    if (options.client_state && speaks) options.client_json = read_client_state(*options.client_state);
    if (options.cuda && !options.peak_flops) options.peak_flops = peak_of_gpus(options, processes);
    if (!options.dry_run) output->claim();
  }
};

/// Trains by \p f, which returns false where a signal has stopped it.
template <class F>
command_line::ExitCode train_by(F const& f, Inputs const& inputs, Options const& options, bool speaks) {
  if (speaks) print_start(options, *inputs.data);
  if (options.dry_run) {
    if (speaks) {
      check_start(options, *inputs.data);
      say("dry run: nothing was trained, and nothing was written\n");
    }
    return command_line::ExitCode::done;
  }
  if (options.checkpoint_dir || has_curves(options)) catch_stop_signals();
  bool const finished = f();
  if (!finished && speaks)
    say("stopped by a signal; %s\n",
        options.checkpoint_dir ? "--resume auto goes on from here" : "its curves are written");
  return finished ? command_line::ExitCode::done : command_line::ExitCode::stopped;
}

constexpr char const* out_of_memory =
    "out of memory: use --recompute block, a smaller --batch, --width or --layers, or a higher --stage";

Options parse_as_rank(std::span<char const* const> arguments) {
  return training::said_once([&] { return parse_options(arguments); });
}

/// How long ranks wait at the end of a dry run for rank 0, which reads alone what all of them would read. They end with
/// it if it dies.
constexpr std::chrono::nanoseconds patience_of_dry_run = std::chrono::hours(24 * 365);

RankFailure judged(std::exception const& error) {
  bool const is_memory = dynamic_cast<std::bad_alloc const*>(&error) != nullptr;
  return {.code = exit_code_of(error),
          .what = is_memory ? out_of_memory : in_options(error.what()),
          .is_of_another = dynamic_cast<zero::CommunicationError const*>(&error) != nullptr};
}

/// This process's part of a run over MPI. Comes back where all ranks do.
command_line::ExitCode run_over_mpi(Options options, zero::LaunchEnvironment const& launch) {
  MpiProcess process(judged, deadline(options));
  try {
    process.expect(launch);
    Processes const processes{launch.rank, launch.world};
    bool const speaks = processes.rank == 0;
    Inputs inputs;
    process.prepare([&] { in_words_of_options(out_of_memory, [&] { inputs.read(options, processes); }); });
    auto const train = [&] { return process.run(options, *inputs.data, *inputs.output); };
    auto const code = in_words_of_options(out_of_memory, [&] { return train_by(train, inputs, options, speaks); });
    if (options.dry_run && speaks) {
      say("mpi: ranks of one host share up to %s bytes besides their engines' memory\n",
          with_separators(process.bytes_of_host()).c_str());
    }
    process.leave(options.dry_run ? patience_of_dry_run : deadline(options));
    return code;
  } catch (std::exception const& error) {
    process.fail(error);
  }
}

command_line::ExitCode run(Options options) {
  auto const launch = zero::LaunchEnvironment::read();
  bool const hides_terminal = launch.world > 1 || launch.source == "Open MPI";
  if (hides_terminal) console().show_lines_only();
  if (!options.cuda && launch.world > 1) {
    expect_mpi(launch);
    return run_over_mpi(std::move(options), launch);
  }
  return in_words_of_options(out_of_memory, [&] {
    Processes const processes = options.cuda ? require_cuda() : Processes{};
    Inputs inputs;
    inputs.read(options, processes);
    auto const train = [&] {
      return options.cuda ? run_on_cuda(options, processes, *inputs.data, *inputs.output)
                          : run_on<HostTarget>(options, *inputs.data, *inputs.output);
    };
    return train_by(train, inputs, options, processes.rank == 0);
  });
}

}  // namespace
}  // namespace gpt2

int main(int count, char const* const* arguments) {
  training::console().set_program(std::string(gpt2::command().name));
  auto const version = [] {
    auto found = gpt2::describe_accelerators();
    found.mpi = gpt2::mpi_version();
    return command_line::version_of(gpt2::command().name, found);
  };
  return command_line::run_program(gpt2::command(), command_line::words_of(count, arguments), gpt2::parse_as_rank,
                                   gpt2::run, version, training::exit_code_of);
}
