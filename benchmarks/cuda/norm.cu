// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The norm of 2^29 elements, with the first bad parameter, beside CUB's reduction of the same bytes by exclusive or: a
// tuned kernel that reads all and computes next to nothing. The peers are CUB's sums of squares in double, which find
// no bad parameter: one whose bits repeat on one GPU, and, where CUB has it (CCCL 3.1 or newer, so not in CUDA 13.0),
// one whose bits are the same on every GPU, as those of the norm are.

#include "measure.cuh"

#include <cub/device/device_reduce.cuh>
#include <cuda/std/functional>
#include <cuda_bf16.h>
#include <thrust/execution_policy.h>
#include <thrust/iterator/transform_iterator.h>
#include <thrust/tabulate.h>

#include <type_traits>

namespace {

constexpr std::size_t elements = std::size_t{1} << 29;

template <class Sum>
struct Noise {
  __device__ Sum operator()(std::size_t i) const {
    auto const noise = static_cast<float>((i * 2654435761U) >> 7 & 0xFFFF) / 65536.0F - 0.5F;
    return zero::narrow<Sum>(noise * (i % 3 == 0 ? 1.0F : 1e-4F));
  }
};

struct Square {
  template <class T>
  __device__ double operator()(T value) const {
    auto const x = static_cast<double>(static_cast<float>(value));
    return x * x;
  }
};

template <class Sum>
Sum* filled(measure::Device& device) {
  auto* const slice = device.allocate<Sum>(elements);
  thrust::tabulate(thrust::cuda::par_nosync.on(device.stream.handle()), slice, slice + elements, Noise<Sum>());
  return slice;
}

// A function that reduces the words of a slice to one.
template <class Sum>
auto read_all(measure::Device& device, Sum const* slice) {
  auto const* const from = reinterpret_cast<std::uint64_t const*>(slice);
  auto* const to = device.allocate<std::uint64_t>(1);
  return measure::with_storage(device, "cub::DeviceReduce::Reduce", [=, &device](void* storage, std::size_t& bytes) {
    return cub::DeviceReduce::Reduce(storage, bytes, from, to, elements * sizeof(Sum) / sizeof *from,
                                     cuda::std::bit_xor<>{}, std::uint64_t{0}, device.stream.handle());
  });
}

// Rounds of something that reads a slice once, beside the reduction by exclusive or.
template <class Sum, class Subject>
void beside_reading(benchmark::State& state, measure::Device& device, Sum const* slice, Subject subject) {
  constexpr auto bytes = static_cast<double>(elements * sizeof(Sum));
  auto ceiling = read_all(device, slice);
  measure::compare(
      state, bytes, [&] { return measure::seconds_of(device.stream, subject); }, bytes,
      [&] { return measure::seconds_of(device.stream, ceiling); });
}

template <class Sum>
void norm(benchmark::State& state) {
  measure::Device device;
  auto* const slice = filled<Sum>(device);
  auto* const words = device.allocate<std::uint64_t>(zero::NormWords::count(1));
  std::vector<zero::Segment> segments;
  constexpr std::size_t parts = 256, part = elements / parts;
  for (std::uint32_t i = 0; i < parts; ++i) segments.push_back({i, 0, i * part, 0, part - i % 128});
  auto* const on_device = device.allocate<zero::Segment>(parts);
  device.backend.copy(on_device, segments.data(), parts * sizeof(zero::Segment), device.stream);
  beside_reading(state, device, slice, [&] {
    device.backend.squares({words, 0, 1}, {segments, on_device}, slice, device.stream);
  });
}

// The slice in a type that CUB knows, and so reads in vectors.
template <class Sum>
auto const* for_cub(Sum const* slice) {
  using Known = std::conditional_t<std::is_same_v<Sum, float>, float, __nv_bfloat16>;
  static_assert(sizeof(Known) == sizeof(Sum));
  return reinterpret_cast<Known const*>(slice);
}

template <class Sum>
void squares_by_cub(benchmark::State& state) {
  measure::Device device;
  auto* const slice = filled<Sum>(device);
  auto* const to = device.allocate<double>(1);
  auto const algorithm = [=, &device](void* storage, std::size_t& bytes) {
    return cub::DeviceReduce::TransformReduce(storage, bytes, for_cub(slice), to, elements, cuda::std::plus<>{},
                                              Square(), 0.0, device.stream.handle());
  };
  beside_reading(state, device, slice, measure::with_storage(device, "cub::DeviceReduce::TransformReduce", algorithm));
}

#if CCCL_VERSION >= 3001000
// Its temporary storage comes from the stream's memory pool at every call, which is measured too. It counts elements in
// 32 bits.
template <class Sum>
void squares_by_cub_on_every_gpu(benchmark::State& state) {
  measure::Device device;
  auto* const slice = filled<Sum>(device);
  auto* const to = device.allocate<double>(1);
  auto const environment = cuda::std::execution::env{
      cuda::stream_ref{device.stream.handle()}, cuda::execution::require(cuda::execution::determinism::gpu_to_gpu)};
  beside_reading(state, device, slice, [&] {
    auto const squares = thrust::make_transform_iterator(for_cub(slice), Square());
    measure::check(
        cub::DeviceReduce::Reduce(squares, to, static_cast<int>(elements), cuda::std::plus<>{}, 0.0, environment),
        "cub::DeviceReduce::Reduce");
  });
}
BENCHMARK(squares_by_cub_on_every_gpu<float>)->Apply(measure::as_rounds);
BENCHMARK(squares_by_cub_on_every_gpu<zero::bfloat16>)->Apply(measure::as_rounds);
#endif

BENCHMARK(norm<float>)->Apply(measure::as_rounds);
BENCHMARK(norm<zero::bfloat16>)->Apply(measure::as_rounds);
BENCHMARK(squares_by_cub<float>)->Apply(measure::as_rounds);
BENCHMARK(squares_by_cub<zero::bfloat16>)->Apply(measure::as_rounds);

}  // namespace

BENCHMARK_MAIN();
