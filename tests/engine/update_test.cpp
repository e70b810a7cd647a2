// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Whole updates in one call, for models that own their buffers; leases that are assigned to; addresses that last.

#include "engine/engine_under_test.hpp"

#include <zero/any_engine.hpp>
#include <zero/runtime_engine.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace engine_update_test {

using engine_test::contains;
using engine_test::contribute;
using engine_test::id;
using engine_test::message_of;
using engine_test::parameters;
using zero::Stage;

namespace {

using Precision = zero::Precision<zero::FP32>;
using Engine = zero::AnyEngine<zero::AdamW, Precision>;

/// A model with buffers of its own: six parameters, of which two are tied and one is frozen.
struct Model {
  static constexpr std::array<std::size_t, 6> sizes{100, 70, 28, 1000, 200, 200};
  std::array<std::vector<float>, 6> values, gradients;
  zero::ParameterList list;

  explicit Model(bool adopts_all = true) {
    for (std::size_t p = 0; p < sizes.size(); ++p) {
      values[p].assign(sizes[p], 0.25F * static_cast<float>(p + 1));
      gradients[p].assign(sizes[p], 0.0F);
      zero::ParameterSpec spec{.name = "p" + std::to_string(p),
                               .shape = {sizes[p]},
                               .contributions = p == 0   ? 2
                                                : p == 2 ? 3
                                                         : 1,
                               .frozen = p == 1,
                               .values = zero::adopt(std::span(values[p]))};
      if (p != 1 && (adopts_all || p != 2)) spec.gradients = zero::adopt(std::span(gradients[p]));
      (void)list.add(spec);
    }
  }
  /// Gradients that depend on the parameters, the step and the rank.
  void backward(int sample) {
    for (std::size_t p = 0; p < sizes.size(); ++p) {
      for (std::size_t i = 0; i < sizes[p]; ++i) {
        gradients[p][i] = values[p][i] * 0.5F + static_cast<float>((static_cast<std::size_t>(sample) + i) % 7) * 0.125F;
      }
    }
  }
};

struct Setup {
  Stage stage = Stage::none;
  bool in_one_call = false;
  int accumulation = 1;
};

std::array<std::vector<float>, 6> train(Setup const& setup) {
  std::array<std::vector<float>, 6> result;
  zero::run_ranks(2, [&](zero::ThreadCommunicator& ranks) {
    Model model;
    // Small buckets and a short ring: what is handed over in another order than buckets are reduced in has no room.
    Engine engine(setup.stage, ranks, model.list,
                  {.gradient_accumulation_steps = setup.accumulation,
                   .gradient_clipping = 1.0,
                   .bucket_elements = 256,
                   .gradient_ring = 1,
                   .optimizer = {.lr = 0.125}});
    for (int step = 0; step < 3; ++step) {
      for (int a = 0; a + 1 < setup.accumulation; ++a) {
        model.backward(step * 10 + a + ranks.rank() * 3);
        if (setup.in_one_call) {
          engine.accumulate();
        } else {
          auto micro_batch = engine.begin_micro_batch();
          for (std::size_t p : {5U, 4U, 3U, 2U, 2U, 2U, 0U, 0U}) engine.gradients(id(p)).ready();
          micro_batch.finish();
        }
      }
      model.backward(step * 10 + 5 + ranks.rank() * 3);
      double const lr = 0.0625 * (step + 1);
      if (setup.in_one_call) {
        CHECK(engine.update({.lr = lr}).get().step == static_cast<std::uint64_t>(step + 1));
      } else {
        auto micro_batch = engine.begin_micro_batch();
        for (std::size_t p : {5U, 4U, 3U, 2U, 2U, 2U, 0U, 0U}) engine.gradients(id(p)).ready();
        micro_batch.finish();
        CHECK(engine.step({.lr = lr}).get().step == static_cast<std::uint64_t>(step + 1));
      }
    }
    if (ranks.rank() == 0) result = model.values;
  });
  return result;
}

}  // namespace

TEST_CASE("update: one call gives the bits of the calls that it stands for, at stages 0 to 2, tied gradients and all") {
  auto const expected = train({Stage::none, false});
  CHECK(expected[0] != Model().values[0]);
  CHECK(expected[1] == Model().values[1]);  // frozen
  for (auto stage : {Stage::none, Stage::optimizer_states, Stage::gradients}) {
    CAPTURE(static_cast<int>(stage));
    CHECK(train({stage, true}) == expected);
    CHECK(train({stage, false}) == expected);
    CHECK(train({stage, true, 3}) == train({stage, false, 3}));
  }
}

TEST_CASE("update: what cannot be handed over in one call is refused by name, and nothing has changed") {
  zero::SelfCommunicator self;
  using Alone = zero::AnyEngine<zero::AdamW, Precision, zero::HostBackend, zero::SelfCommunicator>;
  {
    Model model(false);
    Alone engine(Stage::gradients, self, model.list);
    CHECK(contains(message_of<zero::ConfigurationError>([&] { (void)engine.update(); }), "parameter 'p2' has none"));
    CHECK(contains(message_of<zero::ConfigurationError>([&] { engine.accumulate(); }), "accumulate hands over"));
  }
  {
    zero::ParameterList list;
    std::vector<float> gradient(8);
    (void)list.add({.name = "p0", .shape = {8}, .gradients = zero::adopt(std::span(gradient))});
    Alone engine(Stage::parameters, self, list);
    CHECK(contains(message_of<zero::ConfigurationError>([&] { (void)engine.update(); }), "update at stage 3"));
  }
  Model model;
  Alone engine(Stage::gradients, self, model.list, {.gradient_accumulation_steps = 2});
  CHECK(contains(message_of<zero::SequenceError>([&] { (void)engine.update(); }),
                 "update after 0 of 2 micro-batches: call accumulate()"));
  model.backward(1);
  engine.accumulate();
  CHECK_THROWS_AS((void)engine.update({.lr = -1.0}), zero::ConfigurationError);
  CHECK(model.values[3] == Model().values[3]);
  CHECK(engine.update({.lr = 0.5}).get().step == 1);  // it had not been handed over
  CHECK(model.values[3] != Model().values[3]);
  engine.accumulate();
  engine.accumulate();
  CHECK(contains(message_of<zero::SequenceError>([&] { (void)engine.update(); }), "call step()"));
  CHECK(engine.step().get().step == 2);
}

TEST_CASE("leases: one that is assigned to ends, and the other one is taken over") {
  zero::SelfCommunicator self;
  engine_test::EngineOf<Stage::parameters, Precision, zero::NoOffload, zero::SelfCommunicator> engine(
      self, parameters({256, 256, 256}), {.bucket_elements = 256, .max_live_elements = 512, .prefetch_units = 0});
  using Weights = decltype(engine)::Lease;
  using Gradients = decltype(engine)::Gradients;
  static_assert(std::is_nothrow_move_assignable_v<Weights> && std::is_nothrow_move_assignable_v<Gradients>);
  Weights weights;
  CHECK_FALSE(weights);
  CHECK_THROWS_AS((void)weights[id(0)], zero::LeaseError);
  for (int round = 0; round < 3; ++round) {
    for (std::size_t p : {0U, 1U, 2U}) {  // two at once fit, three would not
      weights = engine.gather(id(p));
      CHECK(weights);
      CHECK(weights[id(p)].size() == 256);
      CHECK(weights.mutable_values(id(p)).data() == weights[id(p)].data());
      CHECK_THROWS_AS((void)weights[id((p + 1) % 3)], zero::LeaseError);
    }
  }
  auto& same = weights;
  weights = std::move(same);
  CHECK(weights[id(2)].size() == 256);
  weights = {};
  CHECK_FALSE(weights);

  auto micro_batch = engine.begin_micro_batch();
  for (std::size_t p : {0U, 1U, 2U}) (void)engine.gather(id(p));
  Gradients gradients;
  CHECK_FALSE(gradients);
  for (std::size_t p : {2U, 1U, 0U}) {
    (void)engine.gather(id(p));
    gradients = engine.gradients(id(p));
    gradients[id(p)][0] = 100.0F;
    gradients = {};  // given back: the gradient has not arrived
    gradients = engine.gradients({id(p)});
    gradients[id(p)][1] = 1.0F;
    CHECK(gradients);
    gradients.ready();
    CHECK_FALSE(gradients);
  }
  micro_batch.finish();
  CHECK(engine.read_gradient("p1")[0] == 0.0F);
  CHECK(engine.read_gradient("p1")[1] == 1.0F);
  CHECK(engine.step().get().step == 1);
}

TEST_CASE("leases: several gradients and parameters are asked for in one list") {
  zero::SelfCommunicator self;
  engine_test::EngineOf<Stage::none, Precision, zero::NoOffload, zero::SelfCommunicator> engine(self,
                                                                                                parameters({5, 6, 7}));
  auto const a = id(0), b = id(1), c = id(2);
  auto micro_batch = engine.begin_micro_batch();
  {
    auto const weights = engine.gather({a, c});
    CHECK(weights[c].size() == 7);
    CHECK_THROWS_AS((void)weights[b], zero::LeaseError);
    auto gradients = engine.gradients({a, b, c});
    gradients.written({a, b, c});
    gradients.ready();
  }
  micro_batch.finish();
  CHECK(engine.step({.lr = 0.5}).get().step == 1);
}

TEST_CASE("addresses: at stages 0 to 2 parameters stay where they are for the life of the engine") {
  for (auto stage : {Stage::none, Stage::optimizer_states, Stage::gradients}) {
    for (bool offload : {false, true}) {
      CAPTURE(static_cast<int>(stage));
      CAPTURE(offload);
      zero::run_ranks(2, [&](zero::ThreadCommunicator& ranks) {
        auto const engine = zero::make_any_engine<zero::AdamW, zero::Precision<zero::BF16>>(
            stage, ranks, parameters({300, 700}),
            offload ? std::optional(zero::CpuOffload::Config{.chunk_elements = 128}) : std::nullopt,
            {.bucket_elements = 256, .optimizer = {.lr = 0.25}});
        auto const address = [&](std::size_t p) { return engine->gather(id(p))[id(p)].data(); };
        std::array<zero::bfloat16 const*, 2> const first{address(0), address(1)};
        for (int step = 0; step < 3; ++step) {
          auto const before = zero::widen(first[1][0]);
          auto micro_batch = engine->begin_micro_batch();
          CHECK(address(1) == first[1]);
          for (std::size_t p : {1U, 0U}) contribute(*engine, id(p), 1.0F);
          micro_batch.finish();
          (void)engine->step().get();
          CHECK(std::array<zero::bfloat16 const*, 2>{address(0), address(1)} == first);
          CHECK(zero::widen(first[1][0]) < before);  // and a model that keeps them reads the new values
        }
        engine->write_parameter("p1", std::vector<float>(700, 2.0F));
        CHECK(zero::widen(first[1][699]) == 2.0F);
        CHECK(address(1) == first[1]);
      });
    }
  }
}

}  // namespace engine_update_test
