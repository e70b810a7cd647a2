// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// In-process collectives of two ranks beside the bare traffic of the same bytes: two threads that read and write what
// the collective must, without a rank to meet. Both run in turn, so a busy machine slows both: `of_limit`, the median
// over the rounds of bare time / collective time, says how near the memory's limit a collective is. Sizes are of the
// whole buffer; fp32. And what it takes ranks to meet: exchanges of 8 bytes, one after the other; beside other
// programs, too, such as `stress-ng --cpu 8`, which is what a machine does that has not been made quiet.
#include "bare_traffic.hpp"
#include "huge_pages.hpp"

#include <zero/communicators/thread.hpp>

#include <benchmark/benchmark.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace {

constexpr int ranks = 2;
constexpr int rounds = 15;

/// What one rank runs in a round: the collective, and the bytes that it moves without one. `peer` is the other rank's.
struct ReduceScatter {
  static void collective(zero::ThreadCommunicator& c, float* mine, float* /*peer*/, std::size_t n, zero::HostStream s) {
    c.reduce_scatter_add(mine, mine + static_cast<std::size_t>(c.rank()) * n, n, {}, {.what = "benchmark"}, s);
  }
  // Reads the own slice and the peer's, writes the own in place.
  static void bare_traffic(zero::ThreadCommunicator& c, float* mine, float* peer, std::size_t n) {
    bare::add(mine + static_cast<std::size_t>(c.rank()) * n, peer + static_cast<std::size_t>(c.rank()) * n, n);
  }
};

struct AllGather {
  static void collective(zero::ThreadCommunicator& c, float* mine, float* /*peer*/, std::size_t n, zero::HostStream s) {
    c.all_gather(mine + static_cast<std::size_t>(c.rank()) * n, mine, n, {.what = "benchmark"}, s);
  }
  // Copies the peer's slice.
  static void bare_traffic(zero::ThreadCommunicator& c, float* mine, float* peer, std::size_t n) {
    std::size_t const slice = static_cast<std::size_t>(1 - c.rank()) * n;
    std::memcpy(mine + slice, peer + slice, n * sizeof(float));
  }
};

/// Seconds from when both ranks begin until both have ended.
template <class F>
double timed(zero::ThreadCommunicator& c, F&& f) {
  std::byte const one{};
  std::byte all[ranks];
  c.exchange({&one, 1}, all);
  auto const start = std::chrono::steady_clock::now();
  f();
  c.exchange({&one, 1}, all);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

template <class Collective>
void collective(benchmark::State& state) {
  std::size_t const elements = static_cast<std::size_t>(state.range(0)) << 18;  // MB of fp32
  std::size_t const n = elements / ranks;
  HugePages const buffers[ranks] = {HugePages(elements * sizeof(float)), HugePages(elements * sizeof(float))};
  std::vector<double> seconds, ratios;
  for (auto _ : state) {
    double total = 0.0;
    zero::run_ranks(ranks, [&](zero::ThreadCommunicator& c) {
      zero::HostExecutor executor(zero::best_instruction_set(), nullptr, 1);
      zero::HostStream const stream(executor);
      float* const mine = buffers[c.rank()].as<float>();
      float* const peer = buffers[1 - c.rank()].as<float>();
      for (int round = 0; round < rounds; ++round) {
        double const bare = timed(c, [&] { Collective::bare_traffic(c, mine, peer, n); });
        double const took = timed(c, [&] { Collective::collective(c, mine, peer, n, stream); });
        if (c.rank() != 0 || round == 0) continue;
        seconds.push_back(took);
        ratios.push_back(bare / took);
        total += took;
      }
    });
    state.SetIterationTime(total / (rounds - 1));
  }
  state.counters["of_limit"] = bare::quantile(ratios, 0.5);
  state.counters["of_limit_low"] = bare::quantile(ratios, 0.1);
  state.counters["of_limit_high"] = bare::quantile(ratios, 0.9);
  state.counters["GB/s"] = static_cast<double>(elements * sizeof(float)) / bare::quantile(seconds, 0.5) / 1e9;
}

/// Exchanges of 8 bytes for a second, in microseconds each.
void meet(benchmark::State& state) {
  auto const world = static_cast<int>(state.range(0));
  std::vector<double> microseconds;
  for (auto _ : state) {
    auto const start = std::chrono::steady_clock::now();
    auto const seconds = [&] {
      return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    };
    double exchanges = 0.0;
    zero::run_ranks(world, [&](zero::ThreadCommunicator& c) {
      std::vector<double> all(static_cast<std::size_t>(world));
      double count = 0.0;
      do {
        double const now = seconds();
        c.exchange(std::as_bytes(std::span(&now, 1)), std::as_writable_bytes(std::span(all)));
        ++count;
      } while (all[0] < 1.0);
      if (c.rank() == 0) exchanges = count;
    });
    double const took = seconds();
    state.SetIterationTime(took);
    microseconds.push_back(1e6 * took / exchanges);
  }
  state.counters["us"] = bare::quantile(microseconds, 0.5);
  state.counters["us_low"] = bare::quantile(microseconds, 0.1);
  state.counters["us_high"] = bare::quantile(microseconds, 0.9);
}

void as_sizes(benchmark::internal::Benchmark* one) {
  one->ArgName("MB")->Arg(16)->Arg(64)->Arg(256)->UseManualTime()->Iterations(3)->Unit(benchmark::kMillisecond);
}

BENCHMARK(collective<ReduceScatter>)->Apply(as_sizes);
BENCHMARK(collective<AllGather>)->Apply(as_sizes);
BENCHMARK(meet)->ArgName("ranks")->Arg(2)->Arg(4)->Arg(8)->UseManualTime()->Iterations(9)->Unit(benchmark::kSecond);

}  // namespace

BENCHMARK_MAIN();
