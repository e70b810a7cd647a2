// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// One step of one parameter, with the headers of the package.
#include <zero/engine.hpp>

#include <cstdio>

int main() {
  zero::SelfCommunicator alone;
  zero::ParameterList parameters;
  auto const w = parameters.add({.name = "w", .shape = {8}});
  zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::Sgd>, zero::Precision<zero::FP32>>
      engine{alone, parameters, {.optimizer = {.lr = 0.5}}};
  zero::HostStream stream;
  auto micro_batch = engine.begin_micro_batch(stream);
  auto gradients = engine.gradients(w, stream);
  for (auto& g : gradients.write(w).values) g = 2.0F;
  gradients.ready(stream);
  micro_batch.finish(stream);
  if (engine.step(stream).get().skipped) return 1;
  float const value = engine.read_parameter("w")[0];  // 0 - 0.5 * 2
  std::printf("w = %.1f, should be -1.0\n", static_cast<double>(value));
  return value == -1.0F ? 0 : 1;
}
