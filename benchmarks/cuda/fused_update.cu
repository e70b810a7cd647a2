// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The fused update of 2^28 elements beside a device-to-device copy that moves as many bytes, reads and writes counted.
// The peer is AdamW as a user of Thrust would write it: one transform, without groups, padding or promised bits.

#include "measure.cuh"

#include <cuda_bf16.h>
#include <thrust/execution_policy.h>
#include <thrust/iterator/zip_iterator.h>
#include <thrust/transform.h>
#include <thrust/tuple.h>
#include <thrust/zip_function.h>

#include <type_traits>

namespace {

constexpr std::size_t elements = std::size_t{1} << 28;

template <class Rule, class Compute, class Sum>
void fused_update(benchmark::State& state) {
  constexpr bool copies = !std::is_same_v<Compute, float>;
  constexpr std::size_t read = 4 + sizeof(Sum) + 4 * Rule::state_count;
  constexpr std::size_t written = 4 + 4 * Rule::state_count + (copies ? sizeof(Compute) : 0);
  measure::Device device;
  zero::UpdateArguments<Rule, Compute, Sum> a{};
  a.master = device.allocate<float>(elements);
  a.value = copies ? device.allocate<Compute>(elements) : nullptr;
  auto* const gradient = device.allocate<Sum>(elements);
  a.gradient = gradient;
  for (auto& s : a.states) s = device.allocate<float>(elements);
  measure::check(cudaMemset(gradient, 0x3C, elements * sizeof(Sum)), "cudaMemset");  // 0.011, or near it

  // Some hundred parameters, as a bucket of a model has.
  std::vector<zero::Segment> segments;
  constexpr std::size_t parts = 256, part = elements / parts;
  for (std::uint32_t i = 0; i < parts; ++i) segments.push_back({i, i % 2, i * part, 0, part - i % 128});
  auto* const on_device = device.allocate<zero::Segment>(parts);
  std::vector<typename Rule::Constants> const constants{Rule::constants({}, 10), Rule::constants({}, 10)};
  auto* const d_constants = device.allocate<typename Rule::Constants>(2);
  zero::Decision<Rule> const decision{true, 0.5F, d_constants};
  auto* const d_decision = device.allocate<zero::Decision<Rule>>(1);
  device.backend.copy(on_device, segments.data(), parts * sizeof(zero::Segment), device.stream);
  device.backend.copy(d_constants, constants.data(), 2 * sizeof constants[0], device.stream);
  device.backend.copy(d_decision, &decision, sizeof decision, device.stream);

  constexpr std::size_t copied = elements * (read + written) / 2;
  auto* const from = device.allocate<std::byte>(copied);
  auto* const to = device.allocate<std::byte>(copied);
  measure::compare(
      state, static_cast<double>(elements * (read + written)),
      [&] {
        return measure::seconds_of(device.stream, [&] {
          device.backend.update({segments, on_device}, a, d_decision, device.stream);
        });
      },
      2.0 * static_cast<double>(copied), [&] { return measure::copy_seconds(device.stream, to, from, copied); });
  state.counters["Mparam/s"] = state.counters["GB/s"] / static_cast<double>(read + written) * 1e3;
}

struct PlainAdamW {
  float multiplier, lr, beta1, beta2, eps, weight_decay, correction1, correction2;

  __device__ thrust::tuple<float, float, float, __nv_bfloat16> operator()(float p, float m, float v, float g) const {
    g *= multiplier;
    m = beta1 * m + (1.0F - beta1) * g;
    v = beta2 * v + (1.0F - beta2) * g * g;
    p -= lr * weight_decay * p;
    p -= lr * (m / correction1) / (sqrtf(v / correction2) + eps);
    return {p, m, v, __float2bfloat16_rn(p)};
  }
};

void adamw_by_thrust(benchmark::State& state) {
  measure::Device device;
  auto* const p = device.allocate<float>(elements);
  auto* const m = device.allocate<float>(elements);
  auto* const v = device.allocate<float>(elements);
  auto* const g = device.allocate<float>(elements);
  auto* const value = device.allocate<__nv_bfloat16>(elements);
  for (auto* const array : {p, m, v, g}) {
    measure::check(cudaMemset(array, 0x3C, elements * sizeof(float)), "cudaMemset");  // 0.011, or near it
  }
  constexpr std::size_t bytes = elements * (16 + 12 + sizeof *value);
  auto* const from = device.allocate<std::byte>(bytes / 2);
  auto* const to = device.allocate<std::byte>(bytes / 2);
  auto const read = thrust::make_zip_iterator(p, m, v, g);
  auto const written = thrust::make_zip_iterator(p, m, v, value);
  auto const policy = thrust::cuda::par_nosync.on(device.stream.handle());
  PlainAdamW const adamw{0.5F, 1e-3F, 0.9F, 0.999F, 1e-8F, 0.01F, 0.65F, 0.01F};
  measure::compare(
      state, static_cast<double>(bytes),
      [&] {
        return measure::seconds_of(device.stream, [&] {
          thrust::transform(policy, read, read + elements, written, thrust::make_zip_function(adamw));
        });
      },
      static_cast<double>(bytes), [&] { return measure::copy_seconds(device.stream, to, from, bytes / 2); });
  state.counters["Mparam/s"] = state.counters["GB/s"] / 30.0 * 1e3;
}
BENCHMARK(adamw_by_thrust)->Apply(measure::as_rounds);

#define ZERO_FUSED_UPDATE(...) BENCHMARK(fused_update<__VA_ARGS__>)->Apply(measure::as_rounds)

using zero::bfloat16, zero::float16;
ZERO_FUSED_UPDATE(zero::AdamW, bfloat16, float);
ZERO_FUSED_UPDATE(zero::AdamW, float16, float);
ZERO_FUSED_UPDATE(zero::AdamW, float, float);
ZERO_FUSED_UPDATE(zero::AdamW, bfloat16, bfloat16);
ZERO_FUSED_UPDATE(zero::Adam, bfloat16, float);
ZERO_FUSED_UPDATE(zero::Sgd, bfloat16, float);
ZERO_FUSED_UPDATE(zero::Lion, bfloat16, float);
ZERO_FUSED_UPDATE(zero::Adagrad, bfloat16, float);

}  // namespace

BENCHMARK_MAIN();
