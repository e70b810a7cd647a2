// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "engine/engine_under_test.hpp"

#include <zero/any_engine.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

namespace engine_adopted_buffers_test {

using engine_test::contains;
using engine_test::message_of;
using zero::Stage;
using zero::ThreadCommunicator;

namespace {

template <class Prec>
using EngineOf = zero::AnyEngine<zero::Sgd, Prec, zero::HostBackend, ThreadCommunicator>;
using Plain = EngineOf<zero::Precision<zero::FP32>>;
using Half = EngineOf<zero::Precision<zero::BF16>>;

template <class Engine>
void step(Engine& engine, float gradient) {
  auto micro_batch = engine.begin_micro_batch({});
  for (auto const& name : {"p", "q"}) {
    auto const id = engine.find(name);
    auto gradients = engine.gradients(id, {});
    for (auto& value : gradients[id]) value = zero::narrow<typename Engine::Compute>(gradient);
    gradients.ready({});
  }
  micro_batch.finish({});
  (void)engine.step({.lr = 1}, {}).get();
}

}  // namespace

TEST_CASE("adopted buffers: those that overlap are refused, with what to write instead") {
  zero::run_ranks(1, [](ThreadCommunicator& self) {
    std::vector<float> memory(30);
    auto const at = [&](std::size_t begin) { return zero::adopt(memory.data() + begin, 10); };
    struct Buffers {
      std::optional<zero::AdoptedBuffer> values{}, gradients{};
    };
    auto const make = [&](Buffers const& wte, Buffers const& head) {
      zero::ParameterList list;
      (void)list.add({.name = "wte", .shape = {10}, .values = wte.values, .gradients = wte.gradients});
      (void)list.add({.name = "head", .shape = {10}, .values = head.values, .gradients = head.gradients});
      Plain(Stage::none, self, list);
    };
    auto const refused = [&](Buffers const& wte, Buffers const& head) {
      return message_of<zero::ConfigurationError>([&] { make(wte, head); });
    };
    CHECK(contains(refused({.values = at(0)}, {.values = at(0)}),
                   "the adopted values of parameter 'wte' and the adopted values of parameter 'head' overlap: register "
                   "a tied parameter once, with contributions = 2"));
    CHECK(contains(refused({.gradients = at(5)}, {.gradients = at(0)}), "contributions = 2"));
    CHECK(contains(refused({.values = at(0), .gradients = at(0)}, {}), "memory of their own"));
    CHECK(contains(refused({.values = at(0)}, {.gradients = at(9)}), "memory of their own"));
    CHECK_NOTHROW(make({.values = at(0), .gradients = at(20)}, {.values = at(10)}));
  });
}

TEST_CASE("adopted buffers: ranks that are threads may not share a model's") {
  for (int ranks : {2, 3}) {
    std::vector<float> shared(20);
    std::vector<std::string> refusals(static_cast<std::size_t>(ranks));
    zero::run_ranks(ranks, [&](ThreadCommunicator& c) {
      std::vector<float> own(20);
      bool const shares = c.rank() != 1 || ranks == 2;
      zero::ParameterList list;
      (void)list.add({.name = "p", .shape = {10}, .values = zero::adopt(own.data(), 10)});
      (void)list.add({.name = "q", .shape = {10}, .values = zero::adopt(shares ? shared.data() : own.data() + 10, 10)});
      refusals[static_cast<std::size_t>(c.rank())] =
          message_of<zero::ConfigurationError>([&] { Plain(Stage::none, c, list); });
    });
    for (auto const& text : refusals) {
      CHECK(contains(text, ranks == 2 ? "rank 0 has adopted memory for parameter 'q' that rank 1 has adopted for 'q'"
                                      : "rank 0 has adopted memory for parameter 'q' that rank 2 has adopted for 'q'"));
    }
  }
}

TEST_CASE("adopted buffers: stage 3 refuses values, which it would not keep up to date") {
  zero::run_ranks(1, [](ThreadCommunicator& self) {
    std::vector<float> own(10);
    zero::ParameterList list;
    (void)list.add({.name = "p", .shape = {10}, .values = zero::adopt(own.data(), 10)});
    auto const text = message_of<zero::ConfigurationError>([&] { Plain(Stage::parameters, self, list); });
    CHECK(contains(text, "parameter 'p' has adopted values, which stage 3 does not keep up to date"));
    CHECK(contains(text, "ParameterSpec::initial"));
  });
}

TEST_CASE("initial values: fp32 ones reach the master parameters whole, whatever the compute type, at every stage") {
  for (auto stage : {Stage::none, Stage::optimizer_states, Stage::gradients, Stage::parameters}) {
    zero::run_ranks(2, [&](ThreadCommunicator& c) {
      std::vector<float> initial(700);
      std::iota(initial.begin(), initial.end(), 1.0009765625F);  // not a bf16
      std::vector<zero::bfloat16> own(700);
      zero::ParameterList list;
      zero::ParameterSpec spec{.name = "p", .shape = {700}, .initial = initial};
      if (stage != Stage::parameters) spec.values = zero::adopt(own.data(), own.size());
      (void)list.add(spec);
      (void)list.add({.name = "q", .shape = {3}, .unit = 1});
      Half engine(stage, c, list);
      CHECK(engine.read_parameter("p") == initial);
      CHECK(engine.read_parameter("q") == std::vector<float>(3));
      if (stage != Stage::parameters)
        CHECK(zero::widen(own[5]) == zero::widen(zero::narrow<zero::bfloat16>(initial[5])));
      step(engine, 0);
      CHECK(engine.read_parameter("p") == initial);
    });
  }
}

TEST_CASE("initial values: another number of them is refused by name") {
  std::vector<float> const initial(3);
  zero::ParameterList list;
  auto const text =
      message_of<zero::ConfigurationError>([&] { (void)list.add({.name = "p", .shape = {4}, .initial = initial}); });
  CHECK(contains(text, "parameter 'p' has 3 initial values, but its shape has 4"));
}

TEST_CASE("adopted buffers: values that are written late are taken in by a call, and else overwritten") {
  for (auto stage : {Stage::none, Stage::optimizer_states, Stage::gradients}) {
    for (bool taken : {false, true}) {
      zero::run_ranks(2, [&](ThreadCommunicator& c) {
        std::vector<float> p(700, 1), q(3, 1);
        zero::ParameterList list;
        (void)list.add({.name = "p", .shape = {700}, .values = zero::adopt(p.data(), p.size())});
        (void)list.add({.name = "q", .shape = {3}, .values = zero::adopt(q.data(), q.size())});
        Plain engine(stage, c, list);
        step(engine, 0.25F);
        CHECK(p == std::vector<float>(700, 0.75F));
        p.assign(p.size(), 5);
        if (taken) engine.take_adopted_values();
        step(engine, 0.25F);
        CHECK(p == std::vector<float>(700, taken ? 4.75F : 0.5F));
        CHECK(q == std::vector<float>(3, 0.5F));
        {
          auto const micro_batch = engine.begin_micro_batch({});
          CHECK_THROWS_AS(engine.take_adopted_values(), zero::SequenceError);
        }
        engine.discard_gradients();
        p[3] = static_cast<float>(c.rank());
        CHECK_THROWS_AS(engine.take_adopted_values(), zero::MismatchError);
      });
    }
  }
}

}  // namespace engine_adopted_buffers_test
