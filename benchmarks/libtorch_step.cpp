// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Whole training steps of a libtorch module, by DataParallel and by torch alone with its own AdamW, in turns:
// `of_plain` is the median of the ratios of a step of each that ran one after the other, in time, and `cpu_of_plain` in
// processor time of all threads; between _10 and _90 lie 80 % of the ratios. MB_per_rank is what the process has grown
// by, and holds for the first benchmark that a process runs: choose one by --benchmark_filter.

#include "../tests/libtorch/models.hpp"
#include "bare_traffic.hpp"

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdint>
#include <ctime>
#include <string>
#include <sys/resource.h>
#include <vector>

namespace {

using namespace zero_test;

/// Of this process, so far.
struct Clocks {
  double wall = std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  double cpu = static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
  [[nodiscard]] Clocks since(Clocks const& start) const {
    Clocks difference = *this;
    difference.wall -= start.wall;
    difference.cpu -= start.cpu;
    return difference;
  }
};

/// Sizes of a micro-batch, as published: the residual network of 18 layers for images of 32 × 32, and GPT-2 124M.
struct ResNet18 {
  using Module = ResNet;
  static constexpr int items = 16;
  static Module make() { return ResNet(std::vector<int>{64, 128, 256, 512}, 2); }
  static Tensor loss(Module& net) {
    auto const t = torch::randint(0, 10, {items}, torch::kLong);
    return nn::functional::cross_entropy(net(torch::randn({items, 3, 32, 32})), t);
  }
};
struct Gpt124M {
  using Module = Gpt;
  static constexpr int items = 128;
  static Module make() { return Gpt(50257, 1024, 768, 12, 12); }
  static Tensor loss(Module& net) {
    auto const s = torch::randint(0, 50257, {1, items + 1}, torch::kLong);
    auto const logits = net(s.slice(1, 0, items).contiguous());
    return nn::functional::cross_entropy(logits.reshape({items, -1}), s.slice(1, 1).reshape({-1}));
  }
};

/// A step of torch's alone; a tied parameter is registered twice.
template <class Model>
class Plain {
 public:
  Plain() : optimizer_(parameters(*model_), torch::optim::AdamWOptions(1e-4).weight_decay(0.01)) {}
  void step() {
    optimizer_.zero_grad();
    Model::loss(model_).backward();
    optimizer_.step();
  }

 private:
  static std::vector<Tensor> parameters(nn::Module& module) {
    std::vector<Tensor> once;
    for (auto const& parameter : module.parameters()) {
      bool is_new = true;
      for (auto const& other : once) is_new = is_new && !other.is_same(parameter);
      if (is_new) once.push_back(parameter);
    }
    return once;
  }
  typename Model::Module model_ = Model::make();
  torch::optim::AdamW optimizer_;
};

void report(benchmark::State& state, std::string const& name, std::vector<double> const& values) {
  state.counters[name] = bare::quantile(values, 0.5);
  state.counters[name + "_10"] = bare::quantile(values, 0.1);
  state.counters[name + "_90"] = bare::quantile(values, 0.9);
}

/// One rank of two threads, in turns with torch alone.
template <class Model>
void beside_plain(benchmark::State& state) {
  at::set_num_threads(2);
  std::vector<double> wall, cpu;
  zero::run_ranks(1, [&](zero::ThreadCommunicator& communicator) {
    Plain<Model> plain;
    auto model = Model::make();
    zero::libtorch::DataParallel<> trainer(*model, communicator, static_cast<zero::Stage>(state.range(0)),
                                           {.optimizer = {.lr = 1e-4F}, .backend = {.threads = 2}});
    auto const ours = [&] {
      (void)trainer.micro_batch([&] { return Model::loss(model); });
      (void)trainer.step().get();
    };
    for (int warmup = 0; warmup < 2; ++warmup) {
      plain.step();
      ours();
    }
    for (auto _ : state) {
      Clocks const start;
      bool const first = wall.size() % 2 == 0;
      first ? ours() : plain.step();
      Clocks const middle;
      first ? plain.step() : ours();
      Clocks const end;
      auto const a = middle.since(start), b = end.since(middle);
      auto const& mine = first ? a : b;
      auto const& other = first ? b : a;
      wall.push_back(mine.wall / other.wall);
      cpu.push_back(mine.cpu / other.cpu);
      state.SetIterationTime(mine.wall);
    }
  });
  report(state, "of_plain", wall);
  report(state, "cpu_of_plain", cpu);
  state.SetItemsProcessed(state.iterations() * Model::items);
}

/// Two ranks of one thread each.
template <class Model>
void two_ranks(benchmark::State& state) {
  rusage before{}, after{};
  getrusage(RUSAGE_SELF, &before);
  std::vector<double> seconds;
  int const rounds = static_cast<int>(state.max_iterations);
  zero::run_ranks(2, [&](zero::ThreadCommunicator& communicator) {
    at::set_num_threads(1);
    auto model = Model::make();
    zero::libtorch::DataParallel<> trainer(*model, communicator, static_cast<zero::Stage>(state.range(0)),
                                           {.optimizer = {.lr = 1e-4F}, .backend = {.threads = 1}});
    for (int round = -2; round < rounds; ++round) {
      Clocks const start;
      (void)trainer.micro_batch([&] { return Model::loss(model); });
      (void)trainer.step().get();
      if (communicator.rank() == 0 && round >= 0) seconds.push_back(Clocks().since(start).wall);
    }
  });
  auto next = seconds.begin();
  for (auto _ : state) state.SetIterationTime(*next++);
  getrusage(RUSAGE_SELF, &after);
  report(state, "seconds", seconds);
  state.counters["items_per_second"] = 2 * Model::items / bare::quantile(seconds, 0.5);
  state.counters["MB_per_rank"] = static_cast<double>(after.ru_maxrss - before.ru_maxrss) / 2048;
}

template <int Rounds>
void stages(benchmark::internal::Benchmark* of) {
  of->ArgName("stage")->DenseRange(0, 3)->UseManualTime()->Unit(benchmark::kMillisecond)->Iterations(Rounds);
}
BENCHMARK(beside_plain<ResNet18>)->Apply(stages<7>);
BENCHMARK(beside_plain<Gpt124M>)->Apply(stages<7>);
BENCHMARK(two_ranks<ResNet18>)->Apply(stages<7>);
BENCHMARK(two_ranks<Gpt124M>)->Apply(stages<7>);

}  // namespace

BENCHMARK_MAIN();
