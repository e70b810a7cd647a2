// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Objects that have ended, and what they were of.

#include "misuse/misuse.hpp"

#include <optional>
#include <utility>

namespace misuse_dead_objects_test {

using misuse::allowed;
using misuse::Alone;
using misuse::expect;
using misuse::id;
using misuse::micro_batch;
using misuse::parameters;

TEST_CASE("misuse 38: a lease on parameters is read after the engine's end") {
  Alone alone(parameters({3}));
  auto const weights = alone.engine->gather(id(0), {});
  alone.end_engine();
  expect([&] { (void)weights[id(0)]; });
}

TEST_CASE("misuse 39: a lease on gradients is used after the engine's end") {
  Alone alone(parameters({3}));
  auto const pass = alone.engine->begin_micro_batch({});
  auto gradients = alone.engine->gradients(id(0), {});
  alone.end_engine();
  expect([&] { gradients.ready({}); });
}

TEST_CASE("misuse 40: a micro-batch is finished after the engine's end") {
  Alone alone(parameters({3}));
  auto pass = alone.engine->begin_micro_batch({});
  alone.end_engine();
  expect([&] { pass.finish({}); });
}

TEST_CASE("misuse 41: leases and micro-batches end after the engine") {
  allowed();
  Alone alone(parameters({3}));
  auto weights = std::optional(alone.engine->gather(id(0), {}));
  auto pass = std::optional(alone.engine->begin_micro_batch({}));
  auto gradients = std::optional(alone.engine->gradients(id(0), {}));
  alone.end_engine();
  CHECK_NOTHROW(weights.reset());
  CHECK_NOTHROW(gradients.reset());
  CHECK_NOTHROW(pass.reset());
}

TEST_CASE("misuse 42: a lease is read after its release()") {
  Alone alone(parameters({3}));
  auto weights = alone.engine->gather(id(0), {});
  weights.release();
  expect([&] { (void)weights[id(0)]; });
}

TEST_CASE("misuse 43: a lease is used after it was moved from") {
  Alone alone(parameters({3}));
  auto const pass = alone.engine->begin_micro_batch({});
  auto gradients = alone.engine->gradients(id(0), {});
  auto const moved = std::move(gradients);
  expect([&] { (void)gradients[id(0)]; });  // NOLINT(bugprone-use-after-move): that is the point
}

TEST_CASE("misuse 44: a lease is asked for a parameter that it was not made for") {
  Alone alone(parameters({3, 4}));
  auto const weights = alone.engine->gather(id(0), {});
  expect([&] { (void)weights[id(1)]; });
}

TEST_CASE("misuse 45: a lease of a micro-batch that was discarded is used") {
  Alone alone(parameters({3}));
  auto const first = alone.engine->begin_micro_batch({});
  auto gradients = alone.engine->gradients(id(0), {});
  alone.engine->discard_gradients();
  auto const second = alone.engine->begin_micro_batch({});
  expect([&] { gradients.ready({}); });
}

TEST_CASE("misuse 46: a micro-batch that was discarded is finished") {
  Alone alone(parameters({3}));
  auto pass = alone.engine->begin_micro_batch({});
  alone.engine->discard_gradients();
  expect([&] { pass.finish({}); });
}

TEST_CASE("misuse 47: a ticket is read after the engine's end") {
  allowed();
  Alone alone(parameters({3}));
  micro_batch(*alone.engine);
  auto const ticket = alone.engine->step({});
  alone.end_engine();
  CHECK(ticket.get().step == 1);
}

TEST_CASE("misuse 48: an id of another model") {
  Alone alone(parameters({3, 4}));
  expect([&] { (void)alone.engine->gather(id(7), {}); });
}

}  // namespace misuse_dead_objects_test
