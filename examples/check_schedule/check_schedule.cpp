// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Finds a race in a training loop, without a GPU: the loop runs on simulated ranks and streams, and every access is
// judged. A moving average of the weights is kept on a stream of its own; first as one easily writes it, with weights
// that were gathered for another stream, then as it must be.
//
//   check_schedule [trace.json [trace.svg]]     writes what a step of the right loop does, for ui.perfetto.dev
#include "support/trace_picture.hpp"

#include <zero/communicators/simulation.hpp>
#include <zero/engine.hpp>
#include <zero/simulation/trace.hpp>

#include <cstdio>
#include <exception>
#include <fstream>
#include <span>
#include <string>
#include <vector>

namespace {

using Engine = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                            zero::Precision<zero::BF16>, zero::SimulationBackend, zero::SimulationCommunicator>;
using zero::simulation::reads;
using zero::simulation::writes;

constexpr std::size_t layers = 4;
constexpr std::size_t width = 256;

// The order of a real loop with empty kernels: what they touch is what counts. Ranges come from the leases.
void train(zero::SimulationCommunicator& rank, int steps, bool right) {
  zero::ParameterList parameters;
  std::vector<zero::ParameterId> ids;
  for (std::size_t l = 0; l < layers; ++l) {
    ids.push_back(
        parameters.add({.name = "layer " + std::to_string(l), .shape = {width, width}, .unit = static_cast<int>(l)}));
  }
  Engine engine{rank, parameters, {.bucket_elements = width * width, .backend = {rank.process()}}};
  std::vector<float> average(layers * width * width);
  auto const compute = rank.make_stream("compute");
  auto const averaging = rank.make_stream("averaging");

  for (int step = 0; step < steps; ++step) {
    auto micro_batch = engine.begin_micro_batch(compute);
    for (auto id : ids) {
      auto const weights = engine.gather(id, compute);
      compute.launch("forward", {reads(weights[id])}, [] {});
    }
    for (std::size_t l = layers; l-- > 0;) {
      auto const weights = engine.gather(ids[l], compute);
      auto gradients = engine.gradients(ids[l], compute);
      compute.launch("backward", {reads(weights[ids[l]]), writes(gradients.write(ids[l]).values)}, [] {});
      gradients.ready(compute);
    }
    micro_batch.finish(compute);
    auto const ticket = engine.step({.lr = 1e-3}, compute);

    for (std::size_t l = 0; l < layers; ++l) {
      auto const weights = engine.gather(ids[l], right ? averaging : compute);
      auto const target = std::span(average).subspan(l * width * width, width * width);
      averaging.launch("average", {reads(weights[ids[l]]), writes(target)}, [] {});
    }
  }
  averaging.synchronize();  // before the average goes out of scope
}

void write_trace(int argc, char** argv) {
  auto const seen = zero::simulate({.ranks = 2, .trace = true}, [](auto& rank) { train(rank, 1, true); });
  if (argc > 1) {
    std::ofstream json(argv[1]);
    zero::write_perfetto(seen.trace, json);
  }
  if (argc > 2) {
    std::ofstream picture(argv[2]);
    picture << svg::picture_of(seen.trace);
  }
}

}  // namespace

int main(int argc, char** argv) {
  bool found = false;
  try {
    (void)zero::simulate({.ranks = 2}, [](auto& rank) { train(rank, 2, false); });
  } catch (zero::RaceError const& race) {
    found = true;
    std::printf("%s\n", race.what());
  }
  std::uint64_t operations = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    operations += zero::simulate({.ranks = 2, .seed = seed}, [](auto& rank) { train(rank, 2, true); }).operations;
  }
  std::printf("gathered for its own stream: no race in 100 orders, %llu operations\n",
              static_cast<unsigned long long>(operations));
  write_trace(argc, argv);
  return found ? 0 : 1;
}
