// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/schedule/schedule.hpp>

#include <cstdint>
#include <cstdlib>
#include <istream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The file that record_schedules.py writes: a line of steps, and by case a line "source kind setting=value..." and
// lines of what was used at these steps: learning rates, and where there are three, β₁ and β₂.
namespace recorded {

/// The settings of a case. Those that nobody has asked for are typing errors.
class Settings {
 public:
  explicit Settings(std::istream& words) {
    for (std::string word; words >> word;) {
      auto const equals = word.find('=');
      values_[word.substr(0, equals)] = word.substr(equals + 1);
    }
  }
  void take(char const* name, double& value) {
    if (auto const text = find(name)) value = std::strtod(text->c_str(), nullptr);
  }
  void take(char const* name, std::uint64_t& value) {
    if (auto const text = find(name)) value = std::strtoull(text->c_str(), nullptr, 10);
  }
  void take(char const* name, std::optional<std::uint64_t>& value) {
    if (auto const text = find(name)) value = std::strtoull(text->c_str(), nullptr, 10);
  }
  void take(char const* name, bool& value) {
    if (auto const text = find(name)) value = *text != "0";
  }
  void take(char const* name, zero::schedule::WarmupShape& value) {
    if (auto const text = find(name)) {
      value = *text == "log" ? zero::schedule::WarmupShape::logarithmic : zero::schedule::WarmupShape::linear;
    }
  }
  void take(char const* name, zero::schedule::DecayShape& value) {
    if (auto const text = find(name)) {
      value = *text == "sqrt" ? zero::schedule::DecayShape::one_minus_sqrt : zero::schedule::DecayShape::linear;
    }
  }
  void take(char const* name, std::vector<std::uint64_t>& value) {
    auto const text = find(name);
    if (!text) return;
    std::istringstream numbers(*text);
    for (std::string number; std::getline(numbers, number, ',');) {
      value.push_back(std::strtoull(number.c_str(), nullptr, 10));
    }
  }
  void require_all_taken() const {
    if (!values_.empty()) throw std::runtime_error("unknown setting " + values_.begin()->first);
  }

 private:
  std::optional<std::string> find(char const* name) {
    auto const found = values_.extract(name);
    if (found.empty()) return std::nullopt;
    return found.mapped();
  }
  std::map<std::string, std::string> values_;
};

/// One case.
struct Case {
  std::string head;  ///< its first line
  std::string source;
  zero::schedule::Schedule schedule;
  std::vector<std::vector<double>> used{};  ///< by column and step
};

namespace detail {

using namespace zero::schedule;

template <class S, class... Take>
Schedule make(Settings settings, Take... take) {
  typename S::Config config;
  (take(settings, config), ...);
  settings.require_all_taken();
  return S(config);
}

#define RECORDED_TAKE(member) [](Settings& settings, auto& config) { settings.take(#member, config.member); }

inline Schedule schedule_of(std::string_view kind, Settings const& s) {
  if (kind == WarmupLR::name) {
    return make<WarmupLR>(s, RECORDED_TAKE(min_lr), RECORDED_TAKE(max_lr), RECORDED_TAKE(warmup_steps),
                          RECORDED_TAKE(shape));
  }
  if (kind == WarmupDecayLR::name) {
    return make<WarmupDecayLR>(s, RECORDED_TAKE(total_steps), RECORDED_TAKE(min_lr), RECORDED_TAKE(max_lr),
                               RECORDED_TAKE(warmup_steps), RECORDED_TAKE(shape));
  }
  if (kind == WarmupCosineLR::name) {
    return make<WarmupCosineLR>(s, RECORDED_TAKE(lr), RECORDED_TAKE(total_steps), RECORDED_TAKE(warmup_min_ratio),
                                RECORDED_TAKE(warmup_steps), RECORDED_TAKE(cosine_min_ratio), RECORDED_TAKE(shape));
  }
  if (kind == OneCycle::name) {
    return make<OneCycle>(s, RECORDED_TAKE(min_lr), RECORDED_TAKE(max_lr), RECORDED_TAKE(decay_lr_rate),
                          RECORDED_TAKE(first_steps), RECORDED_TAKE(second_steps), RECORDED_TAKE(first_stairs),
                          RECORDED_TAKE(second_stairs), RECORDED_TAKE(decay_steps), RECORDED_TAKE(cycles_momentum),
                          RECORDED_TAKE(min_momentum), RECORDED_TAKE(max_momentum), RECORDED_TAKE(decay_momentum_rate));
  }
  if (kind == LRRangeTest::name) {
    return make<LRRangeTest>(s, RECORDED_TAKE(min_lr), RECORDED_TAKE(interval), RECORDED_TAKE(rate),
                             RECORDED_TAKE(staircase));
  }
  if (kind == StepLR::name) {
    return make<StepLR>(s, RECORDED_TAKE(lr), RECORDED_TAKE(interval), RECORDED_TAKE(gamma));
  }
  if (kind == MultiStepLR::name) {
    return make<MultiStepLR>(s, RECORDED_TAKE(lr), RECORDED_TAKE(milestones), RECORDED_TAKE(gamma));
  }
  if (kind == ExponentialLR::name) return make<ExponentialLR>(s, RECORDED_TAKE(lr), RECORDED_TAKE(gamma));
  if (kind == LinearLR::name) {
    return make<LinearLR>(s, RECORDED_TAKE(lr), RECORDED_TAKE(start_factor), RECORDED_TAKE(end_factor),
                          RECORDED_TAKE(total_steps));
  }
  if (kind == ConstantLR::name) {
    return make<ConstantLR>(s, RECORDED_TAKE(lr), RECORDED_TAKE(factor), RECORDED_TAKE(total_steps));
  }
  if (kind == CosineAnnealingLR::name) {
    return make<CosineAnnealingLR>(s, RECORDED_TAKE(lr), RECORDED_TAKE(min_lr), RECORDED_TAKE(half_period));
  }
  if (kind == Cosine::name) {
    return make<Cosine>(s, RECORDED_TAKE(lr), RECORDED_TAKE(min_lr), RECORDED_TAKE(warmup_steps),
                        RECORDED_TAKE(total_steps));
  }
  if (kind == Linear::name) {
    return make<Linear>(s, RECORDED_TAKE(lr), RECORDED_TAKE(min_lr), RECORDED_TAKE(warmup_steps),
                        RECORDED_TAKE(total_steps));
  }
  if (kind == Constant::name) return make<Constant>(s, RECORDED_TAKE(lr), RECORDED_TAKE(warmup_steps));
  if (kind == WarmupStableDecay::name) {
    return make<WarmupStableDecay>(s, RECORDED_TAKE(lr), RECORDED_TAKE(min_lr), RECORDED_TAKE(warmup_steps),
                                   RECORDED_TAKE(total_steps), RECORDED_TAKE(decay_steps), RECORDED_TAKE(shape));
  }
  throw std::runtime_error("unknown schedule " + std::string(kind));
}

#undef RECORDED_TAKE

// A line of numbers, each of which may be followed by *times.
inline std::vector<double> numbers_in(std::string const& line) {
  std::vector<double> numbers;
  std::istringstream words(line);
  for (std::string word; words >> word;) {
    char* end = nullptr;
    double const number = std::strtod(word.c_str(), &end);
    numbers.insert(numbers.end(), *end == '*' ? std::strtoul(end + 1, nullptr, 10) : 1, number);
  }
  return numbers;
}

}  // namespace detail

/// The steps of a file, and its cases.
struct File {
  std::vector<std::uint64_t> steps{};
  std::vector<Case> cases{};
};

inline File read(std::istream& in) {
  File file;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words(line);
    if (line[0] == ' ') {
      file.cases.back().used.push_back(detail::numbers_in(line));
      continue;
    }
    std::string source, kind;
    words >> source;
    if (source == "steps") {
      for (std::uint64_t step = 0; words >> step;) file.steps.push_back(step);
      continue;
    }
    words >> kind;
    file.cases.push_back({line, source, detail::schedule_of(kind, Settings(words))});
  }
  return file;
}

}  // namespace recorded
