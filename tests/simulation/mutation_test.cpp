// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "simulation/runs.hpp"
#include "simulation/scripts.hpp"

#include <zero/communicators/simulation.hpp>
#include <zero/engine.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

namespace simulation_mutation_test {

using engine_test::Run;
using zero::SimulationOptions;
using zero::SimulationResult;

namespace {

/// One way to use an engine; what the simulation saw of it.
using Scenario = std::function<SimulationResult(SimulationOptions)>;

// ------------------------------------------------------------------------------------------------- whole trainings

Scenario training(Run run) {
  return [run](SimulationOptions options) {
    SimulationResult seen;
    (void)simulation_test::train(run, options, &seen);
    return seen;
  };
}

void add_trainings(std::vector<Scenario>& all, bool offload) {
  for (auto stage : engine_test::stages) {
    for (bool adopted : {false, true}) {
      Run run{.types = engine_test::Types::fp16,
              .stage = stage,
              .offload = offload,
              .world = 2,
              .accumulation = 2,
              .adopted = adopted,
              .evaluates = true,
              .steps = 3,
              .streams = 3};
      all.push_back(training(run));
      if (offload && !adopted) {
        auto shared = run;
        shared.device_share = 0.5, shared.bucket_elements = 256;
        all.push_back(training(shared));
        shared.bucket_elements = 4096;  // where the share ends in the middle
        all.push_back(training(shared));
      }
      if (offload) {
        auto delayed = run;
        delayed.delayed_update = true;
        all.push_back(training(delayed));
      }
      if (stage < zero::Stage::gradients) {
        run.reduce = zero::Reduce::once_per_step;
        all.push_back(training(run));
      }
    }
  }
}

// ------------------------------------------------------------------------------------------------- single calls

/// An engine over two parameters, and two streams to use it from.
template <class Offload, bool delays = false>
struct RigOf {
  using Engine = zero::Engine<zero::Partitioner<zero::Stage::optimizer_states>, zero::Optimizer<zero::AdamW, Offload>,
                              zero::Precision<zero::FP32>, zero::SimulationBackend, zero::SimulationCommunicator>;

  RigOf(zero::SimulationCommunicator& communicator, std::size_t bucket_elements, int accumulation)
      : one(communicator.make_stream("one")),
        two(communicator.make_stream("two")),
        engine(communicator, parameters(), config(communicator, bucket_elements, accumulation)) {}

  // With offload in chunks of which a bucket has more than are under way at once.
  static typename Engine::Config config(zero::SimulationCommunicator& communicator, std::size_t bucket_elements,
                                        int accumulation) {
    typename Engine::Config config{.gradient_accumulation_steps = accumulation,
                                   .reduce = zero::Reduce::each_micro_batch,
                                   .bucket_elements = bucket_elements,
                                   .backend = {communicator.process()}};
    if constexpr (Offload::offloads) config.offload.chunk_elements = 128, config.offload.delayed_update = delays;
    return config;
  }

  static zero::ParameterList parameters() {
    zero::ParameterList list;
    for (auto const* name : {"a", "b"}) (void)list.add({.name = name, .shape = {300}});
    return list;
  }
  // Such as those of a bias: no parameter is read.
  void backward(zero::SimulationStream stream) {
    auto micro_batch = engine.begin_micro_batch(stream);
    for (std::uint32_t p : {1U, 0U}) write(p, stream).ready(stream);
    micro_batch.finish(stream);
  }
  [[nodiscard]] typename Engine::Gradients write(std::uint32_t p, zero::SimulationStream stream) {
    auto gradients = engine.gradients(zero::ParameterId{p}, stream);
    auto const target = gradients.write({p});
    stream.launch("backward", {zero::simulation::writes(target.values)}, [target] {
      for (auto& value : target.values) value = 0.5F;
    });
    return gradients;
  }
  void read_scale(zero::SimulationStream stream) {
    stream.launch("loss", {zero::simulation::reads(engine.loss_scale().data(), sizeof(float))}, [] {});
  }
  [[nodiscard]] auto step() { return engine.step({.lr = 0.1}, one); }

  zero::SimulationStream one, two;
  Engine engine;
};
using Rig = RigOf<zero::NoOffload>;

template <class R = Rig, class F>
Scenario with_rig(F use, std::size_t bucket_elements = 256, int accumulation = 1) {
  return [=](SimulationOptions options) {
    options.ranks = 2;
    return zero::simulate(options, [&](zero::SimulationCommunicator& communicator) {
      R rig(communicator, bucket_elements, accumulation);
      use(rig);
    });
  };
}

// What a checkpoint does to an engine, while its last update may be under way.
constexpr auto save_and_load = [](auto& rig) {
  rig.backward(rig.one);
  (void)rig.step();
  auto const state = rig.engine.state();
  std::vector<std::vector<std::byte>> saved;
  for (auto const& range : state->resident_ranges()) {
    saved.emplace_back(range.bytes());
    state->read(range, 0, saved.back());
  }
  auto const progress = state->progress();
  state->begin_load();
  auto from = saved.begin();
  for (auto const& range : state->resident_ranges()) state->write(range, 0, *from++);
  state->set_progress(progress);
  state->finish_load();
  rig.read_scale(rig.two);
  rig.backward(rig.two);
  (void)rig.step();
};

// The same from memory, as from a file.
constexpr auto load = [](auto& rig) {
  auto const state = rig.engine.state();
  auto const progress = state->progress();
  rig.backward(rig.one);
  (void)rig.step();
  state->begin_load();
  state->set_progress(progress);
  for (auto const& range : state->resident_ranges()) state->write(range, 0, std::vector<std::byte>(range.bytes()));
  state->finish_load();
};

void add_single_calls(std::vector<Scenario>& all) {
  all.push_back(with_rig([](Rig& rig) {  // the next backward on another stream
    for (int i = 0; i < 3; ++i) {
      rig.backward(rig.two);
      (void)rig.step();
    }
  }));
  all.push_back(with_rig([](Rig& rig) {  // a kernel that reads the scale before anything else happens
    rig.read_scale(rig.one);
    rig.backward(rig.one);
  }));
  all.push_back(with_rig([](Rig& rig) {  // host code that wants the scale before the report
    rig.backward(rig.one);
    (void)rig.step();
    float const scale = rig.engine.loss_scale().value();
    CHECK(scale == 1.0F);
  }));
  all.push_back(with_rig([](Rig& rig) {
    rig.backward(rig.one);
    (void)rig.step();
    auto const steps = rig.engine.step_state().steps;
    CHECK(steps == 1);
  }));
  all.push_back(with_rig([](Rig& rig) {  // nobody waits for as many steps as there are reports, and more
    for (int i = 0; i < 20; ++i) {
      rig.backward(rig.one);
      (void)rig.step();
    }
  }));
  all.push_back(with_rig([](Rig& rig) {  // a micro-batch that is given up while it is under way
    {
      auto micro_batch = rig.engine.begin_micro_batch(rig.one);
      rig.write(1, rig.one).ready(rig.one);
      (void)rig.write(0, rig.one);
    }
    rig.engine.discard_gradients();
    rig.backward(rig.two);
    (void)rig.step();
  }));
  all.push_back(with_rig([](Rig& rig) {  // by name
    std::vector<float> const values(300, 2.0F);
    rig.engine.write_parameter("a", values);
    rig.backward(rig.one);
    rig.engine.write_gradient("a", values);
    rig.engine.write_state("b", 1, values);
    auto const gradient = rig.engine.read_gradient("a");
    auto const state = rig.engine.read_state("b", 1);
    auto const parameter = rig.engine.read_parameter("a");
    CHECK((gradient == values && state == values && parameter == values));
    (void)rig.step();
  }));
  all.push_back(with_rig(save_and_load));
  all.push_back(with_rig(load));
  all.push_back(with_rig<RigOf<zero::CpuOffload>>(save_and_load));
  all.push_back(with_rig<RigOf<zero::CpuOffload, true>>(save_and_load));
  all.push_back(with_rig<RigOf<zero::CpuOffload, true>>([](auto& rig) {  // by name, beside an update
    std::vector<float> const values(300, 2.0F);
    for (int i = 0; i < 2; ++i) {
      rig.backward(rig.one);
      (void)rig.step();
      CHECK(rig.engine.read_state("b", 1).size() == values.size());
      rig.engine.write_parameter("a", values);
      CHECK(rig.engine.read_parameter("a") == values);
    }
  }));
  all.push_back(with_rig<RigOf<zero::CpuOffload, true>>([](auto& rig) {  // nobody waits
    for (int i = 0; i < 3; ++i) {
      rig.backward(rig.two);
      (void)rig.step();
    }
  }));
  all.push_back(with_rig<RigOf<zero::CpuOffload, true>>([](auto& rig) {  // an engine that ends beside its update
    rig.backward(rig.one);
    (void)rig.step();
  }));
  all.push_back(with_rig<RigOf<zero::CpuOffload>>(  // a sum that goes on as soon as it has come home
      [](auto& rig) {
        for (int i = 0; i < 2; ++i) rig.backward(rig.one);
        (void)rig.step();
      },
      4096, 2));
}

std::vector<Scenario> scenarios() {
  std::vector<Scenario> all;
  add_single_calls(all);
  add_trainings(all, false);
  add_trainings(all, true);
  return all;
}

// Where the engine orders operations, in any scenario; not where the tests do.
std::vector<zero::OrderingSite> sites_of(std::vector<Scenario> const& all) {
  std::vector<zero::OrderingSite> sites;
  for (auto const& scenario : all) {
    for (auto const& site : scenario({}).sites) {
      bool const of_tests = std::string_view(site.at.file).find("tests/") != std::string_view::npos;
      if (!of_tests && std::find(sites.begin(), sites.end(), site) == sites.end()) sites.push_back(site);
    }
  }
  return sites;
}

bool races(Scenario const& scenario, zero::OrderingSite const& without) {
  try {
    (void)scenario({.seed = 1, .order = zero::SimulationOrder::latest, .without = without});
  } catch (zero::RaceError const&) {
    return true;
  }
  return false;
}

}  // namespace

TEST_CASE("mutation: without any one of its records, waits and synchronizations the engine has a race") {
  auto const all = scenarios();
  auto const sites = sites_of(all);
  MESSAGE(sites.size() << " places at which the engine orders operations");
  CHECK(sites.size() > 30);
  for (auto const& site : sites) {
    INFO(site.describe());
    CHECK(std::any_of(all.begin(), all.end(), [&](Scenario const& scenario) { return races(scenario, site); }));
  }
}

}  // namespace simulation_mutation_test
