// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Flatten and unflatten: 1,000 tensors of different sizes to and from one arena, in one launch, beside one copy of the
// same bytes.

#include "measure.cuh"

namespace {

constexpr std::size_t tensors = 1000;

void copy_many(benchmark::State& state, bool flatten) {
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
  measure::compare(
      state, bytes,
      [&] { return measure::seconds_of(device.stream, [&] { device.backend.copy_many(ranges, device.stream); }); },
      2.0 * static_cast<double>(total), [&] { return measure::copy_seconds(device.stream, apart, arena, total); });
}

BENCHMARK_CAPTURE(copy_many, flatten, true)->Apply(measure::as_rounds);
BENCHMARK_CAPTURE(copy_many, unflatten, false)->Apply(measure::as_rounds);

}  // namespace

BENCHMARK_MAIN();
