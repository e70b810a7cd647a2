// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <zero/parameters/gather_arena.hpp>

#include "parameters/context_fixture.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace parameters_gather_arena_test {

using zero::detail::GatherPlaces;

namespace {

/// An arena for parameters of which each is a block, and as many elements as it has.
struct Fixture : parameters_test::ContextFixture {
  Fixture(std::vector<std::size_t> const& sizes, std::size_t capacity, std::size_t world = 1)
      : Fixture(sizes, world, GatherPlaces(capacity)) {}
  Fixture(std::vector<std::size_t> const& sizes, std::size_t world, GatherPlaces places)
      : ContextFixture(parameters(sizes), {.stage = zero::Stage::parameters, .world = world, .bucket_elements = 512}),
        arena(context, storage, std::move(places)),
        memory(arena.at(0, 0)) {
    for (std::size_t b = 0; b < layout.buckets().size(); ++b) {
      auto* const slice = reinterpret_cast<float*>(storage.slice(b));
      for (std::size_t i = 0; i < layout.slice_elements(b); ++i) {
        slice[i] = static_cast<float>(layout.buckets()[b].begin + i);
      }
    }
  }

  [[nodiscard]] std::uint32_t block(std::size_t p) const { return layout.extents()[p].block; }
  bool gather(std::size_t p) { return gather(std::vector{p}); }
  /// As a lease does, but gives the pins back.
  bool gather(std::vector<std::size_t> const& parameters) {
    std::vector<std::uint32_t> blocks;
    for (auto p : parameters) {
      blocks.push_back(block(p));
      arena.pin(blocks.back());
    }
    auto const cancel = [&] {
      for (auto b : blocks) {
        arena.unpin(b);
        arena.evict_unpinned(b);
      }
    };
    try {
      if (!arena.gather(blocks, traffic.gathered)) {
        for (auto b : blocks) arena.unpin(b);
        return true;
      }
    } catch (...) {
      cancel();
      throw;
    }
    cancel();
    return false;
  }
  bool gather_ahead(std::size_t p) { return arena.gather_ahead(block(p), traffic.gathered); }
  [[nodiscard]] bool is_resident(std::size_t p) const { return arena.is_resident(block(p)); }
  /// Where a parameter lies in the arena.
  [[nodiscard]] std::size_t offset(std::size_t p) const {
    REQUIRE(is_resident(p));
    return static_cast<std::size_t>(arena.at(block(p), 0) - memory) / sizeof(float);
  }
  void evict(std::size_t p) { arena.evict_unpinned(block(p)); }
  /// Lets a stream of the trainer read a parameter and gives it back.
  void read(std::size_t p) {
    arena.record_reader(block(p), {});
    evict(p);
  }
  [[nodiscard]] bool has_values(std::size_t p) const {
    auto const& extent = layout.extents()[p];
    auto const* const values = reinterpret_cast<float const*>(arena.at(extent.block, 0));
    for (std::size_t i = 0; i < extent.count; ++i) {
      if (values[i] != static_cast<float>(extent.begin + i)) return false;
    }
    return true;
  }

  zero::detail::GatherArena<parameters_test::FailingBackend> arena;
  std::byte const* memory;
};

}  // namespace

TEST_CASE("gather arena: blocks lie one behind the other, with the values of every bucket") {
  Fixture fixture({256, 1408, 128}, 2048);
  CHECK(fixture.arena.capacity() == 2048);
  for (std::size_t p : {0U, 1U, 2U}) CHECK(fixture.gather(p));
  CHECK(fixture.offset(0) == 0);
  CHECK(fixture.offset(1) == 256);
  CHECK(fixture.offset(2) == 1664);
  for (std::size_t p : {0U, 1U, 2U}) CHECK(fixture.has_values(p));
  CHECK(fixture.arena.resident_elements() == 1792);
  CHECK(fixture.gather(1));
  CHECK(fixture.collectives.calls() == 5);  // of which three are the second's buckets; none for a resident block
}

TEST_CASE("gather arena: what is sent is counted by the counter that is passed, once for a resident block") {
  Fixture fixture({256, 1024}, 2048, 2);
  std::uint64_t elements = 7;
  std::vector const blocks{fixture.block(1)};
  for (int i = 0; i < 2; ++i) CHECK(!fixture.arena.gather(blocks, elements));
  CHECK(elements == 7 + 512);
  CHECK(fixture.traffic == zero::Traffic{.collectives = 2});
}

TEST_CASE("gather arena: the first room that is large enough is taken") {
  Fixture fixture({256, 384, 512, 128, 384, 256}, 2048);
  for (std::size_t p : {0U, 1U, 2U, 3U}) CHECK(fixture.gather(p));
  fixture.evict(1);
  CHECK(!fixture.is_resident(1));
  fixture.evict(0);
  fixture.evict(3);
  CHECK(fixture.gather(4));
  CHECK(fixture.offset(4) == 0);
  CHECK(fixture.gather(5));
  CHECK(fixture.offset(5) == 384);  // up to where the third begins
  CHECK(fixture.gather(1));
  CHECK(fixture.offset(1) == 1152);  // behind it
  CHECK(fixture.offset(2) == 640);
}

TEST_CASE("gather arena: without room the oldest block goes that is not pinned") {
  Fixture fixture({256, 256, 256, 256, 512, 128}, 768);
  for (std::size_t p : {2U, 0U, 1U}) CHECK(fixture.gather(p));
  for (std::size_t p : {3U, 5U}) CHECK(!fixture.gather_ahead(p));
  CHECK(fixture.arena.resident_elements() == 768);
  fixture.arena.pin(fixture.block(2));
  CHECK(fixture.gather(3));
  CHECK(fixture.is_resident(2));
  CHECK(!fixture.is_resident(0));
  CHECK(fixture.is_resident(1));
  CHECK(fixture.offset(3) == 256);
  for (std::size_t p : {1U, 3U}) fixture.arena.pin(fixture.block(p));
  CHECK(!fixture.gather(0));
  CHECK(fixture.arena.resident_elements() == 768);
  for (std::size_t p : {1U, 3U}) fixture.arena.unpin(fixture.block(p));
  CHECK(fixture.gather(4));  // takes both
  CHECK(fixture.offset(4) == 256);
}

TEST_CASE("gather arena: blocks of one gather fit if they do without what nobody holds") {
  Fixture fixture({1536, 2304, 256, 128}, 3840);
  for (std::size_t p : {2U, 0U}) CHECK(fixture.gather(p));
  fixture.evict(2);
  CHECK(fixture.gather(3));  // which was there first, and the first block of the gather behind it
  CHECK(fixture.offset(0) == 256);
  int const before = fixture.collectives.calls();
  CHECK(fixture.gather({0, 1}));
  CHECK(fixture.offset(0) == 0);
  CHECK(fixture.offset(1) == 1536);
  for (std::size_t p : {0U, 1U}) CHECK(fixture.has_values(p));
  CHECK(fixture.collectives.calls() == before + 8);  // 3 and 5 buckets of 512
}

TEST_CASE("gather arena: what another lease holds stays where it is, and can split the room") {
  Fixture fixture({256, 512, 256, 256}, 1024);
  for (std::size_t p : {0U, 2U}) CHECK(fixture.gather(p));
  fixture.arena.pin(fixture.block(2));
  fixture.evict(0);
  int const before = fixture.collectives.calls();
  CHECK(!fixture.gather({1, 3, 0}));
  CHECK(fixture.collectives.calls() == before);  // refused before anything is sent
  CHECK(fixture.offset(2) == 256);
  CHECK(fixture.arena.resident_elements() == 256);
  CHECK(fixture.gather({3, 1}));
  CHECK(fixture.offset(3) == 0);
  CHECK(fixture.offset(1) == 512);
}

TEST_CASE("gather arena: a pinned block is not evicted before the last unpin") {
  Fixture fixture({256, 128}, 512);
  CHECK(fixture.gather(0));
  for (int pins = 0; pins < 2; ++pins) fixture.arena.pin(fixture.block(0));
  for (int pins = 2; pins > 0; --pins) {
    fixture.evict(0);
    CHECK(fixture.is_resident(0));
    fixture.arena.unpin(fixture.block(0));
  }
  fixture.evict(0);
  CHECK(!fixture.is_resident(0));
}

TEST_CASE("gather arena: after everything is evicted the places are those of a new arena") {
  Fixture fixture({256, 384, 128}, 768);
  for (std::size_t p : {0U, 1U, 2U}) CHECK(fixture.gather(p));
  fixture.arena.evict_all();
  CHECK(fixture.arena.resident_elements() == 0);
  for (std::size_t p : {0U, 1U, 2U}) CHECK(!fixture.is_resident(p));
  for (std::size_t p : {2U, 1U}) CHECK(fixture.gather(p));
  CHECK(fixture.offset(2) == 0);
  CHECK(fixture.offset(1) == 128);
  CHECK(fixture.has_values(1));
}

TEST_CASE("gather arena: memory is written again behind all that read there, and behind nobody else") {
  Fixture fixture({256, 256, 512, 256, 128}, 1024);
  auto const waits = [&](std::size_t p) {
    int const before = fixture.events.calls();
    CHECK(fixture.gather(p));
    return fixture.events.calls() - before - 1;  // less the record that ends a gather
  };
  for (std::size_t p : {0U, 1U, 3U}) CHECK(waits(p) == 0);
  for (std::size_t p : {0U, 1U}) fixture.read(p);
  CHECK(waits(4) == 1);  // in the first half of the first
  fixture.evict(4);
  CHECK(waits(2) == 2);  // in the places of both
  CHECK(fixture.offset(2) == 0);
  fixture.evict(3);
  CHECK(waits(3) == 0);  // where it was: nobody has read it
  fixture.read(3);
  CHECK(waits(3) == 1);
}

TEST_CASE("gather arena: a gather that fails leaves the block out, and its room to others") {
  for (int passing = 0; passing < 3; ++passing) {
    CAPTURE(passing);
    Fixture fixture({256, 1408, 512}, 2048);
    CHECK(fixture.gather(0));
    fixture.collectives.arm(passing);
    CHECK_THROWS_AS((void)fixture.gather(1), zero::CommunicationError);
    CHECK(!fixture.is_resident(1));
    CHECK(fixture.arena.resident_elements() == 256);
    CHECK(fixture.gather(2));
    CHECK(fixture.offset(2) == 256);
    fixture.evict(2);
    CHECK(fixture.gather(1));
    CHECK(fixture.has_values(1));
  }
  Fixture fixture({256, 128}, 512);
  fixture.events.arm(0);
  CHECK_THROWS_AS((void)fixture.gather(0), parameters_test::EventFailure);
  CHECK(!fixture.is_resident(0));
}

namespace {

/// An arena with places for two units in a row, of which each has one parameter; the last one registered is reduced
/// first, and is block 0.
GatherPlaces places_of(std::vector<std::size_t> const& elements) {
  zero::detail::UnitTable units(elements.size());
  for (std::size_t p = 0; p < elements.size(); ++p) {
    units.add(static_cast<int>(p), static_cast<std::uint32_t>(elements.size() - 1 - p), elements[p], true);
  }
  return {units, 2};
}
std::vector<std::size_t> const row{256, 512, 128, 384, 128};
Fixture with_places() { return {row, 1, places_of(row)}; }

}  // namespace

TEST_CASE("gather arena: a block lies in its place, whatever else is there that may go") {
  auto fixture = with_places();
  CHECK(fixture.arena.capacity() == 768);
  for (std::size_t p : {0U, 1U}) CHECK(fixture.gather(p));
  CHECK(fixture.offset(0) == 0);
  CHECK(fixture.offset(1) == 256);
  CHECK(fixture.gather(3));  // at the end of the second's place
  CHECK(fixture.offset(3) == 384);
  CHECK(!fixture.is_resident(1));
  CHECK(fixture.is_resident(0));
  for (std::size_t p : {4U, 1U, 2U}) CHECK(fixture.gather(p));
  CHECK(fixture.offset(2) == 0);
  CHECK(fixture.has_values(1));
  CHECK(fixture.has_values(2));
}

TEST_CASE("gather arena: what is gathered ahead takes its place or none") {
  auto fixture = with_places();
  CHECK(fixture.gather(4));
  CHECK(!fixture.gather_ahead(2));  // though there is room elsewhere
  CHECK(fixture.is_resident(4));
  CHECK(fixture.gather_ahead(3));
  CHECK(fixture.offset(3) == 384);
}

TEST_CASE("gather arena: a block whose place is held lies where there is room") {
  auto fixture = with_places();
  fixture.arena.pin(fixture.block(4));
  CHECK(fixture.gather(4));
  CHECK(fixture.gather(2));
  CHECK(fixture.offset(2) == 128);
  CHECK(fixture.has_values(2));
  fixture.arena.pin(fixture.block(2));
  CHECK(!fixture.gather_ahead(0));
  CHECK(fixture.gather(0));
  CHECK(fixture.offset(0) == 256);
  fixture.arena.pin(fixture.block(0));
  CHECK(!fixture.gather(1));
}

}  // namespace parameters_gather_arena_test
