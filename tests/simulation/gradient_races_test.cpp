// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Gradients that are written on one stream and completed, or written again, on another: in every order of the streams
// without a race, and with the right value.

#include <zero/any_engine.hpp>
#include <zero/communicators/simulation.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <vector>

namespace simulation_gradient_races_test {

using zero::SimulationCommunicator;
using zero::SimulationOrder;
using zero::SimulationStream;
using zero::Stage;

namespace {

using Engine = zero::AnyEngine<zero::Sgd, zero::Precision<zero::FP32>, zero::SimulationBackend, SimulationCommunicator>;
constexpr std::size_t elements = 300;

struct Case {
  Stage stage = Stage::none;
  bool adopted = false;
  int contributions = 1;
};

/// Adds 1 to the whole gradient, on \p stream.
void add(Engine::Gradients& gradients, zero::ParameterId id, SimulationStream stream) {
  auto const values = gradients[id];
  stream.launch("backward", {zero::simulation::reads(values), zero::simulation::writes(values)}, [values] {
    for (auto& value : values) value += 1;
  });
}

/// One step with learning rate 1, whose micro-batch is `body(engine, id, one, two)`; finished on the first stream.
template <class Body>
std::vector<float> stepped(Case const& c, SimulationOrder order, Body const& body) {
  std::vector<float> values;
  (void)zero::simulate({.ranks = 2, .seed = 1, .order = order}, [&](SimulationCommunicator& communicator) {
    std::vector<float> own(elements);
    zero::ParameterList list;
    zero::ParameterSpec spec{.name = "p", .shape = {elements}, .contributions = c.contributions};
    if (c.adopted) spec.gradients = zero::adopt(own.data(), own.size());
    auto const id = list.add(spec);
    Engine engine(
        c.stage, communicator, list,
        {.missing_gradient = zero::MissingGradient::zero, .optimizer = {.lr = 1}, .backend = {communicator.process()}});
    auto const one = communicator.make_stream("one"), two = communicator.make_stream("two");
    auto micro_batch = engine.begin_micro_batch(one);
    body(engine, id, one, two);
    micro_batch.finish(one);
    (void)engine.step(one);
    auto const mine = engine.read_parameter("p");
    if (communicator.rank() == 0) values = mine;
  });
  return values;
}

template <class Body>
void check_in_every_order(int contributions, float expected, Body const& body) {
  for (auto stage : {Stage::none, Stage::optimizer_states, Stage::gradients, Stage::parameters}) {
    for (bool adopted : {false, true}) {
      for (auto order : {SimulationOrder::earliest, SimulationOrder::latest, SimulationOrder::random}) {
        CAPTURE(static_cast<int>(stage));
        CAPTURE(adopted);
        CAPTURE(static_cast<int>(order));
        CHECK(stepped({stage, adopted, contributions}, order, body) == std::vector<float>(elements, expected));
      }
    }
  }
}

}  // namespace

TEST_CASE("gradient races: a contribution from another stream, of two that were expected") {
  check_in_every_order(2, -1, [](Engine& engine, zero::ParameterId id, SimulationStream, SimulationStream two) {
    auto gradients = engine.gradients(id, two);
    add(gradients, id, two);
    gradients.ready(two);
  });
}

TEST_CASE("gradient races: a gradient that was abandoned on one stream and comes on another") {
  check_in_every_order(1, -1, [](Engine& engine, zero::ParameterId id, SimulationStream one, SimulationStream two) {
    {
      auto abandoned = engine.gradients(id, two);
      add(abandoned, id, two);
    }
    auto gradients = engine.gradients(id, one);
    add(gradients, id, one);
    gradients.ready(one);
  });
}

TEST_CASE("gradient races: a gradient that was abandoned on another stream, and is missing") {
  check_in_every_order(1, 0, [](Engine& engine, zero::ParameterId id, SimulationStream, SimulationStream two) {
    auto abandoned = engine.gradients(id, two);
    add(abandoned, id, two);
  });
}

}  // namespace simulation_gradient_races_test
