// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Numbers of micro-batches that do not go together, and ranks that have none.

#include "misuse/misuse.hpp"

namespace misuse_micro_batches_test {

using misuse::Alone;
using misuse::expect;
using misuse::make_engine;
using misuse::parameters;
using misuse::Ranks;
using zero::Stage;

TEST_CASE("misuse 100: micro-batches of all ranks and of each rank are both given") {
  expect([] {
    Alone const alone(parameters({4}), Stage::none, {.gradient_accumulation_steps = 2, .micro_batches_per_step = 4});
  });
}

TEST_CASE("misuse 101: fewer micro-batches per step than ranks") {
  zero::run_ranks(3, [](Ranks& ranks) {
    expect([&] { (void)make_engine(Stage::gradients, ranks, parameters({4}), {.micro_batches_per_step = 2}); });
  });
}

TEST_CASE("misuse 102: idle ranks are allowed where every rank has micro-batches") {
  expect([] { Alone const alone(parameters({4}), Stage::none, {.allow_idle_ranks = true}); });
}

TEST_CASE("misuse 103: at stage 3 a rank without a micro-batch does not gather") {
  zero::run_ranks(2, [](Ranks& ranks) {
    auto const engine =
        make_engine(Stage::parameters, ranks, parameters({4}), {.micro_batches_per_step = 1, .allow_idle_ranks = true});
    expect([&] {
      auto pass = engine->begin_micro_batch({});
      if (pass.contributes()) (void)engine->gather(engine->find("p0"), {});
      pass.finish({});
    });
  });
}

}  // namespace misuse_micro_batches_test
