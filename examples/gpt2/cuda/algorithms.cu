// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "device.hpp"

#include <zero/cuda/device.hpp>
#include <zero/cuda/error.hpp>

// GCC takes a reference to an empty struct of CUB's (3.0, cub/detail/launcher) for a read of its members.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <cub/device/device_radix_sort.cuh>
#include <cub/device/device_run_length_encode.cuh>
#include <cub/device/device_scan.cuh>
#pragma GCC diagnostic pop

#include <algorithm>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>

// CUB's algorithms with storage of the caller's: none of them allocates or waits, so that they can be recorded.
namespace gpt2::device {
namespace {

// CUB counts runs by an int.
int cub_size(std::size_t n) {
  if (n > INT_MAX) throw std::length_error("gpt2: more tokens than a GPU sorts at once: use a smaller --batch");
  return static_cast<int>(n);
}

}  // namespace

std::size_t CudaDevice::temporary_bytes(std::size_t n) const {
  zero::DeviceGuard const guard(stream_.device());
  std::uint32_t* const words = nullptr;
  std::size_t sort = 0, runs = 0, sum = 0;
  zero::check_cuda(cub::DeviceRadixSort::SortPairs(nullptr, sort, words, words, words, words, cub_size(n)),
                   "cub::DeviceRadixSort::SortPairs");
  zero::check_cuda(cub::DeviceRunLengthEncode::Encode(nullptr, runs, words, words, words, words, cub_size(n)),
                   "cub::DeviceRunLengthEncode::Encode");
  zero::check_cuda(cub::DeviceScan::ExclusiveSum(nullptr, sum, words, words, cub_size(n)),
                   "cub::DeviceScan::ExclusiveSum");
  return std::max({sort, runs, sum});
}

void CudaDevice::sort_by_key(std::span<std::byte> temporary, KeysAndValues<std::uint32_t const> from,
                             KeysAndValues<std::uint32_t> to, std::size_t n, int bits) {
  zero::DeviceGuard const guard(stream_.device());
  std::size_t bytes = temporary.size();
  zero::check_cuda(cub::DeviceRadixSort::SortPairs(temporary.data(), bytes, from.keys, to.keys, from.values, to.values,
                                                   cub_size(n), 0, bits, stream_.handle()),
                   "cub::DeviceRadixSort::SortPairs");
}

void CudaDevice::run_length_encode(std::span<std::byte> temporary, std::uint32_t const* from, std::size_t n, Runs to) {
  zero::DeviceGuard const guard(stream_.device());
  std::size_t bytes = temporary.size();
  zero::check_cuda(cub::DeviceRunLengthEncode::Encode(temporary.data(), bytes, from, to.values, to.lengths, to.count,
                                                      cub_size(n), stream_.handle()),
                   "cub::DeviceRunLengthEncode::Encode");
}

void CudaDevice::exclusive_sum(std::span<std::byte> temporary, std::uint32_t const* from, std::uint32_t* to,
                               std::size_t n) {
  zero::DeviceGuard const guard(stream_.device());
  std::size_t bytes = temporary.size();
  zero::check_cuda(cub::DeviceScan::ExclusiveSum(temporary.data(), bytes, from, to, cub_size(n), stream_.handle()),
                   "cub::DeviceScan::ExclusiveSum");
}

}  // namespace gpt2::device
