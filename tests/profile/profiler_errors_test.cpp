// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "profile/training.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>

namespace profile_profiler_errors_test {

using profile_test::now;
using profile_test::Phase;
using profile_test::Profiler;

namespace {

using Engine =
    zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::Sgd>, zero::Precision<zero::FP32>>;

struct Model {
  Model() { w = parameters.add({.name = "w", .shape = {64}}); }
  zero::ParameterList parameters;
  zero::ParameterId w{};
};

void backward(Engine& engine, zero::ParameterId w, zero::HostStream stream) {
  auto gradients = engine.gradients(w, stream);
  for (auto& value : gradients.write(w).values) value = 1.0F;
  gradients.ready(stream);
}
void step(Engine& engine, zero::ParameterId w, zero::HostStream stream) {
  auto batch = engine.begin_micro_batch(stream);
  backward(engine, w, stream);
  batch.finish(stream);
  (void)engine.step(stream).get();
}

template <class Error, class Function>
std::string what_of(Function&& f) {
  try {
    f();
  } catch (Error const& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("profiler: one of another thread's engine is refused") {
  zero::SelfCommunicator alone;
  Model const model;
  Profiler profiler;
  Engine const engine(alone, model.parameters, {.profiler = &profiler});
  std::thread([&] {
    auto const text = what_of<zero::ConfigurationError>(
        [&] { Engine const second(alone, model.parameters, {.profiler = &profiler}); });
    CHECK(text.find("give each rank a profiler of its own") != std::string::npos);
  }).join();
}

TEST_CASE("profiler: after its engines it may watch those of another thread") {
  zero::SelfCommunicator alone;
  Model const model;
  Profiler profiler;
  { Engine const engine(alone, model.parameters, {.profiler = &profiler}); }
  std::thread([&] {
    Engine engine(alone, model.parameters, {.profiler = &profiler});
    step(engine, model.w, {});
  }).join();
  CHECK(profiler.take_steps().steps == 1);
}

TEST_CASE("profiler: engines take turns, but not within a step") {
  zero::SelfCommunicator alone;
  Model const model;
  zero::HostStream const stream;
  Profiler profiler;
  Engine first(alone, model.parameters, {.profiler = &profiler});
  Engine second(alone, model.parameters, {.profiler = &profiler});
  step(first, model.w, stream);
  step(second, model.w, stream);
  CHECK(profiler.take_steps().steps == 2);
  auto batch = first.begin_micro_batch(stream);
  auto const text = what_of<zero::SequenceError>([&] { (void)second.begin_micro_batch(stream); });
  CHECK(text.find("a step begins while one of another engine is open") != std::string::npos);
  backward(first, model.w, stream);
  batch.finish(stream);
  (void)first.step(stream).get();
  step(second, model.w, stream);
  CHECK(profiler.take_steps().steps == 2);
}

TEST_CASE("profiler: an engine that outlives it says so once, and goes on") {
  zero::SelfCommunicator alone;
  Model const model;
  zero::HostStream const stream;
  std::optional<Profiler> profiler(std::in_place);
  Engine engine(alone, model.parameters, {.profiler = &*profiler});
  step(engine, model.w, stream);
  profiler.reset();
  auto const text = what_of<zero::SequenceError>([&] { (void)engine.begin_micro_batch(stream); });
  CHECK(text.find("its profiler has ended before it") != std::string::npos);
  step(engine, model.w, stream);
  CHECK(engine.step_state().steps == 2);
}

TEST_CASE("profiler: an engine that ends within a step leaves its profiler to the next one") {
  zero::SelfCommunicator alone;
  Model const model;
  zero::HostStream const stream;
  Profiler profiler;
  {
    Engine engine(alone, model.parameters, {.profiler = &profiler});
    auto batch = engine.begin_micro_batch(stream);
  }
  Engine engine(alone, model.parameters, {.profiler = &profiler});
  step(engine, model.w, stream);
  CHECK(profiler.take_steps().steps == 1);
}

TEST_CASE("profiler: spans beyond its room are dropped and counted, by step too") {
  zero::HostStream const stream;
  Profiler profiler({.spans = 64, .clock = [] { return now; }});
  int const owner = 0;
  profiler.begin_micro_batch(&owner, stream);
  for (int i = 0; i < 100; ++i) {
    now += 1;
    auto const scope = profiler.operation({.phase = Phase::reduce, .name = "squares"}, stream);
    now += 1;
  }
  profiler.begin_step(&owner, Phase::update, stream);
  profiler.end_step(stream);
  auto const step = profiler.take_step();
  REQUIRE(step);
  CHECK(profiler.dropped() > 0);
  CHECK(step->dropped == profiler.dropped());
  CHECK(step->total == 200);  // what had no room is in the phase before
  CHECK(to_table(*step).find(std::to_string(step->dropped) + " spans were dropped") != std::string::npos);

  profiler.begin_step(&owner, Phase::update, stream);
  now += 5;
  profiler.end_step(stream);
  auto const next = profiler.take_step();
  REQUIRE(next);
  CHECK(next->dropped == 0);
  CHECK(next->total == 5);
}

TEST_CASE("profiler: kept spans beyond what was asked for are dropped and counted") {
  zero::HostStream const stream;
  Profiler profiler;
  profiler.keep_spans(3);
  for (int i = 0; i < 5; ++i) {
    auto const scope = profiler.operation({.name = "send", .bytes = 8, .ranks = 2}, stream);
  }
  profiler.stop_keeping();
  profiler.drain();
  CHECK(profiler.take_spans().size() == 3);
  CHECK(profiler.dropped() == 2);
}

TEST_CASE("profiler: of breakdowns that nobody takes the oldest go") {
  zero::HostStream const stream;
  Profiler profiler({.steps = 2, .clock = [] { return now; }});
  int const owner = 0;
  for (int step = 1; step <= 3; ++step) {
    profiler.begin_step(&owner, Phase::update, stream);
    now += step;
    profiler.end_step(stream);
  }
  CHECK(profiler.take_step()->total == 2);
  CHECK(profiler.take_step()->total == 3);
  CHECK(!profiler.take_step());
}

TEST_CASE("profiler: too little room is refused") {
  auto const text = what_of<zero::ConfigurationError>([] { Profiler const profiler({.spans = 63}); });
  CHECK(text.find("64 spans") != std::string::npos);
  CHECK_THROWS_AS(Profiler({.steps = 0}), zero::ConfigurationError);
}

}  // namespace profile_profiler_errors_test
