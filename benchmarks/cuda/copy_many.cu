// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Flatten and unflatten: 1,000 tensors of different sizes to and from one arena, in one launch, beside one copy of the
// same bytes. The peer is CUB's DeviceMemcpy::Batched, whose addresses and sizes lie on the device already.

#include "measure.cuh"

#include <cub/device/device_memcpy.cuh>

namespace {

constexpr std::size_t tensors = 1000;

// Addresses and sizes in three arrays on the device, as CUB takes them.
template <class T, class Get>
T* gathered(measure::Device& device, std::vector<zero::CopyRange> const& ranges, Get get) {
  std::vector<T> values;
  for (auto const& range : ranges) values.push_back(get(range));
  T* const to = device.allocate<T>(values.size());
  measure::check(cudaMemcpy(to, values.data(), values.size() * sizeof(T), cudaMemcpyDefault), "cudaMemcpy");
  return to;
}

auto batched(measure::Device& device, std::vector<zero::CopyRange> const& ranges) {
  auto* const from = gathered<void const*>(device, ranges, [](auto const& range) { return range.from; });
  auto* const to = gathered<void*>(device, ranges, [](auto const& range) { return range.to; });
  auto* const sizes = gathered<std::size_t>(device, ranges, [](auto const& range) { return range.bytes; });
  return measure::with_storage(device, "cub::DeviceMemcpy::Batched", [=, &device](void* storage, std::size_t& bytes) {
    return cub::DeviceMemcpy::Batched(storage, bytes, from, to, sizes, tensors, device.stream.handle());
  });
}

void copy_many(benchmark::State& state, bool flatten, bool by_cub) {
  measure::Device device;
  std::vector<std::size_t> sizes;
  std::size_t total = 0;
  for (std::size_t i = 0; i < tensors; ++i) {
    sizes.push_back((i % 10 == 0 ? 16384 : 1U << 20) * (1 + i % 3) + 2 * (i % 5));  // biases and matrices of 16 bits
    total += (sizes.back() + 255) / 256 * 256;
  }
  auto* const arena = device.allocate<std::byte>(total);
  auto* const apart = device.allocate<std::byte>(total + tensors * 512);
  std::vector<zero::CopyRange> ranges;
  double bytes = 0;
  std::size_t at = 0, beside = 0;
  for (auto size : sizes) {
    ranges.push_back(flatten ? zero::CopyRange{arena + at, apart + beside, size}
                             : zero::CopyRange{apart + beside, arena + at, size});
    at += (size + 255) / 256 * 256, beside += (size + 511) / 256 * 256;
    bytes += 2.0 * static_cast<double>(size);
  }
  auto peer = batched(device, ranges);
  auto const copy = [&] {
    if (by_cub) {
      peer();
    } else {
      device.backend.copy_many(ranges, device.stream);
    }
  };
  measure::compare(
      state, bytes, [&] { return measure::seconds_of(device.stream, copy); }, 2.0 * static_cast<double>(total),
      [&] { return measure::copy_seconds(device.stream, apart, arena, total); });
}

BENCHMARK_CAPTURE(copy_many, flatten, true, false)->Apply(measure::as_rounds);
BENCHMARK_CAPTURE(copy_many, unflatten, false, false)->Apply(measure::as_rounds);
BENCHMARK_CAPTURE(copy_many, flatten_by_cub, true, true)->Apply(measure::as_rounds);
BENCHMARK_CAPTURE(copy_many, unflatten_by_cub, false, true)->Apply(measure::as_rounds);

}  // namespace

BENCHMARK_MAIN();
