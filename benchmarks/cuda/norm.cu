// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The norm of 2^29 elements, with the first bad parameter, beside a kernel that reads the same bytes and does nothing.

#include "measure.cuh"

namespace {

constexpr std::size_t elements = std::size_t{1} << 29;

__global__ void read_all(uint4 const* from, std::size_t n, unsigned* sink) {
  unsigned seen = 0;
  std::size_t const stride = std::size_t{gridDim.x} * blockDim.x;
  std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x;
  for (; i + 3 * stride < n; i += 4 * stride) {
    uint4 const a = from[i], b = from[i + stride], c = from[i + 2 * stride], d = from[i + 3 * stride];
    seen ^= a.x ^ a.y ^ a.z ^ a.w ^ b.x ^ b.y ^ b.z ^ b.w ^ c.x ^ c.y ^ c.z ^ c.w ^ d.x ^ d.y ^ d.z ^ d.w;
  }
  for (; i < n; i += stride) seen ^= from[i].x ^ from[i].y ^ from[i].z ^ from[i].w;
  if (seen == 0xDEADBEEF) *sink = seen;
}

template <class Sum>
__global__ void fill(Sum* to, std::size_t n) {
  for (std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < n;
       i += std::size_t{gridDim.x} * blockDim.x) {
    auto const noise = static_cast<float>((i * 2654435761U) >> 7 & 0xFFFF) / 65536.0F - 0.5F;
    to[i] = zero::narrow<Sum>(noise * (i % 3 == 0 ? 1.0F : 1e-4F));
  }
}

template <class Sum>
void norm(benchmark::State& state) {
  measure::Device device;
  auto* const slice = device.allocate<Sum>(elements);
  auto* const sink = device.allocate<unsigned>(1);
  auto* const words = device.allocate<std::uint64_t>(zero::NormWords::count(1));
  fill<<<1024, 256, 0, device.stream.handle()>>>(slice, elements);
  std::vector<zero::Segment> segments;
  constexpr std::size_t parts = 256, part = elements / parts;
  for (std::uint32_t i = 0; i < parts; ++i) segments.push_back({i, 0, i * part, 0, part - i % 128});
  auto* const on_device = device.allocate<zero::Segment>(parts);
  device.backend.copy(on_device, segments.data(), parts * sizeof(zero::Segment), device.stream);
  constexpr std::size_t bytes = elements * sizeof(Sum);
  measure::compare(
      state, static_cast<double>(bytes),
      [&] {
        return measure::seconds_of(device.stream, [&] {
          device.backend.squares({words, 0, 1}, {segments, on_device}, slice, device.stream);
        });
      },
      static_cast<double>(bytes),
      [&] {
        return measure::seconds_of(device.stream, [&] {
          read_all<<<132 * 8, 512, 0, device.stream.handle()>>>(reinterpret_cast<uint4 const*>(slice), bytes / 16,
                                                                sink);
        });
      });
}

BENCHMARK(norm<float>)->Apply(measure::as_rounds);
BENCHMARK(norm<zero::bfloat16>)->Apply(measure::as_rounds);

}  // namespace

BENCHMARK_MAIN();
