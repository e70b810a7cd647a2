// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Calls that are forgotten.

#include "misuse/misuse.hpp"

#include <limits>
#include <span>
#include <vector>

namespace misuse_forgotten_test {

using misuse::allowed;
using misuse::Alone;
using misuse::contribute;
using misuse::expect;
using misuse::id;
using misuse::micro_batch;
using misuse::parameters;

TEST_CASE("misuse 01: finish() is forgotten, and a step follows") {
  Alone alone(parameters({3}));
  {
    auto pass = alone.engine->begin_micro_batch({});
    contribute(*alone.engine, id(0));
  }
  expect([&] { (void)alone.engine->step({}); });
}

TEST_CASE("misuse 02: finish() is forgotten, and the next micro-batch follows") {
  Alone alone(parameters({3}), zero::Stage::none, {.gradient_accumulation_steps = 2});
  {
    auto pass = alone.engine->begin_micro_batch({});
    contribute(*alone.engine, id(0));
  }
  expect([&] { (void)alone.engine->begin_micro_batch({}); });
  alone.engine->discard_gradients();
  for (int i = 0; i < 2; ++i) micro_batch(*alone.engine);
  CHECK(alone.engine->step({}).get().step == 1);
}

TEST_CASE("misuse 03: finish() is forgotten of a micro-batch that is still there") {
  Alone alone(parameters({3}));
  auto pass = alone.engine->begin_micro_batch({});
  contribute(*alone.engine, id(0));
  expect([&] { (void)alone.engine->step({}); });
  pass.finish({});
  CHECK(alone.engine->step({}).get().step == 1);
}

TEST_CASE("misuse 04: what begin_micro_batch() returns is not kept") {
  Alone alone(parameters({3}));
  (void)alone.engine->begin_micro_batch({});
  expect([&] { (void)alone.engine->gradients(id(0), {}); });
}

TEST_CASE("misuse 05: ready() is forgotten, and the lease is gone") {
  Alone alone(parameters({3}));
  auto pass = alone.engine->begin_micro_batch({});
  {
    auto gradients = alone.engine->gradients(id(0), {});
    gradients[id(0)][0] = 1;
  }
  expect([&] { pass.finish({}); });
}

TEST_CASE("misuse 06: ready() is forgotten of a lease that is still there") {
  Alone alone(parameters({3}));
  auto pass = alone.engine->begin_micro_batch({});
  auto gradients = alone.engine->gradients(id(0), {});
  gradients[id(0)][0] = 1;
  expect([&] { pass.finish({}); });
}

TEST_CASE("misuse 07: a gradient is never asked for") {
  Alone alone(parameters({3, 4}));
  auto pass = alone.engine->begin_micro_batch({});
  contribute(*alone.engine, id(0));
  expect([&] { pass.finish({}); });
}

TEST_CASE("misuse 08: a gradient is written at an address that was kept, without written()") {
  Alone alone(parameters({3}));
  std::span<float> kept;
  {
    auto pass = alone.engine->begin_micro_batch({});
    auto gradients = alone.engine->gradients(id(0), {});
    kept = gradients[id(0)];
    gradients.ready({});
    pass.finish({});
  }
  (void)alone.engine->step({}).get();
  auto pass = alone.engine->begin_micro_batch({});
  auto gradients = alone.engine->gradients(id(0), {});
  kept[0] = 1;
  gradients.ready({});
  expect([&] { pass.finish({}); });
}

TEST_CASE("misuse 09: step() is forgotten") {
  Alone alone(parameters({3}));
  micro_batch(*alone.engine);
  expect([&] { (void)alone.engine->begin_micro_batch({}); });
}

TEST_CASE("misuse 10: ready() is forgotten of the second gradient of a tied parameter") {
  zero::ParameterList list;
  (void)list.add({.name = "wte", .shape = {3}, .contributions = 2});
  Alone alone(list);
  auto pass = alone.engine->begin_micro_batch({});
  contribute(*alone.engine, id(0));
  {
    auto gradients = alone.engine->gradients(id(0), {});
    gradients[id(0)][0] += 1;
  }
  expect([&] { pass.finish({}); });
}

TEST_CASE("misuse 11: discard_gradients() is forgotten after an error") {
  Alone alone(parameters({3}));
  auto pass = alone.engine->begin_micro_batch({});
  CHECK_THROWS_AS(pass.finish({}), zero::GradientError);
  expect([&] { (void)alone.engine->begin_micro_batch({}); });
  alone.engine->discard_gradients();
  micro_batch(*alone.engine);
  CHECK(alone.engine->step({}).get().step == 1);
}

TEST_CASE("misuse 12: a lease on parameters is not ended before the step") {
  Alone alone(parameters({3}));
  auto const weights = alone.engine->gather(id(0), {});
  micro_batch(*alone.engine);
  expect([&] { (void)alone.engine->step({}); });
}

TEST_CASE("misuse 13: ready() is forgotten where missing gradients are zeros") {
  allowed();
  Alone alone(parameters({3}), zero::Stage::none, {.missing_gradient = zero::MissingGradient::zero});
  auto pass = alone.engine->begin_micro_batch({});
  {
    auto gradients = alone.engine->gradients(id(0), {});
    gradients[id(0)][0] = 1;
  }
  pass.finish({});
  CHECK(alone.engine->read_gradient("p0") == std::vector<float>(3));
  CHECK(alone.engine->step({}).get().zero_norm_steps == 1);
}

TEST_CASE("misuse 14: no ticket is read") {
  allowed();
  Alone alone(parameters({3}), zero::Stage::none, {.max_skipped_steps = 1});
  float const bad = std::numeric_limits<float>::quiet_NaN();
  for (int i = 0; i < 16; ++i) {
    micro_batch(*alone.engine, i == 0 ? bad : 1);
    (void)alone.engine->step({});
  }
  CHECK(alone.engine->step_state().steps == 15);
  micro_batch(*alone.engine);
  CHECK_THROWS_AS((void)alone.engine->step({}), zero::DivergenceError);
}

}  // namespace misuse_forgotten_test
