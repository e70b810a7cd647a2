// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/kernels/instruction_set.hpp>
#include <zero/segment.hpp>
#include <zero/support/out_of_line.hpp>
#include <zero/thread_pool.hpp>
#include <zero/utility/function_ref.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>

namespace zero {

/// What runs the operations of a host stream: an instruction set and threads. Work is split by its size alone, so that
/// no result depends on the number of threads.
class HostExecutor {
 public:
  /// Elements per task: small enough to share, large enough to hide the hand-over; a multiple of the norm block's 128.
  static constexpr std::size_t chunk = std::size_t{1} << 16;

  /// Runs on \p pool, borrowed, or where that is null on \p threads of its own.
  HostExecutor(InstructionSet instruction_set, ThreadPool* pool, int threads)
      : own_(pool == nullptr ? threads : 1), pool_(pool == nullptr ? own_ : *pool), instruction_set_(instruction_set) {}

  /// What the kernels use.
  [[nodiscard]] InstructionSet instruction_set() const noexcept { return instruction_set_; }

  /// Calls `f(begin, end)` over chunks of [0, \p n).
  ZERO_OUT_OF_LINE void for_chunks(std::size_t n, FunctionRef<void(std::size_t, std::size_t)> f) {
    pool_.parallel_for((n + chunk - 1) / chunk,
                       [&](std::size_t task) { f(task * chunk, (std::min)(n, (task + 1) * chunk)); });
  }

  /// Copies in one part per thread: a large part lets memcpy stream past the caches.
  ZERO_OUT_OF_LINE void(copy)(void* to, void const* from, std::size_t bytes) {
    std::size_t const parts = bytes < chunk ? 1 : static_cast<std::size_t>(pool_.size());
    std::size_t const part = (bytes + parts - 1) / parts;
    pool_.parallel_for(parts, [&](std::size_t i) {
      std::size_t const begin = (std::min)(bytes, i * part);
      std::memcpy(static_cast<std::byte*>(to) + begin, static_cast<std::byte const*>(from) + begin,
                  (std::min)(part, bytes - begin));
    });
  }

  /// Calls `f(segment)` for the parts of \p segments, cut at chunk boundaries; offsets still count from the slice's
  /// start.
  ZERO_OUT_OF_LINE void for_segments(std::span<Segment const> segments, FunctionRef<void(Segment const&)> f) {
    if (segments.empty()) return;
    for_chunks(segments.back().offset + segments.back().count, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = first_beyond(segments, begin); i < segments.size() && segments[i].offset < end; ++i) {
        f(cut(segments[i], begin, end));
      }
    });
  }

 private:
  // Number of the first segment that ends after \p begin.
  [[nodiscard]] static std::size_t first_beyond(std::span<Segment const> segments, std::size_t begin) noexcept {
    auto const before = [begin](Segment const& segment) { return segment.offset + segment.count <= begin; };
    return static_cast<std::size_t>(std::partition_point(segments.begin(), segments.end(), before) - segments.begin());
  }
  [[nodiscard]] static Segment cut(Segment const& segment, std::size_t begin, std::size_t end) noexcept {
    std::size_t const from = (std::max)(begin, segment.offset);
    std::size_t const to = (std::min)(end, segment.offset + segment.count);
    return {segment.parameter, segment.group, from, segment.in_parameter + (from - segment.offset), to - from};
  }

  ThreadPool own_;
  ThreadPool& pool_;
  InstructionSet instruction_set_;
};

}  // namespace zero
