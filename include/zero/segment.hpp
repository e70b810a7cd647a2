// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace zero {

/// A contiguous part of one parameter inside a bucket or a slice of one.
struct Segment {
  std::uint32_t parameter = 0;   ///< by registration
  std::uint32_t group = 0;       ///< of the parameter
  std::size_t offset = 0;        ///< elements from the start of the bucket or slice
  std::size_t in_parameter = 0;  ///< elements from the start of the parameter
  std::size_t count = 0;         ///< elements, without padding
};

/// The segments of a range, sorted by offset, in the two places where they are read. Borrowed.
struct SegmentView {
  std::span<Segment const> host{};  ///< for the host
  Segment const* device = nullptr;  ///< the same in device memory, for kernels

  /// Elements from the start of the range to the end of its last segment.
  [[nodiscard]] std::size_t extent() const noexcept {
    return host.empty() ? 0 : host.back().offset + host.back().count;
  }
};

}  // namespace zero
