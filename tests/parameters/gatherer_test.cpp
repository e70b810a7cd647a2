// SPDX-FileCopyfixturehtText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "engine/engine_under_test.hpp"
#include "parameters/failing.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace parameters_gatherer_test {

using engine_test::contains;
using engine_test::id;
using engine_test::message_of;
using engine_test::micro_batch;
using parameters_test::EventFailure;
using parameters_test::FailingBackend;
using parameters_test::FailingCommunicator;
using parameters_test::FailurePlan;
using zero::CommunicationError;
using zero::Stage;

namespace {

// Of one unit each. The last one is larger than a bucket.
std::vector<std::size_t> const sizes{300, 700, 40, 700, 5, 1500};

std::vector<float> values_of(std::size_t p) {
  std::vector<float> values(sizes[p]);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(1000 * p + i + 1);
  return values;
}

/// An engine with a step's gradients, whose collectives and events can be made to fail.
template <Stage stage>
struct FailingEngine {
  using Engine = zero::Engine<zero::Partitioner<stage>, zero::Optimizer<zero::AdamW>, zero::Precision<zero::FP32>,
                              FailingBackend, FailingCommunicator>;

  FailingEngine() : engine(communicator, parameters(), config()) {
    for (std::size_t p = 0; p < sizes.size(); ++p) engine.write_parameter("p" + std::to_string(p), values_of(p));
    for (std::size_t p = 0; p < sizes.size(); ++p) check_parameter(p);
    micro_batch(engine, sizes.size());
  }

  // Those below stage 3 are adopted.
  zero::ParameterList parameters() {
    zero::ParameterList list;
    for (std::size_t p = 0; p < sizes.size(); ++p) {
      zero::ParameterSpec spec{.name = "p" + std::to_string(p), .shape = {sizes[p]}, .unit = static_cast<int>(p)};
      if (stage != Stage::parameters) spec.values = zero::adopt(std::span<float>(adopted.emplace_back(sizes[p])));
      (void)list.add(spec);
    }
    return list;
  }
  typename Engine::Config config() {
    // Room for little more than is leased at once, so that a pin that is left behind shows.
    typename Engine::Config config{.bucket_elements = 512, .max_live_elements = 2816};
    config.backend.plan = &events;
    return config;
  }

  void check_parameter(std::size_t p) {
    auto const lease = engine.gather(id(p), {});
    auto const values = lease[id(p)];
    CHECK(std::vector<float>(values.begin(), values.end()) == values_of(p));
  }

  FailurePlan collectives, events;
  FailingCommunicator communicator{collectives};
  std::vector<std::vector<float>> adopted;
  Engine engine;
};

std::vector const gathered{id(3), id(5)};  // of two buckets and three; unit 4 is gathered ahead

/// Lets each of the calls of a gather fail in turn that \p plan counts, with an \p Error; \p check is given what is
/// left after each. Returns how many there are.
template <class Error, class Fixture, class Check>
int fail_each_call(FailurePlan Fixture::*plan, bool lasting, Check check) {
  for (int passing = 0;; ++passing) {
    CAPTURE(passing);
    Fixture fixture;
    auto outer = std::optional(fixture.engine.gather(id(0), {}));
    (fixture.*plan).arm(passing, lasting);
    try {
      auto const lease = fixture.engine.gather(gathered, {});
      return passing;
    } catch (Error const&) {
    }
    check(fixture, outer);
  }
}

/// After a failure that has passed, the other lease is held as before, and the engine goes on.
constexpr auto check_goes_on = [](auto& fixture, auto& outer) {
  auto const values = (*outer)[id(0)];
  CHECK(std::vector<float>(values.begin(), values.end()) == values_of(0));
  CHECK(contains(message_of<zero::SequenceError>([&] { (void)fixture.engine.step({}); }),
                 "a lease on 'p0' is still held"));
  for (std::size_t p = 0; p < sizes.size(); ++p) fixture.check_parameter(p);
  outer.reset();
  std::uint64_t step = 0;
  CHECK_NOTHROW(step = fixture.engine.step({}).get().step);
  CHECK(step == 1);
};

}  // namespace

TEST_CASE("gatherer: a gather gives back what it took, whichever collective fails") {
  using Fixture = FailingEngine<Stage::parameters>;
  int const calls = fail_each_call<CommunicationError>(&Fixture::collectives, false, check_goes_on);
  CHECK(calls == 6);
}

TEST_CASE("gatherer: a gather gives back what it took, whichever record or wait fails") {
  using Fixture = FailingEngine<Stage::parameters>;
  int const calls = fail_each_call<EventFailure>(&Fixture::events, false, check_goes_on);
  CHECK(calls > 5);  // records of three blocks, waits for two, and for the last readers of their places
}

TEST_CASE("gatherer: a wait for whole parameters that fails leaves no lease") {
  using Fixture = FailingEngine<Stage::optimizer_states>;
  int const calls = fail_each_call<EventFailure>(&Fixture::events, false, check_goes_on);
  CHECK(calls == 6);  // for five buckets and the adopted buffers
}

TEST_CASE("gatherer: after a failure that lasts, the communicator's error is what every call reports") {
  using Fixture = FailingEngine<Stage::parameters>;
  int const calls = fail_each_call<CommunicationError>(&Fixture::collectives, true, [](auto& fixture, auto& outer) {
    CHECK(contains(message_of<CommunicationError>([&] { (void)fixture.engine.gather(id(2), {}); }), "as planned"));
    outer.reset();
    CHECK(contains(message_of<CommunicationError>([&] { (void)fixture.engine.step({}); }), "as planned"));
  });
  CHECK(calls == 6);
}

}  // namespace parameters_gatherer_test
