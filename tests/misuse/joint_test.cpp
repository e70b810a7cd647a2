// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Engines that step together, and groups of ranks.

#include "misuse/misuse.hpp"

#include <zero/joint_step.hpp>
#include <zero/topology.hpp>

#include <memory>
#include <vector>

namespace misuse_joint_test {

using misuse::Engine;
using misuse::expect;
using misuse::make_engine;
using misuse::Ranks;
using zero::Stage;

namespace {

using Joint = zero::JointStep<zero::HostBackend, Ranks>;

std::unique_ptr<Engine> engine_of(Ranks& ranks, char const* parameter) {
  zero::ParameterList list;
  (void)list.add({.name = parameter, .shape = {300}});
  return make_engine(Stage::gradients, ranks, list);
}

/// Two engines of two ranks, and their joint step.
struct Pair {
  explicit Pair(Ranks& ranks)
      : a(engine_of(ranks, "a")), b(engine_of(ranks, "b")), joint(ranks, {a->member("a"), b->member("b")}) {}
  std::unique_ptr<Engine> a, b;
  Joint joint;
};

}  // namespace

TEST_CASE("misuse 104: two members of a joint step register one parameter") {
  zero::run_ranks(2, [](Ranks& ranks) {
    auto const a = engine_of(ranks, "w"), b = engine_of(ranks, "w");
    expect([&] { Joint const joint{ranks, {a->member("first"), b->member("second")}}; });
  });
}

TEST_CASE("misuse 105: a rank passes no member") {
  zero::run_ranks(2, [](Ranks& ranks) {
    auto const a = engine_of(ranks, "a");
    std::vector<zero::EngineMember<zero::HostBackend>> members;
    if (ranks.rank() == 0) members.push_back(a->member("a"));
    expect([&] { Joint const joint{ranks, members}; });
  });
}

TEST_CASE("misuse 106: a member steps by itself") {
  zero::run_ranks(2, [](Ranks& ranks) {
    Pair const pair(ranks);
    expect([&] { (void)pair.a->begin_micro_batch({}); });
  });
}

TEST_CASE("misuse 107: a member of the micro-batch hands over no gradient") {
  zero::run_ranks(2, [](Ranks& ranks) {
    Pair pair(ranks);
    auto pass = pair.joint.begin_micro_batch({});
    misuse::contribute(*pair.a, misuse::id(0));
    expect([&] { pass.finish({}); });
  });
}

TEST_CASE("misuse 108: a learning rate is given for a member that no rank has") {
  zero::run_ranks(2, [](Ranks& ranks) {
    Pair pair(ranks);
    auto pass = pair.joint.begin_micro_batch({});
    misuse::contribute(*pair.a, misuse::id(0)), misuse::contribute(*pair.b, misuse::id(0));
    pass.finish({});
    expect([&] { (void)pair.joint.step({.lr = {{"c", 0.1}}, .gradient_clipping = {}}, {}); });
  });
}

TEST_CASE("misuse 109: an engine is a member twice") {
  zero::run_ranks(2, [](Ranks& ranks) {
    auto const a = engine_of(ranks, "a");
    Joint const first{ranks, {a->member("a")}};
    expect([&] { Joint const second{ranks, {a->member("a")}}; });
  });
}

TEST_CASE("misuse 110: the group of a member has another order than the world") {
  zero::run_ranks(2, [](Ranks& ranks) {
    auto group = ranks.split(0, -ranks.rank());
    auto const a = engine_of(*group, "a");
    expect([&] { Joint const joint{ranks, {a->member("a")}}; });
  });
}

TEST_CASE("misuse 111: a topology has sizes that do not multiply to the number of ranks") {
  zero::run_ranks(4, [](Ranks& ranks) {
    expect([&] { zero::Topology const topology{ranks, {{"pipeline", 3}, {"data", 2}}}; });
  });
}

TEST_CASE("misuse 112: a topology is asked for an axis that it has not") {
  zero::run_ranks(2, [](Ranks& ranks) {
    zero::Topology topology{ranks, {{"data", 2}}};
    expect([&] { (void)topology.group("expert"); });
  });
}

TEST_CASE("misuse 113: ranks step two engines in different orders") {
  zero::run_ranks(2, [](Ranks& ranks) {
    auto const a = engine_of(ranks, "a"), b = engine_of(ranks, "b");
    expect([&] {
      for (auto* const engine : ranks.rank() == 0 ? std::vector{a.get(), b.get()} : std::vector{b.get(), a.get()}) {
        misuse::micro_batch(*engine);
      }
    });
  });
}

}  // namespace misuse_joint_test
