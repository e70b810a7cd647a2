// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// A loss scaler of one's own: halves at every overflow, and creeps up by a sixteenth of itself while gradients are
// finite, up to a ceiling. State and update are plain, so that the decision can be made on a device.
#include <zero/engine.hpp>

#include <cstdio>

struct CreepingScale {
  struct Config {
    float initial = 1 << 15;
    float ceiling = 1 << 20;
  };
  struct State {
    float scale;
  };
  static State initial(Config const& config) { return {config.initial}; }
  ZERO_HOST_DEVICE static State update(Config const& config, State state, bool overflow) {
    if (overflow) return {state.scale > 1.0F ? state.scale * 0.5F : 1.0F};
    float const higher = state.scale * 1.0625F;
    return {higher < config.ceiling ? higher : config.ceiling};
  }
};
static_assert(zero::loss_scaler<CreepingScale>);

int main() {
  zero::SelfCommunicator alone;
  zero::ParameterList parameters;
  auto const w = parameters.add({.name = "w", .shape = {64}});
  zero::Engine<zero::Partitioner<zero::Stage::optimizer_states>, zero::Optimizer<zero::Sgd>,
               zero::Precision<zero::FP16, CreepingScale>>
      engine{alone, parameters, {.optimizer = {.lr = 0.1}}};
  zero::HostStream stream;
  int skipped = 0;
  for (int step = 0; step < 40; ++step) {
    float const scale = engine.loss_scale().value();
    auto micro_batch = engine.begin_micro_batch(stream);
    auto gradients = engine.gradients(w, stream);
    // A gradient of 1 fits into fp16 up to a scale of 65,504.
    for (auto& g : gradients.write(w).values) g = zero::narrow<zero::float16>(scale * 1.0F);
    gradients.ready(stream);
    micro_batch.finish(stream);
    auto const report = engine.step(stream).get();
    skipped += report.skipped ? 1 : 0;
    if (report.skipped)
      std::printf("step %d overflowed in '%s' at scale %.0f\n", step, report.bad_parameter.c_str(),
                  static_cast<double>(scale));
  }
  std::printf("scale %.0f after %d skipped steps\n", static_cast<double>(engine.loss_scale().value()), skipped);
  return skipped > 0 && skipped < 10 ? 0 : 1;
}
