// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "reference/training.hpp"

#include <zero/layout/default_bucket.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace layout_default_bucket_test {

using zero::FlatLayout;
using zero::GradientSlot;
using zero::LayoutSettings;
using zero::Stage;
using zero::detail::DefaultBucket;
using Specs = std::vector<zero::ParameterSpec>;

namespace {

FlatLayout by_default(Specs const& specs, LayoutSettings const& settings) {
  return {specs, DefaultBucket(specs, settings).settings()};
}

std::size_t elements_of(Specs const& specs) {
  std::size_t elements = 0;
  for (auto const& spec : specs) elements += zero::ParameterList::element_count(spec.shape);
  return elements;
}

/// Layers of a few matrices and vectors each, alike or not, and now and then an embedding; of 10^5 to 10^9 elements.
Specs random_model(std::uint64_t seed) {
  auto const below = [&](std::size_t n) { return static_cast<std::size_t>(reference::mix(seed++) % n); };
  Specs specs;
  std::size_t const width = 64 * (1 + below(16));
  bool const alike = below(4) > 0;
  if (below(2) == 0) specs.push_back({.name = "embedding", .shape = {width, 1000 + below(50000)}});
  if (below(2) == 0) specs.push_back({.name = "tied", .shape = {width, 1000 + below(50000)}, .contributions = 2});
  std::vector<std::size_t> factors(2 + below(5));
  for (int unit = 1, last = 2 + static_cast<int>(below(40)); unit <= last; ++unit) {
    for (auto& factor : factors) {
      if (unit == 1 || !alike) factor = 1 + below(6);
      specs.push_back({.name = "bias", .shape = {factor * width}, .unit = unit});
      specs.push_back({.name = "weight", .shape = {factor * width, width}, .unit = unit});
    }
  }
  return specs;
}

}  // namespace

TEST_CASE("default bucket: below stage 2, where it takes no memory, it is 2^22 elements") {
  Specs const specs{{.name = "w", .shape = {std::size_t{1} << 24}}};
  for (auto stage : {Stage::none, Stage::optimizer_states}) {
    CHECK(DefaultBucket(specs, {.stage = stage}).settings().bucket_elements == std::size_t{1} << 22);
  }
}

TEST_CASE("default bucket: large matrices share the ring, and a single larger one has a slot of its own") {
  std::size_t const large = std::size_t{1} << 23;
  Specs specs{{.name = "embedding", .shape = {16 * large}},
              {.name = "frozen", .shape = {40 * large}, .frozen = true},
              {.name = "tied", .shape = {4 * large}, .contributions = 2}};
  for (int unit = 1; unit <= 30; ++unit) {
    specs.push_back({.name = "bias", .shape = {300}, .unit = unit});
    specs.push_back({.name = "matrix", .shape = {large}, .unit = unit});
  }
  for (auto stage : {Stage::gradients, Stage::parameters}) {
    auto const layout = by_default(specs, {.stage = stage, .world = 4});
    CHECK(layout.blocks()[layout.extents()[0].block].slot == GradientSlot::own);
    for (std::size_t p = 3; p < specs.size(); ++p) {
      CHECK(layout.blocks()[layout.extents()[p].block].slot == GradientSlot::ring);
    }
    CHECK(layout.default_gradient_ring() == 2);  // a unit lies in one bucket
  }
}

TEST_CASE("default bucket: no larger than the model, and one bucket for a tiny one") {
  for (auto stage : {Stage::gradients, Stage::parameters}) {
    for (std::size_t world : {1U, 8U}) {
      Specs const tiny{{.name = "a", .shape = {10}}, {.name = "b", .shape = {30000}}, {.name = "c", .shape = {300}}};
      CHECK(by_default(tiny, {.stage = stage, .world = world}).buckets().size() == 1);
      for (std::uint64_t seed = 0; seed < 20; ++seed) {
        auto const specs = random_model(seed << 32);
        INFO("seed " << seed);
        CHECK(DefaultBucket(specs, {.stage = stage, .world = world}).settings().bucket_elements <= elements_of(specs));
        CHECK(by_default(specs, {.stage = stage, .world = world}).trainable_buckets() >= 4);
      }
    }
  }
}

TEST_CASE("default bucket: whatever is tied, frozen or kept whole leaves a capacity that works") {
  Specs const tied{{.name = "a", .shape = {1000000}, .contributions = 2}, {.name = "b", .shape = {10}, .frozen = true}};
  CHECK(by_default(tied, {.stage = Stage::gradients}).parameter_elements() == 1000010);
  CHECK(by_default(tied, {.stage = Stage::parameters, .persistence_threshold = SIZE_MAX}).blocks().size() > 0);
  Specs const frozen{{.name = "a", .shape = {1000000}, .frozen = true}};
  CHECK(by_default(frozen, {.stage = Stage::gradients}).trainable() == 0);
  CHECK_THROWS_AS((void)DefaultBucket({}, {.stage = Stage::gradients}).settings().bucket_elements,
                  zero::ConfigurationError);
}

TEST_CASE("default bucket: of capacities from a sixteenth of the model on, hardly any costs less") {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    auto const specs = random_model(seed << 32);
    for (auto stage : {Stage::gradients, Stage::parameters}) {
      LayoutSettings settings{.stage = stage, .world = 1 + seed % 8, .units_together = true};
      std::size_t const cost = DefaultBucket::cost(by_default(specs, settings));
      std::size_t least = SIZE_MAX;
      std::size_t const all = elements_of(specs);
      for (std::size_t capacity = std::min(all / 16, std::size_t{1} << 22); capacity < all; capacity += capacity / 32) {
        settings.bucket_elements = std::max(capacity, std::size_t{1} << 15);
        least = std::min(least, DefaultBucket::cost({specs, settings}));
      }
      INFO("seed " << seed << " stage " << static_cast<int>(stage) << " cost " << cost << " least " << least);
      CHECK(static_cast<double>(cost) <= 1.25 * static_cast<double>(least));
    }
  }
}

}  // namespace layout_default_bucket_test
