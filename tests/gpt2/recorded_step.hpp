// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "device_model_run.hpp"

#include <gpt2/random.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

/// The tokens and targets of step \p step's micro-batch \p k.
struct MicroBatch {
  MicroBatch(gpt2::ModelShape const& shape, std::size_t count, std::uint64_t step, std::uint64_t k) {
    auto const random = gpt2::CounterRandom(step).with(k);
    for (std::size_t i = 0; i < count; ++i) {
      tokens.push_back(static_cast<gpt2::Token>(random.below(2 * i, shape.vocabulary)));
      targets.push_back(static_cast<gpt2::Token>(random.below(2 * i + 1, shape.vocabulary)));
    }
  }
  std::vector<gpt2::Token> tokens, targets;
};

/// A run's micro-batches from here on are \p batch.
template <class Run>
void take(Run& run, MicroBatch const& batch) {
  run.host.tokens = batch.tokens;
  run.host.targets = batch.targets;
}

template <class T>
bool same_bits(std::vector<std::vector<T>> const& a, std::vector<std::vector<T>> const& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::memcmp(a[i].data(), b[i].data(), a[i].size() * sizeof(T)) != 0) return false;
  }
  return true;
}

/// A step of two micro-batches is recorded once and replayed with other tokens: losses and gradients have the bits of
/// ordinary passes over the same tokens. Steps follow each other without a wait of the test's, and ordinary passes come
/// between.
///
/// \tparam Recorder `capture(f)` returns what `f` puts on the device, `launch` puts that on it.
template <class T, class Recorder, class Device>
void check_recorded_step(Device& device, gpt2::ModelShape const& shape,
                         gpt2::ActivationSettings const& activations = {}) {
  constexpr std::size_t batch = 3, micro_batches = 2;
  std::size_t const count = batch * shape.context;
  DeviceModelRun<T, Device> recorded(shape, batch, device, activations), ordinary(shape, batch, device);
  recorded.set_loss_scale(8.0F);
  ordinary.set_loss_scale(8.0F);
  auto const passes = [&](auto& run, std::uint64_t step) {
    for (std::size_t k = 0; k < micro_batches; ++k) {
      take(run, {shape, count, step, k});
      run.put_micro_batch(k > 0);
    }
  };
  passes(recorded, 1);
  CHECK(recorded.model().take_losses().size() == micro_batches);

  Recorder recorder(device);
  auto const graph = recorder.capture([&] { recorded.model().record([&] { passes(recorded, 2); }); });
  CHECK(recorded.model().take_losses().empty());  // nothing has run
  for (std::uint64_t step = 3; step < 7; ++step) {
    for (std::size_t k = 0; k < micro_batches; ++k) {
      MicroBatch const input(shape, count, step, k);
      recorded.model().fill(k, input.tokens, input.targets);
    }
    recorded.model().replay([&] { recorder.launch(graph); });
    if (step == 3) continue;  // the next step fills and replays while this one may be running
    auto const gradients = recorded.gradients();
    passes(ordinary, step);
    CHECK(same_bits(gradients, ordinary.gradients()));
    auto losses = ordinary.model().take_losses();
    if (step == 4) {
      passes(ordinary, 3);
      auto before = ordinary.model().take_losses();
      losses.insert(losses.begin(), before.begin(), before.end());
    }
    CHECK(recorded.model().take_losses() == losses);
    passes(recorded, 100 + step);
    CHECK(recorded.model().take_losses().size() == micro_batches);
  }
}
