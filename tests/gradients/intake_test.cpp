// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "gradients/engine_fixture.hpp"

#include <zero/gradients/intake.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace gradients_intake_test {

using gradients_test::EngineFixture;
using gradients_test::InjectedError;
using Intake = zero::detail::GradientIntake<gradients_test::FailingBackend>;
using zero::ParameterId;
using zero::Stage;

namespace {

// One bucket each: b first, then a, and tied at last.
std::vector<zero::ParameterSpec> specs() {
  return {{.name = "tied", .shape = {256}, .contributions = 2},
          {.name = "a", .shape = {256}},
          {.name = "b", .shape = {256}}};
}
constexpr ParameterId tied{0}, a{1}, b{2};
constexpr zero::LayoutSettings sharded{.stage = Stage::gradients, .bucket_elements = 256};

std::uint32_t lease(Intake& intake, ParameterId id) { return intake.lease({&id, 1}, {}); }

std::span<float> write(Intake& intake, std::uint32_t record, ParameterId id, float value) {
  auto const target = intake.target(record, id, {}, false);
  std::span const values(static_cast<float*>(target.data), target.count);
  for (auto& element : values) element = target.adds ? element + value : value;
  return values;
}
std::span<float> write_zeroed(Intake& intake, std::uint32_t record, ParameterId id) {
  auto const target = intake.target(record, id, {}, true);
  return {static_cast<float*>(target.data), target.count};
}
void contribute(Intake& intake, ParameterId id, float value) {
  auto const record = lease(intake, id);
  write(intake, record, id, value);
  intake.accept(record, {});
}
float first_element(Intake const& intake, std::size_t bucket) {
  return *reinterpret_cast<float const*>(intake.gradient_slots().bucket(bucket));
}

}  // namespace

TEST_CASE("gradient intake: buckets come out in the layout's order, each once all of its gradients are there") {
  EngineFixture engine(specs(), {.bucket_elements = 256});
  Intake intake(engine.context, {});
  intake.begin(true);
  contribute(intake, tied, 1);
  contribute(intake, a, 3);
  CHECK(!intake.next_is_complete());
  contribute(intake, b, 4);
  for (std::size_t bucket : {0U, 1U}) {
    REQUIRE(intake.next_is_complete());
    CHECK(intake.take_next({}) == bucket);
  }
  CHECK(!intake.next_is_complete());
  contribute(intake, tied, 1);
  REQUIRE(intake.next_is_complete());
  CHECK(intake.take_next({}) == 2);
  CHECK(!intake.next_is_complete());
  CHECK(first_element(intake, 0) == 4);
  CHECK(first_element(intake, 1) == 3);
  CHECK(first_element(intake, 2) == 2);
}

TEST_CASE("gradient intake: a place in the ring is free when the buckets before it were taken out") {
  EngineFixture engine(specs(), sharded);
  Intake intake(engine.context, {.ring = 1});
  intake.begin(true);
  auto const early = lease(intake, a);
  CHECK(intake.buckets_before(early, a) == 1);
  CHECK(intake.buckets_before(lease(intake, b), b) == 0);
  CHECK(intake.buckets_before(lease(intake, tied), tied) == 0);  // has a place of its own
}

TEST_CASE("gradient intake: a bucket that a lease holds a gradient of cannot be closed to make room") {
  EngineFixture engine(specs(), sharded);
  Intake strict(engine.context, {.ring = 1});
  strict.begin(true);
  CHECK_THROWS_AS(strict.require_closable(1, a), zero::GradientError);  // b has not arrived
  contribute(strict, b, 4);
  CHECK_NOTHROW(strict.require_closable(1, a));
  Intake intake(engine.context, {.ring = 1, .missing = zero::MissingGradient::zero});
  intake.begin(true);
  CHECK_NOTHROW(intake.require_closable(1, a));
  auto const held = lease(intake, b);
  CHECK_THROWS_AS(intake.require_closable(1, a), zero::GradientError);
  write(intake, held, b, 4);
  CHECK_THROWS_AS(intake.require_closable(1, a), zero::GradientError);
  intake.accept(held, {});
  CHECK_NOTHROW(intake.require_closable(1, a));
}

TEST_CASE("gradient intake: a bucket that is closed has zeros for what is missing, which is refused from then on") {
  EngineFixture engine(specs(), sharded);
  Intake intake(engine.context, {.ring = 1, .missing = zero::MissingGradient::zero});
  intake.begin(true);
  auto const held = lease(intake, b);
  write(intake, held, b, 4);
  intake.abandon(held, {});
  intake.close_next();
  REQUIRE(intake.next_is_complete());
  CHECK(first_element(intake, intake.take_next({})) == 0);
  contribute(intake, a, 3);
  CHECK_THROWS_AS((void)lease(intake, b), zero::GradientError);
  CHECK_THROWS_AS(intake.end(), zero::GradientError);  // although a missing one would be no error
}

TEST_CASE("gradient intake: a gradient that a lease writes while its bucket is closed is lost, and nothing follows") {
  EngineFixture engine(specs(), sharded);
  Intake intake(engine.context, {.missing = zero::MissingGradient::zero});
  intake.begin(true);
  auto const held = lease(intake, b);
  write(intake, held, b, 4);
  intake.close_next();
  (void)intake.take_next({});
  CHECK_THROWS_AS(intake.accept(held, {}), zero::GradientError);
  CHECK_THROWS_AS((void)lease(intake, a), zero::GradientError);
  CHECK_THROWS_AS(intake.end(), zero::GradientError);
  intake.discard({});
  intake.begin(true);
  CHECK_NOTHROW(contribute(intake, b, 4));
}

TEST_CASE("gradient intake: a missing gradient is an error that names it, or zeros, or what is there of it") {
  for (auto missing : {zero::MissingGradient::error, zero::MissingGradient::zero}) {
    EngineFixture engine(specs(), sharded);
    Intake intake(engine.context, {.ring = 1, .missing = missing});
    intake.begin(true);
    contribute(intake, b, 4);
    contribute(intake, tied, 1);
    std::vector<float> seen;
    intake.copy_partial({});
    while (intake.next_bucket() < 3) {
      intake.close_next();
      seen.push_back(first_element(intake, intake.take_next({})));
    }
    CHECK(seen == std::vector<float>{4, 0, 1});
    if (missing == zero::MissingGradient::zero) {
      CHECK_NOTHROW(intake.end());
      continue;
    }
    try {
      intake.end();
      FAIL_CHECK("nothing was thrown");
    } catch (zero::GradientError const& error) {
      CHECK(error.parameter() == "tied");
    }
  }
}

TEST_CASE("gradient intake: a gradient is there when its lease has asked for its address, or was told of it") {
  EngineFixture engine(specs(), {.bucket_elements = 256});
  Intake intake(engine.context, {});
  for (bool told : {false, true}) {
    intake.begin(true);
    std::array const both{a, b};
    auto const record = intake.lease(both, {});
    write(intake, record, b, 4);
    if (told) intake.mark_written(record, a);
    CHECK_THROWS_AS(intake.mark_written(record, tied), zero::LeaseError);
    intake.accept(record, {});
    CHECK(intake.next_is_complete());
    CHECK(intake.take_next({}) == 0);
    CHECK(intake.next_is_complete() == told);
    if (!told) CHECK_NOTHROW(contribute(intake, a, 1));  // by a lease of its own
  }
}

TEST_CASE("gradient intake: where addresses do not last nobody can have kept one") {
  std::array<float, 256> own{};
  auto adopting = specs();
  adopting[1].gradients = zero::adopt(own.data(), own.size());
  EngineFixture engine(adopting, sharded);
  Intake intake(engine.context, {});
  intake.begin(true);
  std::array const both{a, b};
  auto const record = intake.lease(both, {});
  CHECK_THROWS_AS(intake.mark_written(record, b), zero::LeaseError);
  CHECK_NOTHROW(intake.mark_written(record, a));  // adopted
  write(intake, record, b, 4);
  CHECK_NOTHROW(intake.mark_written(record, b));
}

TEST_CASE("gradient intake: what an abandoned lease has added to an earlier contribution is lost") {
  for (bool addressed : {false, true}) {
    EngineFixture engine(specs(), sharded);
    Intake intake(engine.context, {});
    intake.begin(true);
    contribute(intake, tied, 1);
    auto const record = lease(intake, tied);
    if (addressed) write(intake, record, tied, 1);
    intake.abandon(record, {});
    if (addressed) {
      CHECK_THROWS_AS((void)lease(intake, tied), zero::GradientError);
      CHECK_THROWS_AS(intake.end(), zero::GradientError);
      intake.discard({});
      intake.begin(true);
      contribute(intake, tied, 1);
    }
    contribute(intake, tied, 1);
    contribute(intake, b, 1);
    contribute(intake, a, 1);
    for (std::size_t bucket = 0; bucket < 3; ++bucket) CHECK(intake.take_next({}) == bucket);
    CHECK(first_element(intake, 2) == 2);
    CHECK_NOTHROW(intake.end());
  }
}

TEST_CASE("gradient intake: the end of a micro-batch refuses a lease whose gradient was written and is not ready") {
  EngineFixture engine(specs(), {.bucket_elements = 256});
  Intake intake(engine.context, {.missing = zero::MissingGradient::zero});
  intake.begin(true);
  auto const record = lease(intake, a);
  auto const close_all = [&] {
    while (intake.next_bucket() < 3) {
      intake.close_next();
      (void)intake.take_next({});
    }
  };
  close_all();
  CHECK_NOTHROW(intake.end());  // nothing was written
  CHECK_THROWS_AS((void)write(intake, record, a, 1), zero::LeaseError);
  intake.abandon(record, {});
  intake.begin(true);
  auto const written = lease(intake, a);
  write(intake, written, a, 1);
  close_all();
  CHECK_THROWS_AS(intake.end(), zero::GradientError);
}

TEST_CASE("gradient intake: an adopted gradient is written where the trainer has it, and copied with its last part") {
  std::array<float, 256> own{};
  auto adopting = specs();
  adopting[0].gradients = zero::adopt(own.data(), own.size());
  EngineFixture engine(adopting, sharded);
  Intake intake(engine.context, {});
  intake.begin(true);
  contribute(intake, b, 4);
  contribute(intake, a, 3);
  auto const record = lease(intake, tied);
  CHECK(write(intake, record, tied, 1).data() == own.data());
  intake.accept(record, {});
  CHECK(first_element(intake, 2) == 0);
  contribute(intake, tied, 1);
  CHECK(first_element(intake, 2) == 2);
}

TEST_CASE("gradient intake: after a discard old leases are refused, and no bucket is complete") {
  EngineFixture engine(specs(), sharded);
  Intake intake(engine.context, {});
  intake.begin(true);
  contribute(intake, b, 4);
  auto const old = lease(intake, a);
  intake.discard({});
  CHECK(!intake.next_is_complete());
  intake.begin(true);
  CHECK(!intake.next_is_complete());
  CHECK_THROWS_AS((void)intake.target(old, a, {}, false), zero::LeaseError);
  contribute(intake, a, 3);
}

TEST_CASE("gradient intake: whatever call of the backend fails, nothing has arrived, and all can be done again") {
  for (bool all_further : {false, true}) {
    int failures = 0;
    for (bool failed = true; failed; failures += failed) {
      std::array<float, 256> own{};
      auto adopting = specs();
      adopting[1].gradients = zero::adopt(own.data(), own.size());
      EngineFixture engine(adopting, sharded);
      Intake intake(engine.context, {});
      intake.begin(true);
      std::array const all{a, b, tied};
      std::uint32_t record = 0;
      bool held = false;
      auto const hand_over = [&] {
        record = intake.lease(all, {});
        held = true;
        for (auto& element : write_zeroed(intake, record, b)) element += 4;
        write(intake, record, a, 3);
        write(intake, record, tied, 1);
        held = false;
        intake.accept(record, {});
      };
      engine.faults.inject(failures, all_further);
      try {
        hand_over();
        failed = false;
      } catch (InjectedError const&) {
        CHECK(!intake.next_is_complete());
        if (held) intake.abandon(record, {});  // as the end of its owner does
        engine.faults.stop();
        CHECK_NOTHROW(hand_over());
      }
      engine.faults.stop();
      contribute(intake, tied, 1);
      for (float expected : {4.0F, 3.0F, 2.0F}) {
        REQUIRE(intake.next_is_complete());
        CHECK(first_element(intake, intake.take_next({})) == expected);
      }
    }
    CHECK(failures > 6);
  }
}

TEST_CASE("gradient intake: memory that could not be zeroed is zeroed by the next call") {
  EngineFixture engine(specs(), sharded);
  Intake intake(engine.context, {});
  intake.begin(true);
  auto const abandoned = lease(intake, b);
  write(intake, abandoned, b, 9);
  intake.abandon(abandoned, {});
  auto const record = lease(intake, b);
  engine.faults.inject(1, false);  // the call after the wait for the memory
  CHECK_THROWS_AS((void)write_zeroed(intake, record, b), InjectedError);
  CHECK(write_zeroed(intake, record, b).front() == 0);
}

TEST_CASE("gradient intake: what fails at the end of an abandoned lease is kept for the engine's next call") {
  EngineFixture engine(specs(), sharded);
  Intake intake(engine.context, {});
  intake.begin(true);
  auto const record = lease(intake, b);
  engine.faults.inject(0, false);
  intake.abandon(record, {});
  CHECK_THROWS_AS(engine.phase.require_sound(), InjectedError);
  CHECK_NOTHROW((void)lease(intake, b));
}

TEST_CASE("gradient intake: a rank without a micro-batch misses nothing, and its buckets are left as they are") {
  EngineFixture engine(specs(), {.bucket_elements = 256});
  Intake intake(engine.context, {});
  intake.begin(true);
  for (auto id : {tied, tied, a, b}) contribute(intake, id, 3);
  while (intake.next_is_complete()) (void)intake.take_next(engine.context.communication);
  intake.end();
  intake.begin(false);
  while (intake.next_bucket() < engine.context.layout.trainable_buckets()) {
    intake.close_next();
    (void)intake.take_next(engine.context.communication);
  }
  CHECK(first_element(intake, 0) != 0.0F);  // no kernel zeroes what nobody will add
  CHECK_NOTHROW(intake.end());
  intake.begin(true);
  CHECK_THROWS_AS(intake.end(), zero::GradientError);
}

}  // namespace gradients_intake_test
