// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "support/svg.hpp"

#include <zero/simulation/trace.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace svg {

/// Draws a trace of zero::simulate: a row per stream and rank, a bar per operation, whose whole name is its tooltip,
/// and a legend of the colours.
class TracePicture {
 public:
  explicit TracePicture(std::vector<zero::TraceEvent> const& trace)
      : trace_(trace), tracks_(zero::detail::tracks(trace)) {
    for (auto const& event : trace) {
      end_ = std::max(end_, event.end);
      if (std::find(names_.begin(), names_.end(), event.name) == names_.end()) names_.push_back(event.name);
    }
  }

  [[nodiscard]] std::string draw() const {
    auto const rows = tracks_.size() + 1 + (names_.size() + legend_columns - 1) / legend_columns;
    std::string content = "\n" + element("rect", {{"width", "100%"}, {"height", "100%"}, {"fill", "#fff"}}) + "\n";
    for (std::size_t t = 0; t < tracks_.size(); ++t) {
      content += text(4, t, "rank " + std::to_string(tracks_[t].first) + ", " + tracks_[t].second);
    }
    for (auto const& event : trace_) content += bar(event);
    content += text(
        left, tracks_.size(),
        "logical time: " + std::to_string(end_) + " units; an operation takes 1, and 1 for each KiB that it touches");
    for (std::size_t n = 0; n < names_.size(); ++n) {
      auto const x = 4 + n % legend_columns * (1000 / legend_columns);
      auto const y = tracks_.size() + 1 + n / legend_columns;
      content += box(x, y, 12, names_[n]) + "\n" + text(x + 18, y, names_[n]);
    }
    return element("svg",
                   {{"xmlns", "http://www.w3.org/2000/svg"},
                    {"viewBox", "0 0 1000 " + number(row * rows)},
                    {"font-family", "sans-serif"},
                    {"font-size", std::uint64_t{11}}},
                   content) +
           "\n";
  }

 private:
  static constexpr std::uint64_t left = 160, width = 836, row = 22;
  static constexpr std::size_t legend_columns = 4;

  static std::string text(std::uint64_t x, std::size_t y, std::string_view words) {
    return element("text", {{"x", x}, {"y", row * y + 15}}, escaped(words)) + "\n";
  }
  [[nodiscard]] std::string box(std::uint64_t x, std::size_t y, std::uint64_t w, std::string_view name) const {
    return element("rect", {{"x", x},
                            {"y", row * y + 2},
                            {"width", w},
                            {"height", row - 4},
                            {"fill", color_of(hue(name))},
                            {"stroke", "#fff"}});
  }
  // A pale colour of that hue, in the form that every program knows: saturation 0.6, lightness 0.75.
  static std::string color_of(std::ptrdiff_t hue) {
    auto const part = [&](int n) {  // as CSS Color 3 has it, of which red is 0, green 8 and blue 4
      double const k = std::fmod(n + static_cast<double>(hue) / 30.0, 12.0);
      return 0.75 - 0.15 * std::max(-1.0, std::min({k - 3.0, 9.0 - k, 1.0}));
    };
    char text[8];
    auto const byte = [](double value) { return static_cast<unsigned>(std::lround(255.0 * value)) & 0xFFU; };
    std::snprintf(text, sizeof text, "#%02x%02x%02x", byte(part(0)), byte(part(8)), byte(part(4)));
    return text;
  }
  // Steps of the golden angle keep neighbours in the legend apart.
  [[nodiscard]] std::ptrdiff_t hue(std::string_view name) const {
    return (std::find(names_.begin(), names_.end(), name) - names_.begin()) * 137 % 360;
  }
  [[nodiscard]] std::string bar(zero::TraceEvent const& event) const {
    auto const track = std::find(tracks_.begin(), tracks_.end(), std::pair(event.rank, event.stream)) - tracks_.begin();
    auto const long_enough = std::max<std::uint64_t>(1, (event.end - event.begin) * width / end_);
    return element(
               "g", {},
               title(zero::detail::label(event)) +
                   box(left + event.begin * width / end_, static_cast<std::size_t>(track), long_enough, event.name) +
                   "\n") +
           "\n";
  }

  std::vector<zero::TraceEvent> const& trace_;
  std::vector<std::pair<int, std::string>> tracks_;
  std::vector<std::string> names_;
  std::uint64_t end_ = 1;
};

/// See TracePicture.
[[nodiscard]] inline std::string picture_of(std::vector<zero::TraceEvent> const& trace) {
  return TracePicture(trace).draw();
}

}  // namespace svg
