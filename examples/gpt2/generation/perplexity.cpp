// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "perplexity.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace gpt2 {
namespace {

/// -log softmax(logits)[target].
double loss_of(std::span<float const> logits, Token target) {
  auto const most = static_cast<double>(*std::max_element(logits.begin(), logits.end()));
  double sum = 0.0;
  for (float const logit : logits) sum += std::exp(static_cast<double>(logit) - most);
  return most + std::log(sum) - static_cast<double>(logits[target]);
}

}  // namespace

Prediction predict(Decoder& decoder, std::span<Token const> tokens, zero::ThreadPool& pool) {
  Prediction all;
  double sum = 0.0;
  std::vector<NextToken> call;
  std::vector<double> losses;
  std::size_t const context = decoder.capacity();
  for (std::size_t first = 0; first + 1 < tokens.size(); first += context) {
    decoder.clear(0);
    std::size_t const end = std::min(first + context, tokens.size() - 1);
    for (std::size_t at = first; at < end; at += call.size()) {
      call.clear();
      for (std::size_t i = at; i < std::min(at + Decoder::most_tokens, end); ++i) call.push_back({0, tokens[i], true});
      decoder.append(call);
      losses.resize(call.size());
      pool.parallel_for(call.size(),
                        [&](std::size_t i) { losses[i] = loss_of(decoder.logits(i), tokens[at + i + 1]); });
      for (double const loss : losses) sum += loss;
      all.tokens += call.size();
    }
  }
  all.loss = all.tokens == 0 ? 0.0 : sum / static_cast<double>(all.tokens);
  return all;
}

}  // namespace gpt2
