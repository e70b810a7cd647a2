// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What ranks agree on beside the step: means of numbers, and tensors that are no parameters.

#include "engine/engine_under_test.hpp"

#include <zero/any_engine.hpp>
#include <zero/backends/simulation.hpp>
#include <zero/communicators/simulation.hpp>
#include <zero/runtime_engine.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace engine_over_ranks_test {

using engine_test::contains;
using engine_test::message_of;
using engine_test::micro_batch;
using engine_test::parameters;
using zero::Stage;

namespace {

using Engine = engine_test::EngineOf<Stage::gradients>;

/// Values of which no two are alike, and no two ranks have the same.
template <class Element>
std::vector<Element> values_of(int rank, std::size_t count) {
  std::vector<Element> values(count);
  for (std::size_t i = 0; i < count; ++i)
    values[i] = static_cast<Element>(i % 250 + 3 * static_cast<std::size_t>(rank));
  return values;
}

/// A call on each of two ranks, of which one differs: what rank 1 is told.
template <class First, class Second>
std::string mismatch(First&& first, Second&& second) {
  std::string told;
  zero::run_ranks(2, [&](zero::ThreadCommunicator& ranks) {
    Engine engine(ranks, parameters({300}));
    auto const message = message_of<zero::MismatchError>([&] { ranks.rank() == 0 ? first(engine) : second(engine); });
    micro_batch(engine, 1);  // the engine is as it was
    CHECK(engine.step().get().step == 1);
    if (ranks.rank() == 1) told = message;
  });
  return told;
}

}  // namespace

TEST_CASE("over ranks: the mean of a number is the same on every rank, and weighs what it is told to") {
  zero::run_ranks(3, [](zero::ThreadCommunicator& ranks) {
    Engine engine(ranks, parameters({300}));
    auto const value = std::vector{0.1, 0.2, 0.4}[static_cast<std::size_t>(ranks.rank())];
    CHECK(engine.mean_over_ranks(value) == (0.1 + 0.2 + 0.4) / 3.0);
    CHECK(engine.mean_over_ranks(static_cast<double>(ranks.rank()), ranks.rank() == 1 ? 3.0 : 1.0) == 1.0);
    auto const nothing = ranks.rank() == 2 ? std::numeric_limits<double>::quiet_NaN() : 5.0;
    CHECK(engine.mean_over_ranks(nothing, ranks.rank() == 2 ? 0.0 : 1.0) == 5.0);
    CHECK(std::isnan(engine.mean_over_ranks(nothing)));
    auto const bad = message_of<zero::ConfigurationError>(
        [&] { (void)engine.mean_over_ranks(1.0, ranks.rank() == 1 ? -1.0 : 1.0); });
    CHECK(contains(bad, "the weight of rank 1"));
    CHECK(contains(message_of<zero::ConfigurationError>([&] { (void)engine.mean_over_ranks(1.0, 0.0); }),
                   "0 on every rank"));
    micro_batch(engine, 1);
    CHECK(engine.mean_over_ranks(2.0) == 2.0);  // between a micro-batch and its step
    CHECK(engine.step().get().step == 1);
  });
}

TEST_CASE("over ranks: one rank's tensors come to all, whatever their type and size") {
  zero::run_ranks(3, [](zero::ThreadCommunicator& ranks) {
    Engine engine(ranks, parameters({300}));
    auto const check = [&]<class Element>(Element, std::size_t count, int root) {
      CAPTURE(count);
      auto values = values_of<Element>(ranks.rank(), count);
      engine.broadcast(std::span(values), root, zero::HostStream());
      CHECK(values == values_of<Element>(root, count));
      values = values_of<Element>(ranks.rank(), count);
      engine.broadcast(std::span(values), root);
      CHECK(values == values_of<Element>(root, count));
    };
    for (int root : {0, 1, 2}) {
      check(float{}, 7, root);
      check(std::uint8_t{}, 13, root);  // ends inside of a word
      check(std::int64_t{}, 1, root);
      check(double{}, 40001, root);  // more than is sent at once
      check(std::uint16_t{}, 0, root);
    }
    // No bit is changed, of whatever value.
    std::vector<float> odd{-0.0F, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::denorm_min()};
    if (ranks.rank() != 1) odd.assign(3, 1.0F);
    engine.broadcast(std::span(odd), 1, zero::HostStream());
    CHECK(std::signbit(odd[0]));
    CHECK(std::isnan(odd[1]));
    CHECK(odd[2] == std::numeric_limits<float>::denorm_min());
  });
}

TEST_CASE("over ranks: the run-time engine and one rank alone have the same calls") {
  zero::run_ranks(2, [](zero::ThreadCommunicator& ranks) {
    zero::RuntimeEngine<float> engine = zero::make_any_engine<zero::AdamW, zero::Precision<zero::FP32>>(
        Stage::parameters, ranks, parameters({300}), std::nullopt, {});
    CHECK(engine.mean_over_ranks(static_cast<double>(ranks.rank())) == 0.5);
    auto values = values_of<float>(ranks.rank(), 50);
    engine.broadcast(std::span(values), 1, zero::HostStream());
    CHECK(values == values_of<float>(1, 50));
    values = values_of<float>(ranks.rank(), 50);
    engine.broadcast_bytes(std::as_writable_bytes(std::span(values)), sizeof(float), 0);
    CHECK(values == values_of<float>(0, 50));
  });
  zero::SelfCommunicator self;
  engine_test::EngineOf<Stage::none, zero::Precision<zero::FP32>, zero::NoOffload, zero::SelfCommunicator> alone(
      self, parameters({300}));
  auto values = values_of<float>(0, 50);
  alone.broadcast(std::span(values), 0, {});
  CHECK(values == values_of<float>(0, 50));
  CHECK(alone.mean_over_ranks(0.25) == 0.25);
}

TEST_CASE("over ranks: a rank that does otherwise is told what the others do, on all ranks, and nothing is lost") {
  std::vector<float> few(4), more(5);
  std::vector<double> wide(2);
  auto const mean = [](auto& engine) { (void)engine.mean_over_ranks(1.0); };
  auto const send = [](auto& values, int root) {
    return [&values, root](auto& engine) { engine.broadcast(std::span(values), root, {}); };
  };
  auto const told = mismatch(mean, send(few, 0));
  CHECK(contains(told, "rank 0 called mean_over_ranks, rank 1 broadcast of 4 elements of 4 bytes from rank 0"));
  CHECK(contains(mismatch(send(few, 0), send(more, 0)), "of 4 elements of 4 bytes"));
  CHECK(contains(mismatch(send(few, 0), send(few, 1)), "from rank 1"));
  std::vector<float> as_large(4);
  CHECK(contains(mismatch(send(as_large, 0), send(wide, 0)), "of 2 elements of 8 bytes"));
  CHECK(contains(mismatch(send(few, 0), [&](auto& engine) { engine.broadcast(std::span(few), 0); }), "in host memory"));
  zero::run_ranks(2, [&](zero::ThreadCommunicator& ranks) {
    Engine engine(ranks, parameters({300}));
    std::vector<float> values(4);
    for (int root : {2, -1}) {
      CHECK(contains(message_of<zero::ConfigurationError>([&] { engine.broadcast(std::span(values), root, {}); }),
                     "there is no rank " + std::to_string(root) + " of 2"));
    }
  });
}

TEST_CASE("over ranks: a rank that steps meanwhile fails all of them, and none waits for ever") {
  int failures = 0;
  CHECK_THROWS_AS(zero::run_ranks(2,
                                  [&](zero::ThreadCommunicator& ranks) {
                                    Engine engine(ranks, parameters({300}));
                                    micro_batch(engine, 1);
                                    if (ranks.rank() == 0) {
                                      (void)engine.step().get();
                                    } else {
                                      (void)engine.mean_over_ranks(1.0);
                                    }
                                    ++failures;  // not reached
                                  }),
                  zero::CommunicationError);
  CHECK(failures == 0);
}

TEST_CASE("over ranks: inside a micro-batch, where ranks are not at the same place, they are refused") {
  zero::SelfCommunicator self;
  engine_test::EngineOf<Stage::none, zero::Precision<zero::FP32>, zero::NoOffload, zero::SelfCommunicator> engine(
      self, parameters({300}));
  std::vector<float> values(3);
  auto pass = engine.begin_micro_batch();
  CHECK(contains(message_of<zero::SequenceError>([&] { (void)engine.mean_over_ranks(1.0); }),
                 "mean_over_ranks inside a micro-batch"));
  CHECK(contains(message_of<zero::SequenceError>([&] { engine.broadcast(std::span(values), 0, {}); }),
                 "broadcast inside a micro-batch"));
}

TEST_CASE("over ranks: in a simulation, a broadcast is ordered with what its stream writes and reads") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    zero::SimulationOptions options{.ranks = 3, .seed = seed};
    zero::simulate(options, [&](zero::SimulationCommunicator& ranks) {
      using Simulated =
          zero::Engine<zero::Partitioner<Stage::gradients>, zero::Optimizer<zero::AdamW>, zero::Precision<zero::FP32>,
                       zero::SimulationBackend, zero::SimulationCommunicator>;
      Simulated engine(ranks, parameters({300}), {.backend = {ranks.process()}});
      auto const stream = ranks.make_stream("model");
      auto& backend = engine.backend();
      std::vector<float> values(20000), source = values_of<float>(ranks.rank(), 20000), result(20000);
      auto const bytes = values.size() * sizeof(float);
      (backend.copy)(values.data(), source.data(), bytes, stream);  // the model writes on its stream, and does not wait
      engine.broadcast(std::span(values), 2, stream);
      (backend.copy)(result.data(), values.data(), bytes, stream);
      backend.synchronize(stream);
      backend.host_reads(result.data(), bytes);
      CHECK(result == values_of<float>(2, 20000));
      CHECK(engine.mean_over_ranks(static_cast<double>(ranks.rank())) == 1.0);
    });
  }
}

}  // namespace engine_over_ranks_test
