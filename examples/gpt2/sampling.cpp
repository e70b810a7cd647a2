// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "sampling.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <stdexcept>
#include <vector>

namespace gpt2 {
namespace {

void check(std::span<float const> logits, SamplingConfig const& config) {
  if (!std::isfinite(config.temperature) || config.temperature < 0.0) {
    throw std::invalid_argument("gpt2::sample: the temperature must be finite and not negative");
  }
  if (!(config.top_p > 0.0 && config.top_p <= 1.0)) {
    throw std::invalid_argument("gpt2::sample: top_p must be above 0 and at most 1");
  }
  bool const finite = std::all_of(logits.begin(), logits.end(), [](float x) { return std::isfinite(x); });
  if (logits.empty() || !finite) {
    throw std::invalid_argument("gpt2::sample: there must be logits and all must be finite; the model has diverged");
  }
}

/// Tokens from the likeliest on, equal ones by their index. Sorts no more of them than are asked for: twice as many
/// each time, as nearly all that are drawn are among the first.
class Ranking {
 public:
  explicit Ranking(std::vector<double> const& weights) : weights_(weights), order_(weights.size()) {
    std::iota(order_.begin(), order_.end(), Token{0});
  }

  [[nodiscard]] Token operator[](std::size_t place) {
    while (place >= sorted_) extend();
    return order_[place];
  }

 private:
  void extend() {
    auto const at = [&](std::size_t n) { return order_.begin() + static_cast<std::ptrdiff_t>(n); };
    std::size_t const end = std::min(order_.size(), std::max<std::size_t>(64, 2 * sorted_));
    std::partial_sort(at(sorted_), at(end), order_.end(), [&](Token a, Token b) {
      return weights_[a] > weights_[b] || (weights_[a] == weights_[b] && a < b);
    });
    sorted_ = end;
  }

  std::vector<double> const& weights_;
  std::vector<Token> order_;
  std::size_t sorted_ = 0;
};

}  // namespace

CounterRandom sampling_stream(std::uint64_t seed, std::span<Token const> prompt) {
  auto stream = CounterRandom(seed).with(0x73616D706C65);
  for (auto const token : prompt.subspan(std::min<std::size_t>(1, prompt.size()))) stream = stream.with(token);
  return stream;
}

Token sample(std::span<float const> logits, SamplingConfig const& config, CounterRandom const& random,
             std::uint64_t counter) {
  check(logits, config);
  auto const largest = std::max_element(logits.begin(), logits.end());  // the first of equals
  if (config.temperature == 0.0) return static_cast<Token>(largest - logits.begin());

  std::vector<double> weights(logits.size());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    weights[i] = std::exp((static_cast<double>(logits[i]) - static_cast<double>(*largest)) / config.temperature);
  }
  Ranking ranking(weights);
  std::size_t const most = config.top_k == 0 ? weights.size() : std::min(config.top_k, weights.size());
  double all = 0.0;
  for (std::size_t i = 0; i < most; ++i) all += weights[most < weights.size() ? ranking[i] : i];

  double nucleus = all;
  std::size_t count = most;
  if (config.top_p < 1.0) {
    nucleus = 0.0, count = 0;
    while (count < most && (count == 0 || nucleus < config.top_p * all)) nucleus += weights[ranking[count++]];
  }
  double const drawn = random.uniform(counter) * nucleus;
  double passed = 0.0;
  for (std::size_t i = 0; i + 1 < count; ++i) {
    passed += weights[ranking[i]];
    if (drawn < passed) return ranking[i];
  }
  return ranking[count - 1];
}

}  // namespace gpt2
