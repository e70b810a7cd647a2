// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Ranks that take a step with other settings, steps that are skipped in a row, and what is told once.

#include "engine/engine_under_test.hpp"

#include <zero/any_engine.hpp>
#include <zero/kernels/decide.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace engine_step_agreement_test {

using engine_test::contains;
using engine_test::message_of;
using zero::MismatchError;
using zero::Stage;
using zero::ThreadCommunicator;

namespace {

template <class Prec>
using ThreadEngine = zero::AnyEngine<zero::AdamW, Prec, zero::HostBackend, ThreadCommunicator>;
using Plain = ThreadEngine<zero::Precision<zero::FP32>>;
using SelfEngine = zero::AnyEngine<zero::AdamW, zero::Precision<zero::FP32>, zero::HostBackend, zero::SelfCommunicator>;
constexpr Stage stages[]{Stage::none, Stage::optimizer_states, Stage::gradients, Stage::parameters};
constexpr zero::ParameterId id{0};

zero::ParameterList one_parameter() {
  zero::ParameterList list;
  (void)list.add({.name = "p", .shape = {700}});
  return list;
}
template <class Engine>
void micro_batch(Engine& engine, float gradient) {
  auto micro_batch = engine.begin_micro_batch({});
  auto gradients = engine.gradients(id, {});
  for (auto& value : gradients[id]) value += gradient;
  gradients.ready({});
  micro_batch.finish({});
}

}  // namespace

TEST_CASE("step agreement: another learning rate or clipping on one rank is every rank's error, and nothing changes") {
  for (auto stage : stages) {
    for (bool clips : {false, true}) {
      zero::run_ranks(3, [&](ThreadCommunicator& ranks) {
        Plain engine(stage, ranks, one_parameter(), {.max_live_elements = 1U << 20U});
        micro_batch(engine, 1);
        (void)engine.step({.lr = 0.5}, {}).get();
        auto const before = engine.read_parameter("p");
        bool const differs = ranks.rank() == 2;
        for (int step = 0; step < 3; ++step) {
          micro_batch(engine, 1);
          zero::StepOptions options{.lr = 0.5};
          if (step == 0 && differs) (clips ? options.gradient_clipping : options.lr) = 0.25;
          auto const ticket = engine.step(options, {});
          CHECK(contains(message_of<MismatchError>([&] { (void)ticket.get(); }), "rank 2 took a step otherwise"));
          CHECK(engine.read_parameter("p") == before);
        }
        CHECK(engine.step_state().steps == 1);
        CHECK(engine.step_state().skipped == 0);
        CHECK_THROWS_AS((void)engine.state()->progress(), MismatchError);  // no checkpoint of it
      });
    }
  }
}

TEST_CASE("step agreement: a mismatch that nobody reads ends the run after sixteen steps, on all ranks alike") {
  zero::run_ranks(2, [&](ThreadCommunicator& ranks) {
    Plain engine(Stage::gradients, ranks, one_parameter());
    for (int step = 0; step < 16; ++step) {
      micro_batch(engine, 1);
      (void)engine.step({.lr = step == 0 && ranks.rank() == 0 ? 0.5 : 0.25}, {});
    }
    micro_batch(engine, 1);
    CHECK_THROWS_AS((void)engine.step({.lr = 0.25}, {}), MismatchError);
  });
}

TEST_CASE("step agreement: equal options, given or by default, are no mismatch") {
  zero::run_ranks(2, [&](ThreadCommunicator& ranks) {
    Plain engine(Stage::gradients, ranks, one_parameter(), {.gradient_clipping = 1.0, .optimizer = {.lr = 0.5}});
    micro_batch(engine, 1);
    bool const by_default = ranks.rank() == 0;
    auto const ticket = by_default ? engine.step({}) : engine.step({.lr = 0.5, .gradient_clipping = 1.0}, {});
    CHECK(ticket.get().step == 1);
  });
}

TEST_CASE("step agreement: the decision compares the upper halves, and takes bad parameters from the lower ones") {
  using Scaler = zero::NoScale;
  std::vector<std::uint64_t> words(zero::NormWords::count(3));
  double const clipping = 0;
  zero::StepState<Scaler> state{.scaler = Scaler::initial({})};
  zero::AdamW::Config const group;
  zero::AdamW::Constants constants{};
  zero::Decision<zero::AdamW> decision;
  zero::StepOutcome outcome;
  auto const decide = [&](std::array<std::uint64_t, 3> const& entries) {
    std::copy(entries.begin(), entries.end(), words.end() - 3);
    zero::decide<zero::AdamW, Scaler>({.norm = {words.data(), 0, 3},
                                       .clipping = &clipping,
                                       .state = &state,
                                       .groups = &group,
                                       .group_count = 1,
                                       .set_count = 1,
                                       .constants = &constants,
                                       .decision = &decision,
                                       .outcome = &outcome});
  };
  std::uint64_t const hash = std::uint64_t{0xABCD0123} << 32U;
  decide({hash, hash, hash});
  CHECK(decision.apply);
  CHECK(outcome.mismatched == 0);
  decide({hash, hash | 8U, hash | 5U});
  CHECK(!decision.apply);
  CHECK(outcome.bad_parameter == 4);
  CHECK(state.skipped == 1);
  decide({hash, hash, hash + (std::uint64_t{1} << 32U)});
  CHECK(!decision.apply);
  CHECK(outcome.mismatched == 3);
  CHECK(state.skipped == 1);
  decide({hash, hash, hash});
  CHECK(!decision.apply);
  CHECK(outcome.mismatched == 3);
  CHECK(state.steps == 1);
}

TEST_CASE("step agreement: engines of one communicator that ranks call in another order are every rank's error") {
  for (auto stage : stages) {
    std::array<std::string, 2> messages;
    CHECK_THROWS_AS(zero::run_ranks(2,
                                    [&](ThreadCommunicator& ranks) {
                                      Plain first(stage, ranks, one_parameter()), second(stage, ranks, one_parameter());
                                      bool const as_made = ranks.rank() == 0;  // nothing else tells them apart
                                      try {
                                        micro_batch(as_made ? first : second, 1);
                                        micro_batch(as_made ? second : first, 2);
                                        (void)first.step({}).get();
                                        (void)second.step({}).get();
                                      } catch (zero::CommunicationError const& error) {
                                        messages[static_cast<std::size_t>(ranks.rank())] = error.what();
                                        throw;
                                      }
                                    }),
                    zero::CommunicationError);
    for (auto const& message : messages) {
      CAPTURE(message);
      CHECK(contains(message, "ranks called different collectives"));
      CHECK(contains(message, "of engine "));
    }
  }
}

TEST_CASE("step agreement: by name, too, ranks cannot mean different engines") {
  for (auto stage : stages) {
    zero::run_ranks(2, [&](ThreadCommunicator& ranks) {
      Plain first(stage, ranks, one_parameter()), second(stage, ranks, one_parameter());
      auto& mine = ranks.rank() == 0 ? first : second;
      std::vector<float> const values(700, 7.0F);
      auto const message = message_of<zero::CommunicationError>([&] { mine.write_parameter("p", values); });
      CHECK(contains(message, "ranks called different engines: rank 0 engine "));
      CHECK(first.read_parameter("p") == std::vector<float>(700));  // nothing was written
    });
  }
}

TEST_CASE("divergence: a run that skips more steps in a row than it may ends, told once") {
  zero::SelfCommunicator self;
  SelfEngine engine(Stage::none, self, one_parameter(), {.max_skipped_steps = 3});
  float const bad = std::numeric_limits<float>::quiet_NaN();
  auto const step = [&](float gradient) {
    micro_batch(engine, gradient);
    return engine.step({.lr = 0.1}, {});
  };
  for (float gradient : {bad, bad, 1.0F, bad, bad}) CHECK(step(gradient).get().skipped == (gradient != 1.0F));
  auto const message = message_of<zero::DivergenceError>([&] { (void)step(bad).get(); });
  CHECK(contains(message, "3 steps in a row"));
  CHECK(contains(message, "'p'"));
  for (int i = 0; i < 40; ++i) CHECK(step(1).get().skipped_in_row == 0);  // who has read it may go on
  for (int i = 0; i < 3; ++i) (void)step(bad);
  for (int i = 0; i < 15; ++i) (void)step(1);
  CHECK_THROWS_AS((void)step(1), zero::DivergenceError);  // nobody has
}

TEST_CASE("divergence: any number of skipped steps is allowed by default, and a negative one nowhere") {
  zero::SelfCommunicator self;
  SelfEngine engine(Stage::none, self, one_parameter());
  for (int i = 1; i <= 40; ++i) {
    micro_batch(engine, std::numeric_limits<float>::infinity());
    CHECK(engine.step({}).get().skipped_in_row == static_cast<std::uint64_t>(i));
  }
  CHECK_THROWS_AS(SelfEngine(Stage::none, self, one_parameter(), {.max_skipped_steps = -1}), zero::ConfigurationError);
}

TEST_CASE("divergence: steps in a row without any gradient are counted") {
  zero::SelfCommunicator self;
  SelfEngine engine(Stage::none, self, one_parameter());
  std::vector<std::uint64_t> counts;
  for (float gradient : {0.0F, 0.0F, 1.0F, 0.0F, std::numeric_limits<float>::infinity(), 0.0F}) {
    micro_batch(engine, gradient);
    counts.push_back(engine.step({}).get().zero_norm_steps);
  }
  CHECK(counts == std::vector<std::uint64_t>{1, 2, 0, 1, 0, 1});
}

TEST_CASE("loss scale: an exhausted scale that was read is told once") {
  zero::run_ranks(2, [&](ThreadCommunicator& ranks) {
    using Scaled = ThreadEngine<zero::Precision<zero::FP16, zero::DynamicScale>>;
    Scaled engine(Stage::gradients, ranks, one_parameter(), {.scale = {.initial = 1, .hysteresis = 1}});
    auto const step = [&](bool overflows) {
      auto micro_batch = engine.begin_micro_batch({});
      auto gradients = engine.gradients(id, {});
      for (auto& value : gradients[id]) {
        value = zero::narrow<zero::float16>(overflows ? std::numeric_limits<float>::infinity() : 1.0F);
      }
      gradients.ready({});
      micro_batch.finish({});
      return engine.step({.lr = 1e-3}, {});
    };
    CHECK_THROWS_AS((void)step(true).get(), zero::LossScaleError);
    for (int i = 0; i < 40; ++i) CHECK_NOTHROW((void)step(false).get());
    (void)step(true);
    for (int i = 0; i < 15; ++i) (void)step(false);
    CHECK_THROWS_AS((void)step(false), zero::LossScaleError);
  });
}

}  // namespace engine_step_agreement_test
