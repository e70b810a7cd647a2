// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "progress.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>

namespace gpt2 {
namespace {

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string duration(double seconds) {
  auto const whole = static_cast<std::uint64_t>(seconds + 0.5);
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

}  // namespace

std::string json_number(std::optional<double> value) {
  if (!value || !std::isfinite(*value)) return "null";
  std::array<char, 32> text{};
  auto const result = std::to_chars(text.data(), text.data() + text.size(), *value);
  return {text.data(), result.ptr};
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

RunLog::RunLog(std::optional<std::string> const& path, bool continues) {
  if (!path) return;
  path_ = *path;
  file_.open(path_, continues ? std::ios::app : std::ios::trunc);
  if (!file_) throw UsageError("--log " + path_ + ": cannot be written: name a file in a folder that exists");
}

// Keys are literals and values are numbers: there is nothing to escape, and numbers are to be short.
void RunLog::step(StepRecord const& r) {
  if (!file_.is_open()) return;
  write("{\"step\": " + std::to_string(r.step) + ", \"loss\": " + json_number(r.loss) + ", \"val_loss\": " +
        json_number(r.val_loss) + ", \"grad_norm\": " + json_number(r.grad_norm) + ", \"lr\": " + json_number(r.lr) +
        ", \"loss_scale\": " + json_number(r.loss_scale) + ", \"skipped\": " + (r.skipped ? "true" : "false") +
        ", \"tokens_per_second\": " + json_number(r.tokens_per_second) + "}");
}

void RunLog::parameter_hash(std::uint64_t hash) {
  if (!file_.is_open()) return;
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(hash));
  write("{\"parameter_hash\": \"" + std::string(text.data()) + "\"}");
}

// Flushed line by line: a log that lags behind the run is of no use when the run dies.
void RunLog::write(std::string const& line) {
  file_ << line << '\n' << std::flush;
  if (!file_) throw std::runtime_error("--log " + path_ + ": could not be written: is the disk full?");
}

void Progress::step(StepRecord const& record) {
  double const now = seconds_now();
  if (last_time_ >= 0.0) {
    // Recent steps count most, so that the time left follows a machine whose load changes.
    double const took = now - last_time_;
    seconds_per_step_ = seconds_per_step_ == 0.0 ? took : 0.95 * seconds_per_step_ + 0.05 * took;
  }
  last_time_ = now;
  std::uint64_t const every = std::max<std::uint64_t>(1, iterations_ / 20);
  bool const plain = record.val_loss || record.step % every == 0 || record.step == iterations_;
  if (terminal_) {
    std::printf("\r\033[K%s%s", line(record).c_str(), record.val_loss ? "\n" : "");
  } else if (plain) {
    std::printf("%s\n", line(record).c_str());
  }
  if (terminal_ && record.step == iterations_ && !record.val_loss) std::printf("\n");
  std::fflush(stdout);
}

std::string Progress::line(StepRecord const& r) const {
  std::array<char, 256> text{};
  std::snprintf(text.data(), text.size(), "step %llu/%llu  loss %.4f  norm %.3f  lr %.2e",
                static_cast<unsigned long long>(r.step), static_cast<unsigned long long>(iterations_), r.loss,
                r.grad_norm, r.lr);
  std::string line = text.data();
  if (r.loss_scale != 1.0) line += "  scale " + with_separators(static_cast<std::uint64_t>(r.loss_scale));
  line += "  " + with_separators(static_cast<std::uint64_t>(r.tokens_per_second)) + " tokens/s";
  if (r.step < iterations_)
    line += "  " + duration(static_cast<double>(iterations_ - r.step) * seconds_per_step_) + " left";
  if (r.skipped) line += "  skipped: the gradient overflowed";
  if (r.val_loss) {
    std::snprintf(text.data(), text.size(), "  validation %.4f", *r.val_loss);
    line += text.data();
  }
  return line;
}

}  // namespace gpt2
