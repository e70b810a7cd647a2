// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The model for devices, every kernel and every product of it, run on the host: what is wrong with an index, an order
// or an argument of BLAS shows here. What only a device has is tested in tests/cuda/gpt2_test.cu.
#include "device_model_run.hpp"
#include "emulated_device.hpp"
#include "recorded_step.hpp"
#include "token_groups.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <utility>
#include <vector>

namespace gpt2_device_model_test {

using gpt2::Recompute;
using zero::activation::SegmentPlan;

namespace {

constexpr gpt2::ModelShape tiny{.layers = 2, .heads = 3, .width = 24, .context = 7, .vocabulary = 65};
// Rows longer than a block, heads of 3, more rows than one sum of columns takes, and a vocabulary that nothing divides.
constexpr gpt2::ModelShape odd{.layers = 1, .heads = 23, .width = 69, .context = 133, .vocabulary = 259};

template <class T>
using Run = DeviceModelRun<T, EmulatedDevice>;

struct EmulatedRecorder {
  explicit EmulatedRecorder(EmulatedDevice& to) : device(to) {}
  template <class Passes>
  [[nodiscard]] EmulatedDevice::Graph capture(Passes&& passes) {
    return device.capture(passes);
  }
  void launch(EmulatedDevice::Graph const& graph) { device.launch(graph); }
  EmulatedDevice& device;
};

// The largest relative distance from the host's gradients, for the loss scale 8.
GradientDistance distance_from_host(gpt2::ModelShape const& shape, std::size_t batch, double dropout = 0.0) {
  EmulatedDevice device;
  Run<float> run(shape, batch, device, {.dropout = dropout > 0.0});
  if (dropout > 0.0) {
    run.model().set_dropout({dropout, 1, 2, 3});
    run.host.model.set_dropout({dropout, 1, 2, 3});
  }
  double const loss = run.forward();
  CHECK(loss == doctest::Approx(static_cast<double>(run.host.forward())).epsilon(1e-5));
  run.backward(8.0F, false);  // over NaN: what was there is never read
  run.host.backward(8.0F, false);
  return distance(run.host.as_double(run.host.gradients), run.host.as_double(run.gradients()));
}

// The distance of all gradients of a 16-bit model from those of fp32 with the same weights.
template <class T>
double distance_from_float(float loss_scale) {
  EmulatedDevice device;
  Run<T> run(tiny, 3, device);
  ModelRun<float> exact(tiny, 3, 1);
  for (std::size_t p = 0; p < exact.weights.size(); ++p) {
    for (std::size_t i = 0; i < exact.weights[p].size(); ++i) exact.weights[p][i] = zero::widen(run.host.weights[p][i]);
  }
  CHECK(run.forward() == doctest::Approx(static_cast<double>(exact.forward())).epsilon(0.01));
  run.backward(loss_scale, false), exact.backward(1.0F, false);
  return distance(exact.as_double(exact.gradients), run.host.as_double(run.gradients()),
                  static_cast<double>(loss_scale))
      .norm;
}

// The losses of two micro-batches, of which the second adds its gradients, and the gradients after them.
template <class T>
std::pair<std::vector<double>, std::vector<std::vector<double>>> trained(gpt2::ModelShape const& shape,
                                                                         gpt2::ActivationSettings const& settings,
                                                                         double dropout) {
  EmulatedDevice device;
  Run<T> run(shape, 2, device, settings);
  std::vector<double> losses;
  for (std::uint64_t k = 0; k < 2; ++k) {
    if (dropout > 0.0) run.model().set_dropout({dropout, 3, 4, k});
    losses.push_back(run.forward());
    run.backward(1.0F, k != 0);
  }
  return {losses, run.host.as_double(run.gradients())};
}

}  // namespace

TEST_CASE("gpt2 device model: loss and every gradient are the host model's") {
  CHECK(distance_from_host(tiny, 3).largest < 1e-5);
  CHECK(distance_from_host(odd, 2).largest < 1e-5);
}

TEST_CASE("gpt2 device model: positions are grouped by token as the host groups them") {
  EmulatedDevice device;
  check_token_groups(device);
}

TEST_CASE("gpt2 device model: 16-bit gradients are those of fp32 within the rounding of their type") {
  double const bf16 = distance_from_float<zero::bfloat16>(1.0F), fp16 = distance_from_float<zero::float16>(1024.0F);
  // Values between products are rounded too: some ten times, each half a unit in the last of 8 or 11 bits.
  CHECK(bf16 < 0.03);
  CHECK(bf16 > 1e-4);
  CHECK(fp16 < 0.004);
  CHECK(fp16 > 1e-5);
}

TEST_CASE("gpt2 device model: a gradient that adds gains what one that overwrites would have written") {
  EmulatedDevice device;
  Run<float> run(tiny, 2, device);
  static_cast<void>(run.forward());
  run.backward(1.0F, false);
  auto once = run.host.as_double(run.gradients());
  static_cast<void>(run.forward());
  run.backward(1.0F, true);
  for (auto& row : once) {
    for (auto& x : row) x *= 2.0;
  }
  CHECK(distance(once, run.host.as_double(run.gradients())).largest < 1e-6);
}

TEST_CASE("gpt2 device model: shorter sequences, and logits of the last token") {
  EmulatedDevice device;
  Run<float> run(tiny, 3, device);
  run.host.draw(10);
  run.host.length = 5;
  CHECK(run.forward() == doctest::Approx(static_cast<double>(run.host.forward())).epsilon(1e-5));
  run.backward(1.0F, false), run.host.backward(1.0F, false);
  CHECK(distance(run.host.as_double(run.host.gradients), run.host.as_double(run.gradients())).largest < 1e-5);
  run.forward_blocks(), run.host.forward_blocks();
  auto const logits = run.last_logits();
  auto const expected = run.host.model.last_logits(run.host.head());
  REQUIRE(logits.size() == expected.size());
  for (std::size_t i = 0; i < logits.size(); ++i) {
    CHECK(logits[i] == doctest::Approx(static_cast<double>(expected[i])).epsilon(1e-4));
  }
}

TEST_CASE("gpt2 device model: losses come in their order, however many are waiting") {
  EmulatedDevice device;
  gpt2::ModelShape const shape{.layers = 1, .heads = 1, .width = 2, .context = 2, .vocabulary = 3};
  Run<float> run(shape, 1, device);
  gpt2::device::DeviceModel<float, EmulatedDevice> model(shape, 1, device);
  std::vector<double> expected;
  auto const& w = run.host.weights;
  for (std::size_t i = 0; i < 300; ++i) {
    run.host.targets = {static_cast<gpt2::Token>(i % 3), static_cast<gpt2::Token>(i / 3 % 3)};
    expected.push_back(run.forward());
    model.embed_forward(run.host.tokens, 2, w[0].data(), w[1].data());
    model.block_forward(0, run.host.block(0));
    model.head_forward(run.host.head(), run.host.targets);
  }
  CHECK(model.take_losses() == expected);
  CHECK(model.take_losses().empty());
}

TEST_CASE("gpt2 device model: what does not fit is refused as by the host model") {
  EmulatedDevice device;
  Run<float> run(tiny, 2, device);
  run.host.tokens[3] = 65;
  CHECK_THROWS_AS(run.forward_blocks(), std::invalid_argument);
  run.host.draw(14);
  run.host.length = 8;
  CHECK_THROWS_AS(run.forward_blocks(), std::invalid_argument);
  run.host.length = 7;
  run.host.targets.pop_back();
  CHECK_THROWS_AS(static_cast<void>(run.forward()), std::invalid_argument);
}

TEST_CASE("gpt2 device model: the backward pass takes the tokens of the forward pass") {
  EmulatedDevice device;
  Run<float> run(tiny, 2, device);
  static_cast<void>(run.forward());
  run.host.tokens[3] = (run.host.tokens[3] + 1) % 65;
  CHECK_THROWS_WITH_AS(run.backward(1.0F, false),
                       "gpt2::DeviceModel::embed_backward: these are not the tokens of embed_forward",
                       std::invalid_argument);
}

TEST_CASE("gpt2 device model: tokens are kept until the device has read them") {
  EmulatedDevice device;
  Run<float> run(tiny, 2, device);
  std::vector<double> expected;
  for (std::uint64_t step = 0; step < 5; ++step) {
    take(run, {tiny, 14, step, 0});
    expected.push_back(run.forward());
  }
  for (std::uint64_t step = 0; step < 5; ++step) {
    take(run, {tiny, 14, step, 0});
    run.put_micro_batch(false);  // nothing runs before somebody waits
  }
  CHECK(run.model().take_losses() == expected);
}

TEST_CASE("gpt2 device model: a recorded step has the bits of ordinary passes over the same tokens") {
  EmulatedDevice device;
  check_recorded_step<float, EmulatedRecorder>(device, tiny);
}

TEST_CASE("gpt2 device model: what cannot be recorded or replayed is refused") {
  EmulatedDevice device;
  Run<float> run(tiny, 2, device);
  auto& model = run.model();
  MicroBatch const input(tiny, 14, 1, 0), shorter(tiny, 7, 1, 0);
  auto const micro_batches = [&](int count) {
    return device.capture([&] {
      model.record([&] {
        for (int k = 0; k < count; ++k) run.put_micro_batch(k > 0);
      });
    });
  };
  run.put_micro_batch(false);
  CHECK_THROWS_AS(micro_batches(1), std::logic_error);  // there are losses
  CHECK(model.take_losses().size() == 1);
  CHECK_THROWS_AS(micro_batches(3), std::length_error);
  CHECK_THROWS_AS(model.fill(0, input.tokens, input.targets), std::out_of_range);  // nothing was recorded

  auto const graph = micro_batches(1);
  auto const launch = [&] { device.launch(graph); };
  CHECK_THROWS_AS(model.replay(launch), std::logic_error);  // nothing was filled
  CHECK_THROWS_AS(model.fill(1, input.tokens, input.targets), std::out_of_range);
  CHECK_THROWS_AS(model.fill(0, shorter.tokens, shorter.targets), std::invalid_argument);
  CHECK_THROWS_AS(model.fill(0, input.tokens, shorter.targets), std::invalid_argument);
  model.fill(0, input.tokens, input.targets);
  for (int k = 0; k < 2; ++k) run.put_micro_batch(false);
  CHECK_THROWS_AS(model.replay(launch), std::logic_error);  // others took their place
  CHECK(model.take_losses().size() == 2);
  model.fill(0, input.tokens, input.targets);
  model.replay(launch);
  CHECK(model.take_losses().size() == 1);
}

TEST_CASE("gpt2 device model: heads whose scores do not fit at once take turns") {
  // 2^25 scores are those of two heads with a context of 4096; there are three.
  EmulatedDevice device;
  gpt2::ModelShape const one{.layers = 1, .heads = 3, .width = 3, .context = 4096, .vocabulary = 5};
  Run<float> run(one, 1, device);
  run.host.draw(40);
  run.host.length = 40;
  CHECK(run.forward() == doctest::Approx(static_cast<double>(run.host.forward())).epsilon(1e-5));  // all at once
  run.host.draw(4096);
  run.host.length = 4096;
  CHECK(run.forward() == doctest::Approx(static_cast<double>(run.host.forward())).epsilon(1e-5));
}

TEST_CASE_TEMPLATE("gpt2 device model: what is computed again has the bits of what was kept, with dropout, too", T,
                   float, zero::bfloat16, zero::float16) {
  constexpr gpt2::ModelShape deep{.layers = 5, .heads = 2, .width = 8, .context = 5, .vocabulary = 11};
  for (double const dropout : {0.0, 0.25}) {
    auto const kept = trained<T>(deep, {.dropout = dropout > 0.0}, dropout);
    for (bool const on_host : {false, true}) {
      for (std::size_t const inputs : {std::size_t{1}, std::size_t{2}, std::size_t{3}, SegmentPlan::all}) {
        CAPTURE(dropout);
        CAPTURE(on_host);
        CAPTURE(inputs);
        gpt2::ActivationSettings const block{.recompute = Recompute::block,
                                             .kept_inputs = inputs,
                                             .dropout = dropout > 0.0,
                                             .inputs_in_host_memory = on_host};
        CHECK(trained<T>(deep, block, dropout) == kept);
      }
    }
    CHECK(trained<T>(deep, {.recompute = Recompute::selective, .dropout = dropout > 0.0}, dropout) == kept);
  }
}

TEST_CASE("gpt2 device model: dropout drops what the host's drops") {
  CHECK(distance_from_host(tiny, 3, 0.3).largest < 1e-5);
  CHECK(distance_from_host(odd, 2, 0.3).largest < 1e-5);
  EmulatedDevice device;
  Run<float> with(tiny, 3, device, {.dropout = true}), without(tiny, 3, device);
  CHECK(with.forward() == without.forward());
  with.model().set_dropout({0.3, 1, 2, 3});
  CHECK(with.forward() != without.forward());
  with.model().set_dropout({});
  CHECK(with.forward() == without.forward());
  CHECK_THROWS_AS(without.model().set_dropout({0.3, 1, 2, 3}), std::logic_error);
}

TEST_CASE("gpt2 device model: heads that take turns drop what they would at once") {
  EmulatedDevice device;
  gpt2::ModelShape const one{.layers = 1, .heads = 3, .width = 3, .context = 4096, .vocabulary = 5};
  Run<float> run(one, 1, device, {.dropout = true});
  gpt2::Dropout const dropout(0.5, 1, 2, 3);
  run.model().set_dropout(dropout), run.host.model.set_dropout(dropout);
  run.host.draw(4096);
  run.host.length = 4096;
  CHECK(run.forward() == doctest::Approx(static_cast<double>(run.host.forward())).epsilon(1e-5));
}

TEST_CASE("gpt2 device model: kept inputs take the memory that the plan says, on the device or on the host") {
  EmulatedDevice device;
  constexpr gpt2::ModelShape deep{.layers = 7, .heads = 2, .width = 8, .context = 5, .vocabulary = 11};
  std::size_t const input = 2 * deep.context * deep.width * sizeof(float);
  auto const model = [&](bool on_host) {
    gpt2::ActivationSettings const block{.recompute = Recompute::block, .inputs_in_host_memory = on_host};
    return gpt2::device::DeviceModel<float, EmulatedDevice>(deep, 2, device, 2, block);
  };
  auto const here = model(false), there = model(true);
  CHECK(here.host_activation_bytes() == 0);
  CHECK(there.host_activation_bytes() == 4 * input);  // of six all but the last two
  CHECK(there.activation_bytes() == here.activation_bytes() - 4 * input);
}

TEST_CASE("gpt2 device model: a recording has neither dropout nor inputs that go to the host") {
  EmulatedDevice device;
  Run<float> dropping(tiny, 2, device, {.dropout = true});
  CHECK_THROWS_AS(dropping.model().record([&] { dropping.model().set_dropout({0.3, 1, 2, 3}); }), std::logic_error);
  Run<float> moving(tiny, 2, device, {.recompute = Recompute::block, .inputs_in_host_memory = true});
  CHECK_THROWS_AS(moving.model().record([] {}), std::logic_error);
}

TEST_CASE("gpt2 device model: a recorded step that computes again has the bits of ordinary passes") {
  for (auto const kind : {Recompute::selective, Recompute::block}) {
    EmulatedDevice device;
    check_recorded_step<float, EmulatedRecorder>(device, tiny, {.recompute = kind});
  }
}

}  // namespace gpt2_device_model_test
