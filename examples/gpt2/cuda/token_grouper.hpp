// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "kernels.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace gpt2::device {

/// Finds the positions of each distinct token of a micro-batch, on the device and without the host: by a stable sort, a
/// run-length encoding and a prefix sum. What TokenOrder (../model_input.hpp) does on the host, in the same order.
///
/// \tparam Device has `sort_by_key`, `run_length_encode` and `exclusive_sum` (device.hpp).
template <class Device>
class TokenGrouper {
 public:
  /// Allocates everything for up to \p tokens tokens below \p vocabulary. \p device is borrowed.
  TokenGrouper(Device& device, std::size_t tokens, std::size_t vocabulary)
      : device_(device),
        vocabulary_(vocabulary),
        temporary_(device.template allocate<std::byte>(device.temporary_bytes(tokens))) {
    for (auto* words : {&in_order_, &sorted_, &positions_, &distinct_, &counts_, &begins_}) {
      *words = device.template allocate<std::uint32_t>(tokens);
    }
    size_ = device.template allocate<std::uint32_t>(1);
    CountUp const count_up{in_order_.data(), tokens};
    device.run(count_up, count_up.tasks());
    device.zero(counts_.data(), counts_.bytes());
  }

  /// Groups \p n tokens that lie on the device. The result is valid until the next call.
  [[nodiscard]] TokenGroups group(std::uint32_t const* tokens, std::size_t n) {
    std::span const temporary(temporary_.data(), temporary_.size());
    device_.sort_by_key(temporary, {tokens, in_order_.data()}, {sorted_.data(), positions_.data()}, n, bits());
    device_.run_length_encode(temporary, sorted_.data(), n, {distinct_.data(), counts_.data(), size_.data()});
    // How many counts there are is known to the device alone. Those that follow are of an earlier micro-batch, and no
    // begin of this one has them in its sum.
    device_.exclusive_sum(temporary, counts_.data(), begins_.data(), most(n));
    return {positions_.data(), distinct_.data(), counts_.data(), begins_.data(), size_.data()};
  }

  /// The most distinct tokens that \p n tokens can have.
  [[nodiscard]] std::size_t most(std::size_t n) const noexcept { return std::min(n, vocabulary_); }

  [[nodiscard]] std::size_t bytes() const noexcept {
    return temporary_.bytes() + in_order_.bytes() + sorted_.bytes() + positions_.bytes() + distinct_.bytes() +
           counts_.bytes() + begins_.bytes() + size_.bytes();
  }

 private:
  template <class V>
  using Memory = typename Device::template Memory<V>;

  // Bits in which tokens differ: a radix sort takes its time by them.
  [[nodiscard]] int bits() const noexcept { return std::max(1, static_cast<int>(std::bit_width(vocabulary_ - 1))); }

  Device& device_;
  std::size_t vocabulary_;
  Memory<std::byte> temporary_;
  Memory<std::uint32_t> in_order_, sorted_, positions_, distinct_, counts_, begins_, size_;
};

}  // namespace gpt2::device
