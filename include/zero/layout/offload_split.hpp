// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/offload.hpp>

#include <algorithm>
#include <cstddef>

namespace zero::detail {

/// Which of the elements that a rank owns keep their sums, master parameters and states on the device: the first ones,
/// in the order of reduction. Those of the others lie in host memory. As many on every rank.
struct OffloadSplit {
  std::size_t elements = 0;

  /// Of \p owned elements, with offload: as many multiples of the alignment as \p config leaves on the device.
  [[nodiscard]] static OffloadSplit of(std::size_t owned, std::size_t alignment_elements,
                                       CpuOffload::Config const& config) noexcept {
    auto const room = static_cast<std::size_t>(config.device_share * static_cast<double>(owned));
    return {room / alignment_elements * alignment_elements};
  }

  [[nodiscard]] bool holds(std::size_t element) const noexcept { return element < elements; }
  /// Consecutive elements: the first ones on the device, the others in host memory.
  struct Parts {
    std::size_t on_device = 0;
    std::size_t host_offset = 0;  ///< elements from the start of the host's memory
    std::size_t host_elements = 0;
  };
  [[nodiscard]] Parts split(std::size_t begin, std::size_t count) const noexcept {
    std::size_t const held = holds(begin) ? (std::min)(count, elements - begin) : 0;
    return {held, held < count ? begin + held - elements : 0, count - held};
  }
  /// Calls `f(first, n)` for each part of the \p count elements from \p begin on that lies in one kind of memory.
  template <class Function>
  void for_each_part(std::size_t begin, std::size_t count, Function&& f) const {
    auto const parts = split(begin, count);
    if (parts.on_device > 0) f(begin, parts.on_device);
    if (parts.host_elements > 0) f(begin + parts.on_device, parts.host_elements);
  }
};

}  // namespace zero::detail
