// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Memory of the gather arena is used again while its last readers still run on their streams: on several of them, and
// where what is gathered has another size than what lay there.

#include "simulation/scripts.hpp"

#include <zero/communicators/simulation.hpp>
#include <zero/engine.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

using zero::SimulationCommunicator;

namespace {

using Engine = zero::Engine<zero::Partitioner<zero::Stage::parameters>, zero::Optimizer<zero::Sgd>,
                            zero::Precision<zero::FP32>, zero::SimulationBackend, SimulationCommunicator>;

/// Gathers units of the sizes \p groups in their order. Those of a group are held together, so that they lie side by
/// side. Each is read on a stream of its own, and nothing waits for a reader but the engine. There is room for \p room
/// elements.
simulation_test::Script reading(std::vector<std::vector<std::size_t>> const& groups, std::size_t room) {
  return [=](SimulationCommunicator& communicator) {
    zero::ParameterList list;
    for (auto const& group : groups) {
      for (auto elements : group) {
        auto const unit = static_cast<int>(list.specs().size());
        (void)list.add({.name = "unit " + std::to_string(unit), .shape = {elements}, .unit = unit});
      }
    }
    Engine engine(
        communicator, list,
        {.bucket_elements = 2048, .max_live_elements = room, .prefetch_units = 0, .backend = {communicator.process()}});
    std::uint32_t next = 0;
    for (auto const& group : groups) {
      std::vector<Engine::Lease> held;
      for (std::size_t i = 0; i < group.size(); ++i) {
        zero::ParameterId const id{next++};
        auto const stream = communicator.make_stream("reader");
        held.push_back(engine.gather(id, stream));
        stream.launch("forward", {zero::simulation::reads(held.back()[id])}, [] {});
      }
    }
  };
}

bool is_clean(std::vector<std::vector<std::size_t>> const& groups, std::size_t room) {
  return simulation_test::clean(reading(groups, room), 2);
}

}  // namespace

TEST_CASE("simulated arena: a large unit takes the room of two small ones, and waits for the readers of both") {
  CHECK(is_clean({{512, 512}, {1024}}, 1024));
  CHECK(is_clean({{256, 768}, {1024}}, 1024));
  CHECK(is_clean({{256, 256, 256, 256}, {1024}}, 1024));
}

TEST_CASE("simulated arena: small units take the room of a large one, and each waits for its reader") {
  CHECK(is_clean({{1024}, {512, 512}}, 1024));
  CHECK(is_clean({{1024}, {256, 768}}, 1024));
}

TEST_CASE("simulated arena: a unit takes parts of the room of two, and waits for the readers of both") {
  CHECK(is_clean({{512, 768}, {256, 768, 256}}, 1280));
}
