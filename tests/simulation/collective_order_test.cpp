// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Gradients that are missing on some ranks, in every shape of loop: all ranks issue the same collectives in the same
// order, and the sums are those of what is there. A difference would be a CommunicationError or a deadlock.

#include <zero/any_engine.hpp>
#include <zero/communicators/simulation.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace simulation_collective_order_test {

using zero::ParameterId;
using zero::SimulationCommunicator;
using zero::SimulationStream;
using zero::Stage;

namespace {

using Engine = zero::AnyEngine<zero::Sgd, zero::Precision<zero::FP32>, zero::SimulationBackend, SimulationCommunicator>;

constexpr int units = 6;

/// The order in which a trainer gathers units and hands gradients over.
enum class Loop : std::uint8_t {
  plain,          ///< forward and backward gather each unit
  recomputation,  ///< forward, then each segment of two units forward again and backward
  one_lease,      ///< a lease on each unit through both passes
  backward_only,  ///< no gathers in forward
  no_gathers,     ///< none at all
  in_pairs,       ///< two units are held at once, and their gradients come in the other order
};
constexpr std::array loops{Loop::plain,         Loop::recomputation, Loop::one_lease,
                           Loop::backward_only, Loop::no_gathers,    Loop::in_pairs};

/// What a rank does with the gradients of one unit.
enum class Handover : std::uint8_t { all, only_the_first, no_lease, abandoned };

[[nodiscard]] Handover draw_handover(std::uint64_t seed, int rank, int micro_batch, int unit) {
  std::uint64_t x = seed * 1000003 + static_cast<std::uint64_t>((rank * 2 + micro_batch) * 64 + unit);
  for (int i = 0; i < 3; ++i) x = (x ^ (x >> 29U)) * 0xbf58476d1ce4e5b9U;
  return std::array{Handover::all, Handover::all, Handover::only_the_first, Handover::no_lease,
                    Handover::abandoned}[(x >> 32U) % 5];
}
/// Every element of a gradient.
[[nodiscard]] float element(int rank, int micro_batch, std::uint32_t parameter) {
  return static_cast<float>(1 + rank + 2 * micro_batch) + 0.25F * static_cast<float>(parameter);
}

/// One rank's training. Every unit has two parameters of several buckets; the first one also has a tied parameter.
class Rank {
 public:
  Rank(SimulationCommunicator& communicator, Stage stage, Loop loop, std::uint64_t seed)
      : stream_(communicator.make_stream("compute")),
        other_(communicator.make_stream("other")),
        rank_(communicator.rank()),
        loop_(loop),
        seed_(seed),
        engine_(stage, communicator, parameters(), config(communicator, loop)) {}

  void step() {
    for (int m = 0; m < 2; ++m) {
      micro_batch_ = m;
      auto micro_batch = engine_.begin_micro_batch(stream_);
      pass();
      micro_batch.finish(stream_);
    }
    (void)engine_.step(stream_);
  }
  [[nodiscard]] std::vector<std::vector<float>> values() {
    std::vector<std::vector<float>> values;
    for (auto const& spec : list_.specs()) values.push_back(engine_.read_parameter(spec.name));
    return values;
  }

 private:
  zero::ParameterList const& parameters() {
    tied_ = list_.add({.name = "tied", .shape = {200}, .contributions = 2});
    for (int unit = 0; unit < units; ++unit) {
      auto const number = std::to_string(unit);
      ids_.push_back(list_.add({.name = "a" + number, .shape = {300}, .unit = unit}));
      ids_.push_back(list_.add({.name = "b" + number, .shape = {500}, .unit = unit}));
    }
    return list_;
  }
  static Engine::Config config(SimulationCommunicator& communicator, Loop loop) {
    return {.gradient_accumulation_steps = 2,
            .reduce = zero::Reduce::each_micro_batch,
            .bucket_elements = 512,
            .gradient_ring = loop == Loop::in_pairs ? 4 : 3,  // two units, or one and a bucket
            .missing_gradient = zero::MissingGradient::zero,
            .max_live_elements = loop == Loop::one_lease ? 1U << 20U : 0,  // everything, or the default
            .optimizer = {.lr = 1},
            .backend = {communicator.process()}};
  }

  void pass() {
    std::vector<Engine::Lease> held;
    bool const forward = loop_ != Loop::backward_only && loop_ != Loop::no_gathers;
    for (int unit = 0; unit < units && forward; ++unit) {
      auto lease = gather(unit);
      if (loop_ == Loop::one_lease) held.push_back(std::move(lease));
    }
    contribute({&tied_, 1}, Handover::all);
    if (loop_ == Loop::recomputation || loop_ == Loop::in_pairs) {
      for (int unit = units - 2; unit >= 0; unit -= 2) backward_of_two(unit);
    } else {
      for (int unit = units - 1; unit >= 0; --unit) backward(unit);
    }
    if (draw(units) != Handover::no_lease) contribute({&tied_, 1}, Handover::all);
  }
  void backward(int unit) {
    std::vector<Engine::Lease> weights;
    if (loop_ != Loop::no_gathers && loop_ != Loop::one_lease) weights.push_back(gather(unit));
    contribute(of(unit), draw(unit));
  }
  void backward_of_two(int unit) {
    if (loop_ == Loop::recomputation) {
      for (int again : {unit, unit + 1}) (void)gather(again);
      for (int back : {unit + 1, unit}) backward(back);
      return;
    }
    auto const upper = gather(unit + 1);
    auto const lower = gather(unit);
    for (int back : {unit, unit + 1}) contribute(of(back), draw(back));
  }

  [[nodiscard]] std::span<ParameterId const> of(int unit) const {
    return std::span(ids_).subspan(2 * static_cast<std::size_t>(unit), 2);
  }
  [[nodiscard]] Engine::Lease gather(int unit) { return engine_.gather(of(unit), stream_); }

  [[nodiscard]] Handover draw(int unit) const { return draw_handover(seed_, rank_, micro_batch_, unit); }
  void contribute(std::span<ParameterId const> ids, Handover handover) {
    if (handover == Handover::no_lease) return;
    auto const stream = ids.size() > 1 && ids[0].index % 4 == 1 ? other_ : stream_;
    auto gradients = engine_.gradients(ids, stream);
    for (auto id : ids) {
      auto const values = gradients[id];
      float const amount = element(rank_, micro_batch_, id.index);
      stream.launch("backward", {zero::simulation::reads(values), zero::simulation::writes(values)}, [values, amount] {
        for (auto& value : values) value += amount;
      });
      if (handover == Handover::only_the_first) break;
    }
    if (handover != Handover::abandoned) gradients.ready(stream);
  }

  SimulationStream stream_;
  SimulationStream other_;
  int rank_;
  Loop loop_;
  std::uint64_t seed_;
  int micro_batch_ = 0;
  zero::ParameterList list_;
  ParameterId tied_;
  std::vector<ParameterId> ids_;
  Engine engine_;
};

std::vector<std::vector<float>> trained(int ranks, Stage stage, Loop loop, std::uint64_t seed) {
  std::vector<std::vector<float>> values;
  (void)zero::simulate({.ranks = ranks, .seed = seed}, [&](SimulationCommunicator& communicator) {
    Rank rank(communicator, stage, loop, seed);
    for (int step = 0; step < 2; ++step) rank.step();
    auto const mine = rank.values();
    if (communicator.rank() == 0) values = mine;
  });
  return values;
}

}  // namespace

TEST_CASE("collective order: what is missing on some ranks changes no order, at any stage and in any loop") {
  for (auto loop : loops) {
    CAPTURE(static_cast<int>(loop));
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
      CAPTURE(seed);
      int const ranks = 2 + static_cast<int>(seed % 2);
      auto const expected = trained(ranks, Stage::none, loop, seed);
      for (auto stage : {Stage::optimizer_states, Stage::gradients, Stage::parameters}) {
        CAPTURE(static_cast<int>(stage));
        CHECK(trained(ranks, stage, loop, seed) == expected);
      }
    }
  }
}

TEST_CASE("collective order: the parameters are those of the sums of what was handed over") {
  std::uint64_t const seed = 3;
  auto const values = trained(2, Stage::none, Loop::plain, seed);
  for (std::uint32_t p = 1; p < values.size(); ++p) {
    float sum = 0;
    for (int rank = 0; rank < 2; ++rank) {
      for (int m = 0; m < 2; ++m) {
        auto const handover = draw_handover(seed, rank, m, static_cast<int>(p - 1) / 2);
        bool const there = handover == Handover::all || (handover == Handover::only_the_first && p % 2 == 1);
        if (there) sum += element(rank, m, p);
      }
    }
    CAPTURE(p);
    CHECK(values[p] == std::vector<float>(values[p].size(), -2 * sum / 4));  // two steps, four addends
  }
}

}  // namespace simulation_collective_order_test
