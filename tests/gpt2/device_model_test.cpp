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
#include <vector>

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
GradientDistance distance_from_host(gpt2::ModelShape const& shape, std::size_t batch) {
  EmulatedDevice device;
  Run<float> run(shape, batch, device);
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
