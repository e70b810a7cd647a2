// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Buffers and values that are not what they should be.

#include "misuse/misuse.hpp"

#include <cmath>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace misuse_buffers_test {

using misuse::allowed;
using misuse::Alone;
using misuse::expect;
using misuse::id;
using misuse::micro_batch;
using misuse::parameters;
using zero::Stage;

namespace {

void register_one(zero::ParameterSpec spec) {
  zero::ParameterList list;
  (void)list.add(std::move(spec));
}
void make_engine_of(zero::ParameterSpec spec, Stage stage = Stage::none) {
  zero::ParameterList list;
  (void)list.add(std::move(spec));
  Alone const alone(list, stage);
}

}  // namespace

TEST_CASE("misuse 49: a tied parameter is registered twice") {
  std::vector<float> values(4);
  zero::ParameterList list;
  (void)list.add({.name = "wte", .shape = {4}, .values = zero::adopt(std::span(values))});
  (void)list.add({.name = "head", .shape = {4}, .values = zero::adopt(std::span(values))});
  expect([&] { Alone const alone(list); });
}

TEST_CASE("misuse 50: values and gradient are one buffer") {
  std::vector<float> own(4);
  expect([&] {
    make_engine_of(
        {.name = "w", .shape = {4}, .values = zero::adopt(std::span(own)), .gradients = zero::adopt(std::span(own))});
  });
}

TEST_CASE("misuse 51: an adopted buffer is null") {
  expect([] { register_one({.name = "w", .shape = {4}, .values = zero::adopt<float>(nullptr, 4)}); });
}

TEST_CASE("misuse 52: an adopted buffer is not aligned") {
  std::vector<float> own(5);
  void* const odd = reinterpret_cast<std::byte*>(own.data()) + 1;
  expect([&] {
    register_one({.name = "w", .shape = {4}, .values = zero::AdoptedBuffer{odd, 4, zero::ElementType::fp32}});
  });
}

TEST_CASE("misuse 53: an adopted buffer is of another size than the shape") {
  std::vector<float> own(3);
  expect([&] { register_one({.name = "w", .shape = {2, 2}, .gradients = zero::adopt(std::span(own))}); });
}

TEST_CASE("misuse 54: an adopted buffer is of another type than the engine computes in") {
  std::vector<zero::bfloat16> own(4);
  expect([&] { make_engine_of({.name = "w", .shape = {4}, .values = zero::adopt(std::span(own))}); });
}

TEST_CASE("misuse 55: adopted values at stage 3") {
  std::vector<float> own(4);
  expect(
      [&] { make_engine_of({.name = "w", .shape = {4}, .values = zero::adopt(std::span(own))}, Stage::parameters); });
}

TEST_CASE("misuse 56: an adopted gradient of a frozen parameter") {
  std::vector<float> own(4);
  expect([&] { register_one({.name = "w", .shape = {4}, .frozen = true, .gradients = zero::adopt(std::span(own))}); });
}

TEST_CASE("misuse 57: adopted values are written after the engine was made") {
  allowed();
  for (bool taken : {false, true}) {
    std::vector<float> own(4, 1.0F);
    zero::ParameterList list;
    (void)list.add({.name = "w", .shape = {4}, .values = zero::adopt(std::span(own))});
    Alone alone(list, Stage::none, {.optimizer = {.lr = 0.0}});
    own.assign(4, 5.0F);
    if (taken) alone.engine->take_adopted_values();
    micro_batch(*alone.engine);
    (void)alone.engine->step({}).get();
    CHECK(own == std::vector<float>(4, taken ? 5.0F : 1.0F));
  }
}

TEST_CASE("misuse 58: another number of initial values than elements") {
  std::vector<float> const initial(3);
  expect([&] { register_one({.name = "w", .shape = {4}, .initial = initial}); });
}

TEST_CASE("misuse 59: another number of values is written than a parameter has elements") {
  Alone alone(parameters({3}));
  std::vector<float> const values(4);
  expect([&] { alone.engine->write_parameter("p0", values); });
}

TEST_CASE("misuse 60: a value that FP16 cannot hold") {
  allowed();
  zero::run_ranks(1, [](misuse::Ranks& rank) {
    auto const engine = misuse::make_half_engine(Stage::none, rank, parameters({1}));
    std::vector<float> const large{1e6F};
    engine->write_parameter("p0", large);
    CHECK(engine->read_parameter("p0") == large);
    auto const weights = engine->gather(id(0), {});
    CHECK(std::isinf(zero::widen(weights[id(0)][0])));
  });
}

TEST_CASE("misuse 61: ranks that are threads share an adopted buffer") {
  std::vector<float> shared(4);
  zero::run_ranks(2, [&](misuse::Ranks& ranks) {
    zero::ParameterList list;
    (void)list.add({.name = "w", .shape = {4}, .values = zero::adopt(std::span(shared))});
    expect([&] { (void)misuse::make_engine(Stage::none, ranks, list); });
  });
}

}  // namespace misuse_buffers_test
