// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Steps of an engine without a profiler, whose instructions off_cost.sh counts: leases and gathers as a GPT of four
// blocks makes them, on parameters that are small, as only the engine's own work counts.
//
//   steps STAGE STEPS
#include <zero/any_engine.hpp>

#include <array>
#include <cstdlib>
#include <string>
#include <vector>

int main(int count, char** arguments) {
  if (count != 3) return 2;
  using Engine = zero::AnyEngine<zero::AdamW, zero::Precision<zero::FP32>, zero::HostBackend, zero::SelfCommunicator>;
  zero::SelfCommunicator alone;
  zero::ParameterList parameters;
  std::vector<std::vector<zero::ParameterId>> units;
  for (int u = 0; u < 6; ++u) {
    auto& ids = units.emplace_back();
    int const members = u == 0 || u == 5 ? 2 : 12;
    for (int p = 0; p < members; ++p) {
      ids.push_back(parameters.add({.name = std::to_string(u) + "." + std::to_string(p), .shape = {256}, .unit = u}));
    }
  }
  Engine::Config config;
  config.backend = {.threads = 1};
  auto const engine = zero::make_any_engine<zero::AdamW, zero::Precision<zero::FP32>, zero::HostBackend>(
      static_cast<zero::Stage>(std::atoi(arguments[1])), alone, parameters, std::nullopt, config);
  zero::HostStream const stream;
  int const steps = std::atoi(arguments[2]);
  for (int step = 0; step < steps; ++step) {
    auto batch = engine->begin_micro_batch(stream);
    for (auto const& ids : units) auto const weights = engine->gather(ids, stream);
    for (std::size_t u = units.size(); u-- > 0;) {
      auto const weights = engine->gather(units[u], stream);
      auto gradients = engine->gradients(units[u], stream);
      for (auto id : units[u]) {
        for (auto& value : gradients.write(id).values) value = 0.5F;
      }
      gradients.ready(stream);
    }
    batch.finish(stream);
    (void)engine->step(stream);
  }
  return 0;
}
