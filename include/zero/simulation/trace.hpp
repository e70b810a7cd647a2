// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/error.hpp>
#include <zero/simulation/options.hpp>
#include <zero/support/message.hpp>
#include <zero/utility/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zero {
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
inline std::vector<std::pair<int, std::string>> tracks(std::vector<TraceEvent> const& trace) {
  std::vector<std::pair<int, std::string>> all;
  for (auto const& event : trace) {
    std::pair const track(event.rank, event.stream);
    if (std::find(all.begin(), all.end(), track) == all.end()) all.push_back(track);
  }
  std::stable_sort(all.begin(), all.end(), [](auto const& a, auto const& b) { return a.first < b.first; });
  return all;
}

}  // namespace detail

/// Writes a trace in the Trace Event Format, which ui.perfetto.dev and chrome://tracing open: a process per rank, a
/// thread per stream, a unit of logical time as a microsecond.
inline void write_perfetto(std::vector<TraceEvent> const& trace, std::ostream& out) {
  auto const tracks = detail::tracks(trace);
  out << "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[";
  for (std::size_t t = 0; t < tracks.size(); ++t) {
    auto const& [rank, stream] = tracks[t];
    out << (t > 0 ? "," : "") << "\n{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":" << rank
        << ",\"args\":{\"name\":\"rank " << rank << "\"}},\n{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":" << rank
        << ",\"tid\":" << t << ",\"args\":{\"name\":" << detail::json_string(stream) << "}}";
  }
  for (auto const& event : trace) {
    auto const track = std::find(tracks.begin(), tracks.end(), std::pair(event.rank, event.stream)) - tracks.begin();
    out << ",\n{\"ph\":\"X\",\"name\":" << detail::json_string(detail::label(event)) << ",\"pid\":" << event.rank
        << ",\"tid\":" << track << ",\"ts\":" << event.begin << ",\"dur\":" << event.end - event.begin << "}";
  }
  out << "\n]}\n";
}

/// Whether two operations overlap in logical time.
[[nodiscard]] inline bool overlap(TraceEvent const& a, TraceEvent const& b) noexcept {
  return a.begin < b.end && b.begin < a.end;
}

}  // namespace zero
