// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/support/message.hpp>
#include <zero/utility/json.hpp>
#include <zero/utility/trace_event.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zero {

/// What the times of a trace's events are.
enum class TraceUnit : std::uint8_t {
  logical,     ///< a unit of logical time, which is shown as a microsecond
  nanosecond,  ///< real time
};

namespace detail {

/// \p text between quotes, as JSON has it.
inline std::string json_string(std::string_view text) {
  std::string quoted;
  write_json_string(quoted, text);
  return quoted;
}

inline std::string label(TraceEvent const& event) {
  return event.bucket == CommunicationError::no_bucket ? event.name : concat({event.name, ", bucket ", event.bucket});
}

/// One track per stream and rank, in the order of ranks and of their first operations.
inline std::vector<std::pair<int, std::string>> tracks(std::span<TraceEvent const> trace) {
  std::vector<std::pair<int, std::string>> all;
  for (auto const& event : trace) {
    std::pair const track(event.rank, event.stream);
    if (std::find(all.begin(), all.end(), track) == all.end()) all.push_back(track);
  }
  std::stable_sort(all.begin(), all.end(), [](auto const& a, auto const& b) { return a.first < b.first; });
  return all;
}

/// In microseconds, which the format counts in.
inline std::string trace_time(std::uint64_t time, TraceUnit unit) {
  if (unit == TraceUnit::logical) return std::to_string(time);
  auto const rest = std::to_string(1000 + time % 1000);
  return std::to_string(time / 1000) + "." + rest.substr(1);
}

}  // namespace detail

/// The events of one rank, or of several, as `write_trace` takes them: each rank can make its own, and send it to the
/// one that writes. The same rank's are in one part.
[[nodiscard]] inline std::string trace_part(std::span<TraceEvent const> trace, TraceUnit unit = TraceUnit::logical) {
  auto const tracks = detail::tracks(trace);
  std::string text;
  for (std::size_t t = 0; t < tracks.size(); ++t) {
    auto const& [rank, stream] = tracks[t];
    text += detail::concat({t > 0 ? ",\n" : "", "{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":", rank,
                            ",\"args\":{\"name\":\"rank ", rank,
                            "\"}},\n{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":", rank, ",\"tid\":", t,
                            ",\"args\":{\"name\":", detail::json_string(stream), "}}"});
  }
  for (auto const& event : trace) {
    auto const track = std::find(tracks.begin(), tracks.end(), std::pair(event.rank, event.stream)) - tracks.begin();
    text +=
        detail::concat({",\n{\"ph\":\"X\",\"name\":", detail::json_string(detail::label(event)),
                        ",\"pid\":", event.rank, ",\"tid\":", track, ",\"ts\":", detail::trace_time(event.begin, unit),
                        ",\"dur\":", detail::trace_time(event.end - event.begin, unit), "}"});
  }
  return text;
}

/// Writes a trace in the Trace Event Format, which ui.perfetto.dev and chrome://tracing open: a process per rank, a
/// thread per stream. Empty parts count for nothing.
inline void write_trace(std::span<std::string const> parts, std::ostream& out) {
  out << "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[";
  char const* separator = "\n";
  for (auto const& part : parts) {
    if (!part.empty()) out << std::exchange(separator, ",\n") << part;
  }
  out << "\n]}\n";
}

/// The same of events that are in one place.
inline void write_perfetto(std::vector<TraceEvent> const& trace, std::ostream& out,
                           TraceUnit unit = TraceUnit::logical) {
  auto const part = trace_part(trace, unit);
  write_trace({&part, 1}, out);
}

}  // namespace zero
