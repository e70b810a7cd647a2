// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Tokens per second of a GPT-2 that generates one text, for each type of weights, beside what limits them: how fast the
// same threads read as many bytes. Both are measured in turn, token by token, so that what else the machine does slows
// both.

#include <gpt2/generation/decoder.hpp>
#include <gpt2/generation/large_memory.hpp>
#include <gpt2/random.hpp>

#include <zero/thread_pool.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using gpt2::WeightType;

constexpr gpt2::ModelShape shape{.layers = 12, .heads = 12, .width = 768, .context = 1024, .vocabulary = 50257};
constexpr std::size_t prompt = 32, text = 96;  // tokens: the lengths that decoding is measured at

/// Values of a usual size that cost little to make.
std::vector<float> values_of(std::string const& name) {
  for (auto const& parameter : gpt2::parameter_shapes(shape)) {
    if (parameter.name != name) continue;
    std::vector<float> values(parameter.size());
    gpt2::CounterRandom const random(name.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = static_cast<float>(0.07 * (random.uniform(i % 65521) - 0.5));
    }
    return values;
  }
  return {};
}

/// The sum of all words, so that all are read, as fast as they can be: in order, and asked for in advance; in parts of
/// 512 KB, shared out as a decoder's are.
std::uint64_t read_all(zero::ThreadPool& pool, gpt2::LargeMemory const& memory) {
  typedef std::uint64_t Words __attribute__((vector_size(16)));  // of the least machine that runs this
  constexpr std::size_t part = std::size_t{512} << 10U, distance = 8192;
  std::vector<std::uint64_t> sums(memory.bytes() / part);  // the rest is too little to count
  pool.parallel_for(sums.size(), [&](std::size_t task) {
    std::byte const* const from = memory.get() + task * part;
    auto const at = [&](std::size_t place) {
      Words words;
      std::memcpy(&words, from + place, sizeof words);
      return words;
    };
    Words a{}, b{}, c{}, d{};
    for (std::size_t i = 0; i < part; i += 4 * sizeof(Words)) {
      __builtin_prefetch(from + i + distance);
      a += at(i), b += at(i + 16), c += at(i + 32), d += at(i + 48);
    }
    a += b + c + d;
    sums[task] = a[0] + a[1];
  });
  std::uint64_t sum = 0;
  for (auto const part_sum : sums) sum += part_sum;
  return sum;
}

double median(std::vector<double> values) {
  if (values.empty()) return 0.0;
  auto const middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

void begin_text(gpt2::Decoder& decoder) {
  decoder.clear(0);
  for (std::size_t i = 0; i < prompt; ++i) {
    gpt2::NextToken const next{0, static_cast<gpt2::Token>(31 * i)};
    decoder.append({&next, 1});
  }
}

void generate(benchmark::State& state, WeightType type) {
  zero::ThreadPool pool(static_cast<int>(state.range(0)));
  gpt2::DecoderWeights const weights(shape, type, values_of, pool);
  gpt2::LargeMemory const other(weights.bytes_per_token());
  gpt2::Decoder decoder(weights, 1, prompt + text, pool);
  begin_text(decoder);
  std::vector<double> reads, tokens;
  for ([[maybe_unused]] auto _ : state) {
    auto start = Clock::now();
    benchmark::DoNotOptimize(read_all(pool, other));
    reads.push_back(seconds_since(start));
    if (decoder.length(0) == prompt + text) begin_text(decoder);
    gpt2::NextToken const next{0, static_cast<gpt2::Token>(decoder.length(0)), true};
    start = Clock::now();
    decoder.append({&next, 1});
    tokens.push_back(seconds_since(start));
    state.SetIterationTime(tokens.back());
  }
  double const read = median(reads), token = median(tokens);
  state.counters["tokens_per_second"] = 1.0 / token;
  state.counters["read_GB_per_second"] = 1e-9 * static_cast<double>(weights.bytes_per_token()) / read;
  state.counters["share_of_limit"] = read / token;
  state.counters["weights_MB"] = 1e-6 * static_cast<double>(weights.bytes());
}

/// Tokens of a prompt, as many as a call takes at a time.
void read_prompt(benchmark::State& state, WeightType type) {
  zero::ThreadPool pool(static_cast<int>(state.range(0)));
  gpt2::DecoderWeights const weights(shape, type, values_of, pool);
  gpt2::Decoder decoder(weights, 1, gpt2::Decoder::most_tokens, pool);
  std::vector<gpt2::NextToken> const call(gpt2::Decoder::most_tokens, gpt2::NextToken{0, 17});
  for ([[maybe_unused]] auto _ : state) {
    decoder.clear(0);
    auto const start = Clock::now();
    decoder.append(call);
    state.SetIterationTime(seconds_since(start));
  }
  state.counters["tokens_per_second"] =
      benchmark::Counter(static_cast<double>(call.size()), benchmark::Counter::kIsIterationInvariantRate);
}

void threads(benchmark::internal::Benchmark* benchmark) {
  benchmark->Arg(1)->Arg(2)->ArgName("threads")->UseManualTime()->Unit(benchmark::kMillisecond);
}

BENCHMARK_CAPTURE(generate, fp32, WeightType::fp32)->Apply(threads);
BENCHMARK_CAPTURE(generate, bf16, WeightType::bf16)->Apply(threads);
BENCHMARK_CAPTURE(generate, fp16, WeightType::fp16)->Apply(threads);
BENCHMARK_CAPTURE(generate, int8, WeightType::int8)->Apply(threads);
BENCHMARK_CAPTURE(read_prompt, fp32, WeightType::fp32)->Apply(threads);
BENCHMARK_CAPTURE(read_prompt, int8, WeightType::int8)->Apply(threads);

}  // namespace

BENCHMARK_MAIN();
