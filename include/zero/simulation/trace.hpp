// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

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
#include <tuple>
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

namespace detail {

/// \p text as XML has it.
inline std::string xml_text(std::string_view text) {
  std::string escaped;
  for (char const c : text) {
    if (c == '&' || c == '<' || c == '>') {
      escaped += c == '&' ? "&amp;" : c == '<' ? "&lt;" : "&gt;";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

}  // namespace detail

/// Draws a trace as a picture: a row per stream and rank, a bar per operation, whose whole name is its tooltip, and a
/// legend of the colours.
class TracePicture {
 public:
  TracePicture(std::vector<TraceEvent> const& trace, std::ostream& out)
      : trace_(trace), out_(out), tracks_(detail::tracks(trace)) {
    for (auto const& event : trace) {
      end_ = std::max(end_, event.end);
      if (std::find(names_.begin(), names_.end(), event.name) == names_.end()) names_.push_back(event.name);
    }
  }

  void draw() {
    auto const rows = tracks_.size() + 1 + (names_.size() + legend_columns - 1) / legend_columns;
    out_ << "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1000 " << row * rows
         << "\" font-family=\"sans-serif\" font-size=\"11\">\n"
         << "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n";
    for (std::size_t t = 0; t < tracks_.size(); ++t) {
      text(4, t, detail::concat({"rank ", tracks_[t].first, ", ", tracks_[t].second}));
    }
    for (auto const& event : trace_) bar(event);
    text(left, tracks_.size(),
         detail::concat({"logical time: ", end_, " units; an operation takes 1, and 1 for each KiB that it touches"}));
    for (std::size_t n = 0; n < names_.size(); ++n) {
      auto const x = 4 + n % legend_columns * (1000 / legend_columns);
      auto const y = tracks_.size() + 1 + n / legend_columns;
      box(x, y, 12, names_[n]);
      text(x + 18, y, names_[n]);
    }
    out_ << "</svg>\n";
  }

 private:
  static constexpr std::uint64_t left = 160, width = 836, row = 22;
  static constexpr std::size_t legend_columns = 4;

  void text(std::uint64_t x, std::size_t y, std::string_view words) {
    out_ << "<text x=\"" << x << "\" y=\"" << row * y + 15 << "\">" << detail::xml_text(words) << "</text>\n";
  }
  void box(std::uint64_t x, std::size_t y, std::uint64_t w, std::string_view name) {
    out_ << "<rect x=\"" << x << "\" y=\"" << row * y + 2 << "\" width=\"" << w << "\" height=\"" << row - 4
         << "\" fill=\"hsl(" << hue(name) << ",60%,75%)\" stroke=\"#fff\"/>\n";
  }
  // Steps of the golden angle keep neighbours in the legend apart.
  [[nodiscard]] std::ptrdiff_t hue(std::string_view name) const {
    return (std::find(names_.begin(), names_.end(), name) - names_.begin()) * 137 % 360;
  }
  void bar(TraceEvent const& event) {
    auto const track = std::find(tracks_.begin(), tracks_.end(), std::pair(event.rank, event.stream)) - tracks_.begin();
    out_ << "<g><title>" << detail::xml_text(detail::label(event)) << "</title>";
    box(left + event.begin * width / end_, static_cast<std::size_t>(track),
        std::max<std::uint64_t>(1, (event.end - event.begin) * width / end_), event.name);
    out_ << "</g>\n";
  }

  std::vector<TraceEvent> const& trace_;
  std::ostream& out_;
  std::vector<std::pair<int, std::string>> tracks_;
  std::vector<std::string> names_;
  std::uint64_t end_ = 1;
};

/// See TracePicture.
inline void write_svg(std::vector<TraceEvent> const& trace, std::ostream& out) { TracePicture(trace, out).draw(); }

/// Whether two operations overlap in logical time.
[[nodiscard]] inline bool overlap(TraceEvent const& a, TraceEvent const& b) noexcept {
  return a.begin < b.end && b.begin < a.end;
}

}  // namespace zero
