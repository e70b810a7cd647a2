// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "model_run.hpp"
#include "reference.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <string>

namespace gpt2_model_test {

namespace {

constexpr gpt2::ModelShape tiny{.layers = 2, .heads = 2, .width = 8, .context = 5, .vocabulary = 11};
// Longer than a block of attention scores, a head of 3, and a vocabulary that no vector length divides.
constexpr gpt2::ModelShape odd{.layers = 1, .heads = 2, .width = 6, .context = 133, .vocabulary = 35};

double largest(std::vector<double> const& values) {
  double most = 0.0;
  for (double const v : values) most = std::max(most, std::abs(v));
  return most;
}

// Compares every \p step-th element of every gradient with a central difference of the reference's loss.
void check_gradients(gpt2::ModelShape const& shape, std::size_t batch, std::size_t step) {
  ModelRun<float> run(shape, batch, 2);
  auto parameters = run.as_double(run.weights);
  double const expected_loss = reference::loss(shape, parameters, run.tokens, run.targets, shape.context);
  CHECK(static_cast<double>(run.forward()) == doctest::Approx(expected_loss).epsilon(1e-6));
  run.backward(1.0F, false);
  auto const gradients = run.as_double(run.gradients);
  auto const names = gpt2::parameter_shapes(shape);
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    double const scale = largest(gradients[p]);
    REQUIRE_MESSAGE(scale > 1e-5, names[p].name);  // otherwise the comparison would prove nothing
    double worst = 0.0;
    for (std::size_t i = 0; i < parameters[p].size(); i += step) {
      double const kept = parameters[p][i], h = 1e-4;
      parameters[p][i] = kept + h;
      double const above = reference::loss(shape, parameters, run.tokens, run.targets, shape.context);
      parameters[p][i] = kept - h;
      double const below = reference::loss(shape, parameters, run.tokens, run.targets, shape.context);
      parameters[p][i] = kept;
      worst = std::max(worst, std::abs((above - below) / (2.0 * h) - gradients[p][i]));
    }
    CHECK_MESSAGE(worst < 1e-5 * scale + 1e-8, names[p].name << " " << worst / scale);
  }
}

template <class T>
bool same_bits(std::vector<std::vector<T>> const& a, std::vector<std::vector<T>> const& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::memcmp(a[i].data(), b[i].data(), a[i].size() * sizeof(T)) != 0) return false;
  }
  return true;
}

// The relative distance of all gradients of a 16-bit model from those of the fp32 model with the same weights.
template <class T>
double distance_from_float(gpt2::ModelShape const& shape, float loss_scale) {
  ModelRun<T> run(shape, 2, 2);
  ModelRun<float> exact(shape, 2, 2);
  for (std::size_t p = 0; p < run.weights.size(); ++p) {
    for (std::size_t i = 0; i < run.weights[p].size(); ++i) exact.weights[p][i] = zero::widen(run.weights[p][i]);
  }
  CHECK(run.forward() == exact.forward());  // widened weights are the same weights
  run.backward(loss_scale, false), exact.backward(1.0F, false);
  auto const rounded = run.as_double(run.gradients), full = exact.as_double(exact.gradients);
  double difference = 0.0, norm = 0.0;
  for (std::size_t p = 0; p < full.size(); ++p) {
    for (std::size_t i = 0; i < full[p].size(); ++i) {
      double const d = rounded[p][i] / static_cast<double>(loss_scale) - full[p][i];
      difference += d * d, norm += full[p][i] * full[p][i];
    }
  }
  return std::sqrt(difference / norm);
}

}  // namespace

TEST_CASE("gpt2 model: every gradient is the derivative of an independent loss in double") {
  check_gradients(tiny, 3, 1);
}

TEST_CASE("gpt2 model: gradients hold for sequences of several attention blocks and for odd sizes") {
  check_gradients(odd, 1, 23);
}

TEST_CASE("gpt2 model: the bits of loss and gradients are the same for any number of threads") {
  for (auto const& shape : {tiny, odd, gpt2::ModelShape{2, 4, 128, 64, 300}}) {
    ModelRun<float> one(shape, 3, 1);
    float const loss = one.forward();
    one.backward(1.0F, false);
    for (int const threads : {2, 3, 5}) {
      ModelRun<float> several(shape, 3, threads);
      CHECK(several.forward() == loss);
      several.backward(1.0F, false);
      CHECK(same_bits(several.gradients, one.gradients));
    }
  }
}

TEST_CASE("gpt2 model: a gradient that adds gains what one that overwrites would have written") {
  ModelRun<float> run(tiny, 2, 2);
  static_cast<void>(run.forward());
  run.backward(1.0F, false);  // over NaN: what was there is never read
  auto const once = run.as_double(run.gradients);
  static_cast<void>(run.forward());
  run.backward(1.0F, true);
  auto const twice = run.as_double(run.gradients);
  for (std::size_t p = 0; p < once.size(); ++p) {
    for (std::size_t i = 0; i < once[p].size(); ++i) {
      CHECK(twice[p][i] == doctest::Approx(2.0 * once[p][i]).epsilon(1e-5).scale(largest(once[p])));
    }
  }
}

TEST_CASE("gpt2 model: 16-bit gradients add as well as they overwrite") {
  ModelRun<zero::bfloat16> run(tiny, 2, 2);
  static_cast<void>(run.forward());
  run.backward(1.0F, false);
  auto const once = run.as_double(run.gradients);
  static_cast<void>(run.forward());
  run.backward(1.0F, true);
  auto const twice = run.as_double(run.gradients);
  for (std::size_t p = 0; p < once.size(); ++p) {
    for (std::size_t i = 0; i < once[p].size(); ++i)
      CHECK(std::abs(twice[p][i] - 2.0 * once[p][i]) <= 0.02 * largest(once[p]));
  }
}

TEST_CASE("gpt2 model: 16-bit gradients are those of fp32 within the rounding of their type") {
  double const bf16 = distance_from_float<zero::bfloat16>(odd, 1.0F),
               fp16 = distance_from_float<zero::float16>(odd, 1024.0F);
  CHECK(bf16 < 0.004);  // half a unit in the last of 8 bits is 0.002 to 0.004 of a value
  CHECK(bf16 > 1e-4);
  CHECK(fp16 < 0.0005);  // 11 bits
  CHECK(fp16 > 1e-5);
}

TEST_CASE("gpt2 model: a vocabulary that is widened in parts gives what a whole one gives") {
  CHECK(distance_from_float<zero::bfloat16>(
            {.layers = 1, .heads = 1, .width = 8, .context = 6, .vocabulary = 8192 + 77}, 1.0F) < 0.004);
}

TEST_CASE("gpt2 model: the loss scale multiplies every gradient and not the loss") {
  ModelRun<float> run(tiny, 2, 1), scaled(tiny, 2, 1);
  CHECK(run.forward() == scaled.forward());
  run.backward(1.0F, false), scaled.backward(4096.0F, false);
  for (std::size_t p = 0; p < run.gradients.size(); ++p) {
    for (std::size_t i = 0; i < run.gradients[p].size(); ++i)
      CHECK(scaled.gradients[p][i] == 4096.0F * run.gradients[p][i]);
  }
}

TEST_CASE("gpt2 model: at its initialization the loss is the logarithm of the vocabulary") {
  constexpr gpt2::ModelShape shape{.layers = 4, .heads = 4, .width = 64, .context = 32, .vocabulary = 500};
  ModelRun<float> run(shape, 4, 2);
  auto const names = gpt2::parameter_shapes(shape);
  for (std::size_t i = 0; i < names.size(); ++i) gpt2::initialize(shape, names[i].name, run.weights[i], 3);
  CHECK(static_cast<double>(run.forward()) == doctest::Approx(std::log(500.0)).epsilon(0.01));
}

TEST_CASE("gpt2 model: the last logits of a shorter sequence are the reference's") {
  ModelRun<float> run(tiny, 2, 2);
  run.draw(3);
  run.length = 3;
  run.forward_blocks();
  auto const logits = run.model.last_logits(run.head());
  auto const expected = reference::logits(tiny, run.as_double(run.weights), run.tokens, 3).back();
  REQUIRE(logits.size() == expected.size());
  for (std::size_t i = 0; i < logits.size(); ++i)
    CHECK(static_cast<double>(logits[i]) == doctest::Approx(expected[i]).epsilon(1e-4));
}

TEST_CASE("gpt2 model: fewer or shorter sequences leave the other positions a gradient of zero") {
  ModelRun<float> run(tiny, 2, 1);
  run.draw(3);
  run.length = 3;
  static_cast<void>(run.forward());
  run.backward(1.0F, false);
  for (std::size_t i = 0; i < run.gradients[1].size(); ++i)
    CHECK((run.gradients[1][i] == 0.0F) == (i >= 3 * tiny.width));
}

TEST_CASE("gpt2 model: tokens and targets that do not fit are refused") {
  ModelRun<float> run(tiny, 2, 1);
  run.tokens[3] = 11;
  CHECK_THROWS_AS(run.forward_blocks(), std::invalid_argument);
  run.tokens[3] = 10;
  run.targets[0] = 11;
  CHECK_THROWS_AS(static_cast<void>(run.forward()), std::invalid_argument);
  run.draw(15);
  CHECK_THROWS_AS(run.forward_blocks(), std::invalid_argument);
  run.draw(10);
  run.length = 6;
  CHECK_THROWS_AS(run.forward_blocks(), std::invalid_argument);
  run.length = 5;
  run.targets.pop_back();
  CHECK_THROWS_AS(static_cast<void>(run.forward()), std::invalid_argument);
}

TEST_CASE("gpt2 model: activations grow with the batch, and 16-bit weights need more scratch") {
  zero::ThreadPool pool(1);
  gpt2::Model<float> const one(tiny, 1, pool), two(tiny, 2, pool);
  gpt2::Model<zero::bfloat16> const narrow(tiny, 1, pool);
  CHECK(two.activation_bytes() == 2 * one.activation_bytes());
  CHECK(narrow.activation_bytes() == one.activation_bytes());
  CHECK(narrow.scratch_bytes() > one.scratch_bytes());
}

}  // namespace gpt2_model_test
