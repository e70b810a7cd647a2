// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Parameters and settings that cannot work, and names and numbers of what is not there.

#include "misuse/misuse.hpp"

#include <limits>

namespace misuse_settings_test {

using misuse::Alone;
using misuse::Engine;
using misuse::expect;
using misuse::id;
using misuse::micro_batch;
using misuse::parameters;
using zero::Stage;

namespace {

void make_engine_with(Engine::Config const& config, Stage stage = Stage::none) {
  Alone const alone(parameters({300, 4}), stage, config);
}

}  // namespace

TEST_CASE("misuse 62: a name is registered twice") {
  zero::ParameterList list;
  (void)list.add({.name = "w", .shape = {4}});
  expect([&] { (void)list.add({.name = "w", .shape = {4}}); });
}

TEST_CASE("misuse 63: an empty name") {
  zero::ParameterList list;
  expect([&] { (void)list.add({.name = "", .shape = {4}}); });
}

TEST_CASE("misuse 64: a dimension of 0") {
  zero::ParameterList list;
  expect([&] { (void)list.add({.name = "w", .shape = {4, 0}}); });
}

TEST_CASE("misuse 65: a group that was not added") {
  zero::ParameterList list;
  expect([&] { (void)list.add({.name = "w", .shape = {4}, .group = {1}}); });
}

TEST_CASE("misuse 66: contributions = 0") {
  zero::ParameterList list;
  expect([&] { (void)list.add({.name = "w", .shape = {4}, .contributions = 0}); });
}

TEST_CASE("misuse 67: every parameter is frozen") {
  zero::ParameterList list;
  (void)list.add({.name = "w", .shape = {4}, .frozen = true});
  expect([&] { Alone const alone(list); });
}

TEST_CASE("misuse 68: no parameter is registered") {
  expect([] { Alone const alone(zero::ParameterList{}); });
}

TEST_CASE("misuse 69: a learning rate that is no number") {
  expect([] { make_engine_with({.optimizer = {.lr = std::numeric_limits<double>::quiet_NaN()}}); });
}

TEST_CASE("misuse 70: a negative clipping of one step") {
  Alone alone(parameters({3}));
  micro_batch(*alone.engine);
  expect([&] { (void)alone.engine->step({.gradient_clipping = -1.0}, {}); });
  CHECK(alone.engine->step({}).get().step == 1);
}

TEST_CASE("misuse 71: no micro-batch per step") {
  expect([] { make_engine_with({.gradient_accumulation_steps = 0}); });
}

TEST_CASE("misuse 72: a negative number of units is gathered ahead") {
  expect([] { make_engine_with({.prefetch_units = -1}, Stage::parameters); });
}

TEST_CASE("misuse 73: a ring of no buckets") {
  expect([] { make_engine_with({.gradient_ring = 0}, Stage::gradients); });
}

TEST_CASE("misuse 74: buckets of no elements") {
  expect([] { make_engine_with({.bucket_elements = 0}); });
}

TEST_CASE("misuse 75: an alignment that is no multiple of 128") {
  expect([] { make_engine_with({.alignment_elements = 100}); });
}

TEST_CASE("misuse 76: at stage 3 one unit is more than max_live_elements") {
  Alone alone(parameters({300, 4}), Stage::parameters, {.max_live_elements = 128});
  expect([&] { (void)alone.engine->gather(id(0), {}); });
}

TEST_CASE("misuse 77: whole local sums at stage 2") {
  expect([] { make_engine_with({.reduce = zero::Reduce::once_per_step}, Stage::gradients); });
}

TEST_CASE("misuse 78: a name that is not registered") {
  Alone alone(parameters({3}));
  expect([&] { (void)alone.engine->read_parameter("weight"); });
}

TEST_CASE("misuse 79: a state that the rule has not") {
  Alone alone(parameters({3}));
  expect([&] { (void)alone.engine->read_state("p0", 2); });
}

TEST_CASE("misuse 80: run_ranks() with no rank") {
  expect([] { zero::run_ranks(0, [](misuse::Ranks&) {}); });
}

}  // namespace misuse_settings_test
