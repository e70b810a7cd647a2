// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/profile/profiler.hpp>
#include <zero/profile/span.hpp>
#include <zero/utility/trace.hpp>
#include <zero/utility/trace_event.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace zero::profile {

/// The earliest begin of \p spans: what a trace counts from. The largest number where there are none.
[[nodiscard]] inline std::int64_t first_begin(std::span<Span const> spans) noexcept {
  auto first = (std::numeric_limits<std::int64_t>::max)();
  for (auto const& span : spans) first = (std::min)(first, span.begin);
  return first;
}

/// What a trace shows of \p spans, which \p profiler has kept: TraceUnit::nanosecond from \p origin on, to which an
/// earlier begin is moved. A span in which the stream has only waited says what for.
template <class Backend>
[[nodiscard]] std::vector<TraceEvent> trace_of(std::span<Span const> spans, Profiler<Backend> const& profiler, int rank,
                                               std::int64_t origin) {
  auto const time = [origin](std::int64_t at) { return at > origin ? static_cast<std::uint64_t>(at - origin) : 0; };
  std::vector<TraceEvent> events;
  events.reserve(spans.size());
  for (auto const& span : spans) {
    auto const& operation = span.operation;
    auto name = std::string(span.runs ? "" : "wait for ") + std::string(operation.name);
    if (!operation.purpose.empty()) name.append(" of ").append(operation.purpose);
    events.push_back({rank, std::string(profiler.stream_name(span.stream)), std::move(name), operation.bucket,
                      time(span.begin), time(span.end)});
  }
  return events;
}

}  // namespace zero::profile
