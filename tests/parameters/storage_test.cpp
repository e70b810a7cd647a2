// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <zero/parameters/storage.hpp>

#include "parameters/context_fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace parameters_storage_test {

using parameters_test::ContextFixture;
using zero::MemoryPurpose;
using zero::Stage;

namespace {

std::vector<std::size_t> const sizes{300, 50, 1500, 60};

struct Fixture : ContextFixture {
  explicit Fixture(std::vector<zero::ParameterSpec> parameters, Stage stage, std::size_t world = 2)
      : ContextFixture(std::move(parameters),
                       {.stage = stage, .world = world, .bucket_elements = 512, .persistence_threshold = 100}) {}

  [[nodiscard]] std::size_t bucket(std::size_t p) const { return layout.extents()[p].first_bucket; }
};

}  // namespace

TEST_CASE("parameter storage: slices of all buckets lie apart, in as much memory as they need") {
  for (auto stage : {Stage::none, Stage::gradients, Stage::parameters}) {
    CAPTURE(static_cast<int>(stage));
    Fixture fixture(Fixture::parameters(sizes), stage);
    std::size_t elements = 0;
    std::vector<std::pair<std::byte*, std::size_t>> ranges;
    for (std::size_t b = 0; b < fixture.layout.buckets().size(); ++b) {
      bool const whole = fixture.storage.is_whole(b);
      std::size_t const count = whole ? fixture.layout.buckets()[b].elements : fixture.layout.slice_elements(b);
      ranges.emplace_back(whole ? fixture.storage.whole_bucket(b) : fixture.storage.slice(b), count * sizeof(float));
      elements += count;
    }
    CHECK(fixture.memory_report.bytes(MemoryPurpose::parameters) == elements * sizeof(float));
    std::sort(ranges.begin(), ranges.end());
    for (std::size_t i = 1; i < ranges.size(); ++i)
      CHECK(ranges[i - 1].first + ranges[i - 1].second <= ranges[i].first);
  }
}

TEST_CASE("parameter storage: small parameters are whole at stage 3, all of them below it") {
  Fixture sharded(Fixture::parameters(sizes), Stage::parameters), whole(Fixture::parameters(sizes), Stage::gradients);
  for (std::size_t p = 0; p < sizes.size(); ++p) {
    CHECK(sharded.storage.is_whole(sharded.bucket(p)) == (sizes[p] < 100));
    CHECK(whole.storage.is_whole(whole.bucket(p)));
  }
}

TEST_CASE("parameter storage: a rank's slice lies in the whole bucket where that is kept") {
  Fixture fixture(Fixture::parameters(sizes), Stage::gradients);
  fixture.context.rank = 1;
  for (std::size_t b = 0; b < fixture.layout.buckets().size(); ++b) {
    CHECK(fixture.storage.slice(b) ==
          fixture.storage.whole_bucket(b) + fixture.layout.slice_elements(b) * sizeof(float));
  }
}

TEST_CASE("parameter storage: a gather goes to all of the bucket, and is counted") {
  Fixture fixture(Fixture::parameters(sizes), Stage::parameters, 3);
  std::size_t const b = fixture.bucket(2), n = fixture.layout.slice_elements(b);
  auto* const slice = reinterpret_cast<float*>(fixture.storage.slice(b));
  for (std::size_t i = 0; i < n; ++i) slice[i] = static_cast<float>(i);
  std::vector<float> full(n);
  fixture.storage.all_gather(b, full.data(), "test", fixture.traffic.access);
  CHECK(std::equal(full.begin(), full.end(), slice));
  CHECK(fixture.traffic == zero::Traffic{.access = 2 * n, .collectives = 1});
  fixture.collectives.arm(0);
  CHECK_THROWS_AS(fixture.storage.all_gather(b, full.data(), "test", fixture.traffic.access), zero::CommunicationError);
  CHECK(fixture.traffic == zero::Traffic{.access = 2 * n, .collectives = 1});
}

TEST_CASE("parameter storage: adopted buffers are what a trainer reads, once they are copied") {
  std::vector<float> first(sizes[0]), third(sizes[2]);
  auto specs = Fixture::parameters(sizes);
  specs[0].values = zero::adopt(std::span(first));
  specs[2].values = zero::adopt(std::span(third));
  Fixture fixture(specs, Stage::gradients, 1);
  for (std::size_t b = 0; b < fixture.layout.buckets().size(); ++b) {
    auto* const values = reinterpret_cast<float*>(fixture.storage.whole_bucket(b));
    std::fill_n(values, fixture.layout.buckets()[b].elements, static_cast<float>(b + 1));
  }
  CHECK(fixture.storage.whole_parameter({0}) == first.data());
  CHECK(fixture.storage.whole_parameter({2}) == third.data());
  CHECK(*static_cast<float*>(fixture.storage.whole_parameter({1})) == static_cast<float>(fixture.bucket(1) + 1));
  CHECK(first == std::vector<float>(sizes[0]));
  fixture.storage.copy_to_adopted();
  CHECK(first == std::vector<float>(sizes[0], static_cast<float>(fixture.bucket(0) + 1)));
  CHECK(third.front() == static_cast<float>(fixture.bucket(2) + 1));
  CHECK(third.back() == static_cast<float>(fixture.bucket(2) + 3));  // its third bucket
  int const calls = fixture.events.calls();
  fixture.storage.wait_for_adopted({});
  CHECK(fixture.events.calls() == calls + 1);
}

TEST_CASE("parameter storage: where nothing is adopted, nothing is copied or waited for") {
  Fixture fixture(Fixture::parameters(sizes), Stage::gradients);
  fixture.storage.copy_to_adopted();
  fixture.storage.wait_for_adopted({});
  CHECK(fixture.events.calls() == 0);
}

}  // namespace parameters_storage_test
