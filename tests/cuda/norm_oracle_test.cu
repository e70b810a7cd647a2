// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The norm on a GPU beside Thrust's: another author's reduction, in another order, with CUDA's own conversions. The
// tests of kernels_test.cu compare it with the host's driver, which has the same formulas.
#include <zero/engine.cuh>

#include <cuda_bf16.h>
#include <doctest/doctest.h>
#include <thrust/device_vector.h>
#include <thrust/execution_policy.h>
#include <thrust/functional.h>
#include <thrust/transform_reduce.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace cuda_norm_oracle_test {

namespace {

struct Square {
  __device__ double operator()(float x) const { return static_cast<double>(x) * static_cast<double>(x); }
  __device__ double operator()(__nv_bfloat16 x) const { return (*this)(__bfloat162float(x)); }
};

// Two parameters with padding between them and behind, which must not count: it is large.
std::vector<zero::Segment> const segments{{0, 0, 0, 0, 1'000'003}, {1, 0, 1'000'064, 0, 77'777}};
constexpr std::size_t extent = 1'000'064 + 77'824;

std::vector<float> gradients(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<float> values(extent, 1e6F);
  for (auto const& piece : segments) {
    for (std::size_t i = 0; i < piece.count; ++i) {
      float const fraction = static_cast<float>(random() >> 40) / 8388608.0F - 1.0F;
      values[piece.offset + i] = std::ldexp(fraction, static_cast<int>(random() % 16) - 8);
    }
  }
  return values;
}

// \tparam Known the type by which CUDA knows a Sum.
template <class Sum, class Known>
void check_norm(std::uint64_t seed) {
  auto const values = gradients(seed);
  std::vector<Known> known(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) known[i] = static_cast<Known>(values[i]);
  static_assert(sizeof(Known) == sizeof(Sum));

  zero::CudaBackend backend({}, 1);
  auto const own = backend.make_stream("test");
  zero::CudaStream const stream = own.get();
  thrust::device_vector<Known> const slice(known);
  thrust::device_vector<zero::Segment> const on_device(segments);
  thrust::device_vector<std::uint64_t> words(zero::NormWords::count(1));
  zero::check_cuda(cudaDeviceSynchronize(), "cudaDeviceSynchronize");  // Thrust has used the default stream
  backend.squares({thrust::raw_pointer_cast(words.data()), 0, 1},
                  {segments, thrust::raw_pointer_cast(on_device.data())},
                  reinterpret_cast<Sum const*>(thrust::raw_pointer_cast(slice.data())), stream);

  auto const policy = thrust::cuda::par.on(stream.handle());
  double expected = 0.0;  // each reduction waits for the stream, and so for the norm
  for (auto const& piece : segments) {
    auto const first = slice.begin() + static_cast<std::ptrdiff_t>(piece.offset);
    expected += thrust::transform_reduce(policy, first, first + static_cast<std::ptrdiff_t>(piece.count), Square(), 0.0,
                                         thrust::plus<double>());
  }
  std::vector<std::uint64_t> digits(words.size());
  thrust::copy(words.begin(), words.end(), digits.begin());
  zero::ExactSum found;
  std::copy_n(digits.begin(), zero::ExactSum::words, found.digits);
  CHECK(found.value() == doctest::Approx(expected).epsilon(1e-12));
  CHECK(digits.back() == 0);  // no bad parameter
}

}  // namespace

TEST_CASE("cuda kernels: the norm is that of Thrust within the rounding of double") {
  for (std::uint64_t const seed : {1U, 2U, 3U}) {
    check_norm<float, float>(seed);
    check_norm<zero::bfloat16, __nv_bfloat16>(seed);
  }
}

}  // namespace cuda_norm_oracle_test
