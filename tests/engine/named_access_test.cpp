// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "engine/engine_under_test.hpp"

#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

namespace engine_named_access_test {

using engine_test::contains;
using engine_test::id;
using engine_test::message_of;
using engine_test::micro_batch;
using engine_test::parameters;
using zero::Stage;

namespace {

std::vector<std::size_t> const sizes{5, 1500, 300};

std::vector<float> ramp(std::size_t count, float start) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = start + static_cast<float>(i % 64) / 64.0F;
  return values;
}

template <class Engine>
void check_round_trips(zero::ThreadCommunicator& ranks, double device_share = 0.0) {
  typename Engine::Config config{.gradient_accumulation_steps = 2, .bucket_elements = 512};
  if constexpr (requires { config.offload.device_share; }) config.offload.device_share = device_share;
  Engine engine(ranks, parameters(sizes), config);
  for (std::size_t p = 0; p < sizes.size(); ++p) {
    auto const name = "p" + std::to_string(p);
    engine.write_parameter(name, ramp(sizes[p], 1.0F));
    engine.write_state(name, 0, ramp(sizes[p], 2.0F));
    engine.write_state(name, 1, ramp(sizes[p], 3.0F));
  }
  for (int a = 0; a < 2; ++a) micro_batch(engine, sizes.size(), static_cast<float>(ranks.rank() + 1));
  CHECK(engine.read_gradient("p1") == std::vector<float>(1500, 1.5F));
  engine.write_gradient("p1", ramp(1500, 4.0F));
  for (std::size_t p = 0; p < sizes.size(); ++p) {
    auto const name = "p" + std::to_string(p);
    CHECK(engine.read_parameter(name) == ramp(sizes[p], 1.0F));
    CHECK(engine.read_state(name, 0) == ramp(sizes[p], 2.0F));
    CHECK(engine.read_state(name, 1) == ramp(sizes[p], 3.0F));
  }
  CHECK(engine.read_gradient("p1") == ramp(1500, 4.0F));
  CHECK(engine.read_gradient("p2") == std::vector<float>(300, 1.5F));

  double squares = 305 * 1.5 * 1.5;
  for (float g : ramp(1500, 4.0F)) squares += static_cast<double>(g) * static_cast<double>(g);
  auto const report = engine.step({.lr = 0.0}, {}).get();
  CHECK(report.gradient_norm == doctest::Approx(std::sqrt(squares)).epsilon(1e-12));
  CHECK(engine.read_state("p1", 0)[0] == doctest::Approx(0.9 * 2.0 + 0.1 * 4.0));
}

}  // namespace

TEST_CASE(
    "named access: parameters, gradients and states are written and read whole by name, in every stage and offloaded") {
  zero::run_ranks(2, [](zero::ThreadCommunicator& ranks) {
    check_round_trips<engine_test::EngineOf<Stage::none>>(ranks);
    check_round_trips<engine_test::EngineOf<Stage::optimizer_states>>(ranks);
    using Offloaded = engine_test::EngineOf<Stage::gradients, zero::Precision<zero::BF16>, zero::CpuOffload>;
    for (double share : {0.0, 0.45}) check_round_trips<Offloaded>(ranks, share);
    check_round_trips<engine_test::EngineOf<Stage::parameters, zero::Precision<zero::BF16>>>(ranks);
  });
}

TEST_CASE("named access: an infinite gradient that is written skips the step; a finite one in its place does not") {
  zero::run_ranks(2, [](zero::ThreadCommunicator& ranks) {
    engine_test::EngineOf<Stage::gradients> engine(ranks, parameters(sizes));
    auto poisoned = ramp(1500, 1.0F);
    poisoned[1499] = std::numeric_limits<float>::infinity();
    micro_batch(engine, sizes.size());
    engine.write_gradient("p1", poisoned);
    auto const report = engine.step({}).get();
    CHECK(report.skipped);
    CHECK(report.bad_parameter == "p1");
    micro_batch(engine, sizes.size(), std::numeric_limits<float>::infinity());
    for (std::size_t p = 0; p < sizes.size(); ++p) engine.write_gradient("p" + std::to_string(p), ramp(sizes[p], 1.0F));
    CHECK(!engine.step({}).get().skipped);
  });
}

TEST_CASE("named access: a delayed update shows by name at once, and to gathers after the next step or finish_update") {
  zero::run_ranks(2, [](zero::ThreadCommunicator& ranks) {
    using Engine = engine_test::EngineOf<Stage::parameters, zero::Precision<zero::BF16>, zero::CpuOffload>;
    Engine engine(ranks, parameters({300}), {.gradient_accumulation_steps = 2, .offload = {.delayed_update = true}});
    auto const gathered = [&] { return zero::widen(engine.gather(id(0), {})[id(0)][7]); };
    auto const read = [&] { return engine.read_parameter("p0")[7]; };
    auto const step = [&] {
      for (int a = 0; a < 2; ++a) micro_batch(engine, 1);
      CHECK(!engine.step({.lr = 0.5}, {}).get().skipped);
    };
    engine.write_parameter("p0", std::vector<float>(300, 8.0F));
    engine.finish_update();  // nothing is late
    step();
    float const first = read();
    CHECK(first < 8.0F);
    CHECK(gathered() == 8.0F);
    step();
    CHECK(read() < first);
    CHECK(gathered() == zero::widen(zero::narrow<zero::bfloat16>(first)));
    engine.finish_update();
    CHECK(gathered() == zero::widen(zero::narrow<zero::bfloat16>(read())));
    step();
    engine.write_parameter("p0", std::vector<float>(300, 4.0F));  // the update that is late does not undo it
    CHECK(gathered() == 4.0F);
    engine.finish_update();
    CHECK(gathered() == 4.0F);
  });
}

TEST_CASE("named access: a late update is brought in neither under a lease nor between the micro-batches of a step") {
  zero::SelfCommunicator self;
  using Engine =
      engine_test::EngineOf<Stage::gradients, zero::Precision<zero::FP32>, zero::CpuOffload, zero::SelfCommunicator>;
  Engine engine(self, parameters({300}), {.gradient_accumulation_steps = 2, .offload = {.delayed_update = true}});
  for (int a = 0; a < 2; ++a) micro_batch(engine, 1);
  (void)engine.step({.lr = 0.5}, {});
  {
    auto const lease = engine.gather(id(0), {});
    CHECK(contains(message_of<zero::SequenceError>([&] { engine.finish_update(); }), "lease"));
  }
  micro_batch(engine, 1);
  CHECK(contains(message_of<zero::SequenceError>([&] { engine.finish_update(); }), "finish_update after 1 of 2"));
  micro_batch(engine, 1);
  CHECK(engine.step({.lr = 0.5}, {}).get().step == 2);
}

TEST_CASE("named access: writing a parameter reaches the caller's adopted buffer, and no other's is touched") {
  zero::SelfCommunicator self;
  std::vector<float> first{1, 2, 3}, second{4, 5};
  zero::ParameterList list;
  (void)list.add({.name = "first", .shape = {3}, .values = zero::adopt(std::span(first))});
  (void)list.add({.name = "second", .shape = {2}, .values = zero::adopt(std::span(second))});
  engine_test::EngineOf<Stage::none, zero::Precision<zero::FP32>, zero::NoOffload, zero::SelfCommunicator> engine(self,
                                                                                                                  list);
  CHECK(first == std::vector<float>{1, 2, 3});
  CHECK(second == std::vector<float>{4, 5});
  engine.write_parameter("second", std::vector<float>{7, 8});
  CHECK(first == std::vector<float>{1, 2, 3});
  CHECK(second == std::vector<float>{7, 8});
}

namespace {
using Scaled = engine_test::EngineOf<Stage::none, zero::Precision<zero::FP16, zero::DynamicScale>, zero::NoOffload,
                                     zero::SelfCommunicator>;
constexpr float infinity = std::numeric_limits<float>::infinity();
}  // namespace

TEST_CASE("ticket: reports are read late, in any order, and after the engine's end; the oldest are gone") {
  zero::SelfCommunicator self;
  auto engine = std::make_unique<Scaled>(self, parameters({3}));
  std::vector<Scaled::Ticket> tickets;
  for (int i = 0; i < 20; ++i) {
    micro_batch(*engine, 1, i == 10 ? infinity : 1.0F);
    tickets.push_back(engine->step({}));
  }
  engine.reset();
  CHECK(tickets[19].get().step == 19);
  CHECK(tickets[10].get().skipped);
  CHECK(tickets[10].try_get()->bad_parameter == "p0");
  CHECK(tickets[9].get().skipped_steps == 0);
  CHECK(tickets[4].get().step == 5);
  CHECK(contains(message_of<zero::SequenceError>([&] { (void)tickets[3].get(); }), "read each within 16 steps"));
  CHECK(contains(message_of<zero::SequenceError>([&] { (void)tickets[0].try_get(); }), "report is gone"));
}

TEST_CASE("ticket: the scale that backward used is divided out of norm and clipping") {
  zero::SelfCommunicator self;
  Scaled engine(self, parameters({4}), {.gradient_clipping = 3.0, .scale = {.initial = 1024.0F, .window = 1}});
  CHECK(engine.loss_scale().value() == 1024.0F);
  micro_batch(engine, 1, 3.0F * 1024.0F);
  auto const report = engine.step({}).get();
  CHECK(report.loss_scale == 1024.0F);
  CHECK(report.gradient_norm == 6.0);
  CHECK(report.clip_coefficient == 3.0 / (6.0 + 1e-6));
  CHECK(engine.loss_scale().value() == 2048.0F);
  CHECK(*engine.loss_scale().data() == 2048.0F);
  CHECK(engine.read_state("p0", 0)[3] == doctest::Approx(0.1 * 1.5));
  micro_batch(engine, 1, 3.0F * 2048.0F);
  CHECK(engine.step({.gradient_clipping = 0.0}, {}).get().clip_coefficient == 1.0);
}

TEST_CASE("ticket: overflow at the minimum scale fails, or is told in the report, as configured") {
  zero::SelfCommunicator self;
  for (auto policy : {zero::AtMinimumScale::fail, zero::AtMinimumScale::skip}) {
    Scaled engine(self, parameters({3}),
                  {.scale = {.initial = 4.0F, .minimum = 2.0F, .hysteresis = 1, .at_minimum = policy}});
    auto const overflow = [&] {
      micro_batch(engine, 1, infinity);
      return engine.step({});
    };
    CHECK(!overflow().get().at_minimum_scale);  // 4 to 2
    auto const ticket = overflow();
    if (policy == zero::AtMinimumScale::skip) {
      CHECK(ticket.get().at_minimum_scale);
    } else {
      auto const message = message_of<zero::LossScaleError>([&] { (void)ticket.get(); });
      CHECK(contains(message, "minimum loss scale, first in 'p0'"));
      CHECK(contains(message_of<zero::LossScaleError>([&] { (void)ticket.try_get(); }), "AtMinimumScale::skip"));
    }
    CHECK(engine.loss_scale().value() == 2.0F);
    micro_batch(engine, 1);
    CHECK(!engine.step({}).get().skipped);
  }
}

TEST_CASE("ticket: an exhausted scale that nobody reads of ends the run within 16 steps") {
  zero::SelfCommunicator self;
  Scaled engine(self, parameters({3}), {.scale = {.initial = 2.0F, .minimum = 2.0F, .hysteresis = 1}});
  int steps = 0;
  auto const message = message_of<zero::LossScaleError>([&] {
    for (; steps < 40; ++steps) {
      micro_batch(engine, 1, infinity);
      auto const unread = engine.step({});
    }
  });
  CHECK(contains(message, "minimum loss scale, first in 'p0'"));
  CHECK(steps == 16);
  CHECK(engine.read_parameter("p0")[0] == 0.0F);
}

}  // namespace engine_named_access_test
