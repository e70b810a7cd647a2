// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "report.hpp"
#include "support/svg.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <span>
#include <string_view>

namespace zero_plan {
namespace {

using zero::MemoryKind;
using zero::MemoryPurpose;

struct Part {
  std::string_view title;
  std::string_view color;
  std::vector<MemoryPurpose> purposes;
};

// Colors that people who see them differently can tell apart (Okabe and Ito, 2008); what is sharded late comes low.
std::vector<Part> const& parts() {
  using enum MemoryPurpose;
  static std::vector<Part> const all{
      {"parameters", "#0072B2", {parameters}},
      {"gradients", "#E69F00", {gradients}},
      {"gradient slots", "#F0E442", {gradient_slots}},
      {"gradient sums", "#D55E00", {gradient_sums, local_sums}},
      {"master", "#009E73", {master}},
      {"states", "#56B4E9", {optimizer_states}},
      {"gathered", "#CC79A7", {gathered}},
      {"staging, control", "#999999", {staging, control}},
  };
  return all;
}
constexpr std::string_view activations_color = "#333333";

// From the top of one row of bars to the next, with room for what stands below the bars.
constexpr double pitch = 410;
constexpr double left = 72, top = 64, height = 320, slot = 84, bar = 30, legend = 170;

using svg::element;

std::string rectangle(double x, double y, double width, double tall, std::string_view fill, std::string const& title) {
  return element("rect", {{"x", x}, {"y", y}, {"width", width}, {"height", tall}, {"fill", fill}}, svg::title(title)) +
         "\n";
}

std::string text_at(double x, double y, std::string_view anchor, std::string const& text) {
  return element("text", {{"x", x}, {"y", y}, {"text-anchor", anchor}}, svg::escaped(text)) + "\n";
}

/// A horizontal one.
std::string line(double x1, double x2, double y, std::string_view color, std::string_view dashes = {}) {
  if (dashes.empty()) return element("line", {{"x1", x1}, {"x2", x2}, {"y1", y}, {"y2", y}, {"stroke", color}}) + "\n";
  return element("line",
                 {{"x1", x1}, {"x2", x2}, {"y1", y}, {"y2", y}, {"stroke", color}, {"stroke-dasharray", dashes}}) +
         "\n";
}

/// How much memory a device has.
std::string capacity_line(double x1, double x2, double y) { return line(x1, x2, y, "#c00", "6 4"); }

/// The vertical axis: bytes from 0 to a round number.
class Axis {
 public:
  explicit Axis(std::uint64_t largest) {
    double const rough = std::max(1.0, static_cast<double>(largest)) / 5;
    double const power = std::pow(10.0, std::floor(std::log10(rough)));
    for (double const factor : {1.0, 2.0, 5.0, 10.0}) {
      step_ = factor * power;
      if (step_ >= rough) break;
    }
    steps_ = static_cast<int>(std::ceil(static_cast<double>(largest) / step_));
    end_ = step_ * steps_;
  }
  [[nodiscard]] double tall(std::uint64_t bytes) const { return static_cast<double>(bytes) / end_ * height; }
  [[nodiscard]] double y(std::uint64_t bytes) const { return top + height - tall(bytes); }

  [[nodiscard]] std::string draw(double right) const {
    std::string text;
    for (int i = 0; i <= steps_; ++i) {
      double const at = i * step_;
      auto const bytes = static_cast<std::uint64_t>(at);
      char label[32];
      std::snprintf(label, sizeof label, "%g", at / 1e9);
      text += line(left, right, y(bytes), i == 0 ? "#333" : "#ddd");
      text += text_at(left - 8, y(bytes) + 4, "end", label);
    }
    return text;
  }

 private:
  double step_ = 1;
  int steps_ = 1;
  double end_ = 1;
};

std::uint64_t bytes_of(zero::MemoryReport const& memory, Part const& part, bool on_device) {
  std::uint64_t bytes = 0;
  for (auto purpose : part.purposes) {
    auto const device = memory.bytes(MemoryKind::device, purpose);
    bytes += on_device ? device : memory.bytes(purpose) - device;
  }
  return bytes;
}

// One kind of memory of one row, its parts one on another; the host's is paler.
std::string draw_bar(Row const& row, Axis const& axis, double x, bool on_device) {
  std::string text = on_device ? "<g>\n" : "<g opacity=\"0.45\">\n";
  std::uint64_t below = 0;
  auto const stack = [&](std::string_view title, std::string_view color, std::uint64_t bytes) {
    if (bytes == 0) return;
    text += rectangle(x, axis.y(below + bytes), bar, axis.tall(bytes), color,
                      std::string(title) + ": " + in_gigabytes(bytes) + " GB");
    below += bytes;
  };
  for (auto const& part : parts()) stack(part.title, part.color, bytes_of(row.plan.memory, part, on_device));
  if (on_device) stack("activations", activations_color, row.activations());
  text += "</g>\n";
  if (below > 0) text += text_at(x + bar / 2, axis.y(below) - 5, "middle", in_gigabytes(below));
  return text;
}

std::string draw_row(Report const& report, Row const& row, Axis const& axis, double x) {
  bool const offload = row.settings.plan.offload.has_value();
  double const middle = x + slot / 2;
  std::string text = draw_bar(row, axis, offload ? middle - bar - 3 : middle - bar / 2, true);
  if (offload) text += draw_bar(row, axis, middle + 3, false);
  double y = top + height;
  text += text_at(middle, y += 17, "middle",
                  "stage " + std::to_string(static_cast<int>(row.settings.plan.stage)) + (row.sends_least ? " *" : ""));
  if (offload) text += text_at(middle, y += 15, "middle", "device, host");
  if (report.options.worlds.size() > 1) {
    text += text_at(middle, y += 15, "middle", "world " + std::to_string(row.settings.plan.world));
  }
  if (report.options.accumulations.size() > 1) {
    text += text_at(middle, y + 15, "middle", std::to_string(rounds(row.settings)) + " micro-b.");
  }
  return text;
}

std::string draw_legend(Report const& report, double x) {
  std::string text;
  double y = top + 8;
  auto const entry = [&](std::string_view title, std::string_view color) {
    text += rectangle(x, y - 10, 12, 12, color, std::string(title));
    text += text_at(x + 18, y, "start", std::string(title));
    y += 20;
  };
  auto const drawn = [&](Part const& part) {
    return std::any_of(report.rows.begin(), report.rows.end(), [&](Row const& row) {
      return bytes_of(row.plan.memory, part, true) + bytes_of(row.plan.memory, part, false) > 0;
    });
  };
  bool const has_activations =
      std::any_of(report.rows.begin(), report.rows.end(), [](Row const& row) { return row.activations() > 0; });
  for (auto part = parts().rbegin(); part != parts().rend(); ++part) {
    if (part == parts().rbegin() && has_activations) entry("activations", activations_color);
    if (drawn(*part)) entry(part->title, part->color);
  }
  if (report.options.memory) {
    text += capacity_line(x - 4, x + 14, y - 4);
    text += text_at(x + 18, y, "start", "device: " + in_gigabytes(*report.options.memory) + " GB");
    y += 20;
  }
  bool const any_least =
      std::any_of(report.rows.begin(), report.rows.end(), [](Row const& row) { return row.sends_least; });
  if (any_least) text += text_at(x, y, "start", "* fits and sends least");
  return text;
}

std::uint64_t largest_of(Report const& report) {
  std::uint64_t largest = report.options.memory.value_or(0);
  for (auto const& row : report.rows) largest = std::max({largest, row.device, row.host});
  return largest;
}

/// As many settings as are drawn side by side: those of one world and accumulation belong together.
std::size_t settings_in_row(Report const& report) {
  constexpr std::size_t most = 12;
  auto const group = report.options.stages.size() * report.options.offloads.size();
  return std::min(report.rows.size(), std::max<std::size_t>(1, most / group) * group);
}

/// One row of bars with an axis.
std::string draw_picture(Report const& report, std::span<Row const> rows, Axis const& axis) {
  double const right = left + slot * static_cast<double>(rows.size());
  std::string text = axis.draw(right);
  text += element("text",
                  {{"transform", "translate(20 " + svg::number(top + height / 2) + ") rotate(-90)"},
                   {"text-anchor", "middle"}},
                  "GB (1e9 bytes) of one rank") +
          "\n";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    text += draw_row(report, rows[i], axis, left + slot * static_cast<double>(i));
  }
  if (report.options.memory) text += capacity_line(left, right, axis.y(*report.options.memory));
  return text;
}

}  // namespace

std::string to_svg(Report const& report) {
  Axis const axis(largest_of(report));
  auto const in_row = settings_in_row(report);
  auto const pictures = (report.rows.size() + in_row - 1) / in_row;
  double const right = left + slot * static_cast<double>(in_row);
  double const width = std::max(right + legend, 620.0);
  double const tall = top + height + 76 + pitch * static_cast<double>(pictures - 1);
  std::string text = "\n" + element("rect", {{"width", "100%"}, {"height", "100%"}, {"fill", "#ffffff"}}) + "\n";
  std::string const world =
      report.options.worlds.size() == 1 ? ", world " + std::to_string(report.options.worlds.front()) : "";
  text += text_at(left, 22, "start", report.model.name + world + ": memory of one rank");
  text += text_at(left, 40, "start",
                  "predicted by a run of the engine without storage; AdamW, " +
                      std::string(name(report.options.settings.types.compute)) + ", sums in " +
                      std::string(name(report.options.settings.types.sum)));
  for (std::size_t i = 0; i < pictures; ++i) {
    auto const rows = std::span(report.rows).subspan(i * in_row, std::min(in_row, report.rows.size() - i * in_row));
    auto const picture = draw_picture(report, rows, axis);
    auto const below = "translate(0 " + svg::number(pitch * static_cast<double>(i)) + ")";
    text += i == 0 ? picture : element("g", {{"transform", below}}, "\n" + picture) + "\n";
  }
  text += draw_legend(report, right + 20);
  return element("svg",
                 {{"xmlns", "http://www.w3.org/2000/svg"},
                  {"viewBox", "0 0 " + svg::number(width) + " " + svg::number(tall)},
                  {"width", width},
                  {"height", tall},
                  {"font-family", "sans-serif"},
                  {"font-size", "12"}},
                 text) +
         "\n";
}

}  // namespace zero_plan
