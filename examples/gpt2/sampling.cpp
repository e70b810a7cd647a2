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

}  // namespace

Token sample(std::span<float const> logits, SamplingConfig const& config, CounterRandom const& random,
             std::uint64_t counter) {
  check(logits, config);
  auto const largest = std::max_element(logits.begin(), logits.end());  // the first of equals
  if (config.temperature == 0.0) return static_cast<Token>(largest - logits.begin());

  std::vector<double> weights(logits.size());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    weights[i] = std::exp((static_cast<double>(logits[i]) - static_cast<double>(*largest)) / config.temperature);
  }
  std::vector<Token> order(logits.size());
  std::iota(order.begin(), order.end(), Token{0});
  std::stable_sort(order.begin(), order.end(), [&](Token a, Token b) { return weights[a] > weights[b]; });

  double const enough = config.top_p * std::accumulate(weights.begin(), weights.end(), 0.0);
  double nucleus = 0.0;
  std::size_t count = 0;
  while (count < order.size() && (count == 0 || nucleus < enough)) nucleus += weights[order[count++]];

  double const drawn = random.uniform(counter) * nucleus;
  double passed = 0.0;
  for (std::size_t i = 0; i + 1 < count; ++i) {
    passed += weights[order[i]];
    if (drawn < passed) return order[i];
  }
  return order[count - 1];
}

}  // namespace gpt2
