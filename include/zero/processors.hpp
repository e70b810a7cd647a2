// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <sched.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <thread>

namespace zero {

/// The processors that a thread may run on: its affinity mask, which launchers such as mpirun set for each rank.
class ProcessorSet {
 public:
  /// Of the calling thread. Empty where the system does not say, as with more than 1024 processors.
  [[nodiscard]] static ProcessorSet of_this_thread() noexcept {
    ProcessorSet found;
#if defined(__linux__)
    cpu_set_t set;
    CPU_ZERO(&set);
    if (::sched_getaffinity(0, sizeof set, &set) != 0) return found;
    for (std::size_t i = 0; i < most; ++i) {
      if (CPU_ISSET(i, &set)) found.words_[i / 64] |= std::uint64_t{1} << (i % 64);
    }
#endif
    return found;
  }

  /// Number of processors.
  [[nodiscard]] int count() const noexcept {
    int sum = 0;
    for (auto word : words_) sum += std::popcount(word);
    return sum;
  }
  /// Whether a processor is in both.
  [[nodiscard]] bool overlaps(ProcessorSet const& other) const noexcept {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      if ((words_[i] & other.words_[i]) != 0) return true;
    }
    return false;
  }

 private:
  static constexpr std::size_t most = 1024;

  std::array<std::uint64_t, most / 64> words_{};
};

/// Number of processors that the calling thread may run on, one at least: `std::thread::hardware_concurrency` says how
/// many the machine has, whatever a launcher has bound the process to.
[[nodiscard]] inline int usable_processors() noexcept {
  int const bound = ProcessorSet::of_this_thread().count();
  return (std::max)(1, bound > 0 ? bound : static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace zero
