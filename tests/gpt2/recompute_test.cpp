// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "model_run.hpp"

#include <gpt2/activations.hpp>
#include <gpt2/dropout.hpp>

#include <zero/error.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <vector>

namespace gpt2_recompute_test {

using gpt2::ActivationSettings;
using gpt2::Recompute;
using zero::activation::SegmentPlan;

namespace {

constexpr gpt2::ModelShape tiny{.layers = 5, .heads = 2, .width = 8, .context = 5, .vocabulary = 11};
// Longer than a block of attention scores, a head of 3, and a vocabulary that no vector length divides.
constexpr gpt2::ModelShape odd{.layers = 2, .heads = 2, .width = 6, .context = 133, .vocabulary = 35};
constexpr gpt2::ModelShape gpt2_124m{.layers = 12, .heads = 12, .width = 768, .context = 1024, .vocabulary = 50257};

std::vector<ActivationSettings> settings(bool dropout) {
  std::vector<ActivationSettings> all{{.recompute = Recompute::selective, .dropout = dropout}};
  for (std::size_t const kept : {std::size_t{1}, std::size_t{2}, std::size_t{3}, SegmentPlan::all}) {
    all.push_back({.recompute = Recompute::block, .kept_inputs = kept, .dropout = dropout});
  }
  return all;
}

template <class T>
bool same_bits(std::vector<std::vector<T>> const& a, std::vector<std::vector<T>> const& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::memcmp(a[i].data(), b[i].data(), a[i].size() * sizeof(T)) != 0) return false;
  }
  return true;
}

// Two micro-batches, of which the second adds.
template <class T>
std::vector<float> losses_of(ModelRun<T>& run, double dropout) {
  std::vector<float> losses;
  for (std::uint64_t k = 0; k < 2; ++k) {
    run.model.set_dropout(dropout > 0.0 ? gpt2::Dropout(dropout, 3, 4, k) : gpt2::Dropout());
    losses.push_back(run.forward());
    run.backward(1.0F, k != 0);
  }
  return losses;
}

template <class T>
void check_bits(gpt2::ModelShape const& shape, double dropout) {
  ModelRun<T> kept(shape, 2, 2, {.dropout = dropout > 0.0});
  auto const losses = losses_of(kept, dropout);
  for (auto const& setting : settings(dropout > 0.0)) {
    CAPTURE(name(setting.recompute));
    CAPTURE(setting.kept_inputs);
    ModelRun<T> run(shape, 2, 3, setting);
    CHECK(losses_of(run, dropout) == losses);
    CHECK(same_bits(run.gradients, kept.gradients));
  }
}

// The share of \p plan of what the blocks keep without recomputation.
double share(gpt2::ModelShape const& shape, Recompute recompute, std::size_t kept_inputs = SegmentPlan::all) {
  auto const elements = [&](Recompute kind) {
    return static_cast<double>(gpt2::block_activation_elements(shape, 1, {shape.layers, kind, kept_inputs}));
  };
  return elements(recompute) / elements(Recompute::none);
}

}  // namespace

TEST_CASE("gpt2 recompute: loss and gradients have the bits of a model that keeps all") {
  for (auto const& shape : {tiny, odd}) {
    check_bits<float>(shape, 0.0);
    check_bits<zero::bfloat16>(shape, 0.0);
    check_bits<zero::float16>(shape, 0.0);
  }
}

TEST_CASE("gpt2 recompute: both passes drop the same") {
  for (auto const& shape : {tiny, odd}) {
    check_bits<float>(shape, 0.25);
    check_bits<zero::bfloat16>(shape, 0.25);
  }
}

TEST_CASE("gpt2 recompute: activations are what the formula says, to the byte") {
  zero::ThreadPool pool(1);
  for (auto const& shape : {tiny, odd, gpt2::ModelShape{1, 1, 4, 3, 7}}) {
    for (std::size_t const sequences : {1U, 3U}) {
      auto all = settings(false);
      all.emplace_back();
      for (auto const& setting : all) {
        CAPTURE(name(setting.recompute));
        CAPTURE(setting.kept_inputs);
        gpt2::Model<zero::bfloat16> const model(shape, sequences, pool, setting);
        std::size_t const tokens = sequences * shape.context;
        CHECK(model.activation_bytes() == 4 * gpt2::activation_elements(shape, tokens, model.plan()));
      }
    }
  }
}

TEST_CASE("gpt2 recompute: GPT-2 124M saves 35 % with selective, and keeps 20 % with block") {
  CHECK(share(gpt2_124m, Recompute::selective) <= 0.65);
  CHECK(share(gpt2_124m, Recompute::block) <= 0.20);
  CHECK(share(gpt2_124m, Recompute::block, 3) <= 0.30);
  CHECK(share({.layers = 48, .heads = 25, .width = 1600, .context = 1024, .vocabulary = 50257}, Recompute::block) <
        0.13);
}

TEST_CASE("gpt2 recompute: a model without blocks and without a kept input is refused") {
  zero::ThreadPool pool(1);
  auto shape = tiny;
  CHECK_THROWS_AS(gpt2::Model<float>(shape, 1, pool, {.recompute = Recompute::block, .kept_inputs = 0}),
                  zero::ConfigurationError);
  shape.layers = 0;
  CHECK_THROWS_AS(gpt2::Model<float>(shape, 1, pool, {.recompute = Recompute::selective}), zero::ConfigurationError);
}

TEST_CASE("gpt2 dropout: gradients are the derivative of the loss with the same elements dropped") {
  for (auto const& shape : {tiny, odd}) {
    ModelRun<float> run(shape, 2, 2, {.dropout = true});
    run.model.set_dropout({0.3, 1, 2, 3});
    static_cast<void>(run.forward());
    run.backward(1.0F, false);
    for (std::size_t p = 0; p < run.weights.size(); ++p) {
      double squares = 0.0;
      for (float const g : run.gradients[p]) squares += static_cast<double>(g) * static_cast<double>(g);
      CAPTURE(p);
      REQUIRE(squares > 1e-8);  // else the comparison would prove nothing
      // Along the gradient the loss changes by the step times its square: by 0.01 here, unless that were too far.
      auto const kept = run.weights[p];
      double const step = std::min(0.005 / squares, 0.02 / std::sqrt(squares));
      auto const loss_at = [&](double distance) {
        for (std::size_t i = 0; i < kept.size(); ++i) {
          run.weights[p][i] = kept[i] + static_cast<float>(distance) * run.gradients[p][i];
        }
        return static_cast<double>(run.forward());
      };
      double const change = loss_at(step) - loss_at(-step);
      run.weights[p] = kept;
      CHECK(std::abs(change / (2.0 * step * squares) - 1.0) < 0.02);
    }
  }
}

TEST_CASE("gpt2 dropout: a share of the elements goes, others grow, and every site and micro-batch has its own") {
  gpt2::Dropout const dropout(0.25, 7, 5, 2);
  auto const mask = dropout.attention(3);
  std::size_t dropped = 0;
  for (std::uint64_t i = 0; i < 40000; ++i) {
    float const factor = mask.factor(i);
    CHECK((factor == 0.0F || factor == static_cast<float>(1.0 / 0.75)));
    if (factor == 0.0F) ++dropped;
  }
  CHECK(dropped > 9600);  // 10000 with a standard deviation of 87
  CHECK(dropped < 10400);
  std::vector const others{dropout.embedding(),
                           dropout.attention_output(3),
                           dropout.mlp_output(3),
                           dropout.attention(4),
                           gpt2::Dropout(0.25, 8, 5, 2).attention(3),
                           gpt2::Dropout(0.25, 7, 6, 2).attention(3),
                           gpt2::Dropout(0.25, 7, 5, 3).attention(3)};
  for (auto const& other : others) {
    std::size_t both = 0;
    for (std::uint64_t i = 0; i < 40000; ++i) both += mask.factor(i) == 0.0F && other.factor(i) == 0.0F ? 1 : 0;
    CHECK(both > 2300);  // 2500 with a standard deviation of 48: independent
    CHECK(both < 2700);
  }
}

TEST_CASE("gpt2 dropout: a model that was made without it refuses it, and one with it drops nothing when told so") {
  ModelRun<float> without(tiny, 2, 1), with(tiny, 2, 1, {.dropout = true});
  CHECK_THROWS_AS(without.model.set_dropout({0.1, 1, 1, 1}), std::logic_error);
  without.model.set_dropout({});
  with.model.set_dropout({0.5, 1, 1, 1});
  float const dropped = with.forward();
  with.model.set_dropout({});
  CHECK(without.forward() == with.forward());
  CHECK(dropped != with.forward());
}

}  // namespace gpt2_recompute_test
