// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "profile/training.hpp"

#include <zero/joint_step.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace profile_joint_test {

using profile_test::now;
using profile_test::Phase;
using profile_test::Profiler;

namespace {

using First = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                           zero::Precision<zero::FP32>, zero::HostBackend, zero::ThreadCommunicator>;
using Second = zero::Engine<zero::Partitioner<zero::Stage::parameters>, zero::Optimizer<zero::Sgd>,
                            zero::Precision<zero::FP32>, zero::HostBackend, zero::ThreadCommunicator>;

template <class Engine>
void pass(Engine& engine, zero::ParameterId id, zero::HostStream stream) {
  auto const weights = engine.gather(id, stream);
  now += 100;
  auto gradients = engine.gradients(id, stream);
  auto const values = gradients.write(id).values;
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = weights[id][i] - 1.0F;
  now += 1000;
  gradients.ready(stream);
}

// Two engines of two ranks that step together. Returns their parameters.
std::vector<float> train(zero::ThreadCommunicator& ranks, Profiler* first_profiler, Profiler* second_profiler) {
  zero::HostStream const stream;
  zero::ParameterList of_first, of_second;
  auto const a = of_first.add({.name = "a", .shape = {200}});
  auto const b = of_second.add({.name = "b", .shape = {200}});
  First first(ranks, of_first, {.profiler = first_profiler});
  Second second(ranks, of_second, {.profiler = second_profiler});
  zero::JointStep joint(ranks, {first.member("first"), second.member("second")});
  for (int step = 0; step < 3; ++step) {
    auto batch = joint.begin_micro_batch(stream);
    pass(second, b, stream);
    pass(first, a, stream);
    batch.finish(stream);
    (void)joint.step(stream).get();
    if (step == 0) {
      auto given_up = joint.begin_micro_batch(stream);
      pass(second, b, stream);
    }
    if (step == 0) joint.discard_gradients();
  }
  auto values = first.read_parameter("a");
  auto const more = second.read_parameter("b");
  values.insert(values.end(), more.begin(), more.end());
  return values;
}

}  // namespace

TEST_CASE("profiler: a joint step is one step, of a profiler that its engines share as of one for each") {
  zero::run_ranks(2, [](zero::ThreadCommunicator& ranks) {
    auto const expected = train(ranks, nullptr, nullptr);
    Profiler shared(profile_test::scripted()), own(profile_test::scripted()), other(profile_test::scripted());
    CHECK(train(ranks, &shared, &shared) == expected);
    CHECK(train(ranks, &own, &other) == expected);
    for (auto* profiler : {&shared, &own, &other}) {
      auto const steps = profiler->take_steps();
      CHECK(steps.steps == 3);
      // One that knows the first engine alone takes what comes before its first lease for forward.
      CHECK(steps.exposed_in(Phase::forward) == 3 * (profiler == &own ? 1200 : 100));
      CHECK(steps.exposed_in(Phase::backward) == 3 * (profiler == &own ? 1000 : 2100));
      CHECK(steps.total == 3 * 2200);
      CHECK(profiler->dropped() == 0);
    }
    auto const count = [](Profiler& profiler, std::string_view operation) {
      std::uint64_t calls = 0;
      for (auto const& call : profiler.communication().entries()) calls += call.operation == operation ? call.count : 0;
      return calls;
    };
    CHECK(count(shared, "all_reduce") == 3);
    CHECK(count(own, "reduce_scatter_add") + count(other, "reduce_scatter_add") == count(shared, "reduce_scatter_add"));
    CHECK(count(own, "reduce_scatter_add") == 3);
  });
}

}  // namespace profile_joint_test
