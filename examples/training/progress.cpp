// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "progress.hpp"

#include "console.hpp"

#include <zero/utility/shortest_number.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <utility>

namespace training {
namespace {

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string duration(double seconds) {
  auto const whole = static_cast<std::uint64_t>(std::llround(seconds));
  std::array<char, 32> text{};
  if (whole >= 3600) {
    std::snprintf(text.data(), text.size(), "%lluh%02llum", static_cast<unsigned long long>(whole / 3600),
                  static_cast<unsigned long long>(whole / 60 % 60));
  } else {
    std::snprintf(text.data(), text.size(), "%llum%02llus", static_cast<unsigned long long>(whole / 60),
                  static_cast<unsigned long long>(whole % 60));
  }
  return text.data();
}

std::string scale_of(double scale) {
  constexpr double most = 1e15;  // above it digits tell nothing
  bool const is_whole = scale < most && scale == std::floor(scale);
  return is_whole ? with_separators(static_cast<std::uint64_t>(scale)) : formatted("%.3g", scale);
}

}  // namespace

std::string json_number(std::optional<double> value) {
  return value && std::isfinite(*value) ? zero::shortest_number(*value) : "null";
}

std::string formatted(char const* format, double number) {
  if (std::isnan(number)) return "nan";
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), format, number);
  return text.data();
}

std::string in_brackets(std::vector<NamedLoss> const& losses) {
  std::string text;
  for (auto const& [label, loss] : losses) {
    text.append(text.empty() ? " (" : ", ").append(label).append(" ").append(formatted("%.4f", loss));
  }
  return text.empty() ? text : text + ")";
}

std::string with_separators(std::uint64_t number) {
  std::string const digits = std::to_string(number);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

Progress::Progress(CommonOptions const& options, std::string items)
    : items_(std::move(items)), iterations_(options.iterations) {
  // Where nobody watches, twenty lines tell of a run, but not one in hours only.
  std::uint64_t const few = std::clamp<std::uint64_t>(iterations_ / 20, 1, 1000);
  interval_ = options.log_interval.value_or(console().is_live() ? 0 : few);
}

bool Progress::step(StepRecord const& record) {
  double const now = seconds_now();
  if (last_time_ >= 0.0) step_seconds_.add(now - last_time_);
  last_time_ = now;
  if (record.items_per_second > 0.0) train_seconds_.add(record.items / record.items_per_second);
  bool const stays = record.val_loss || record.step == iterations_ || (interval_ > 0 && record.step % interval_ == 0);
  if (stays) {
    console().line(fields(record));
  } else {
    console().status(fields(record));
  }
  return stays;
}

// What matters most comes first, as a narrow terminal has no room for the last ones.
std::vector<std::string> Progress::fields(StepRecord const& r) const {
  std::vector<std::string> all{"step " + std::to_string(r.step) + "/" + std::to_string(iterations_),
                               "loss " + formatted("%.4f", r.loss)};
  for (auto const& measure : r.measured) all.push_back(measure.text);
  if (r.val_loss) all.push_back("validation " + formatted("%.4f", *r.val_loss) + in_brackets(r.val_losses));
  for (auto const& measure : r.evaluated) all.push_back(measure.text);
  if (r.train_loss) all.push_back("training " + formatted("%.4f", *r.train_loss));
  if (r.skipped) all.push_back(r.scales ? "skipped: the gradient overflowed" : "skipped: the gradient is not finite");
  if (r.grad_norm) all.push_back("norm " + formatted("%.3f", *r.grad_norm));
  all.push_back("lr " + formatted("%.2e", r.lr));
  double const seconds = train_seconds_.value();
  if (seconds > 0.0) {
    all.push_back(with_separators(static_cast<std::uint64_t>(r.items / seconds)) + " " + items_ + "/s");
    all.push_back(formatted("%.1f", 1e3 * seconds) + " ms");
    if (r.mfu) all.push_back("MFU " + formatted("%.2f", 100.0 * *r.mfu * r.seconds / seconds) + " %");
  }
  if (r.step < iterations_) {
    all.push_back(duration(static_cast<double>(iterations_ - r.step) * step_seconds_.value()) + " left");
  }
  all.push_back("epoch " + formatted("%.2f", r.epoch));
  if (r.loss_scale != 1.0) all.push_back("scale " + scale_of(r.loss_scale));
  return all;
}

}  // namespace training
