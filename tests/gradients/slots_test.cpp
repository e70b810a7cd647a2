// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "gradients/engine_fixture.hpp"

#include <zero/gradients/slots.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

namespace gradients_slots_test {

using gradients_test::EngineFixture;
using Slots = zero::detail::GradientSlots<gradients_test::FailingBackend>;
using zero::Stage;

namespace {

// One bucket each, reduced from the last one to the first; the gradient of "tied" cannot share the ring.
std::vector<zero::ParameterSpec> const specs{{.name = "tied", .shape = {256}, .contributions = 2},
                                             {.name = "a", .shape = {256}},
                                             {.name = "b", .shape = {256}},
                                             {.name = "c", .shape = {256}}};

}  // namespace

TEST_CASE("gradient slots: at stages 0 and 1 every bucket has a place of its own that is available always") {
  for (auto stage : {Stage::none, Stage::optimizer_states}) {
    EngineFixture engine(specs, {.stage = stage, .bucket_elements = 256});
    Slots const slots(engine.context, 2);
    CHECK(slots.stable());
    for (std::uint32_t b = 0; b < 4; ++b) {
      CHECK(slots.bucket(b) == slots.data() + b * 256 * sizeof(float));
      CHECK(slots.buckets_before(b) == 0);
    }
  }
}

TEST_CASE("gradient slots: in the ring every other block of two shares memory, and waits until that is reduced") {
  EngineFixture engine(specs, {.stage = Stage::gradients, .bucket_elements = 256});
  Slots const slots(engine.context, 2);
  CHECK(!slots.stable());
  CHECK(slots.ring() == 2);
  CHECK(slots.bucket(0) != slots.bucket(1));
  CHECK(slots.bucket(0) == slots.bucket(2));
  CHECK(slots.buckets_before(1) == 0);
  CHECK(slots.buckets_before(2) == 1);
}

TEST_CASE("gradient slots: what cannot share the ring is available always, in memory that nothing else has") {
  EngineFixture engine(specs, {.stage = Stage::gradients, .bucket_elements = 256});
  Slots const slots(engine.context, 1);
  CHECK(slots.buckets_before(3) == 0);
  for (std::size_t b : {0U, 1U, 2U}) CHECK(slots.bucket(b) != slots.bucket(3));
  CHECK(engine.memory_report.bytes(zero::MemoryPurpose::gradient_slots) == 256 * sizeof(float));
}

TEST_CASE("gradient slots: a ring longer than the model takes no more memory than the model") {
  EngineFixture engine(specs, {.stage = Stage::gradients, .bucket_elements = 256});
  Slots const slots(engine.context, 9);
  CHECK(slots.ring() == 3);
  CHECK(engine.memory_report.bytes(zero::MemoryPurpose::gradients) == 3 * 256 * sizeof(float));
  CHECK_THROWS_AS(Slots(engine.context, 0), zero::ConfigurationError);
}

}  // namespace gradients_slots_test
