// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "algorithms.hpp"
#include "product.hpp"

#include <zero/backends/cuda.hpp>
#include <zero/cuda/device_array.hpp>
#include <zero/cuda/error.hpp>
#include <zero/cuda/stream.hpp>
#include <zero/error.hpp>
#include <zero/kernels/float_types.hpp>
#include <zero/precision.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

struct cublasContext;

namespace gpt2::device {

/// A call of cuBLAS that failed.
class CublasError : public zero::Error {
 public:
  using zero::Error::Error;
};

/// Owns \p size elements of pinned host memory, which kernels reach at the same address. Move-only.
template <class V>
class PinnedMemory {
 public:
  PinnedMemory() = default;
  explicit PinnedMemory(std::size_t size) : size_(size) {
    if (size > 0) zero::check_cuda(cudaHostAlloc(&data_, size * sizeof(V), 0), "cudaHostAlloc");
  }
  PinnedMemory(PinnedMemory&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  PinnedMemory& operator=(PinnedMemory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~PinnedMemory() {
    if (data_ != nullptr) (void)cudaFreeHost(data_);
  }
  [[nodiscard]] V* data() const noexcept { return static_cast<V*>(data_); }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

/// One GPU as a DeviceModel uses it: a stream of its own, kernels, and cuBLAS with a fixed workspace and no atomics, so
/// that a product's bits depend on its shape alone. Used by the thread that made it, whose current device the GPU
/// becomes.
class CudaDevice {
 public:
  template <class V>
  using Memory = zero::DeviceArray<V>;
  template <class V>
  using Shared = PinnedMemory<V>;
  using Event = zero::CudaEvent;
  using Backend = zero::CudaBackend;

  /// \throws zero::CudaError without a driver or for a GPU that is not there, CublasError.
  explicit CudaDevice(int ordinal);
  CudaDevice(CudaDevice const&) = delete;
  CudaDevice& operator=(CudaDevice const&) = delete;
  ~CudaDevice();

  [[nodiscard]] zero::CudaStream stream() const noexcept { return stream_; }
  /// The same GPU as the library's helpers use it. Made at the first call. \throws zero::CudaError.
  [[nodiscard]] Backend& backend() {
    if (!backend_)
      backend_ = std::make_unique<Backend>(Backend::Config{.device = stream_.device(), .host_threads = 1}, 1);
    return *backend_;
  }

  template <class V>
  [[nodiscard]] zero::DeviceArray<V> allocate(std::size_t n) const {
    return zero::DeviceArray<V>(n);
  }
  template <class V>
  [[nodiscard]] PinnedMemory<V> allocate_pinned(std::size_t n) const {
    return PinnedMemory<V>(n);
  }
  void zero(void* to, std::size_t bytes);
  void copy(void* to, void const* from, std::size_t bytes) { stream_.copy(to, from, bytes); }

  /// Bytes of temporary storage on the device that the three algorithms below take for up to \p n elements.
  [[nodiscard]] std::size_t temporary_bytes(std::size_t n) const;
  /// Sorts by the lowest \p bits bits of the keys, the others of which are 0. Equal keys stay in their order.
  void sort_by_key(std::span<std::byte> temporary, KeysAndValues<std::uint32_t const> from,
                   KeysAndValues<std::uint32_t> to, std::size_t n, int bits);
  void run_length_encode(std::span<std::byte> temporary, std::uint32_t const* from, std::size_t n, Runs to);
  /// to[i] = the sum of from[0] to from[i - 1].
  void exclusive_sum(std::span<std::byte> temporary, std::uint32_t const* from, std::uint32_t* to, std::size_t n);

  void record(Event& event) const { stream_.record(event); }
  void synchronize();

  /// Puts a kernel of kernels.hpp or softmax.hpp on the stream: defined in device.cuh.
  template <class Kernel>
  void run(Kernel const& kernel, std::size_t tasks);

  template <class In, class Out>
  void multiply(Product<In, Out> const& product) {
    multiply(blas_product(product), zero::element_type<In>, zero::element_type<Out>);
  }

 private:
  void multiply(BlasProduct const& p, zero::ElementType in, zero::ElementType out);
  void set_up_cublas();

  zero::CudaStream stream_;
  cublasContext* cublas_ = nullptr;
  zero::DeviceArray<std::byte> workspace_;
  std::unique_ptr<Backend> backend_{};
};

/// GPUs that this process sees, at least 1. \throws zero::CudaError without a driver or a GPU.
[[nodiscard]] int gpu_count();

/// Of the first one: "NVIDIA H100 80GB HBM3". \throws zero::CudaError without a driver or a GPU.
[[nodiscard]] std::string gpu_name();

/// "NVIDIA H100 80GB HBM3 x 2, cuBLAS 13.0.2". \throws zero::CudaError without a driver or a GPU.
[[nodiscard]] std::string describe_gpus();

}  // namespace gpt2::device
