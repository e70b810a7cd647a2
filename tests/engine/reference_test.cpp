// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "engine/runs.hpp"
#include "reference/training.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

namespace engine_reference_test {

using engine_test::Run;
using engine_test::Types;
using reference::Type;

namespace {

reference::Settings settings_of(Run const& run) {
  reference::Settings settings{
      .clipping = run.clipping, .micro_batches = run.world * run.accumulation, .delayed = run.delayed_update};
  if (run.types == Types::fp16) settings.compute = Type::fp16;
  if (run.types == Types::bf16 || run.types == Types::bf16_sums) settings.compute = Type::bf16;
  if (run.types == Types::bf16_sums) settings.sum = Type::bf16;
  return settings;
}

double largest_distance(std::vector<float> const& a, std::vector<float> const& b) {
  double largest = a.size() == b.size() ? 0.0 : INFINITY;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  }
  return largest;
}

// The sums of the first step, before any rounding but their own, are the loop's to the bit.
void check_first_sums(reference::Training const& loop, engine_test::Result const& result, double average) {
  for (std::size_t p = 0; p < result.gradients.size(); ++p) {
    auto expected = result.gradients[p].empty() ? std::vector<float>{} : loop.sums(p);
    for (auto& g : expected) g = static_cast<float>(static_cast<double>(g) * average);
    CHECK(result.gradients[p] == expected);
  }
}

// A value that rounds to another 16-bit neighbour in the loop than in the engine moves later gradients a little.
double tolerance(Types types) { return types == Types::fp32 ? 2e-6 : 2e-3; }

void compare(Run const& run) {
  auto const result = engine_test::train(run);
  auto settings = settings_of(run);
  reference::Training loop(reference::model());
  INFO(engine_test::describe(run));
  for (int step = 0; step < run.steps; ++step) {
    auto const& actual = result.reports.at(static_cast<std::size_t>(step));
    settings.scale = actual.loss_scale;
    auto const expected = loop.step(settings, step == run.bad_step ? 2 : SIZE_MAX);
    CHECK(actual.skipped == expected.skipped);
    if (step == 0) {
      check_first_sums(loop, result, 1.0 / (settings.micro_batches * static_cast<double>(settings.scale)));
      CHECK(actual.gradient_norm == doctest::Approx(expected.norm).epsilon(1e-12));
    } else if (!expected.skipped) {
      CHECK(actual.gradient_norm == doctest::Approx(expected.norm).epsilon(1e-4));
    }
  }
  for (std::size_t p = 0; p < loop.model().parameters.size(); ++p) {
    INFO(loop.model().parameters[p].name);
    CHECK(largest_distance(result.values[p], loop.values(p)) <= tolerance(run.types));
    if (loop.model().parameters[p].frozen) continue;
    CHECK(largest_distance(result.first_moments[p], loop.first_moment(p)) <= tolerance(run.types));
    CHECK(largest_distance(result.second_moments[p], loop.second_moment(p)) <= tolerance(run.types));
  }
}

}  // namespace

TEST_CASE("reference: engines train as a plain loop does, in every type, stage and clipping") {
  for (auto types : {Types::fp32, Types::fp16, Types::bf16, Types::bf16_sums}) {
    for (auto stage : engine_test::stages) {
      for (double clipping : {0.0, 0.5}) {
        compare({.types = types, .stage = stage, .world = 4, .accumulation = 2, .clipping = clipping});
        compare({.types = types, .stage = stage, .offload = true, .world = 3, .accumulation = 1, .clipping = clipping});
      }
    }
  }
}

TEST_CASE("reference: a delayed update is that of a plain loop whose gradients have not seen the last one") {
  for (auto types : {Types::fp32, Types::fp16, Types::bf16, Types::bf16_sums}) {
    for (auto stage : engine_test::stages) {
      compare({.types = types,
               .stage = stage,
               .offload = true,
               .world = 3,
               .accumulation = 2,
               .delayed_update = true,
               .clipping = 0.5});
    }
  }
}

TEST_CASE("reference: the loop's own rounding is IEEE 754's") {
  CHECK(reference::round_to(Type::fp16, 65519.0F) == 65504.0F);
  CHECK(std::isinf(reference::round_to(Type::fp16, 65520.0F)));
  CHECK(reference::round_to(Type::fp16, 0x1.002p0F) == 1.0F);
  CHECK(reference::round_to(Type::fp16, 0x1.006p0F) == 0x1.008p0F);
  CHECK(reference::round_to(Type::fp16, 0x1.8p-25F) == 0x1p-24F);
  CHECK(reference::round_to(Type::bf16, 0x1.01p0F) == 1.0F);
  CHECK(reference::round_to(Type::bf16, 0x1.03p0F) == 0x1.04p0F);
}

}  // namespace engine_reference_test
