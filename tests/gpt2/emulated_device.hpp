// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <gpt2/cuda/algorithms.hpp>
#include <gpt2/cuda/product.hpp>
#include <gpt2/cuda/thread_block.hpp>

#include <zero/backend.hpp>
#include <zero/kernels/float_types.hpp>
#include <zero/memory_report.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

/// A block that is one thread. It adds in the order of the indices, which is not the device's: what it makes is
/// compared within a tolerance.
class EmulatedBlock {
 public:
  template <class F>
  void for_each(std::uint32_t n, F&& f) const {
    for (std::uint32_t thread = gpt2::device::block_threads; thread-- > 0;) {  // no order is promised
      for (std::uint32_t i = thread; i < n; i += gpt2::device::block_threads) f(i);
    }
  }
  template <class F>
  auto sum(std::uint32_t n, F&& f) const {
    decltype(f(0U)) total{};
    for (std::uint32_t i = 0; i < n; ++i) total += f(i);
    return total;
  }
  template <class F>
  float maximum(std::uint32_t n, F&& f) const {
    float largest = -std::numeric_limits<float>::infinity();
    for (std::uint32_t i = 0; i < n; ++i) largest = std::fmax(largest, f(i));
    return largest;
  }
  template <class F>
  void on_one_thread(F&& f) const {
    f();
  }
};

/// Runs kernels and products on the host, as late as a device may: when something waits for them. New memory is filled
/// with NaN, and its ends are watched. What is put on it can be recorded instead, as a CUDA graph is.
class EmulatedDevice {
 public:
  using Work = std::function<void()>;
  using Graph = std::vector<Work>;

  class Event {
   public:
    void synchronize() const {
      if (device_ != nullptr) device_->run_until(position_);
    }

   private:
    friend EmulatedDevice;
    EmulatedDevice* device_ = nullptr;
    std::size_t position_ = 0;
  };

  template <class V>
  class Memory {
   public:
    Memory() = default;
    explicit Memory(std::size_t size) : size_(size) {
      if (size == 0) return;
      data_ = std::make_unique<std::byte[]>(bytes() + 2 * guard);
      std::memset(data_.get(), 0xFF, bytes() + 2 * guard);  // NaN as a float and in 16 bits
    }
    Memory(Memory&&) noexcept = default;
    Memory& operator=(Memory&&) noexcept = default;
    ~Memory() {
      if (data_ == nullptr) return;
      for (std::size_t i = 0; i < guard; ++i) {
        bool const whole = data_[i] == std::byte{0xFF} && data_[guard + bytes() + i] == std::byte{0xFF};
        if (!whole) std::abort();  // written past an end
      }
    }
    [[nodiscard]] V* data() const noexcept { return data_ ? reinterpret_cast<V*>(data_.get() + guard) : nullptr; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t bytes() const noexcept { return size_ * sizeof(V); }

   private:
    static constexpr std::size_t guard = 256;
    std::unique_ptr<std::byte[]> data_;
    std::size_t size_ = 0;
  };
  template <class V>
  using Shared = Memory<V>;

  /// What the library's helpers for activations need of a backend. Its streams are all the one queue of the device,
  /// which runs in order, so that events have nothing to say.
  class Backend {
   public:
    struct Stream {};
    struct Event {
      void synchronize() const {}
    };
    struct OwnedStream {
      [[nodiscard]] static Stream get() { return {}; }
    };

    explicit Backend(EmulatedDevice& device) : device_(device) {}
    [[nodiscard]] OwnedStream make_stream(char const* /*name*/) const { return {}; }
    [[nodiscard]] zero::MemoryBlock allocate(zero::MemoryKind /*kind*/, zero::MemoryPurpose /*purpose*/,
                                             std::size_t bytes) {
      memory_.emplace_back(bytes);
      return {memory_.back().data(), bytes};
    }
    void deallocate(zero::MemoryKind /*kind*/, zero::MemoryBlock const& block) noexcept {
      std::erase_if(memory_, [&](auto const& other) { return other.data() == block.data; });
    }
    void record(Event& /*event*/, Stream /*stream*/) const {}
    void wait(Stream /*stream*/, Event const& /*event*/) const {}
    void synchronize(Stream /*stream*/) { device_.synchronize(); }
    void copy(void* to, void const* from, std::size_t bytes, Stream /*stream*/) { device_.copy(to, from, bytes); }

   private:
    EmulatedDevice& device_;
    std::deque<Memory<std::byte>> memory_;
  };

  template <class V>
  [[nodiscard]] Memory<V> allocate(std::size_t n) const {
    refuse_in_capture("an allocation");
    return Memory<V>(n);
  }
  template <class V>
  [[nodiscard]] Shared<V> allocate_pinned(std::size_t n) const {
    refuse_in_capture("an allocation");
    return Memory<V>(n);
  }
  [[nodiscard]] Backend& backend() { return backend_; }
  [[nodiscard]] static Backend::Stream stream() { return {}; }

  void zero(void* to, std::size_t bytes) {
    put([=] { std::memset(to, 0, bytes); });
  }
  void copy(void* to, void const* from, std::size_t bytes) {
    put([=] { std::memcpy(to, from, bytes); });
  }
  void record(Event& event) {
    refuse_in_capture("an event that the host waits for");
    event.device_ = this;
    event.position_ = done_ + queue_.size();
  }
  void synchronize() { run_until(done_ + queue_.size()); }

  /// What \p passes puts on the device, which does not run it.
  template <class Passes>
  [[nodiscard]] Graph capture(Passes&& passes) {
    Graph graph;
    capture_ = &graph;
    try {
      passes();
    } catch (...) {
      capture_ = nullptr;
      throw;
    }
    capture_ = nullptr;
    return graph;
  }
  void launch(Graph const& graph) {
    for (auto const& work : graph) put(work);
  }

  [[nodiscard]] std::size_t temporary_bytes(std::size_t n) const { return n; }
  void sort_by_key(std::span<std::byte> temporary, gpt2::device::KeysAndValues<std::uint32_t const> from,
                   gpt2::device::KeysAndValues<std::uint32_t> to, std::size_t n, int bits) {
    check_temporary(temporary, n);
    put([=] {
      auto const key = [&](std::size_t i) { return from.keys[i] & ((std::uint64_t{1} << bits) - 1); };
      std::vector<std::size_t> order(n);
      std::iota(order.begin(), order.end(), std::size_t{0});
      std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
      std::transform(order.begin(), order.end(), to.keys, [&](std::size_t i) { return from.keys[i]; });
      std::transform(order.begin(), order.end(), to.values, [&](std::size_t i) { return from.values[i]; });
    });
  }
  void run_length_encode(std::span<std::byte> temporary, std::uint32_t const* from, std::size_t n,
                         gpt2::device::Runs to) {
    check_temporary(temporary, n);
    put([=] {
      std::uint32_t runs = 0;
      for (std::size_t begin = 0, end = 0; begin < n; begin = end, ++runs) {
        while (end < n && from[end] == from[begin]) ++end;
        to.values[runs] = from[begin];
        to.lengths[runs] = static_cast<std::uint32_t>(end - begin);
      }
      *to.count = runs;
    });
  }
  void exclusive_sum(std::span<std::byte> temporary, std::uint32_t const* from, std::uint32_t* to, std::size_t n) {
    check_temporary(temporary, n);
    put([=] { std::exclusive_scan(from, from + n, to, 0U); });
  }

  template <class Kernel>
  void run(Kernel const& kernel, std::size_t tasks) {
    put([=] {
      for (std::size_t task = tasks; task-- > 0;) kernel(EmulatedBlock(), task);
    });
  }

  /// By the definition of BLAS's gemm, whose matrices are column-major.
  template <class In, class Out>
  void multiply(gpt2::device::Product<In, Out> const& product) {
    auto const p = gpt2::device::blas_product(product);
    check_distances(p);
    put([=] { multiply_now<In, Out>(p); });
  }

 private:
  void put(Work work) {
    if (capture_ != nullptr) {
      capture_->push_back(std::move(work));
    } else {
      queue_.push_back(std::move(work));
    }
  }
  void run_until(std::size_t position) {
    refuse_in_capture("waiting");
    while (done_ < position) {
      auto const work = std::move(queue_.front());
      queue_.pop_front();
      ++done_;
      work();
    }
  }
  void refuse_in_capture(char const* what) const {
    if (capture_ != nullptr) throw std::logic_error(std::string("a capture cannot have ") + what);
  }

  template <class In, class Out>
  static void multiply_now(gpt2::device::BlasProduct const& p) {
    for (int i = 0; i < p.count; ++i) {
      auto const* const a = static_cast<In const*>(p.a) + i * p.step_a;
      auto const* const b = static_cast<In const*>(p.b) + i * p.step_b;
      auto* const c = static_cast<Out*>(p.c) + i * p.step_c;
      for (int column = 0; column < p.n; ++column) {
        for (int row = 0; row < p.m; ++row) {
          float sum = 0.0F;
          for (int k = 0; k < p.k; ++k) {
            sum += zero::widen(a[p.transposes_a ? at(k, row, p.lda) : at(row, k, p.lda)]) *
                   zero::widen(b[p.transposes_b ? at(column, k, p.ldb) : at(k, column, p.ldb)]);
          }
          Out& to = c[at(row, column, p.ldc)];
          to = zero::narrow<Out>(p.beta == 0.0F ? p.alpha * sum : p.alpha * sum + p.beta * zero::widen(to));
        }
      }
    }
  }

  static void check_temporary(std::span<std::byte> temporary, std::size_t n) {
    if (temporary.size() < n) throw std::invalid_argument("temporary storage is too small");
  }
  static std::ptrdiff_t at(int row, int column, int distance) {
    return row + static_cast<std::ptrdiff_t>(column) * distance;
  }
  // What BLAS refuses.
  static void check_distances(gpt2::device::BlasProduct const& p) {
    bool const fits = p.lda >= (p.transposes_a ? p.k : p.m) && p.ldb >= (p.transposes_b ? p.n : p.k) && p.ldc >= p.m;
    if (!fits || p.m < 1 || p.n < 1 || p.k < 1) throw std::invalid_argument("gemm: a distance is too short");
  }

  std::deque<Work> queue_;
  std::size_t done_ = 0;  // of all that was put on the device
  Graph* capture_ = nullptr;
  Backend backend_{*this};
};
