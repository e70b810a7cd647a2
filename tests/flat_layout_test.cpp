// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "reference/training.hpp"

#include <zero/flat_layout.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace flat_layout_test {

using zero::FlatLayout;
using zero::GradientSlot;
using zero::LayoutSettings;
using zero::Stage;

namespace {

struct Random {
  std::uint64_t state;
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(reference::mix(state++) % n); }
};

// Sizes over several orders of magnitude; now and then frozen, tied or of another unit.
std::vector<zero::ParameterSpec> random_model(Random& random) {
  std::vector<zero::ParameterSpec> specs;
  int unit = 0;
  for (std::size_t p = 1 + random.below(30); p > 0; --p) {
    unit += random.below(3) == 0 ? 1 : 0;
    specs.push_back({.name = std::to_string(p),
                     .shape = {1 + random.below(std::size_t{1} << (1 + random.below(14)))},
                     .contributions = random.below(8) == 0 ? 2 : 1,
                     .unit = unit,
                     .frozen = random.below(8) == 0});
  }
  return specs;
}

LayoutSettings random_settings(Random& random) {
  return {.stage = static_cast<Stage>(random.below(4)),
          .world = 1 + random.below(9),
          .alignment_elements = 128 * (1 + random.below(3)),
          .bucket_elements = 1 + random.below(std::size_t{1} << (4 + random.below(13))),
          .persistence_threshold = random.below(2) == 0 ? 0 : random.below(300),
          .units_together = random.below(2) == 0};
}

// Every element of every parameter lies in exactly one place of one bucket, and in the slice of one rank.
void check_ownership(FlatLayout const& layout, std::vector<zero::ParameterSpec> const& specs) {
  std::vector<int> owners(layout.total(), 0);
  std::vector<std::size_t> seen(specs.size(), 0);
  for (std::size_t b = 0; b < layout.buckets().size(); ++b) {
    auto const& bucket = layout.buckets()[b];
    for (std::size_t rank = 0; rank < layout.settings().world; ++rank) {
      for (auto const& segment : layout.slice_segments(b, rank)) {
        auto const& append = layout.extents()[segment.parameter];
        std::size_t const at = bucket.begin + rank * layout.slice_elements(b) + segment.offset;
        CHECK(at == append.begin + segment.in_parameter);
        CHECK(segment.offset + segment.count <= layout.slice_elements(b));
        CHECK((b >= append.first_bucket && b < append.first_bucket + append.bucket_count));
        for (std::size_t i = 0; i < segment.count; ++i) ++owners[at + i];
        seen[segment.parameter] += segment.count;
      }
    }
  }
  std::size_t owned = 0;
  bool once = true;
  for (int n : owners) owned += static_cast<std::size_t>(n), once = once && n <= 1;
  CHECK(once);
  CHECK(owned == layout.parameter_elements());
  CHECK(layout.padding_elements() == layout.total() - owned);
  for (std::size_t p = 0; p < specs.size(); ++p) CHECK(seen[p] == zero::ParameterList::element_count(specs[p].shape));
}

void check_buckets(FlatLayout const& layout) {
  auto const& settings = layout.settings();
  std::size_t const unit = settings.world * settings.alignment_elements;
  std::size_t const capacity = (settings.bucket_elements + unit - 1) / unit * unit;
  std::size_t begin = 0;
  for (auto const& bucket : layout.buckets()) {
    CHECK(bucket.begin == begin);
    CHECK(bucket.elements % unit == 0);
    CHECK(bucket.elements <= capacity);
    CHECK(!bucket.segments.empty());
    for (auto const& segment : bucket.segments) CHECK(segment.offset % settings.alignment_elements == 0);
    begin += bucket.elements;
  }
  CHECK(begin == layout.total());
}

// Frozen parameters come last; the ring never holds half a parameter; stage 3 keeps units and small parameters apart.
void check_sections(FlatLayout const& layout, std::vector<zero::ParameterSpec> const& specs) {
  for (std::size_t p = 0; p < specs.size(); ++p) {
    auto const& append = layout.extents()[p];
    auto const& block = layout.blocks()[append.block];
    CHECK((append.first_bucket < layout.trainable_buckets()) == !specs[p].frozen);
    CHECK((block.slot == GradientSlot::none) == specs[p].frozen);
    if (block.slot == GradientSlot::ring) CHECK((append.bucket_count == 1 && specs[p].contributions == 1));
    CHECK((append.begin >= block.begin && append.begin + append.count <= block.begin + block.elements));
    bool const sharded =
        layout.settings().stage == Stage::parameters && append.count >= layout.settings().persistence_threshold;
    CHECK(block.whole == !sharded);
    if (sharded) CHECK(block.unit == specs[p].unit);
  }
}

double padding(std::vector<zero::ParameterSpec> const& specs, LayoutSettings const& settings) {
  FlatLayout const layout(specs, settings);
  return static_cast<double>(layout.padding_elements()) / static_cast<double>(layout.parameter_elements());
}

}  // namespace

TEST_CASE("flat layout: random models keep every property that the way of the data relies on") {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    Random random{seed << 32};
    auto const specs = random_model(random);
    auto const settings = random_settings(random);
    INFO("seed " << seed);
    FlatLayout const layout(specs, settings);
    check_ownership(layout, specs);
    check_buckets(layout);
    check_sections(layout, specs);
  }
}

TEST_CASE("flat layout: trainable parameters lie in reverse order of registration") {
  std::vector<zero::ParameterSpec> const specs{
      {.name = "a", .shape = {10}}, {.name = "b", .shape = {300}}, {.name = "c", .shape = {1}}};
  FlatLayout const layout(specs, {.world = 2, .bucket_elements = 512});
  CHECK(layout.extents()[2].begin == 0);
  CHECK(layout.extents()[1].begin == 128);
  CHECK(layout.extents()[0].begin == 512);
  CHECK(layout.buckets().size() == 2);
  CHECK(layout.total() == 768);
}

TEST_CASE("flat layout: no bucket is larger than the model, whatever is asked for") {
  std::vector<zero::ParameterSpec> const specs{{.name = "a", .shape = {10}}, {.name = "b", .shape = {300}}};
  for (std::size_t asked : {std::size_t{1} << 22, std::size_t{1} << 40, SIZE_MAX}) {
    FlatLayout const layout(specs, {.world = 2, .bucket_elements = asked});
    CHECK(layout.buckets().size() == 1);
    CHECK(layout.total() == 512);
  }
}

TEST_CASE("flat layout: a parameter larger than a bucket has neighbouring buckets of its own") {
  std::vector<zero::ParameterSpec> const specs{{.name = "a", .shape = {10}}, {.name = "b", .shape = {1000}}};
  FlatLayout const layout(specs, {.world = 1, .bucket_elements = 256});
  CHECK(layout.extents()[1].bucket_count == 4);
  CHECK(layout.buckets()[3].segments.front().in_parameter == 768);
  CHECK(layout.buckets()[3].segments.front().count == 232);
  CHECK(layout.blocks()[layout.extents()[1].block].slot == GradientSlot::own);
}

TEST_CASE("flat layout: units that are kept together lie in one bucket if they fit, and begin one if they do not") {
  std::vector<zero::ParameterSpec> const specs{
      {.name = "0", .shape = {900}},
      {.name = "1", .shape = {300}, .unit = 1},
      {.name = "tied", .shape = {500}, .contributions = 2, .unit = 1},
      {.name = "1 too", .shape = {200}, .unit = 1},
      {.name = "2", .shape = {700}, .unit = 2},
      {.name = "2 too", .shape = {700}, .unit = 2},
      {.name = "3", .shape = {128}, .unit = 3},
      {.name = "4", .shape = {400}, .unit = 4},
  };
  auto const layout_of = [&](bool together, std::size_t bucket_elements) {
    return FlatLayout(specs,
                      {.stage = Stage::gradients, .bucket_elements = bucket_elements, .units_together = together});
  };
  std::vector<std::size_t> const apart{2, 1, 3, 1, 1, 0, 0, 0};
  std::vector<std::size_t> const together{3, 2, 4, 2, 1, 1, 0, 0};
  for (std::size_t p = 0; p < specs.size(); ++p) {
    CAPTURE(p);
    CHECK(layout_of(false, 1536).extents()[p].first_bucket == apart[p]);
    CHECK(layout_of(true, 1536).extents()[p].first_bucket == together[p]);
  }
  CHECK(layout_of(false, 1536).ring_buckets_of_largest_unit() == 2);
  CHECK(layout_of(true, 1536).ring_buckets_of_largest_unit() == 1);
}

TEST_CASE("flat layout: a transformer loses at most one percent to padding") {
  for (std::size_t world : {1U, 2U, 4U, 8U}) {
    for (std::size_t width : {256U, 384U, 768U}) {
      std::vector<zero::ParameterSpec> specs{{.name = "embedding", .shape = {50257, width}, .contributions = 2}};
      for (int layer = 0; layer < 12; ++layer) {
        for (std::size_t columns : {3U, 1U, 4U, 4U}) {
          specs.push_back({.name = "w", .shape = {width, columns * width}, .unit = layer + 1});
          specs.push_back({.name = "b", .shape = {columns * width}, .unit = layer + 1});
        }
      }
      for (auto stage : {Stage::none, Stage::gradients, Stage::parameters}) {
        INFO("world " << world << " width " << width);
        for (bool together : {false, true}) {
          LayoutSettings const settings{
              .stage = stage, .world = world, .bucket_elements = std::size_t{1} << 22, .units_together = together};
          CHECK(padding(specs, settings) <= 0.01);
        }
      }
    }
  }
}

TEST_CASE("flat layout: parameters of 100 granules in buckets of 100 granules per rank lose two percent at most") {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Random random{seed << 32};
    std::size_t const world = 1 + random.below(8);
    std::vector<zero::ParameterSpec> specs;
    for (std::size_t p = 0; p < 20; ++p) specs.push_back({.name = "w", .shape = {100 * 128 + random.below(300 * 128)}});
    INFO("seed " << seed << " world " << world);
    CHECK(padding(specs, {.world = world, .bucket_elements = 100 * 128 * world}) <= 0.02);
  }
}

}  // namespace flat_layout_test
