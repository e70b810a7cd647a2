// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// A linear model y = X w on two ranks with ZeRO-2: all that it takes to train with sharded gradients and AdamW states.
#include <zero/engine.hpp>

#include <cstdio>
#include <stdexcept>

using Trainer = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                             zero::Precision<zero::FP32>, zero::HostBackend, zero::ThreadCommunicator>;

int main() {
  zero::run_ranks(2, [](zero::ThreadCommunicator& ranks) {
    zero::ParameterList parameters;
    zero::ParameterId const w = parameters.add({.name = "w", .shape = {4}});
    Trainer engine{ranks, parameters, {.gradient_clipping = 1.0, .optimizer = {.lr = 0.05, .weight_decay = 0.0}}};
    zero::HostStream stream;
    for (int step = 0; step < 400; ++step) {
      auto micro_batch = engine.begin_micro_batch(stream);
      auto weights = engine.gather(w, stream);
      auto gradients = engine.gradients(w, stream);
      float const x = static_cast<float>((2 * step + ranks.rank()) % 7) - 3.0F;  // each rank sees other samples
      float const features[4] = {1.0F, x, x * x, x * x * x};
      float error = -(2.0F - x + 0.5F * x * x);  // prediction minus the truth, 2 - x + x^2 / 2
      for (std::size_t i = 0; i < 4; ++i) error += weights[w][i] * features[i];
      for (std::size_t i = 0; i < 4; ++i) gradients[w][i] += error * features[i];
      weights.release();
      gradients.ready(stream);
      micro_batch.finish(stream);
      auto const report = engine.step(stream).get();
      if (ranks.rank() == 0 && step % 100 == 99) std::printf("step %3d  norm %.4f\n", step + 1, report.gradient_norm);
    }
    auto const learned = engine.read_parameter("w");
    if (ranks.rank() == 0) std::printf("w = %.2f %.2f %.2f %.2f\n", learned[0], learned[1], learned[2], learned[3]);
    if (!(learned[2] > 0.4F && learned[2] < 0.6F)) throw std::runtime_error("w should be near 2 -1 0.5 0");
  });
}
