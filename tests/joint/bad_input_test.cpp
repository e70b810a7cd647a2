// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "engine/engine_under_test.hpp"

#include <zero/any_engine.hpp>
#include <zero/joint_step.hpp>
#include <zero/topology.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace joint_bad_input_test {

// What a joint step refuses: on all ranks, and so that its engines can be used afterwards.

using engine_test::contains;
using engine_test::id;
using engine_test::message_of;
using zero::Stage;

namespace {

using Ranks = zero::ThreadCommunicator;
using Engine = zero::AnyEngine<zero::Sgd, zero::Precision<zero::FP32>>;
using Scaled = zero::Engine<zero::AnyStage, zero::Optimizer<zero::AdamW>,
                            zero::Precision<zero::FP16, zero::DynamicScale>, zero::HostBackend, Ranks>;
/// A scale that stays, and three bytes of padding, which are never the same.
struct PaddedScale {
  static constexpr zero::ScalerFacts facts{.name = "PaddedScale"};
  struct Config {};
  struct State {
    float scale;
    char kind;
  };
  static State initial(Config const& /*config*/) {
    static std::atomic<unsigned char> made{0};
    State state;
    std::memset(static_cast<void*>(&state), ++made, sizeof state);
    state.scale = 8.0F;
    state.kind = 0;
    return state;
  }
  static State update(Config const& /*config*/, State state, bool /*overflow*/) { return state; }
};
using Padded = zero::Engine<zero::AnyStage, zero::Optimizer<zero::Sgd>, zero::Precision<zero::FP16, PaddedScale>,
                            zero::HostBackend, Ranks>;
using Joint = zero::JointStep<zero::HostBackend, Ranks>;
using Members = std::vector<zero::EngineMember<zero::HostBackend>>;

zero::ParameterList one(std::string const& name, int contributions = 1) {
  zero::ParameterList list;
  (void)list.add({.name = name, .shape = {300}, .contributions = contributions});
  return list;
}
std::unique_ptr<Engine> engine_of(Ranks& ranks, std::string const& name, Engine::Config const& config = {}) {
  return zero::make_any_engine<zero::Sgd, zero::Precision<zero::FP32>>(Stage::gradients, ranks, one(name), std::nullopt,
                                                                       config);
}

/// What each of \p world ranks is told by \p f, which an \p Error is expected of.
template <class Error>
std::vector<std::string> refusals(int world, std::function<void(Ranks&)> const& f) {
  std::vector<std::string> messages(static_cast<std::size_t>(world));
  zero::run_ranks(world, [&](Ranks& ranks) {
    messages[static_cast<std::size_t>(ranks.rank())] = message_of<Error>([&] { f(ranks); });
  });
  return messages;
}
/// The same where all are told one thing.
template <class Error>
std::string refusal(int world, std::function<void(Ranks&)> const& f) {
  auto const messages = refusals<Error>(world, f);
  for (auto const& message : messages) CHECK(message == messages[0]);
  return messages[0];
}
void step_alone(Engine& engine) {
  auto pass = engine.begin_micro_batch({});
  engine_test::contribute(engine, id(0), 2.0F);
  pass.finish({});
  CHECK(engine.step({}).get().gradient_norm == std::sqrt(4.0 * 300));
}

}  // namespace

TEST_CASE("joint step, bad input: parameters that two engines have") {
  CHECK(refusal<zero::ConfigurationError>(2,
                                          [](Ranks& ranks) {
                                            auto const a = engine_of(ranks, "w"), b = engine_of(ranks, "w");
                                            auto const joint = [&] {
                                              Joint const made{ranks, {a->member("first"), b->member("second")}};
                                            };
                                            try {
                                              joint();
                                            } catch (...) {
                                              step_alone(*a);  // the engines are as they were
                                              throw;
                                            }
                                          }) ==
        "zero::JointStep: members 'first' and 'second' both have a parameter 'w': register each parameter with one "
        "engine, under a name of its own");
  // Replicas of a group are not told apart by the name of their engine.
  CHECK(
      refusal<zero::ConfigurationError>(4,
                                        [](Ranks& ranks) {
                                          zero::Topology topology{ranks, {{"replica", 2}, {"data", 2}}};
                                          auto const a = engine_of(topology.group("data"), "w");
                                          Joint const joint{ranks, {a->member("a")}};
                                        }) ==
      "zero::JointStep: 4 ranks have parameters like 'w' in member 'a', but its communicator has 2 ranks: give the "
      "parameters of each engine names of their own, or say with repeated_over that they exist on several positions of "
      "an axis");
}

TEST_CASE("joint step, bad input: repeats of an engine that differ") {
  // Rank 1's engine, of a group of its own, is made by `other`.
  auto const refused = [](std::function<std::unique_ptr<Engine>(Ranks&)> const& other,
                          std::string const& axis = "stage") {
    return refusal<zero::ConfigurationError>(2, [&](Ranks& ranks) {
      auto alone = ranks.split(ranks.rank(), 0);
      auto const mine = ranks.rank() == 0 ? engine_of(*alone, "w") : other(*alone);
      Joint const joint{ranks, {mine->member("a", {.repeated_over = ranks.rank() == 0 ? "stage" : axis})}};
    });
  };
  CHECK(refused([](Ranks& alone) { return engine_of(alone, "w"); }, "data") ==
        "zero::JointStep: member 'a' is repeated, but the axes that it is repeated over differ between rank 0 and rank "
        "1: "
        "give its repeats the same parameters, rule and settings of the rule, groups of as many ranks, and the same "
        "axis");
  CHECK(contains(refused([](Ranks& alone) { return engine_of(alone, "w"); }, ""), "the axes that it is repeated over"));
  CHECK(contains(refused([](Ranks& alone) { return engine_of(alone, "w", {.optimizer = {.momentum = 0.5}}); }),
                 "the settings of the rule for 'w' differ"));
  CHECK(contains(refused([](Ranks& alone) {
                   zero::ParameterList list;
                   (void)list.add({.name = "w", .shape = {301}});
                   return zero::make_any_engine<zero::Sgd, zero::Precision<zero::FP32>>(Stage::none, alone, list,
                                                                                        std::nullopt, {});
                 }),
                 "the shapes of 'w' differ"));
  CHECK(contains(refusal<zero::ConfigurationError>(3,
                                                   [](Ranks& ranks) {
                                                     auto group = ranks.split(ranks.rank() / 2, 0);
                                                     auto const a = engine_of(*group, "w");
                                                     Joint const joint{ranks, {a->member("a", {"stage"})}};
                                                   }),
                 "the sizes of its communicators differ between rank 0 and rank 2"));
  CHECK(contains(refusal<zero::ConfigurationError>(4,
                                                   [](Ranks& ranks) {
                                                     auto group = ranks.split(ranks.rank() / 2, 0);
                                                     auto const a = engine_of(*group, "w");
                                                     auto alone = ranks.split(ranks.rank(), 0);
                                                     auto const b = engine_of(*alone, std::to_string(ranks.rank()));
                                                     Members members{b->member("b")};
                                                     if (ranks.rank() != 3)
                                                       members.push_back(a->member("a", {"stage"}));
                                                     Joint const joint{ranks, members};
                                                   }),
                 "is repeated, but not passed on every rank of its communicators"));
}

TEST_CASE("joint step, bad input: members that do not cover the ranks") {
  CHECK(
      refusal<zero::ConfigurationError>(
          2,
          [](Ranks& ranks) {
            auto const a = engine_of(ranks, "a");
            Joint const joint{ranks, ranks.rank() == 0 ? Members{a->member("a")} : Members{}};
          }) ==
      "zero::JointStep: rank 1 has no member: pass at least one engine on every rank of the communicator, or make the "
      "joint step on a group of those that have");
  CHECK(refusal<zero::ConfigurationError>(2,
                                          [](Ranks& ranks) {
                                            auto const a = engine_of(ranks, "a"), b = engine_of(ranks, "b");
                                            Joint const joint{ranks, ranks.rank() == 0
                                                                         ? Members{a->member("a"), b->member("b")}
                                                                         : Members{a->member("a")}};
                                          }) ==
        "zero::JointStep: member 'b' lives on 2 ranks, but 1 has passed it: pass it on every rank of its communicator");
  CHECK(refusal<zero::ConfigurationError>(2,
                                          [](Ranks& ranks) {
                                            auto group = ranks.split(0, -ranks.rank());
                                            auto const a = engine_of(*group, "a");
                                            Joint const joint{ranks, {a->member("a")}};
                                          }) ==
        "zero::JointStep: member 'a' counts rank 0 of the world as its rank 1, out of the world's order: split its "
        "communicator with the world's rank as the key");
}

TEST_CASE("joint step, bad input: loss scalers that differ") {
  CHECK(contains(refusal<zero::ConfigurationError>(2,
                                                   [](Ranks& ranks) {
                                                     Scaled a{Stage::none, ranks, one("a")};
                                                     Scaled b{Stage::none, ranks, one("b"), {.scale = {.window = 7}}};
                                                     Joint const joint{ranks, {a.member("a"), b.member("b")}};
                                                   }),
                 "members 'a' and 'b' have other loss scalers, DynamicScale and DynamicScale, or other settings"));
  CHECK(refusal<zero::ConfigurationError>(2,
                                          [](Ranks& ranks) {
                                            auto alone = ranks.split(ranks.rank(), 0);
                                            std::optional<Scaled> a;
                                            std::unique_ptr<Engine> b;
                                            if (ranks.rank() == 0) a.emplace(Stage::none, *alone, one("a"));
                                            if (ranks.rank() == 1) b = engine_of(*alone, "b");
                                            Joint const joint{ranks, {a ? a->member("a") : b->member("b")}};
                                          }) ==
        "zero::JointStep: rank 1 has no member with DynamicScale, the loss scaler of 'a': give one engine of each rank "
        "that scaler, so that the rank knows the loss scale");
}

TEST_CASE("joint step: what lies between the members of a loss scaler's state makes no difference") {
  zero::run_ranks(2, [](Ranks& ranks) {
    Padded a{Stage::none, ranks, one("a")};
    Padded b{Stage::none, ranks, one("b")};
    CHECK_NOTHROW(Joint{ranks, {a.member("a"), b.member("b")}});
  });
}

TEST_CASE("joint step, bad input: numbers of micro-batches that do not fit") {
  CHECK(refusal<zero::ConfigurationError>(2,
                                          [](Ranks& ranks) {
                                            auto const a = engine_of(ranks, "a"),
                                                       b = engine_of(ranks, "b", {.gradient_accumulation_steps = 2});
                                            Joint const joint{ranks, {a->member("a"), b->member("b")}};
                                          }) ==
        "zero::JointStep: member 'b' is set up for 2 micro-batches per step and rank, but 2 micro-batches on 2 data "
        "positions take 1 round: set its gradient_accumulation_steps to 1");
  CHECK(refusal<zero::ConfigurationError>(2, [](Ranks& ranks) {
          auto const a = engine_of(ranks, "a", {.micro_batches_per_step = 3});
          auto const b = engine_of(ranks, "b", {.micro_batches_per_step = 4});
          Joint const joint{ranks, {a->member("a"), b->member("b")}};
        }) == "zero::JointStep: member 'b' has 4 micro_batches_per_step, but the joint step has 3: give all the same");
  CHECK(contains(
      refusal<zero::ConfigurationError>(2,
                                        [](Ranks& ranks) {
                                          auto const a = engine_of(ranks, "a");
                                          Joint const joint{ranks, {a->member("a")}, {.micro_batches_per_step = 1}};
                                        }),
      "micro_batches_per_step is 1, fewer than the 2 data positions, so that those from 1 on never compute"));
  CHECK(contains(
      refusal<zero::ConfigurationError>(2,
                                        [](Ranks& ranks) {
                                          auto const a = engine_of(ranks, "a");
                                          Joint const joint{ranks, {a->member("a")}, {.micro_batches_per_step = 0}};
                                        }),
      "micro_batches_per_step must be at least 1"));
}

TEST_CASE("joint step, bad input: members whose sums would depend on the number of ranks") {
  auto const make = [](std::optional<zero::Reduce> reduce) {
    return [=](Ranks& ranks) {
      auto const a = zero::make_any_engine<zero::Sgd, zero::Precision<zero::FP32>>(
          Stage::optimizer_states, ranks, one("a"), std::nullopt, {.gradient_accumulation_steps = 2, .reduce = reduce});
      Joint const joint{ranks, {a->member("a")}, {.micro_batches_per_step = 4}};
    };
  };
  CHECK(refusal<zero::ConfigurationError>(2, make(std::nullopt)) ==
        "zero::JointStep: micro_batches_per_step is 4, and member 'a' adds gradients once per step, so that its bits "
        "would depend on the number of ranks: set its EngineConfig::reduce to Reduce::each_micro_batch, or to "
        "once_per_step where that is meant");
  for (auto const reduce : {zero::Reduce::each_micro_batch, zero::Reduce::once_per_step}) {
    zero::run_ranks(2, [&](Ranks& ranks) { CHECK_NOTHROW(make(reduce)(ranks)); });
  }
}

namespace {

/// Adds in an order of its own unless it is asked for that of the ranks, as NCCL does in FP32.
struct Unordered : zero::SelfCommunicator {
  static constexpr zero::CommunicatorFacts facts{.has_sum_orders = true};
  template <class Element>
  [[nodiscard]] bool adds_by_rank(zero::SumOrder order) const noexcept {
    return always.value_or(order == zero::SumOrder::by_rank);
  }
  std::optional<bool> always;  ///< where it was set to one of them
};

}  // namespace

TEST_CASE("joint step, bad input: members that add in the order that is fastest, unless that was asked for") {
  auto const message =
      [](std::optional<bool> always,
         zero::AnyEngine<zero::Sgd, zero::Precision<zero::FP32>, zero::HostBackend, Unordered>::Config config) {
        Unordered alone;
        alone.always = always;
        auto const a = zero::make_any_engine<zero::Sgd, zero::Precision<zero::FP32>>(Stage::gradients, alone, one("a"),
                                                                                     std::nullopt, config);
        try {
          zero::JointStep const joint{alone, {a->member("a")}, {.micro_batches_per_step = 2}};
        } catch (zero::ConfigurationError const& error) {
          return std::string(error.what());
        }
        return std::string();
      };
  CHECK(
      contains(message(std::nullopt, {.gradient_accumulation_steps = 2}),
               "member 'a' adds gradients in the order that is fastest, so that its bits would depend on the number of "
               "ranks: set NcclConfig::reduction to NcclReduction::ordered, or to native where that is meant"));
  for (bool const ordered : {false, true}) CHECK(message(ordered, {.gradient_accumulation_steps = 2}) == "");
  CHECK(message(std::nullopt, {.micro_batches_per_step = 2}) == "");
}

TEST_CASE("joint step, bad input: data positions that cannot be") {
  for (auto const& data : {zero::DataPosition{2, 2}, zero::DataPosition{0, 3}, zero::DataPosition{-1, 2}}) {
    for (auto const& message : refusals<zero::ConfigurationError>(2, [&](Ranks& ranks) {
           auto const a = engine_of(ranks, "a");
           Joint const joint{ranks, {a->member("a")}, {.data = data}};
         })) {
      CHECK(contains(message, "is at data position " + std::to_string(data.position) + " of"));
    }
  }
  CHECK(refusal<zero::ConfigurationError>(2, [](Ranks& ranks) {
          auto const a = engine_of(ranks, "a");
          Joint const joint{ranks, {a->member("a")}, {.data = zero::DataPosition{1, 2}}};
        }) == "zero::JointStep: no rank is at data position 0 of 2: give each position to one rank at least");
  // Also where every position has as many micro-batches.
  for (int const micro_batches : {3, 4}) {
    auto const backwards = [&](std::optional<int> given) {
      return [=](Ranks& ranks) {
        auto const a = engine_of(ranks, "a", {.gradient_accumulation_steps = 2});
        Joint const joint{ranks,
                          {a->member("a")},
                          {.micro_batches_per_step = given, .data = zero::DataPosition{1 - ranks.rank(), 2}}};
      };
    };
    CHECK(refusal<zero::ConfigurationError>(2, backwards(micro_batches)) ==
          "zero::JointStep: of member 'a' rank 0 is at data position 1, and rank 1 after it at 0, so that sums would "
          "not go in the order of the " +
              std::to_string(micro_batches) +
              " micro_batches_per_step: number the world's ranks by their data positions, or give the members' "
              "gradient_accumulation_steps instead");
    zero::run_ranks(2, [&](Ranks& ranks) { CHECK_NOTHROW(backwards(std::nullopt)(ranks)); });
  }
  CHECK(contains(refusal<zero::MismatchError>(
                     2,
                     [](Ranks& ranks) {
                       auto const a = engine_of(ranks, "a");
                       Joint const joint{ranks, {a->member("a")}, {.data = zero::DataPosition{0, 1 + ranks.rank()}}};
                     }),
                 "rank 0 has data positions 1, rank 1 has 2"));
}

TEST_CASE("joint step, bad input: settings that are the joint step's, or that ranks differ in") {
  CHECK(
      refusal<zero::ConfigurationError>(2,
                                        [](Ranks& ranks) {
                                          auto const a = engine_of(ranks, "a", {.gradient_clipping = 1.0});
                                          Joint const joint{ranks, {a->member("a")}};
                                        }) ==
      "zero::JointStep: member 'a' sets gradient_clipping, which is the joint step's: set it in zero::JointConfig, and "
      "leave it out here");
  CHECK(contains(refusal<zero::ConfigurationError>(2,
                                                   [](Ranks& ranks) {
                                                     auto const a = engine_of(ranks, "a", {.max_skipped_steps = 1});
                                                     Joint const joint{ranks, {a->member("a")}};
                                                   }),
                 "sets max_skipped_steps"));
  CHECK(
      refusal<zero::MismatchError>(
          2,
          [](Ranks& ranks) {
            auto const a = engine_of(ranks, "a");
            Joint const joint{ranks, {a->member("a")}, {.gradient_clipping = ranks.rank() == 0 ? 1.0 : 0.5}};
          }) ==
      "zero::JointStep: ranks were set up differently: rank 0 has gradient_clipping 1, rank 1 has 0.5: give every rank "
      "the same");
  for (double clipping : {-1.0, std::numeric_limits<double>::quiet_NaN()}) {
    CHECK(contains(
        refusal<zero::ConfigurationError>(1,
                                          [clipping](Ranks& ranks) {
                                            auto const a = engine_of(ranks, "a");
                                            Joint const joint{ranks, {a->member("a")}, {.gradient_clipping = clipping}};
                                          }),
        "gradient_clipping must be finite and not negative"));
  }
  CHECK(contains(
      refusal<zero::ConfigurationError>(1,
                                        [](Ranks& ranks) {
                                          auto const a = engine_of(ranks, "a");
                                          Joint const joint{ranks, {a->member("a")}, {.max_skipped_steps = -1}};
                                        }),
      "max_skipped_steps must not be negative"));
}

TEST_CASE("joint step, bad input: engines that are no members yet, or any more") {
  CHECK(contains(refusal<zero::ConfigurationError>(1,
                                                   [](Ranks& ranks) {
                                                     auto const a = engine_of(ranks, "a");
                                                     Joint const joint{ranks, {a->member("x"), a->member("y")}};
                                                   }),
                 "members 'x' and 'y' are one engine"));
  CHECK(contains(refusal<zero::ConfigurationError>(1,
                                                   [](Ranks& ranks) {
                                                     auto const a = engine_of(ranks, "a"), b = engine_of(ranks, "b");
                                                     Joint const joint{ranks, {a->member("x"), b->member("x")}};
                                                   }),
                 "members 'x' and 'x' have one name"));
  CHECK(contains(refusal<zero::ConfigurationError>(1,
                                                   [](Ranks& ranks) {
                                                     auto const a = engine_of(ranks, "a");
                                                     Joint const joint{ranks, {a->member("")}};
                                                   }),
                 "a member has an empty name"));
  CHECK(contains(refusal<zero::ConfigurationError>(1,
                                                   [](Ranks& ranks) {
                                                     auto a = engine_of(ranks, "a");
                                                     Members const members{a->member("a")};
                                                     a.reset();
                                                     Joint const joint{ranks, members};
                                                   }),
                 "the engine of a member is gone"));
  CHECK(contains(refusal<zero::SequenceError>(1,
                                              [](Ranks& ranks) {
                                                auto const a = engine_of(ranks, "a");
                                                Joint const first{ranks, {a->member("a")}};
                                                Joint const second{ranks, {a->member("a")}};
                                              }),
                 "the engine of member 'a' is a member of another joint step: end that one first"));
  zero::run_ranks(2, [](Ranks& ranks) {
    auto const a = engine_of(ranks, "a", {.gradient_accumulation_steps = 2});
    std::optional<zero::MicroBatch<zero::HostStream>> pass;
    auto const make = [&] { Joint const joint{ranks, {a->member("a")}}; };
    if (ranks.rank() == 1) {
      pass.emplace(a->begin_micro_batch({}));
      CHECK(contains(message_of<zero::SequenceError>(make), "the engine of member 'a' is in the middle of a step"));
    } else {
      CHECK(contains(message_of<zero::ConfigurationError>(make),
                     "zero::JointStep: rank 1 could not be set up: zero::JointStep: the engine of member 'a' is in the "
                     "middle of a step"));
    }
  });
  CHECK(refusal<zero::ConfigurationError>(1,
                                          [](Ranks& ranks) {
                                            auto const a = engine_of(ranks, "a"), b = engine_of(ranks, "b");
                                            step_alone(*a);
                                            Joint const joint{ranks, {a->member("a"), b->member("b")}};
                                          }) ==
        "zero::JointStep: member 'a' has taken 1 step and skipped 0, member 'b' 0 and 0: make the joint step before "
        "they "
        "step, or load one checkpoint into all of them");
}

TEST_CASE("joint step, bad input: a setting of one member that its rounds make impossible undoes all of them") {
  zero::run_ranks(2, [](Ranks& ranks) {
    zero::ParameterList tied;
    for (int p = 0; p < 4; ++p) {
      (void)tied.add(
          {.name = "t" + std::to_string(p), .shape = {256}, .contributions = p == 0 ? 2 : 1, .unit = p == 3 ? 1 : 0});
    }
    Engine::Config const config{.gradient_accumulation_steps = 2, .bucket_elements = 256, .gradient_ring = 1};
    auto const a = engine_of(ranks, "a", {.gradient_accumulation_steps = 2});
    auto const b = zero::make_any_engine<zero::Sgd, zero::Precision<zero::FP32>>(Stage::parameters, ranks, tied,
                                                                                 std::nullopt, config);
    auto const message = message_of<zero::ConfigurationError>([&] {
      Joint const joint{ranks, {a->member("a"), b->member("b")}, {.micro_batches_per_step = 3}};
    });
    CHECK(contains(message, "gradient_ring is 1, but the gradients of one unit take"));
    (void)a->begin_micro_batch({});  // is no member
  });
}

TEST_CASE("joint step, bad input: what a member cannot be asked for itself") {
  zero::run_ranks(2, [](Ranks& ranks) {
    auto const a = engine_of(ranks, "a"), b = engine_of(ranks, "b");
    Joint joint{ranks, {a->member("a"), b->member("b")}};
    auto const check = [](std::string const& call, auto const& f) {
      CHECK(
          message_of<zero::SequenceError>(f) ==
          "zero::Engine: " + call +
              " of an engine that is a member of a joint step: call that of zero::JointStep, for all of its members at "
              "once");
    };
    check("begin_micro_batch", [&] { (void)a->begin_micro_batch({}); });
    check("discard_gradients", [&] { a->discard_gradients(); });
    check("step", [&] { (void)a->step({}); });
    check("finish_update", [&] { a->finish_update(); });
    check("loss_scale", [&] { (void)a->loss_scale(); });
    auto const state = a->state();
    CHECK(
        contains(message_of<zero::SequenceError>([&] { state->begin_load(); }), "load it before the zero::JointStep"));
    auto pass = joint.begin_micro_batch({});
    CHECK(contains(message_of<zero::SequenceError>([&] { (void)joint.begin_micro_batch({}); }),
                   "zero::JointStep: begin_micro_batch inside a micro-batch"));
    CHECK(contains(message_of<zero::SequenceError>([&] { (void)joint.step({}); }),
                   "zero::JointStep: step inside a micro-batch"));
    engine_test::contribute(*a, id(0), 1.0F), engine_test::contribute(*b, id(0), 1.0F);
    pass.finish({});
    CHECK_THROWS_AS(pass.finish({}), zero::SequenceError);
    CHECK(contains(message_of<zero::SequenceError>([&] { joint.finish_update(); }), "after 1 of 1 micro-batch:"));
    auto const rates = [&](std::vector<zero::MemberLearningRate> const& lr) {
      return message_of<zero::ConfigurationError>([&] { (void)joint.step({.lr = lr, .gradient_clipping = {}}, {}); });
    };
    CHECK(contains(rates({{"c", 0.1}}), "lr is given for 'c', but no rank has a member of that name"));
    CHECK(contains(rates({{"a", 0.1}, {"a", 0.1}}), "lr is given twice for 'a'"));
    CHECK(contains(rates({{"a", -0.1}}), "lr must be finite and not negative"));
    auto const momenta = [&](std::vector<zero::MemberMomentum> const& momentum) {
      return message_of<zero::ConfigurationError>([&] { (void)joint.step({.momentum = momentum}, {}); });
    };
    CHECK(contains(momenta({{"c", 0.1, {}}}), "momentum is given for 'c', but no rank has a member of that name"));
    CHECK(contains(momenta({{"a", 0.1, {}}, {"a", {}, 0.1}}), "momentum is given twice for 'a'"));
    CHECK(contains(momenta({{"b", 1.0, {}}}), "momentum of a step must be in [0, 1)"));
    CHECK(contains(momenta({{"b", {}, -0.1}}), "beta2 of a step must be in [0, 1)"));
    CHECK(contains(
        message_of<zero::ConfigurationError>([&] { (void)joint.step({.lr = {}, .gradient_clipping = -1.0}, {}); }),
        "gradient_clipping must be finite"));
    {
      auto const weights = b->gather(id(0), {});
      CHECK(contains(message_of<zero::SequenceError>([&] { (void)joint.step({}); }), "a lease on 'b' is still held"));
    }
    CHECK(joint.step({}).get().step == 1);  // nothing has changed
  });
}

}  // namespace joint_bad_input_test
