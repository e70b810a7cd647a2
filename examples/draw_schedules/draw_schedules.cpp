// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Draws every schedule of zero/schedule/ into SVG files of a folder: draw_schedules FOLDER. A schedule is a pure
// function of the step, so a curve is what `at` returns, whatever the schedule is.
#include "support/svg.hpp"

#include <zero/schedule/schedule.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

namespace {

using namespace zero::schedule;
using svg::element;

struct Curve {
  std::string label;
  Schedule schedule;
  bool is_momentum = false;
};

struct Panel {
  std::string title;
  std::vector<Curve> curves;
};

// Colors that people who see them differently can tell apart (Okabe and Ito, 2008).
constexpr char const* colors[] = {"#0072B2", "#D55E00", "#009E73"};
constexpr std::uint64_t steps = 1000;
constexpr double width = 300, height = 190, left = 56, top = 34, across = 220, tall = 110;
constexpr std::size_t columns = 3;

struct Point {
  double x, y;
};

std::string text(double x, double y, char const* anchor, std::string const& words) {
  return element("text", {{"x", x}, {"y", y}, {"text-anchor", anchor}}, svg::escaped(words)) + "\n";
}
std::string line(double x1, double y1, double x2, double y2) {
  return element("line", {{"x1", x1}, {"y1", y1}, {"x2", x2}, {"y2", y2}, {"stroke", "#999"}}) + "\n";
}

/// The points of a curve whose largest value is \p most, without those between which it is a line.
std::vector<Point> points_of(Curve const& curve, double most) {
  std::vector<Point> all;
  for (std::uint64_t step = 0; step < steps; ++step) {
    auto const rates = curve.schedule.at(step);
    double const value = curve.is_momentum ? rates.momentum.value_or(0.0) : rates.lr;
    all.push_back({across * static_cast<double>(step) / static_cast<double>(steps), tall * (1 - value / most)});
  }
  std::vector<Point> kept{all.front()};
  for (std::size_t first = 0, last = 2; last < all.size(); ++last) {
    bool bends = false;
    for (std::size_t i = first + 1; i < last && !bends; ++i) {
      double const share = (all[i].x - all[first].x) / (all[last].x - all[first].x);
      bends = std::abs(all[first].y + share * (all[last].y - all[first].y) - all[i].y) > 0.1;
    }
    if (!bends) continue;
    first = last - 1;
    kept.push_back(all[first]);
  }
  kept.push_back(all.back());
  return kept;
}

/// The largest learning rate of \p panel.
double largest(Panel const& panel) {
  double most = 0;
  for (auto const& curve : panel.curves) {
    for (std::uint64_t step = 0; step < steps && !curve.is_momentum; ++step) {
      most = std::max(most, curve.schedule.at(step).lr);
    }
  }
  return most;
}

std::string draw(Panel const& panel) {
  double const most = largest(panel);
  char label[32];
  std::snprintf(label, sizeof label, "%.3g", most);
  std::string out = text(left, 16, "start", panel.title) + line(left, top, left, top + tall) +
                    line(left, top + tall, left + across, top + tall) + text(left - 6, top + 8, "end", label) +
                    text(left - 6, top + tall, "end", "0") + text(left, top + tall + 14, "middle", "0") +
                    text(left + across, top + tall + 14, "middle", std::to_string(steps));
  double words = left + 20;
  for (std::size_t k = 0; k < panel.curves.size(); ++k) {
    auto const& curve = panel.curves[k];
    std::string points;
    for (auto const& [x, y] : points_of(curve, curve.is_momentum ? 1.0 : most)) {
      points += (points.empty() ? "" : " ") + svg::number(left + x) + "," + svg::number(top + y);
    }
    char const* const color = colors[k % 3];
    out += element("polyline", {{"points", points},
                                {"fill", "none"},
                                {"stroke", color},
                                {"stroke-width", 2.0},
                                {"stroke-dasharray", curve.is_momentum ? "5 3" : "none"}}) +
           "\n";
    out += element("text", {{"x", words}, {"y", top + tall + 30}, {"fill", color}}, svg::escaped(curve.label)) + "\n";
    words += 10 + 7 * static_cast<double>(curve.label.size());
  }
  return out;
}

bool write(std::string const& file, std::vector<Panel> const& panels) {
  std::size_t const rows = (panels.size() + columns - 1) / columns;
  std::string content = element("rect", {{"width", "100%"}, {"height", "100%"}, {"fill", "#ffffff"}}) + "\n";
  for (std::size_t i = 0; i < panels.size(); ++i) {
    std::size_t const column = i % columns, row = i / columns;
    auto const place = "translate(" + svg::number(width * static_cast<double>(column)) + " " +
                       svg::number(height * static_cast<double>(row)) + ")";
    content += element("g", {{"transform", place}}, "\n" + draw(panels[i])) + "\n";
  }
  double const wide = width * columns, high = height * static_cast<double>(rows);
  std::ofstream out(file);
  out << element("svg",
                 {{"xmlns", "http://www.w3.org/2000/svg"},
                  {"viewBox", "0 0 " + svg::number(wide) + " " + svg::number(high)},
                  {"width", wide},
                  {"height", high},
                  {"font-family", "sans-serif"},
                  {"font-size", "12"}},
                 "\n" + content)
      << "\n";
  out.close();
  if (!out) std::fprintf(stderr, "draw_schedules: %s cannot be written\n", file.c_str());
  return static_cast<bool>(out);
}

std::vector<Panel> of_this_library() {
  double const lr = 6e-4, least = 6e-5;
  return {
      {"Cosine", {{"cosine", Cosine({.lr = lr, .min_lr = least, .warmup_steps = 100, .total_steps = steps})}}},
      {"Linear", {{"linear", Linear({.lr = lr, .min_lr = least, .warmup_steps = 100, .total_steps = steps})}}},
      {"Constant", {{"constant", Constant({.lr = lr, .warmup_steps = 100})}}},
      {"WarmupStableDecay",
       {{"linear", WarmupStableDecay({.lr = lr, .warmup_steps = 100, .decay_steps = 300, .total_steps = steps})},
        {"one_minus_sqrt", WarmupStableDecay({.lr = lr,
                                              .warmup_steps = 100,
                                              .decay_steps = 300,
                                              .total_steps = steps,
                                              .shape = DecayShape::one_minus_sqrt})}}},
      {"Custom",
       {{"sawtooth", Custom{"sawtooth",
                            [](std::uint64_t step) {
                              auto const half = static_cast<double>(step % 500) / 500;
                              return Rates{.lr = 6e-4 * (1 - half)};
                            }}}}},
  };
}

std::vector<Panel> of_deepspeed() {
  OneCycle const cycle({.min_lr = 1e-4, .max_lr = 1e-3, .decay_lr_rate = 0.5, .first_steps = 350, .decay_steps = 100});
  OneCycle const stairs({.min_lr = 1e-4, .max_lr = 1e-3, .first_steps = 350, .first_stairs = 5});
  return {
      {"WarmupLR",
       {{"log", WarmupLR({.warmup_steps = 400})},
        {"linear", WarmupLR({.warmup_steps = 400, .shape = WarmupShape::linear})}}},
      {"WarmupDecayLR",
       {{"log", WarmupDecayLR({.total_steps = steps, .warmup_steps = 200})},
        {"linear", WarmupDecayLR({.total_steps = steps, .warmup_steps = 200, .shape = WarmupShape::linear})}}},
      {"WarmupCosineLR",
       {{"log", WarmupCosineLR({.total_steps = steps, .warmup_steps = 200})},
        {"linear", WarmupCosineLR({.total_steps = steps, .warmup_steps = 200, .shape = WarmupShape::linear})}}},
      {"OneCycle", {{"learning rate", cycle}, {"momentum (of 1)", cycle, true}}},
      {"OneCycle with first_stairs = 5", {{"learning rate", stairs}, {"momentum (of 1)", stairs, true}}},
      {"LRRangeTest",
       {{"continuous", LRRangeTest({.min_lr = 1e-4, .interval = 200})},
        {"staircase", LRRangeTest({.min_lr = 1e-4, .interval = 200, .staircase = true})}}},
  };
}

std::vector<Panel> of_pytorch() {
  return {
      {"StepLR", {{"interval = 200, gamma = 0.5", StepLR({.lr = 0.1, .interval = 200, .gamma = 0.5})}}},
      {"MultiStepLR",
       {{"milestones = {300, 400, 800}", MultiStepLR({.lr = 0.1, .milestones = {300, 400, 800}, .gamma = 0.5})}}},
      {"ExponentialLR", {{"gamma = 0.997", ExponentialLR({.lr = 0.1, .gamma = 0.997})}}},
      {"LinearLR", {{"1/3 to 1 in 400 steps", LinearLR({.lr = 0.1, .total_steps = 400})}}},
      {"ConstantLR", {{"1/3 for 400 steps", ConstantLR({.lr = 0.1, .total_steps = 400})}}},
      {"CosineAnnealingLR",
       {{"half_period = 300", CosineAnnealingLR({.lr = 0.1, .min_lr = 0.01, .half_period = 300})}}},
  };
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: draw_schedules FOLDER\n");
    return 2;
  }
  std::string const folder = arguments[1];
  bool const written = write(folder + "/schedules.svg", of_this_library()) &&
                       write(folder + "/schedules_deepspeed.svg", of_deepspeed()) &&
                       write(folder + "/schedules_pytorch.svg", of_pytorch());
  return written ? 0 : 1;
}
