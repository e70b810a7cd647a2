// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/bucket.hpp>
#include <zero/flat_layout.hpp>
#include <zero/memory/buffer.hpp>
#include <zero/memory_report.hpp>
#include <zero/support/out_of_line.hpp>
#include <zero/support/reusable_vector.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace zero::detail {

/// The segments of many ranges, each known by its number, on the host and on the device. Filled once: `add` every
/// range, then `upload`.
template <class Backend>
class SegmentTable {
  using Stream = typename Backend::Stream;

 public:
  /// Adds elements [begin, end) of \p bucket as the next range; offsets count from \p begin.
  void add(Bucket const& bucket, std::size_t begin, std::size_t end) {
    FlatLayout::clip_segments(segments_, bucket.segments, begin, end);
    ends_.push_back(segments_.size());
  }

  /// Copies the table to the device: current for what is put on \p stream later. Both references outlive it.
  ZERO_OUT_OF_LINE void upload(Backend& backend, MemoryReport& memory_report, Stream stream) {
    device_ = {backend, memory_report, MemoryKind::device, MemoryPurpose::control, segments_.size()};
    copy_to_device(backend, stream);
  }

  /// Gives every segment the group that \p group_of has for its parameter, and copies the table again: current for what
  /// is put on \p stream later. Nothing on any stream reads it any more.
  ZERO_OUT_OF_LINE void set_groups(Backend& backend, Stream stream, std::vector<std::uint32_t> const& group_of) {
    for (auto& segment : segments_) segment.group = group_of[segment.parameter];
    copy_to_device(backend, stream);
  }

  [[nodiscard]] SegmentView operator[](std::size_t range) const noexcept {
    std::size_t const begin = range == 0 ? 0 : ends_[range - 1];
    return {{segments_.data() + begin, ends_[range] - begin}, device_.data() + begin};
  }

 private:
  void copy_to_device(Backend& backend, Stream stream) {
    if (segments_.empty()) return;
    (backend.copy)(device_.data(), segments_.data(), segments_.size() * sizeof(Segment), stream);
  }

  std::vector<Segment> segments_;
  ReusableVector<std::size_t> ends_;
  Buffer<Segment, Backend> device_;
};

}  // namespace zero::detail
