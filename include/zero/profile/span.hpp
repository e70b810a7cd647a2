// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/profile/observer.hpp>

#include <cstdint>

namespace zero::profile {

/// A time that a stream has spent on one thing: an operation, or a part of a phase of the caller's stream. Every figure
/// of a profile is made of these.
struct Span {
  Operation operation{};     ///< what it was; a phase has the phase's name
  std::uint32_t stream = 0;  ///< number of the stream, for Profiler::stream_name
  std::uint64_t step = 0;    ///< number of the step, from 1; 0: outside of steps
  std::int64_t begin = 0;    ///< nanoseconds of the profiler's clock
  std::int64_t end = 0;      ///< the same
  bool runs = false;         ///< the stream has run something; otherwise it has only waited
  bool exposed = false;      ///< it is a part of the time that the step has taken on the caller's stream

  /// Nanoseconds.
  [[nodiscard]] std::int64_t duration() const noexcept { return end - begin; }
};

}  // namespace zero::profile
