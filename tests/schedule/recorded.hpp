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

#define ZERO_TAKE(member) [](Settings& settings, auto& config) { settings.take(#member, config.member); }

inline Schedule schedule_of(std::string_view kind, Settings const& s) {
  if (kind == WarmupLR::name) {
    return make<WarmupLR>(s, ZERO_TAKE(min_lr), ZERO_TAKE(max_lr), ZERO_TAKE(warmup_steps), ZERO_TAKE(shape));
  }
  if (kind == WarmupDecayLR::name) {
    return make<WarmupDecayLR>(s, ZERO_TAKE(total_steps), ZERO_TAKE(min_lr), ZERO_TAKE(max_lr), ZERO_TAKE(warmup_steps),
                               ZERO_TAKE(shape));
  }
  if (kind == WarmupCosineLR::name) {
    return make<WarmupCosineLR>(s, ZERO_TAKE(lr), ZERO_TAKE(total_steps), ZERO_TAKE(warmup_min_ratio),
                                ZERO_TAKE(warmup_steps), ZERO_TAKE(cosine_min_ratio), ZERO_TAKE(shape));
  }
  if (kind == OneCycle::name) {
    return make<OneCycle>(s, ZERO_TAKE(min_lr), ZERO_TAKE(max_lr), ZERO_TAKE(decay_lr_rate), ZERO_TAKE(first_steps),
                          ZERO_TAKE(second_steps), ZERO_TAKE(first_stairs), ZERO_TAKE(second_stairs),
                          ZERO_TAKE(decay_steps), ZERO_TAKE(cycles_momentum), ZERO_TAKE(min_momentum),
                          ZERO_TAKE(max_momentum), ZERO_TAKE(decay_momentum_rate));
  }
  if (kind == LRRangeTest::name) {
    return make<LRRangeTest>(s, ZERO_TAKE(min_lr), ZERO_TAKE(interval), ZERO_TAKE(rate), ZERO_TAKE(staircase));
  }
  if (kind == StepLR::name) {
    return make<StepLR>(s, ZERO_TAKE(lr), ZERO_TAKE(interval), ZERO_TAKE(gamma));
  }
  if (kind == MultiStepLR::name) {
    return make<MultiStepLR>(s, ZERO_TAKE(lr), ZERO_TAKE(milestones), ZERO_TAKE(gamma));
  }
  if (kind == ExponentialLR::name) return make<ExponentialLR>(s, ZERO_TAKE(lr), ZERO_TAKE(gamma));
  if (kind == LinearLR::name) {
    return make<LinearLR>(s, ZERO_TAKE(lr), ZERO_TAKE(start_factor), ZERO_TAKE(end_factor), ZERO_TAKE(total_steps));
  }
  if (kind == ConstantLR::name) {
    return make<ConstantLR>(s, ZERO_TAKE(lr), ZERO_TAKE(factor), ZERO_TAKE(total_steps));
  }
  if (kind == CosineAnnealingLR::name) {
    return make<CosineAnnealingLR>(s, ZERO_TAKE(lr), ZERO_TAKE(min_lr), ZERO_TAKE(half_period));
  }
  if (kind == Cosine::name) {
    return make<Cosine>(s, ZERO_TAKE(lr), ZERO_TAKE(min_lr), ZERO_TAKE(warmup_steps), ZERO_TAKE(total_steps));
  }
  if (kind == Linear::name) {
    return make<Linear>(s, ZERO_TAKE(lr), ZERO_TAKE(min_lr), ZERO_TAKE(warmup_steps), ZERO_TAKE(total_steps));
  }
  if (kind == Constant::name) return make<Constant>(s, ZERO_TAKE(lr), ZERO_TAKE(warmup_steps));
  if (kind == WarmupStableDecay::name) {
    return make<WarmupStableDecay>(s, ZERO_TAKE(lr), ZERO_TAKE(min_lr), ZERO_TAKE(warmup_steps), ZERO_TAKE(total_steps),
                                   ZERO_TAKE(decay_steps), ZERO_TAKE(shape));
  }
  throw std::runtime_error("unknown schedule " + std::string(kind));
}

#undef ZERO_TAKE

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
