// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The fused update beside the bare traffic of the same bytes: a loop that reads and writes the same arrays in place,
// streams the copy the same way, prefetches as far ahead, and computes next to nothing. Both run in turn in every
// iteration, so a busy machine slows both: `of_traffic`, the median over the iterations of traffic time / update time,
// says how near the roof an update is, whatever the roof.
#include "huge_pages.hpp"

#include <zero/kernels/adagrad.hpp>
#include <zero/kernels/adam.hpp>
#include <zero/kernels/cast.hpp>
#include <zero/kernels/lion.hpp>
#include <zero/kernels/real.hpp>
#include <zero/kernels/sgd.hpp>
#include <zero/kernels/update.hpp>
#include <zero/thread_pool.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

constexpr std::size_t elements = std::size_t{1} << 26;  // arrays of 128 and 256 MB: together beyond every cache
constexpr std::size_t task_elements = std::size_t{1} << 18;

struct NoCopy {};

struct FloatPages : HugePages {
  FloatPages() : HugePages(elements * sizeof(float)) {}
};

enum class Access { read, update, stream };

// What the traffic loop knows of an array: where it is, how wide its elements are and what happens to them.
template <std::size_t size, Access how>
struct Bytes {
  static constexpr std::size_t per_element = size * (how == Access::update ? 2 : 1);  // read and written
  std::byte* data;
};

typedef std::uint32_t Half __attribute__((vector_size(32)));  // of a cache line

#if defined(__x86_64__)
#define ZERO_MOVE_TARGET ZERO_TARGET_AVX2
#define ZERO_ANY_VALUE(x) asm volatile("" : "+x"(x))
#define ZERO_STREAM(to, x) asm("vmovntdq %1, %0" : "=m"(to) : "x"(x))
#else
#define ZERO_MOVE_TARGET
#define ZERO_ANY_VALUE(x) asm volatile("" : "+m"(x))
#define ZERO_STREAM(to, x) (to) = (x)
#endif

// 64 elements of one array. What is written is what was read, though the compiler does not know: the updates in between
// see ordinary numbers.
template <std::size_t size, Access how>
ZERO_MOVE_TARGET inline void move_row(Bytes<size, how> const& array, std::size_t i) {
  auto* const row = reinterpret_cast<Half*>(array.data + i * size);
#pragma GCC unroll 8
  for (std::size_t k = 0; k < 2 * size; ++k) {
    Half x{};
    if constexpr (how == Access::stream) {
      ZERO_STREAM(row[k], x);
    } else {
      if (k % 2 == 0) __builtin_prefetch(row + k + 1024 / sizeof(Half));
      x = row[k];
      ZERO_ANY_VALUE(x);
      if constexpr (how == Access::update) row[k] = x;
    }
  }
}

// Elements [from, from + task_elements) of all arrays: every line is read and written as its array says.
template <class... Array>
ZERO_MOVE_TARGET __attribute__((flatten, noinline)) void move_bytes(std::size_t from, Array... arrays) {
  for (std::size_t i = from; i < from + task_elements; i += 64) (move_row(arrays, i), ...);
  zero::detail::finish_streaming();
}

double seconds_of(zero::ThreadPool& pool, auto const& task) {
  auto const start = std::chrono::steady_clock::now();
  pool.parallel_for(elements / task_elements, [&](std::size_t k) { task(k * task_elements); });
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  auto const middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// All arrays of one rule and precision.
template <class Rule, class Copy, class Sum>
class Shard {
  static constexpr bool copies = !std::is_same_v<Copy, NoCopy>;
  using Compute = std::conditional_t<copies, Copy, float>;
  using Updated = Bytes<sizeof(float), Access::update>;
  using Gradient = Bytes<sizeof(Sum), Access::read>;
  using Streamed = Bytes<sizeof(Compute), Access::stream>;

 public:
  static constexpr std::size_t bytes =
      Updated::per_element * (1 + Rule::state_count) + Gradient::per_element + (copies ? Streamed::per_element : 0);

  Shard() { std::memset(gradient_.as<Sum>(), 0x3C, elements * sizeof(Sum)); }  // 0.011 in every precision, or near it

  void move(std::size_t from) const { move(from, std::make_index_sequence<Rule::state_count>{}); }

  void update(std::size_t from) const {
    zero::UpdateArguments<Rule, Compute, Sum> a{};
    a.master = at<float>(master_, from);
    a.gradient = at<Sum>(gradient_, from);
    if constexpr (copies) a.value = at<Compute>(copy_, from);
    for (std::size_t k = 0; k < Rule::state_count; ++k) a.states[k] = at<float>(states_[k], from);
    a.count = task_elements, a.constants = constants_, a.multiplier = 0.5F;
    zero::fused_update(zero::best_instruction_set(), a);
  }

 private:
  template <class T>
  static T* at(HugePages const& pages, std::size_t i) {
    return pages.as<T>() + i;
  }

  template <std::size_t... K>
  void move(std::size_t from, std::index_sequence<K...>) const {
    Updated const master{at<std::byte>(master_, 0)};
    Gradient const gradient{at<std::byte>(gradient_, 0)};
    if constexpr (copies) {
      move_bytes(from, gradient, master, Updated{at<std::byte>(states_[K], 0)}..., Streamed{at<std::byte>(copy_, 0)});
    } else {
      move_bytes(from, gradient, master, Updated{at<std::byte>(states_[K], 0)}...);
    }
  }

  FloatPages master_;
  HugePages gradient_{elements * sizeof(Sum)};
  FloatPages states_[Rule::state_count] = {};
  HugePages copy_{copies ? elements * sizeof(Compute) : 1};
  typename Rule::Constants constants_ = Rule::constants({}, 10);
};

template <class Rule, class Copy, class Sum>
void fused_update(benchmark::State& state) {
  using Arrays = Shard<Rule, Copy, Sum>;
  Arrays const shard;
  zero::ThreadPool pool(static_cast<int>(state.range(0)));
  std::vector<double> update_seconds, ratios;
  for (auto _ : state) {
    double const traffic = seconds_of(pool, [&](std::size_t from) { shard.move(from); });
    double const update = seconds_of(pool, [&](std::size_t from) { shard.update(from); });
    update_seconds.push_back(update);
    ratios.push_back(traffic / update);
    state.SetIterationTime(update);
  }
  double const update = median(update_seconds);
  state.counters["of_traffic"] = median(ratios);
  state.counters["GB/s"] = static_cast<double>(Arrays::bytes * elements) / update / 1e9;
  state.counters["Mparam/s"] = static_cast<double>(elements) / update / 1e6;
}

// Nine rounds of 0.2 s at most: all cases together stay below a minute.
void as_rounds(benchmark::internal::Benchmark* one) {
  one->ArgName("threads")->Arg(1)->Arg(2)->UseManualTime()->Iterations(9)->Unit(benchmark::kMillisecond);
}

#define ZERO_FUSED_UPDATE(...) BENCHMARK(fused_update<__VA_ARGS__>)->Apply(as_rounds)

using zero::bfloat16, zero::float16;
ZERO_FUSED_UPDATE(zero::AdamW, NoCopy, float);
ZERO_FUSED_UPDATE(zero::AdamW, float16, float);
ZERO_FUSED_UPDATE(zero::AdamW, bfloat16, float);
ZERO_FUSED_UPDATE(zero::AdamW, bfloat16, bfloat16);
ZERO_FUSED_UPDATE(zero::Adam, bfloat16, float);
ZERO_FUSED_UPDATE(zero::Sgd, bfloat16, float);
ZERO_FUSED_UPDATE(zero::Lion, bfloat16, float);
ZERO_FUSED_UPDATE(zero::Adagrad, bfloat16, float);

}  // namespace

BENCHMARK_MAIN();
