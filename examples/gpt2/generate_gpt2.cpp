// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// generate_gpt2: text from prompts, by a model that train_gpt2 or transformers has saved.

#include "data/open_files.hpp"
#include "data/shard.hpp"
#include "generation/generate_options.hpp"
#include "generation/perplexity.hpp"
#include "generation/prompts.hpp"
#include "generation/text_file.hpp"
#include "generation/text_model.hpp"
#include "generation/text_printer.hpp"
#include "generation/text_source.hpp"
#include "support/counted.hpp"
#include "support/data_error.hpp"
#include "support/program.hpp"

#include <zero/processors.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace gpt2 {
namespace {

using command_line::counted;
using command_line::DataError;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// What a run has cost, on standard error.
void print_stats(GenerateOptions const& options, TextModel& model, double loading, std::string const& work) {
  if (!options.stats) return;
  std::fflush(stdout);
  auto const megabytes = [](std::size_t bytes) { return static_cast<double>(bytes) / 1e6; };
  std::fprintf(stderr, "generate_gpt2: weights %.1f MB as %s, read in %.2f s; cache and scratch %.1f MB; %s; %s\n",
               megabytes(model.weights().bytes()), name(options.precision), loading, megabytes(model.decoder().bytes()),
               counted(static_cast<std::uint64_t>(model.pool().size()), "thread").c_str(), work.c_str());
}

std::string rate(std::size_t tokens, char const* done, double seconds) {
  char text[96];
  std::snprintf(text, sizeof text, " %s in %.2f s, %.1f tokens/s", done, seconds,
                static_cast<double>(tokens) / std::max(seconds, 1e-9));
  return counted(tokens, "token") + text;
}

int threads_of(GenerateOptions const& options) {
  return options.threads > 0 ? options.threads : zero::usable_processors();
}

[[noreturn]] void refuse_diverged(TextSource const& source) {
  throw DataError(source.name + ": its logits are not finite: the model has diverged, or --precision " +
                  "is too narrow for it");
}

void generate(GenerateOptions const& options, TextSource const& source) {
  auto const prompts = read_prompts(options, source);
  std::vector<std::vector<Token>> tokens;
  std::size_t longest = 0;
  for (auto const& prompt : prompts) {
    tokens.push_back(prompt.tokens);
    longest = std::max(longest, prompt.tokens.size());
  }
  auto const start = Clock::now();
  TextModel model(source.shape, options.precision, source.read, threads_of(options),
                  {std::min(options.batch, prompts.size()), longest, options.tokens});
  double const loading = seconds_since(start);
  TextPrinter printer(source, prompts, options.stops, options.json);
  std::vector<bool> was_ended(prompts.size());
  auto const on_token = [&](std::size_t text, Token token) {
    was_ended[text] = !options.ignores_end && source.end_of_text == token;
    return !was_ended[text] && printer.push(text, token);
  };
  TextBatch batch(model.decoder(), {options.tokens, options.sampling, options.seed}, std::move(tokens), on_token,
                  [&](std::size_t text) { printer.end(text, was_ended[text]); });
  auto const began = Clock::now();
  bool goes_on = true;
  double first = 0.0;  // until each of the first texts has a token: their prompts have been read
  std::size_t first_drawn = 0;
  while (goes_on) {
    try {
      goes_on = batch.step();
    } catch (std::invalid_argument const&) {
      refuse_diverged(source);
    }
    if (first_drawn == 0) first = seconds_since(began), first_drawn = batch.drawn();
  }
  std::size_t const later = batch.drawn() - first_drawn;
  print_stats(options, model, loading,
              counted(batch.drawn(), "token") + " of " + counted(prompts.size(), "text") + ", the first after " +
                  std::to_string(static_cast<long>(std::lround(1e3 * first))) + " ms, then " +
                  rate(later, "drawn", seconds_since(began) - first));
}

/// The tokens of a file: of text, or those of a .bin file.
std::vector<Token> tokens_to_predict(std::string const& path, TextSource const& source) {
  if (std::filesystem::path(path).extension() == ".bin") {
    Shard shard(std::make_shared<OpenFiles>(), path);
    shard.set_vocabulary(source.shape.vocabulary);
    std::vector<Token> tokens(static_cast<std::size_t>(shard.tokens()));
    shard.read(0, tokens);
    return tokens;
  }
  auto const& vocabulary = require_vocabulary(source);
  auto const text = read_text_file(path);
  try {
    return vocabulary.encode(text);
  } catch (zero_text::DataError const& error) {
    throw DataError(path + ": " + error.what());
  }
}

void measure(GenerateOptions const& options, TextSource const& source) {
  auto const tokens = tokens_to_predict(*options.perplexity, source);
  if (tokens.size() < 2) throw DataError(*options.perplexity + ": has one token; two are needed to predict one");
  auto const start = Clock::now();
  std::size_t const context = source.shape.context;
  TextModel model(source.shape, options.precision, source.read, threads_of(options), {1, context, 1});
  double const loading = seconds_since(start);
  auto const began = Clock::now();
  auto const found = predict(model.decoder(), tokens, model.pool());
  if (!std::isfinite(found.loss)) refuse_diverged(source);
  char line[160];
  char const* const format = options.json
                                 ? "{\"perplexity\": %.9g, \"loss\": %.9g, \"tokens\": %zu, \"context\": %zu}\n"
                                 : "perplexity %.6f, loss %.6f nats, over %zu tokens in windows of %zu\n";
  std::snprintf(line, sizeof line, format, std::exp(found.loss), found.loss, found.tokens, context);
  command_line::print(line);
  print_stats(options, model, loading, rate(found.tokens, "predicted", seconds_since(began)));
}

command_line::ExitCode run(GenerateOptions const& options) {
  auto const source = open_text_source(*options.model, {.heads = options.heads,
                                                        .characters = options.data,
                                                        .tokenizer = options.tokenizer,
                                                        .allows_other_tokenizer = options.allows_other_tokenizer});
  if (options.perplexity) {
    measure(options, source);
  } else {
    generate(options, source);
  }
  return command_line::ExitCode::done;
}

}  // namespace
}  // namespace gpt2

int main(int count, char const* const* arguments) {
  return command_line::run_program(gpt2::generate_command(), command_line::words_of(count, arguments),
                                   gpt2::parse_generate_options, gpt2::run);
}
