// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Ranks that do not do the same.

#include "misuse/misuse.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <future>
#include <stdexcept>
#include <vector>

namespace misuse_ranks_test {

using misuse::expect;
using misuse::make_engine;
using misuse::micro_batch;
using misuse::parameters;
using misuse::Ranks;
using zero::Stage;

TEST_CASE("misuse 81: ranks begin with other values") {
  zero::run_ranks(2, [](Ranks& ranks) {
    std::vector<float> const initial(4, static_cast<float>(ranks.rank()));
    zero::ParameterList list;
    (void)list.add({.name = "w", .shape = {4}, .initial = initial});
    expect([&] { (void)make_engine(Stage::gradients, ranks, list); });
  });
}

TEST_CASE("misuse 82: ranks register other parameters") {
  zero::run_ranks(2, [](Ranks& ranks) {
    zero::ParameterList list;
    (void)list.add({.name = ranks.rank() == 0 ? "a" : "b", .shape = {4}});
    expect([&] { (void)make_engine(Stage::gradients, ranks, list); });
  });
}

TEST_CASE("misuse 83: ranks have other settings") {
  zero::run_ranks(2, [](Ranks& ranks) {
    double const clipping = ranks.rank() == 0 ? 1.0 : 0.5;
    expect([&] { (void)make_engine(Stage::gradients, ranks, parameters({4}), {.gradient_clipping = clipping}); });
  });
}

TEST_CASE("misuse 84: ranks take a step with another learning rate or clipping") {
  for (bool clips : {false, true}) {
    zero::run_ranks(2, [clips](Ranks& ranks) {
      auto const engine = make_engine(Stage::gradients, ranks, parameters({4}));
      micro_batch(*engine);
      zero::StepOptions options;
      (clips ? options.gradient_clipping : options.lr) = ranks.rank() == 0 ? 0.5 : 0.25;
      auto const ticket = engine->step(options, {});
      expect([&] { (void)ticket.get(); });
      CHECK(engine->read_parameter("p0") == std::vector<float>(4));
    });
  }
}

TEST_CASE("misuse 85: a rank ends its loop earlier") {
  zero::run_ranks(2, [](Ranks& ranks) {
    auto const engine = make_engine(Stage::gradients, ranks, parameters({4}));
    if (ranks.rank() == 1) return;
    expect([&] { micro_batch(*engine); });
  });
}

TEST_CASE("misuse 86: a rank throws") {
  auto const run = [] {
    zero::run_ranks(2, [](Ranks& ranks) {
      auto const engine = make_engine(Stage::gradients, ranks, parameters({4}));
      if (ranks.rank() == 1) throw std::runtime_error("the data has ended");
      expect([&] { micro_batch(*engine); });
    });
  };
  CHECK_THROWS_WITH_AS(run(), "the data has ended", std::runtime_error);
}

TEST_CASE("misuse 87: a rank calls something else") {
  zero::run_ranks(2, [](Ranks& ranks) {
    auto const engine = make_engine(Stage::gradients, ranks, parameters({4}));
    expect([&] {
      if (ranks.rank() == 0) {
        (void)engine->read_state("p0", 0);
      } else {
        micro_batch(*engine);
      }
    });
  });
}

TEST_CASE("misuse 88: only one rank discards its gradients") {
  zero::run_ranks(2, [](Ranks& ranks) {
    auto const engine = make_engine(Stage::gradients, ranks, parameters({4}), {.gradient_accumulation_steps = 2});
    micro_batch(*engine);
    if (ranks.rank() == 0) engine->discard_gradients();
    expect([&] { micro_batch(*engine); });
  });
}

TEST_CASE("misuse 89: a rank does not come before the deadline") {
  std::promise<void> has_thrown;
  auto const thrown = has_thrown.get_future().share();
  auto const run = [&](Ranks& ranks) {
    if (ranks.rank() == 1) return thrown.wait();
    std::array<std::byte, 1> const mine{};
    std::array<std::byte, 2> all{};
    expect([&] { ranks.exchange(mine, all); });  // what every collective of an engine waits for
    has_thrown.set_value();
  };
  zero::run_ranks(2, run, {.deadline = std::chrono::milliseconds(20)});
}

}  // namespace misuse_ranks_test
