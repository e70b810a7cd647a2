// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Memory of the gather arena is used again while its last readers still run on their streams: on several of them, and
// where what is gathered has another size than what lay there, or has moved.

#include "reference/training.hpp"
#include "simulation/scripts.hpp"

#include <zero/communicators/simulation.hpp>
#include <zero/engine.hpp>
#include <zero/error.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace simulation_gather_arena_test {

using zero::SimulationCommunicator;

namespace {

using Engine = zero::Engine<zero::Partitioner<zero::Stage::parameters>, zero::Optimizer<zero::Sgd>,
                            zero::Precision<zero::FP32>, zero::SimulationBackend, SimulationCommunicator>;

using Units = std::vector<std::size_t>;                  // elements of each
using Groups = std::vector<std::vector<std::uint32_t>>;  // units that are held together

/// Gathers \p groups of \p units. Each unit is read on a stream of its own, and nothing waits for a reader but the
/// engine. What finds no room is left out. There is room for \p room elements; 0: for a unit and those ahead of it.
simulation_test::Script reading(Units const& units, Groups const& groups, std::size_t room, int prefetch_units) {
  return [=](SimulationCommunicator& communicator) {
    zero::ParameterList list;
    for (auto elements : units) {
      auto const unit = static_cast<int>(list.specs().size());
      (void)list.add({.name = "unit " + std::to_string(unit), .shape = {elements}, .unit = unit});
    }
    Engine engine(communicator, list,
                  {.bucket_elements = 2048,
                   .max_live_elements = room,
                   .prefetch_units = prefetch_units,
                   .backend = {communicator.process()}});
    for (auto const& group : groups) {
      std::vector<Engine::Lease> held;
      for (auto unit : group) {
        zero::ParameterId const id{unit};
        auto const stream = communicator.make_stream("reader");
        try {
          held.push_back(engine.gather(id, stream));
        } catch (zero::LeaseError const&) {
          continue;
        }
        stream.launch("forward", {zero::simulation::reads(held.back()[id])}, [] {});
      }
    }
  };
}

bool is_clean(Units const& units, Groups const& groups, std::size_t room, int prefetch_units = 0) {
  return simulation_test::clean(reading(units, groups, room, prefetch_units), 2);
}
/// Every unit once: \p groups are of their sizes.
bool is_clean(std::vector<Units> const& groups, std::size_t room) {
  Units units;
  Groups numbers;
  for (auto const& group : groups) {
    numbers.emplace_back();
    for (auto elements : group) {
      numbers.back().push_back(static_cast<std::uint32_t>(units.size()));
      units.push_back(elements);
    }
  }
  return is_clean(units, numbers, room);
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

TEST_CASE("simulated arena: a unit lies elsewhere than before, and who takes its old room waits for its old readers") {
  CHECK(is_clean({1024, 512, 1024}, {{0, 1}, {1, 2}}, 1536));
  CHECK(is_clean({512, 1024, 512, 1024}, {{0, 2}, {2, 3}, {2, 0}, {1, 2}}, 0, 1));
}

TEST_CASE("simulated arena: whatever is held together, in whatever order") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    std::uint64_t turn = seed << 32;
    auto const below = [&](std::size_t n) { return static_cast<std::size_t>(reference::mix(turn++) % n); };
    Units units(6);
    for (auto& elements : units) elements = 256 * (1 + below(4));
    Groups groups(12);
    for (auto& group : groups) {
      for (std::size_t held = 1 + below(2); held > 0; --held) {
        group.push_back(static_cast<std::uint32_t>(below(units.size())));
      }
    }
    auto const ahead = static_cast<int>(below(3));
    for (std::size_t room : {2048U, 0U}) CHECK(is_clean(units, groups, room, ahead));
  }
}

}  // namespace simulation_gather_arena_test
