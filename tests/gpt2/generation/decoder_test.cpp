// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "random_model.hpp"

#include <gpt2/generation/decoder.hpp>
#include <gpt2/generation/perplexity.hpp>
#include <gpt2/generation/text_batch.hpp>
#include <gpt2/sampling.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <set>
#include <stdexcept>
#include <vector>

namespace gpt2_generation_decoder_test {

using gpt2::Decoder;
using gpt2::NextToken;
using gpt2::Token;
using gpt2::WeightType;

namespace {

// Neither the width of a head, 6, nor any other size is a multiple of a vector.
constexpr gpt2::ModelShape shape{.layers = 3, .heads = 5, .width = 30, .context = 24, .vocabulary = 101};

RandomModel const& model() {
  static RandomModel const made(shape, 0.3);
  return made;
}

gpt2::DecoderWeights weights_of(RandomModel const& of, WeightType type = WeightType::fp32) {
  zero::ThreadPool pool(1);
  return {of.shape(), type, of.reader(), pool};
}

double largest_difference(std::vector<float> const& a, std::span<float const> b) {
  double most = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i)
    most = std::max(most, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  return most;
}

std::vector<Token> tokens_of(std::size_t count, std::uint64_t seed) {
  std::vector<Token> tokens;
  for (std::size_t i = 0; i < count; ++i)
    tokens.push_back(static_cast<Token>(gpt2::CounterRandom(seed).below(i, shape.vocabulary)));
  return tokens;
}

/// The logits after all of \p tokens, of a sequence that comes in calls of \p at_once tokens.
std::vector<float> decode(gpt2::DecoderWeights const& weights, std::vector<Token> const& tokens, std::size_t at_once,
                          int threads = 1) {
  zero::ThreadPool pool(threads);
  Decoder decoder(weights, 1, shape.context, pool);
  for (std::size_t first = 0; first < tokens.size(); first += at_once) {
    std::vector<NextToken> call;
    for (std::size_t i = first; i < std::min(first + at_once, tokens.size()); ++i)
      call.push_back({0, tokens[i], i + 1 == tokens.size()});
    decoder.append(call);
  }
  auto const logits = decoder.logits(0);
  return {logits.begin(), logits.end()};
}

/// The texts of all prompts, decoded \p at_once at a time.
std::vector<std::vector<Token>> texts_of(gpt2::DecoderWeights const& weights,
                                         std::vector<std::vector<Token>> const& prompts,
                                         gpt2::TextSettings const& settings, std::size_t at_once) {
  zero::ThreadPool pool(2);
  Decoder decoder(weights, at_once, shape.context, pool);
  auto texts = prompts;
  gpt2::TextBatch batch(decoder, settings, prompts, [&](std::size_t text, Token token) {
    texts[text].push_back(token);
    return token != 7;  // texts end at different times
  });
  while (batch.step()) {
  }
  return texts;
}

}  // namespace

TEST_CASE("gpt2 decoder: greedy text has the logits of a whole forward pass at every step, past the context, too") {
  auto const weights = weights_of(model());
  zero::ThreadPool pool(2);
  Decoder decoder(weights, 1, shape.context, pool);
  gpt2::TextWindow window({42}, shape.context);
  std::set<Token> distinct;
  for (int step = 0; step < 100; ++step) {
    std::vector<NextToken> call;
    auto const unread = window.window().subspan(decoder.length(0));
    for (std::size_t i = 0; i < unread.size(); ++i) call.push_back({0, unread[i], i + 1 == unread.size()});
    decoder.append(call);
    auto const whole = model().logits(window.window());
    CAPTURE(step);
    CHECK(largest_difference(whole, decoder.logits(0)) < 1e-4);
    auto const token = gpt2::sample(whole, {.temperature = 0.0}, gpt2::CounterRandom(0), 0);
    CHECK(gpt2::sample(decoder.logits(0), {.temperature = 0.0}, gpt2::CounterRandom(0), 0) == token);
    // A model like this one soon repeats itself: what comes next is not always the likeliest.
    auto const next =
        gpt2::sample(whole, {.temperature = 2.0}, gpt2::CounterRandom(9), static_cast<std::uint64_t>(step));
    distinct.insert(next);
    if (window.push(next)) decoder.clear(0);
  }
  CHECK(distinct.size() >= 30);
}

TEST_CASE("gpt2 decoder: the same bits whether tokens come one by one, some at a time or all at once") {
  auto const tokens = tokens_of(shape.context, 1);
  for (auto const type : {WeightType::fp32, WeightType::bf16, WeightType::fp16, WeightType::int8}) {
    auto const weights = weights_of(model(), type);
    auto const all = decode(weights, tokens, tokens.size());
    for (std::size_t const at_once : {1U, 2U, 3U, 7U, 23U}) CHECK(decode(weights, tokens, at_once) == all);
    CHECK(decode(weights, tokens, 5, 3) == all);
  }
}

TEST_CASE("gpt2 decoder: every type of weights computes what a model of the rounded weights does") {
  auto const tokens = tokens_of(20, 2);
  for (auto const type : {WeightType::bf16, WeightType::fp16, WeightType::int8}) {
    auto const weights = weights_of(model(), type);
    auto rounded = model();
    auto const put = [&](std::string const& name, gpt2::WeightMatrix const& matrix, bool is_transposed) {
      auto& values = rounded.values(name);
      std::size_t const inputs = values.size() / matrix.outputs();
      std::vector<float> row(inputs);
      for (std::size_t o = 0; o < matrix.outputs(); ++o) {
        matrix.read(o, row.data());
        for (std::size_t i = 0; i < inputs; ++i)
          values[is_transposed ? i * matrix.outputs() + o : o * inputs + i] = row[i];
      }
    };
    put("wte.weight", weights.wte, false);
    rounded.values("wpe.weight") = weights.wpe;
    rounded.values("ln_f.weight") = weights.ln_f_weight;
    rounded.values("ln_f.bias") = weights.ln_f_bias;
    for (std::size_t l = 0; l < shape.layers; ++l) {
      auto const& block = weights.blocks[l];
      std::string const h = "h." + std::to_string(l) + ".";
      put(h + "attn.c_attn.weight", block.attention, true);
      put(h + "attn.c_proj.weight", block.attention_projection, true);
      put(h + "mlp.c_fc.weight", block.mlp, true);
      put(h + "mlp.c_proj.weight", block.mlp_projection, true);
      rounded.values(h + "ln_1.weight") = block.ln_1_weight;
      rounded.values(h + "ln_1.bias") = block.ln_1_bias;
      rounded.values(h + "ln_2.weight") = block.ln_2_weight;
      rounded.values(h + "ln_2.bias") = block.ln_2_bias;
      rounded.values(h + "attn.c_attn.bias") = block.attention_bias;
      rounded.values(h + "attn.c_proj.bias") = block.attention_projection_bias;
      rounded.values(h + "mlp.c_fc.bias") = block.mlp_bias;
      rounded.values(h + "mlp.c_proj.bias") = block.mlp_projection_bias;
    }
    CAPTURE(static_cast<int>(type));
    // Activations of int8 are rounded, too, to 14 bits.
    double const bound = type == WeightType::int8 ? 2e-2 : 1e-4;
    CHECK(largest_difference(rounded.logits(tokens), decode(weights, tokens, 4)) < bound);
    CHECK(largest_difference(model().logits(tokens), decode(weights, tokens, 4)) > bound);  // it was rounded
  }
}

TEST_CASE("gpt2 decoder: the text of a prompt is the same to the bit alone and beside others of other lengths") {
  std::vector<std::vector<Token>> prompts;
  for (std::size_t const length : {1U, 24U, 5U, 17U, 2U, 9U, 24U}) prompts.push_back(tokens_of(length, 100 + length));
  for (auto const type : {WeightType::fp32, WeightType::int8}) {
    auto const weights = weights_of(model(), type);
    gpt2::TextSettings const settings{.tokens = 40, .sampling = {.temperature = 1.5, .top_p = 0.99}, .seed = 5};
    std::vector<std::vector<Token>> alone;
    for (auto const& prompt : prompts) alone.push_back(texts_of(weights, {prompt}, settings, 1).front());
    for (std::size_t const at_once : {2U, 3U, 7U}) CHECK(texts_of(weights, prompts, settings, at_once) == alone);
    CHECK(alone[1] != alone[0]);
    CHECK(alone[1] == alone[6]);  // equal prompts
  }
}

TEST_CASE("gpt2 text window: it begins anew half a context before the token that does not fit") {
  gpt2::TextWindow window({0}, 5);
  std::vector<std::size_t> sizes;
  for (Token token = 1; token < 12; ++token) {
    bool const moved = window.push(token);
    sizes.push_back(window.window().size());
    CHECK(moved == (sizes.size() > 1 && sizes.back() < sizes[sizes.size() - 2]));
    CHECK(window.window().back() == token);
  }
  CHECK(sizes == std::vector<std::size_t>{2, 3, 4, 5, 3, 4, 5, 3, 4, 5, 3});
  CHECK(window.tokens().size() == 12);
  gpt2::TextWindow one({0}, 1);
  CHECK(one.push(1));
  CHECK(one.window().size() == 1);
}

TEST_CASE("gpt2 decoder: what it cannot append is refused, and nothing of it is kept") {
  auto const weights = weights_of(model());
  zero::ThreadPool pool(1);
  Decoder decoder(weights, 2, 3, pool);
  decoder.append(std::vector<NextToken>{{0, 1}, {0, 2}});
  auto const refuses = [&](std::vector<NextToken> const& call) {
    CHECK_THROWS_AS(decoder.append(call), std::invalid_argument);
    CHECK(decoder.length(0) == 2);
    CHECK(decoder.length(1) == 0);
  };
  refuses({{0, 1}, {1, 1}, {0, 1}});
  refuses({{1, 5}, {1, 101}});
  refuses({{2, 5}});
  refuses(std::vector<NextToken>(Decoder::most_tokens + 1, NextToken{1, 0}));
  CHECK_THROWS_AS(Decoder(weights, 1, shape.context + 1, pool), std::invalid_argument);
  CHECK_THROWS_AS(Decoder(weights, 0, 1, pool), std::invalid_argument);
  CHECK_THROWS_AS(gpt2::TextBatch(decoder, {.tokens = 9}, {{1}}, {}), std::invalid_argument);
  CHECK_THROWS_AS(gpt2::TextBatch(decoder, {.tokens = 1}, {{}}, {}), std::invalid_argument);
}

TEST_CASE("gpt2 decoder: a wrong position, a lost cache and padding are each told from the right logits") {
  auto const tokens = tokens_of(20, 4);
  auto const whole = model().logits(tokens);
  auto const weights = weights_of(model());
  REQUIRE(largest_difference(whole, decode(weights, tokens, 4)) < 1e-4);
  auto moved = weights_of(model());  // each token has the position of the one behind it
  std::rotate(moved.wpe.begin(), moved.wpe.begin() + shape.width, moved.wpe.end());
  CHECK(largest_difference(whole, decode(moved, tokens, 4)) > 1e-2);
  std::vector<Token> const lost(tokens.begin() + 1, tokens.end());
  CHECK(largest_difference(whole, decode(weights, lost, 4)) > 1e-2);
  for (bool const in_front : {true, false}) {
    auto filled = tokens;
    filled.insert(in_front ? filled.begin() : filled.end(), 0);
    CHECK(largest_difference(whole, decode(weights, filled, 4)) > 1e-2);
  }
  // One earlier token that another one takes the place of.
  auto other = tokens;
  other[3] = (other[3] + 1) % shape.vocabulary;
  CHECK(largest_difference(whole, decode(weights, other, 4)) > 1e-2);
}

TEST_CASE("gpt2 perplexity: the loss of a whole forward pass over each window, the last of which is short") {
  auto const tokens = tokens_of(2 * shape.context + 6, 6);  // 24, 24 and 5 predictions
  zero::ThreadPool pool(2);
  auto const weights = weights_of(model());
  Decoder decoder(weights, 1, shape.context, pool);
  auto const found = gpt2::predict(decoder, tokens, pool);
  CHECK(found.tokens == tokens.size() - 1);
  double sum = 0.0;
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
    std::size_t const first = i / shape.context * shape.context;
    auto const logits = model().logits(std::span(tokens).subspan(first, i + 1 - first));
    double total = 0.0;
    for (float const x : logits) total += std::exp(static_cast<double>(x));
    sum += std::log(total) - static_cast<double>(logits[tokens[i + 1]]);
  }
  CHECK(std::abs(found.loss - sum / static_cast<double>(found.tokens)) < 1e-5);
}

}  // namespace gpt2_generation_decoder_test
