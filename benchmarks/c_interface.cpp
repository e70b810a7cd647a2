// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What the C interface adds to a step of 124 tensors, each of which is gathered and handed over by leases of its own:
// the same steps by zero/c.h and by the C++ run-time engine, in turns, in processor time of all threads. `of_cpp` is
// the median of the ratios of a step of each that ran one after the other; between _10 and _90 lie 80 % of them.
// `added_us` is the median of the differences: with tensors of one element, whose step is calls and nothing else, that
// of the interface.
#include "bare_traffic.hpp"

#include <zero/any_engine.hpp>
#include <zero/c.h>
#include <zero/runtime_engine.hpp>

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <string>
#include <utility>
#include <vector>

namespace {

constexpr std::uint32_t tensors = 124;

[[nodiscard]] double cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

void succeed(zero_status status) {
  if (status != ZERO_OK) std::abort();
}

/// By zero/c.h.
class InC {
 public:
  explicit InC(std::size_t elements) {
    succeed(zero_rank_create(&rank_));
    zero_parameter_list* list = nullptr;
    succeed(zero_parameter_list_create(&list));
    for (std::uint32_t t = 0; t < tensors; ++t) {
      auto const name = std::to_string(t);
      zero_parameter_spec spec{};
      spec.size = sizeof spec;
      spec.name = name.c_str();
      spec.shape = &elements;
      spec.dimensions = 1;
      spec.unit = t;
      succeed(zero_parameter_list_add(list, &spec, nullptr));
    }
    zero_setting const settings[] = {{"stage", "1", 0}, {"threads", "1", 0}};
    succeed(zero_engine_create(rank_, list, settings, 2, &engine_));
    succeed(zero_parameter_list_free(list));
  }
  InC(InC const&) = delete;
  InC& operator=(InC const&) = delete;
  ~InC() { (void)zero_rank_free(rank_); }

  void step() {
    succeed(zero_engine_begin_micro_batch(engine_, nullptr, nullptr));
    for (std::uint32_t t = tensors; t-- > 0;) {
      zero_parameter_lease* weights = nullptr;
      zero_gradient_lease* gradients = nullptr;
      void const* values = nullptr;
      void* place = nullptr;
      std::int32_t adds = 0;
      succeed(zero_engine_gather(engine_, &t, 1, &weights));
      succeed(zero_parameter_lease_values(weights, t, &values, nullptr));
      succeed(zero_engine_gradients(engine_, &t, 1, &gradients));
      succeed(zero_gradient_lease_target(gradients, t, &place, nullptr, &adds));
      benchmark::DoNotOptimize(values);
      benchmark::DoNotOptimize(place);
      succeed(zero_gradient_lease_ready(gradients));
      succeed(zero_parameter_lease_end(weights));
    }
    succeed(zero_engine_finish_micro_batch(engine_));
    zero_step_report report{};
    report.size = sizeof report;
    succeed(zero_engine_step(engine_, nullptr, &report));
    benchmark::DoNotOptimize(report.gradient_norm);
  }

 private:
  zero_rank* rank_ = nullptr;
  zero_engine* engine_ = nullptr;
};

/// By the C++ run-time engine.
class InCpp {
 public:
  InCpp(zero::ThreadCommunicator& ranks, std::size_t elements) : engine_(make(ranks, elements)) {}

  void step() {
    auto micro_batch = engine_.begin_micro_batch();
    for (std::uint32_t t = tensors; t-- > 0;) {
      zero::ParameterId const id{t};
      auto const weights = engine_.gather(id);
      benchmark::DoNotOptimize(weights[id].data());
      auto gradients = engine_.gradients(id);
      benchmark::DoNotOptimize(gradients.write(id).values.data());
      gradients.ready();
    }
    micro_batch.finish();
    benchmark::DoNotOptimize(engine_.step().get().gradient_norm);
  }

 private:
  using Made = zero::AnyEngine<zero::AdamW, zero::Precision<zero::FP32>>;

  static zero::RuntimeEngine<float> make(zero::ThreadCommunicator& ranks, std::size_t elements) {
    zero::ParameterList list;
    for (std::uint32_t t = 0; t < tensors; ++t) {
      (void)list.add({.name = std::to_string(t), .shape = {elements}, .unit = static_cast<int>(t)});
    }
    typename Made::Config config;
    config.backend.threads = 1;
    return zero::make_any_engine<zero::AdamW, zero::Precision<zero::FP32>>(zero::Stage::optimizer_states, ranks, list,
                                                                           std::nullopt, config);
  }

  zero::RuntimeEngine<float> engine_;
};

void step(benchmark::State& state) {
  std::vector<double> ratios, differences;
  auto const elements = static_cast<std::size_t>(state.range(0));
  zero::run_ranks(1, [&](zero::ThreadCommunicator& ranks) {
    InC in_c(elements);
    InCpp in_cpp(ranks, elements);
    for (int warmup = 0; warmup < 3; ++warmup) {
      in_c.step();
      in_cpp.step();
    }
    for (auto _ : state) {
      bool const c_first = ratios.size() % 2 == 0;
      double const start = cpu_seconds();
      c_first ? in_c.step() : in_cpp.step();
      double const middle = cpu_seconds();
      c_first ? in_cpp.step() : in_c.step();
      double const end = cpu_seconds();
      double const c = c_first ? middle - start : end - middle;
      double const cpp = c_first ? end - middle : middle - start;
      ratios.push_back(c / cpp);
      differences.push_back((c - cpp) * 1e6);
      state.SetIterationTime(c);
    }
  });
  for (auto const& [name, values] : {std::pair{"of_cpp", &ratios}, std::pair{"added_us", &differences}}) {
    state.counters[name] = bare::quantile(*values, 0.5);
    state.counters[std::string(name) + "_10"] = bare::quantile(*values, 0.1);
    state.counters[std::string(name) + "_90"] = bare::quantile(*values, 0.9);
  }
}

BENCHMARK(step)
    ->ArgName("elements")
    ->Arg(1)
    ->Arg(std::int64_t{1} << 17U)
    ->UseManualTime()
    ->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
