// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <zero/engine.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace engine_micro_batches_test {

// The global sequence of a step's micro-batches, as one trainer on each rank sees it.

using zero::Stage;
using zero::detail::MicroBatchSequence;

namespace {

using Trainer = zero::Engine<zero::AnyStage, zero::Optimizer<zero::Sgd>, zero::Precision<zero::FP32>, zero::HostBackend,
                             zero::ThreadCommunicator>;

zero::ParameterList two_parameters() {
  zero::ParameterList parameters;
  (void)parameters.add({.name = "a", .shape = {300}});
  (void)parameters.add({.name = "b", .shape = {5}, .unit = 1});
  return parameters;
}

/// Hands over gradients of \p value, of both parameters or of "a" alone, where this rank has a micro-batch.
void hand_over(Trainer& engine, float value, bool with_b = true) {
  zero::HostStream const stream;
  auto micro_batch = engine.begin_micro_batch(stream);
  for (auto id : {engine.find("b"), engine.find("a")}) {
    auto const weights = engine.gather(id, stream);
    if (!micro_batch.contributes() || (id == engine.find("b") && !with_b)) continue;
    auto gradients = engine.gradients(id, stream);
    for (auto& g : gradients.write(id).values) g = value;
    gradients.ready(stream);
  }
  micro_batch.finish(stream);
}

/// What constructing an engine with \p config on \p world ranks throws on each of them.
std::string refusal(int world, Trainer::Config const& config) {
  std::string message;
  std::mutex mutex;
  int refused = 0;
  try {
    zero::run_ranks(world, [&](zero::ThreadCommunicator& ranks) {
      try {
        Trainer const engine(Stage::gradients, ranks, two_parameters(), config);
      } catch (zero::ConfigurationError const& error) {
        std::lock_guard const lock(mutex);
        ++refused;
        if (ranks.rank() == 0) message = error.what();
        throw;
      }
    });
  } catch (zero::ConfigurationError const&) {
  }
  CHECK(refused == world);
  return message;
}

bool contains(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("micro-batches: the sequence goes round the ranks, and the last round may be ragged") {
  MicroBatchSequence const of_rank_2(7, 3, 2);
  CHECK(of_rank_2.rounds() == 3);
  CHECK(of_rank_2.index(1) == 5);
  CHECK(of_rank_2.contributes(1));
  CHECK(!of_rank_2.contributes(2));
  CHECK(of_rank_2.addends(1) == zero::SumRange::every_rank);
  CHECK(of_rank_2.addends(2) == 1);
  CHECK(of_rank_2.is_ragged(2));
  CHECK(!of_rank_2.is_ragged(0));
  MicroBatchSequence const even(6, 3, 2);
  CHECK(even.rounds() == 2);
  CHECK(even.addends(1) == zero::SumRange::every_rank);
  MicroBatchSequence const idle(2, 5, 4);
  CHECK(idle.rounds() == 1);
  CHECK(idle.addends(0) == 2);
}

TEST_CASE("micro-batches: every rank is told which are its own, and sends gradients of those only") {
  for (auto stage : {Stage::none, Stage::optimizer_states, Stage::gradients, Stage::parameters}) {
    zero::run_ranks(3, [&](zero::ThreadCommunicator& ranks) {
      Trainer engine(stage, ranks, two_parameters(), {.micro_batches_per_step = 4});
      zero::HostStream const stream;
      std::array<std::uint64_t, 2> sent{};
      for (int round = 0; round < 2; ++round) {
        std::uint64_t const before = engine.traffic().gradients;
        auto micro_batch = engine.begin_micro_batch(stream);
        CHECK(micro_batch.index() == round * 3 + ranks.rank());
        CHECK(micro_batch.contributes() == (round == 0 || ranks.rank() == 0));
        for (std::uint32_t p : {1U, 0U}) {
          zero::ParameterId const id{p};
          auto const weights = engine.gather(id, stream);
          if (!micro_batch.contributes()) continue;
          auto gradients = engine.gradients(id, stream);
          for (auto& g : gradients.write(id).values) g = 1.0F;
          gradients.ready(stream);
        }
        micro_batch.finish(stream);
        sent[static_cast<std::size_t>(round)] = engine.traffic().gradients - before;
      }
      CHECK(sent[0] > 0);
      CHECK(sent[1] == (ranks.rank() == 0 ? sent[0] : 0));
      CHECK_THROWS_AS((void)engine.begin_micro_batch(stream), zero::SequenceError);
      auto const report = engine.step(stream).get();
      CHECK(report.gradient_norm == doctest::Approx(std::sqrt(305.0)));  // an average over 4
    });
  }
}

TEST_CASE("micro-batches: a gradient that is missing on a rank with a micro-batch is found in a ragged round") {
  for (auto stage : {Stage::none, Stage::gradients, Stage::parameters}) {
    zero::run_ranks(3, [&](zero::ThreadCommunicator& ranks) {
      Trainer engine(stage, ranks, two_parameters(), {.micro_batches_per_step = 5});
      hand_over(engine, 1.0F);
      if (ranks.rank() != 1) {
        CHECK_NOTHROW(hand_over(engine, 1.0F, ranks.rank() == 0));  // rank 2 has no micro-batch here
      } else {
        CHECK_THROWS_AS(hand_over(engine, 1.0F, false), zero::GradientError);
      }
      ranks.exchange({}, {});
      engine.discard_gradients();
      CHECK(engine.begin_micro_batch(zero::HostStream{}).index() == ranks.rank());  // from the start again
    });
  }
}

TEST_CASE("micro-batches: the gradient by name is the average over all of them") {
  zero::run_ranks(4, [&](zero::ThreadCommunicator& ranks) {
    Trainer engine(Stage::gradients, ranks, two_parameters(), {.micro_batches_per_step = 6});
    for (int round = 0; round < 2; ++round) hand_over(engine, static_cast<float>(round * 4 + ranks.rank()));
    for (float g : engine.read_gradient("b")) CHECK(g == 2.5F);  // (0 + 1 + 2 + 3 + 4 + 5) / 6
    engine.write_gradient("b", std::vector<float>(5, 12.0F));
    for (float g : engine.read_gradient("b")) CHECK(g == 12.0F);
  });
}

TEST_CASE("micro-batches: numbers that cannot work are refused on every rank") {
  CHECK(contains(refusal(2, {.micro_batches_per_step = 0}), "at least 1 micro-batch"));
  CHECK(contains(refusal(2, {.micro_batches_per_step = -3}), "at least 1 micro-batch"));
  CHECK(contains(refusal(2, {.gradient_accumulation_steps = 1, .micro_batches_per_step = 2}), "leave one of them out"));
  CHECK(contains(refusal(3, {.micro_batches_per_step = 2}), "ranks from 2 on never compute"));
  CHECK(contains(refusal(2, {.allow_idle_ranks = true}), "set micro_batches_per_step"));
  CHECK(contains(refusal(2, {.micro_batches_per_step = (1 << 30) + 1}), "at most 2^30"));
  CHECK_NOTHROW(zero::run_ranks(3, [&](zero::ThreadCommunicator& ranks) {
    Trainer engine(Stage::parameters, ranks, two_parameters(), {.micro_batches_per_step = 2, .allow_idle_ranks = true});
    hand_over(engine, static_cast<float>(1 + ranks.rank()));
    CHECK(engine.read_gradient("a").front() == 1.5F);
  }));
}

TEST_CASE("micro-batches: ranks that count them differently are told so") {
  int refused = 0;
  std::mutex mutex;
  CHECK_THROWS_AS(zero::run_ranks(2,
                                  [&](zero::ThreadCommunicator& ranks) {
                                    try {
                                      Trainer const engine(Stage::none, ranks, two_parameters(),
                                                           {.micro_batches_per_step = 3 + ranks.rank()});
                                    } catch (zero::MismatchError const& error) {
                                      CHECK(contains(error.what(), "micro_batches_per_step 4"));
                                      std::lock_guard const lock(mutex);
                                      ++refused;
                                      throw;
                                    }
                                  }),
                  zero::MismatchError);
  CHECK(refused == 2);
}

}  // namespace engine_micro_batches_test
