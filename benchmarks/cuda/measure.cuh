// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine.cuh>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

// Each subject is measured beside its ceiling, one after the other in every round, so that what slows one slows both.
namespace measure {

inline void check(cudaError_t code, char const* what) { zero::check_cuda(code, what); }

/// A backend with a stream, and device memory that goes with it.
struct Device {
  Device() : backend({}, 1), own(backend.make_stream("benchmark")), stream(own.get()) {}
  Device(Device const&) = delete;
  Device& operator=(Device const&) = delete;

  template <class T>
  [[nodiscard]] T* allocate(std::size_t count, zero::MemoryKind kind = zero::MemoryKind::device) {
    blocks.emplace_back(backend, books, kind, zero::MemoryPurpose::control, count * sizeof(T));
    return reinterpret_cast<T*>(blocks.back().data());
  }

  zero::MemoryReport books;
  zero::CudaBackend backend;
  zero::CudaBackend::OwnedStream own;
  zero::CudaStream stream;
  std::vector<zero::detail::Buffer<std::byte, zero::CudaBackend>> blocks;
};

/// Seconds that a stream takes for what \p work puts on it.
template <class F>
[[nodiscard]] double seconds_of(zero::CudaStream stream, F&& work) {
  cudaEvent_t begin = nullptr, end = nullptr;
  check(cudaEventCreate(&begin), "cudaEventCreate");
  check(cudaEventCreate(&end), "cudaEventCreate");
  check(cudaEventRecord(begin, stream.handle()), "cudaEventRecord");
  work();
  check(cudaEventRecord(end, stream.handle()), "cudaEventRecord");
  check(cudaEventSynchronize(end), "cudaEventSynchronize");
  float milliseconds = 0.0F;
  check(cudaEventElapsedTime(&milliseconds, begin, end), "cudaEventElapsedTime");
  (void)cudaEventDestroy(begin), (void)cudaEventDestroy(end);
  return static_cast<double>(milliseconds) / 1e3;
}

[[nodiscard]] inline double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
}

constexpr int rounds = 25;

/// Rounds of a subject that moves \p bytes and of a ceiling, in turn. `of_ceiling` is the median over the rounds of
/// ceiling / subject, both per byte; p10 and p90 are its spread.
template <class Subject, class Ceiling>
void compare(benchmark::State& state, double bytes, Subject&& subject, double ceiling_bytes, Ceiling&& ceiling) {
  subject(), ceiling();  // warm-up
  std::vector<double> seconds, ratios, ceilings;
  for (auto _ : state) {
    double const roof = ceiling() / ceiling_bytes, own = subject();
    seconds.push_back(own), ceilings.push_back(roof), ratios.push_back(roof / (own / bytes));
    state.SetIterationTime(own);
  }
  state.counters["GB/s"] = bytes / quantile(seconds, 0.5) / 1e9;
  state.counters["ceiling_GB/s"] = 1e-9 / quantile(ceilings, 0.5);
  state.counters["of_ceiling"] = quantile(ratios, 0.5);
  state.counters["p10"] = quantile(ratios, 0.1);
  state.counters["p90"] = quantile(ratios, 0.9);
}

/// A device-to-device copy by the driver: \p bytes are read and as many written.
[[nodiscard]] inline double copy_seconds(zero::CudaStream stream, void* to, void const* from, std::size_t bytes) {
  return seconds_of(stream, [&] { stream.copy(to, from, bytes); });
}

/// A device-wide algorithm of CUB's together with its temporary storage, which is allocated here: \p algorithm is
/// called as CUB's functions are, with the storage and its bytes, and returns their error.
template <class Algorithm>
[[nodiscard]] auto with_storage(Device& device, char const* name, Algorithm algorithm) {
  std::size_t bytes = 0;
  check(algorithm(nullptr, bytes), name);
  void* const storage = device.allocate<std::byte>(bytes);
  return [=]() mutable { check(algorithm(storage, bytes), name); };
}

inline void as_rounds(benchmark::internal::Benchmark* one) {
  one->UseManualTime()->Iterations(rounds)->Unit(benchmark::kMillisecond);
}

}  // namespace measure
