// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Collectives of two processes of one host, in the memory that their engines share, beside the bare traffic of the same
// bytes in the same memory, and beside MPI's own: `mpiexec -n 2 mpi_collectives`. All three run in turn, so a busy
// machine slows all: `of_limit` is the median over the rounds of bare time / collective time, and `mpi` that of MPI's
// time / collective time. Sizes are of the whole buffer; fp32.
#include "bare_traffic.hpp"

#include <zero/communicators/mpi.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr int ranks = 2;
constexpr int rounds = 15;

zero::MpiCommunicator& world() {
  static zero::MpiCommunicator communicator;
  return communicator;
}

/// The other rank's shared memory of \p bytes, as this process has it mapped: the mapping without a name of that size
/// that is not this rank's own.
float* mapping_of_peer(float const* own, std::size_t bytes) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    unsigned long begin = 0, end = 0;
    if (line.find("memfd:zero") == std::string::npos || std::sscanf(line.c_str(), "%lx-%lx", &begin, &end) != 2)
      continue;
    if (end - begin == bytes && begin != reinterpret_cast<unsigned long>(own)) return reinterpret_cast<float*>(begin);
  }
  std::fprintf(stderr, "mpi_collectives: the other rank's memory is not mapped\n");
  std::abort();
}

/// Floats that both ranks read.
class SharedFloats {
 public:
  explicit SharedFloats(std::size_t count) : source_(world().collective_memory()) {
    mine = static_cast<float*>(source_.allocate(count * sizeof(float)));
    shown_ = world().register_buffers(source_.close());
    peer = mapping_of_peer(mine, count * sizeof(float));
    std::fill_n(mine, count, 1.0F);
  }
  float* mine = nullptr;
  float* peer = nullptr;

 private:
  zero::CollectiveMemory source_;
  std::shared_ptr<void> shown_;
};

struct ReduceScatter {
  static void collective(SharedFloats const& floats, std::size_t n, zero::HostStream stream) {
    float* const own = floats.mine + static_cast<std::size_t>(world().rank()) * n;
    world().reduce_scatter_add(floats.mine, own, n, {}, {.what = "benchmark"}, stream);
  }
  // Reads the own slice and the peer's, writes the own in place.
  static void bare_traffic(SharedFloats const& floats, std::size_t n) {
    std::size_t const at = static_cast<std::size_t>(world().rank()) * n;
    bare::add(floats.mine + at, floats.peer + at, n);
  }
  static void mpi(SharedFloats const& floats, std::vector<float>& into, std::size_t n) {
    MPI_Reduce_scatter_block(floats.mine, into.data(), static_cast<int>(n), MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
  }
};

struct AllGather {
  static void collective(SharedFloats const& floats, std::size_t n, zero::HostStream stream) {
    float* const own = floats.mine + static_cast<std::size_t>(world().rank()) * n;
    world().all_gather(own, floats.mine, n, {.what = "benchmark"}, stream);
  }
  // Copies the peer's slice.
  static void bare_traffic(SharedFloats const& floats, std::size_t n) {
    std::size_t const at = static_cast<std::size_t>(1 - world().rank()) * n;
    std::memcpy(floats.mine + at, floats.peer + at, n * sizeof(float));
  }
  static void mpi(SharedFloats const& floats, std::vector<float>& /*into*/, std::size_t n) {
    MPI_Allgather(MPI_IN_PLACE, 0, MPI_FLOAT, floats.mine, static_cast<int>(n), MPI_FLOAT, MPI_COMM_WORLD);
  }
};

/// Seconds from when both ranks begin until both have ended.
template <class F>
double timed(F&& f) {
  world().exchange({}, {});
  auto const start = std::chrono::steady_clock::now();
  f();
  world().exchange({}, {});
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

template <class Collective>
void collective(benchmark::State& state) {
  std::size_t const elements = static_cast<std::size_t>(state.range(0)) << 18;  // MB of fp32
  std::size_t const n = elements / ranks;
  SharedFloats const floats(elements);
  std::vector<float> into(n);
  zero::HostExecutor executor(zero::best_instruction_set(), nullptr, 1);
  zero::HostStream const stream(executor);
  std::vector<double> seconds, of_limit, of_mpi;
  for (auto _ : state) {
    double total = 0.0;
    for (int round = 0; round < rounds; ++round) {
      double const bare = timed([&] { Collective::bare_traffic(floats, n); });
      double const took = timed([&] { Collective::collective(floats, n, stream); });
      double const mpi = timed([&] { Collective::mpi(floats, into, n); });
      if (round == 0) continue;
      seconds.push_back(took), of_limit.push_back(bare / took), of_mpi.push_back(mpi / took);
      total += took;
    }
    state.SetIterationTime(total / (rounds - 1));
  }
  state.counters["of_limit"] = bare::quantile(of_limit, 0.5);
  state.counters["of_limit_low"] = bare::quantile(of_limit, 0.1);
  state.counters["of_limit_high"] = bare::quantile(of_limit, 0.9);
  state.counters["mpi"] = bare::quantile(of_mpi, 0.5);
  state.counters["GB/s"] = static_cast<double>(elements * sizeof(float)) / bare::quantile(seconds, 0.5) / 1e9;
}

void as_sizes(benchmark::internal::Benchmark* one) {
  one->ArgName("MB")->Arg(16)->Arg(64)->Arg(256)->UseManualTime()->Iterations(3)->Unit(benchmark::kMillisecond);
}

BENCHMARK(collective<ReduceScatter>)->Apply(as_sizes);
BENCHMARK(collective<AllGather>)->Apply(as_sizes);

/// Of the rank that does not speak.
class Silence : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(Context const& /*context*/) override { return true; }
  void ReportRuns(std::vector<Run> const& /*report*/) override {}
};

}  // namespace

int main(int argc, char** argv) {
  int level = 0, size = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &level);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  if (size != ranks) {
    std::fprintf(stderr, "mpi_collectives: start two processes: mpiexec -n 2 mpi_collectives\n");
    MPI_Abort(MPI_COMM_WORLD, 2);
  }
  Silence silence;
  if (world().rank() == 0) {
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
  } else {  // runs the same, and writes nothing
    auto const writes = [](char const* argument) { return std::string_view(argument).starts_with("--benchmark_out"); };
    argc = static_cast<int>(std::remove_if(argv, argv + argc, writes) - argv);
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks(&silence);
  }
  world().exchange({}, {});
  MPI_Finalize();
}
