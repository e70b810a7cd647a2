// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <gpt2/cuda/algorithms.hpp>
#include <gpt2/cuda/product.hpp>
#include <gpt2/cuda/team.hpp>

#include <zero/kernels/float_types.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <numeric>
#include <span>
#include <stdexcept>
#include <vector>

/// A team that is one thread. It adds in the order of the indices, which is not the device's: what it makes is compared
/// within a tolerance.
class EmulatedTeam {
 public:
  template <class F>
  void for_each(std::uint32_t n, F&& f) const {
    for (std::uint32_t thread = gpt2::device::team_threads; thread-- > 0;) {  // no order is promised
      for (std::uint32_t i = thread; i < n; i += gpt2::device::team_threads) f(i);
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
  void once(F&& f) const {
    f();
  }
};

/// Runs kernels and products on the host as soon as they are put on it. New memory is filled with NaN, and its ends are
/// watched.
class EmulatedDevice {
 public:
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
    [[nodiscard]] V* get() const noexcept { return data_ ? reinterpret_cast<V*>(data_.get() + guard) : nullptr; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t bytes() const noexcept { return size_ * sizeof(V); }

   private:
    static constexpr std::size_t guard = 256;
    std::unique_ptr<std::byte[]> data_;
    std::size_t size_ = 0;
  };
  template <class V>
  using Shared = Memory<V>;

  template <class V>
  [[nodiscard]] Memory<V> allocate(std::size_t n) const {
    return Memory<V>(n);
  }
  template <class V>
  [[nodiscard]] Shared<V> share(std::size_t n) const {
    return Memory<V>(n);
  }
  void zero(void* to, std::size_t bytes) const { std::memset(to, 0, bytes); }
  void copy(void* to, void const* from, std::size_t bytes) const { std::memcpy(to, from, bytes); }
  void upload(std::uint32_t* to, std::span<std::uint32_t const> values) const {
    std::memcpy(to, values.data(), values.size_bytes());
  }
  void synchronize() const {}

  [[nodiscard]] std::size_t temporary_bytes(std::size_t n) const { return n; }
  void sort_by_key(std::span<std::byte> temporary, gpt2::device::KeysAndValues<std::uint32_t const> from,
                   gpt2::device::KeysAndValues<std::uint32_t> to, std::size_t n, int bits) const {
    check_temporary(temporary, n);
    auto const key = [&](std::size_t i) { return from.keys[i] & ((std::uint64_t{1} << bits) - 1); };
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
    for (std::size_t i = 0; i < n; ++i) to.keys[i] = from.keys[order[i]], to.values[i] = from.values[order[i]];
  }
  void run_length_encode(std::span<std::byte> temporary, std::uint32_t const* from, std::size_t n,
                         gpt2::device::Runs to) const {
    check_temporary(temporary, n);
    std::uint32_t runs = 0;
    for (std::size_t begin = 0, end = 0; begin < n; begin = end, ++runs) {
      while (end < n && from[end] == from[begin]) ++end;
      to.values[runs] = from[begin], to.lengths[runs] = static_cast<std::uint32_t>(end - begin);
    }
    *to.count = runs;
  }
  void exclusive_sum(std::span<std::byte> temporary, std::uint32_t const* from, std::uint32_t* to,
                     std::size_t n) const {
    check_temporary(temporary, n);
    std::exclusive_scan(from, from + n, to, 0U);
  }

  template <class Kernel>
  void run(Kernel const& kernel, std::size_t tasks) const {
    for (std::size_t task = tasks; task-- > 0;) kernel(EmulatedTeam(), task);
  }

  /// By the definition of BLAS's gemm, whose matrices are column-major.
  template <class In, class Out>
  void multiply(gpt2::device::Product<In, Out> const& product) const {
    auto const p = gpt2::device::blas_product(product);
    check_distances(p);
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

 private:
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
};
