// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "blas.hpp"
#include "checkpoints.hpp"
#include "options.hpp"
#include "progress.hpp"
#include "stop_signal.hpp"
#include "tokens.hpp"
#include "trainer.hpp"

#include <atomic>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <string>

#include <unistd.h>

namespace gpt2 {
namespace {

void print_start(Options const& options, Corpus const& corpus) {
  std::size_t const parameters =
      parameter_count({options.layers, options.heads, options.width, options.context, corpus.vocabulary()});
  std::printf("data: %s, %s bytes, hash %016" PRIx64 ", vocabulary %zu\n", corpus.name().c_str(),
              with_separators(corpus.bytes()).c_str(), corpus.hash(), corpus.vocabulary());
  std::printf("model: %zu layers, %zu heads, width %zu, context %zu: %s parameters\n", options.layers, options.heads,
              options.width, options.context, with_separators(parameters).c_str());
  std::printf("run: %d rank%s, ZeRO-%d, %s, offload %s, %zu sequences x %d micro-batches per rank and step\n",
              options.ranks, options.ranks == 1 ? "" : "s", static_cast<int>(options.stage),
              std::string(zero::name(options.precision)).c_str(), options.offload ? "cpu" : "none", options.batch,
              options.accumulate);
  std::printf("products: %s\n", describe_products().c_str());
}

struct RankMemory {
  zero::MemoryReport engine;
  std::size_t activations;
  std::size_t scratch;
};

void print_bytes(int rank, char const* kind, std::string const& what, std::size_t bytes) {
  std::printf("  %4d  %-9s %-15s %16s\n", rank, kind, what.c_str(), with_separators(bytes).c_str());
}

void print_memory(std::vector<RankMemory> const& ranks, double padding) {
  std::printf("\nwhere memory went (bytes)\n  rank  kind      purpose\n");
  for (std::size_t r = 0; r < ranks.size(); ++r) {
    auto const& report = ranks[r].engine;
    for (std::size_t k = 0; k < zero::memory_kinds; ++k) {
      for (std::size_t p = 0; p < zero::memory_purposes; ++p) {
        auto const kind = static_cast<zero::MemoryKind>(k);
        auto const purpose = static_cast<zero::MemoryPurpose>(p);
        if (report.bytes(kind, purpose) == 0) continue;
        print_bytes(static_cast<int>(r), std::string(name(kind)).c_str(), std::string(name(purpose)),
                    report.bytes(kind, purpose));
      }
    }
    print_bytes(static_cast<int>(r), "model", "activations", ranks[r].activations);
    print_bytes(static_cast<int>(r), "model", "scratch", ranks[r].scratch);
    print_bytes(static_cast<int>(r), "", "in all", report.total() + ranks[r].activations + ranks[r].scratch);
  }
  std::printf("  padding of the flat space: %.2f %%\n", 100.0 * padding);
}

template <class T>
void report_memory(Trainer<T>& trainer, zero::ThreadCommunicator& communicator) {
  RankMemory const mine{trainer.memory(), trainer.activation_bytes(), trainer.scratch_bytes()};
  std::vector<RankMemory> all(static_cast<std::size_t>(communicator.size()));
  communicator.exchange(std::as_bytes(std::span(&mine, 1)), std::as_writable_bytes(std::span(all)));
  auto const& layout = trainer.layout();
  double const padding = static_cast<double>(layout.padding_elements()) / static_cast<double>(layout.total());
  if (communicator.rank() == 0) print_memory(all, padding);
}

/// False where a signal has stopped it.
template <class T>
bool train(zero::ThreadCommunicator& communicator, Options const& options, Corpus const& corpus, RunLog& log) {
  Trainer<T> trainer(communicator, options, corpus);
  bool const speaks = communicator.rank() == 0;
  Progress progress(options.iterations, ::isatty(STDOUT_FILENO) == 1);
  Checkpoints checkpoints(communicator, options, corpus, trainer);
  for (std::uint64_t step = checkpoints.start(); step < options.iterations; ++step) {
    auto record = trainer.train_step(step);
    bool const validates = record.step % options.eval_interval == 0 || record.step == options.iterations;
    if (validates) record.val_loss = trainer.validate();
    if (speaks) progress.step(record);
    if (speaks) log.step(record);
    if (checkpoints.after_step(record)) return false;
  }
  checkpoints.finish();
  auto const hash = trainer.parameter_hash();
  if (speaks) log.parameter_hash(hash);
  if (speaks) std::printf("parameter hash: %016" PRIx64 "\n", hash);
  if (options.sample > 0) {
    auto const text = trainer.sample(options.sample);
    if (speaks) std::printf("\nsample:\n%s\n", text.c_str());
  }
  report_memory(trainer, communicator);
  return true;
}

/// The exit code.
int run(Options const& options) {
  RunLog log(options.log, options.resume && !options.parameters_only);
  DataRequirements const requirements{options.context, options.vocabulary};
  Corpus const corpus =
      options.data ? Corpus::load(*options.data, requirements) : Corpus::of_standard_headers(requirements);
  print_start(options, corpus);
  if (options.checkpoint_dir) catch_stop_signals();
  std::atomic<bool> finished{true};
  zero::run_ranks(options.ranks, [&](zero::ThreadCommunicator& communicator) {
    auto const train_as = [&]<class T>(T) {
      if (!train<T>(communicator, options, corpus, log)) finished = false;
    };
    switch (options.precision) {
      case zero::ElementType::fp32:
        return train_as(float{});
      case zero::ElementType::bf16:
        return train_as(zero::bfloat16{});
      case zero::ElementType::fp16:
        return train_as(zero::float16{});
    }
  });
  if (!finished) std::printf("stopped by a signal; --resume auto goes on from here\n");
  return finished ? 0 : stopped_exit_code;
}

}  // namespace
}  // namespace gpt2

int main(int count, char const* const* arguments) {
  auto const fail = [](char const* what, int code) {
    std::fflush(stdout);
    std::fprintf(stderr, "train_gpt2: %s\n", what);
    return code;
  };
  try {
    auto const options = gpt2::parse_options({arguments + 1, static_cast<std::size_t>(count > 0 ? count - 1 : 0)});
    if (options.help) {
      std::fputs(gpt2::usage().c_str(), stdout);
      return 0;
    }
    return gpt2::run(options);
  } catch (gpt2::UsageError const& error) {
    return fail(error.what(), 2);
  } catch (gpt2::DataError const& error) {
    return fail(error.what(), 2);
  } catch (zero::ConfigurationError const& error) {
    return fail(error.what(), 2);
  } catch (zero::CheckpointError const& error) {
    bool const failed =
        error.kind() == zero::CheckpointFailure::input_output || error.kind() == zero::CheckpointFailure::no_space;
    return fail(error.what(), failed ? 1 : 2);
  } catch (std::bad_alloc const&) {
    return fail("out of memory: use a smaller --batch, --width or --layers, or a higher --stage", 1);
  } catch (std::exception const& error) {
    return fail(error.what(), 1);
  }
}
