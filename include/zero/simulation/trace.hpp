// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/utility/trace.hpp>
#include <zero/utility/trace_event.hpp>

namespace zero {

/// Whether two operations overlap in logical time.
[[nodiscard]] inline bool overlap(TraceEvent const& a, TraceEvent const& b) noexcept {
  return a.begin < b.end && b.begin < a.end;
}

}  // namespace zero
