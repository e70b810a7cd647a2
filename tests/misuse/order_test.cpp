// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Calls in the wrong order, too early, too late or too often.

#include "misuse/misuse.hpp"

#include <optional>
#include <utility>
#include <vector>

namespace misuse_order_test {

using misuse::Alone;
using misuse::contribute;
using misuse::expect;
using misuse::id;
using misuse::micro_batch;
using misuse::parameters;
using zero::Stage;

TEST_CASE("misuse 15: gradients() outside of a micro-batch") {
  Alone alone(parameters({3}));
  expect([&] { (void)alone.engine->gradients(id(0), {}); });
}

TEST_CASE("misuse 16: step() before the last micro-batch") {
  Alone alone(parameters({3}), Stage::none, {.gradient_accumulation_steps = 2});
  micro_batch(*alone.engine);
  expect([&] { (void)alone.engine->step({}); });
}

TEST_CASE("misuse 17: step() twice") {
  Alone alone(parameters({3}));
  micro_batch(*alone.engine);
  (void)alone.engine->step({});
  expect([&] { (void)alone.engine->step({}); });
}

TEST_CASE("misuse 18: a micro-batch inside of another") {
  Alone alone(parameters({3}), Stage::none, {.gradient_accumulation_steps = 2});
  auto const pass = alone.engine->begin_micro_batch({});
  expect([&] { (void)alone.engine->begin_micro_batch({}); });
}

TEST_CASE("misuse 19: finish() twice") {
  Alone alone(parameters({3}));
  auto pass = alone.engine->begin_micro_batch({});
  contribute(*alone.engine, id(0));
  pass.finish({});
  expect([&] { pass.finish({}); });
}

TEST_CASE("misuse 20: ready() twice") {
  Alone alone(parameters({3}));
  auto const pass = alone.engine->begin_micro_batch({});
  auto gradients = alone.engine->gradients(id(0), {});
  gradients.ready({});
  expect([&] { gradients.ready({}); });
}

TEST_CASE("misuse 21: a gradient arrives more often than it was registered for") {
  Alone alone(parameters({3}));
  auto const pass = alone.engine->begin_micro_batch({});
  contribute(*alone.engine, id(0));
  expect([&] { contribute(*alone.engine, id(0)); });
}

TEST_CASE("misuse 22: a gradient arrives less often than it was registered for") {
  zero::ParameterList list;
  (void)list.add({.name = "wte", .shape = {3}, .contributions = 2});
  Alone alone(list);
  auto pass = alone.engine->begin_micro_batch({});
  contribute(*alone.engine, id(0));
  expect([&] { pass.finish({}); });
}

TEST_CASE("misuse 23: two leases hold one gradient at once") {
  Alone alone(parameters({3}));
  auto const pass = alone.engine->begin_micro_batch({});
  auto const first = alone.engine->gradients(id(0), {});
  expect([&] { (void)alone.engine->gradients(id(0), {}); });
}

TEST_CASE("misuse 24: a gradient of a frozen parameter") {
  zero::ParameterList list = parameters({3});
  (void)list.add({.name = "wpe", .shape = {3}, .frozen = true});
  Alone alone(list);
  auto const pass = alone.engine->begin_micro_batch({});
  expect([&] { (void)alone.engine->gradients(id(1), {}); });
}

TEST_CASE("misuse 25: written() at stage 2") {
  Alone alone(parameters({3}), Stage::gradients);
  auto const pass = alone.engine->begin_micro_batch({});
  auto const gradients = alone.engine->gradients(id(0), {});
  expect([&] { gradients.written(id(0)); });
}

TEST_CASE("misuse 26: gradients in forward order, more than the ring has room for") {
  Alone alone(parameters({128, 128, 128}), Stage::gradients, {.bucket_elements = 128, .gradient_ring = 2});
  auto const pass = alone.engine->begin_micro_batch({});
  expect([&] { contribute(*alone.engine, id(0)); });
}

TEST_CASE("misuse 27: at stage 3 a gradient comes after the unit before it was gathered for backward") {
  Alone alone(parameters({128, 128, 128}), Stage::parameters,
              {.bucket_elements = 128, .missing_gradient = zero::MissingGradient::zero});
  auto const pass = alone.engine->begin_micro_batch({});
  for (std::uint32_t unit : {0U, 1U, 2U, 2U, 1U, 0U}) (void)alone.engine->gather(id(unit), {});
  expect([&] { contribute(*alone.engine, id(2)); });
}

TEST_CASE("misuse 28: at stage 3 more is gathered at once than max_live_elements") {
  Alone alone(parameters({128, 128, 128}), Stage::parameters,
              {.bucket_elements = 128, .max_live_elements = 256, .prefetch_units = 0});
  auto const first = alone.engine->gather(id(0), {});
  auto const second = alone.engine->gather(id(1), {});
  expect([&] { (void)alone.engine->gather(id(2), {}); });
}

TEST_CASE("misuse 29: a gradient is read before the last micro-batch") {
  Alone alone(parameters({3}));
  expect([&] { (void)alone.engine->read_gradient("p0"); });
}

TEST_CASE("misuse 30: a parameter is read inside of a micro-batch") {
  Alone alone(parameters({3}));
  auto const pass = alone.engine->begin_micro_batch({});
  expect([&] { (void)alone.engine->read_parameter("p0"); });
}

TEST_CASE("misuse 31: a parameter is written while a lease on another is held") {
  Alone alone(parameters({3, 4}));
  auto const weights = alone.engine->gather(id(1), {});
  std::vector<float> const values(3, 1.0F);
  expect([&] { alone.engine->write_parameter("p0", values); });
}

TEST_CASE("misuse 32: finish_update() inside of a micro-batch") {
  Alone alone(parameters({3}));
  auto const pass = alone.engine->begin_micro_batch({});
  expect([&] { alone.engine->finish_update(); });
}

TEST_CASE("misuse 33: finish_update() between the micro-batches of a step") {
  Alone alone(parameters({3}), Stage::none, {.gradient_accumulation_steps = 2});
  micro_batch(*alone.engine);
  expect([&] { alone.engine->finish_update(); });
}

TEST_CASE("misuse 34: finish_update() before step()") {
  Alone alone(parameters({3}));
  micro_batch(*alone.engine);
  expect([&] { alone.engine->finish_update(); });
}

TEST_CASE("misuse 35: take_adopted_values() inside of a micro-batch") {
  Alone alone(parameters({3}));
  auto const pass = alone.engine->begin_micro_batch({});
  expect([&] { alone.engine->take_adopted_values(); });
}

TEST_CASE("misuse 36: a checkpoint inside of an accumulation") {
  Alone alone(parameters({3}), Stage::none, {.gradient_accumulation_steps = 2});
  micro_batch(*alone.engine);
  expect([&] { (void)alone.engine->state(); });
}

TEST_CASE("misuse 37: a ticket is read too late") {
  Alone alone(parameters({3}));
  micro_batch(*alone.engine);
  auto const ticket = alone.engine->step({});
  for (int i = 0; i < 16; ++i) {
    CHECK(ticket.get().step == 1);
    micro_batch(*alone.engine);
    (void)alone.engine->step({});
  }
  expect([&] { (void)ticket.get(); });
}

}  // namespace misuse_order_test
