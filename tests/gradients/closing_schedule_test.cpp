// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <zero/gradients/closing_schedule.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace gradients_closing_schedule_test {

using zero::ParameterId;

namespace {

// Six units, each of two parameters with a bucket of their own: unit 5 has buckets 0 and 1, unit 0 has 10 and 11. Then
// a tied parameter.
std::vector<zero::ParameterSpec> specs(bool one_unit) {
  std::vector<std::size_t> const shape(1, 128);
  std::vector<zero::ParameterSpec> specs;
  for (int unit = 0; unit < 6; ++unit) {
    specs.push_back({.name = "a" + std::to_string(unit), .shape = shape, .unit = unit});
    specs.push_back({.name = "b" + std::to_string(unit), .shape = shape, .unit = unit});
  }
  specs.push_back({.name = "tied", .shape = shape, .contributions = 2});
  for (auto& spec : specs) spec.unit = one_unit ? 0 : spec.unit;
  return specs;
}

// Gathers in a micro-batch, and what each closes, in a ring of as many buckets as `ring`.
class Calls {
 public:
  explicit Calls(std::size_t ring, bool one_unit = false)
      : ring_(ring),
        specs_(specs(one_unit)),
        layout_(specs_, {.stage = zero::Stage::parameters, .bucket_elements = 128}),
        schedule_(specs_, layout_) {
    schedule_.begin();
  }

  /// Gathers units, one after another; the first bucket that stays open.
  std::size_t gather(std::vector<int> const& units) {
    for (int unit : units) {
      auto const first = static_cast<std::uint32_t>(2 * unit);
      open_ = gather_ids({{first}, {first + 1}});
    }
    return open_;
  }
  std::size_t gather_ids(std::vector<ParameterId> const& ids) {
    auto const needed = [this](std::uint32_t block) { return block < ring_ ? 0 : block - ring_ + 1; };
    auto const held = [this](std::uint32_t block) { return std::ranges::find(held_, block) != held_.end(); };
    return schedule_.gather(ids, needed, held);
  }
  void hold_unit(int unit) {
    for (int b : {0, 1}) held_.push_back(static_cast<std::uint32_t>(10 - 2 * unit + b));
  }
  void release_all() { held_.clear(); }
  void begin() { schedule_.begin(); }

 private:
  std::size_t ring_;
  std::vector<zero::ParameterSpec> specs_;
  zero::FlatLayout layout_;
  zero::detail::ClosingSchedule schedule_;
  std::vector<std::uint32_t> held_;
  std::size_t open_ = 0;  // after the last gather
};

}  // namespace

TEST_CASE("closing schedule: forward closes nothing, and backward what it has passed") {
  Calls calls(3);
  for (int micro_batch = 0; micro_batch < 2; ++micro_batch) {
    calls.begin();
    CHECK(calls.gather({0, 1, 2, 3, 4, 5}) == 0);
    CHECK(calls.gather({5}) == 0);
    CHECK(calls.gather({4}) == 2);
    CHECK(calls.gather({3}) == 4);
    CHECK(calls.gather({2, 1, 0}) == 10);
  }
}

TEST_CASE("closing schedule: the recomputation of a segment closes nothing of it") {
  Calls calls(5);
  CHECK(calls.gather({0, 1, 2, 3, 4, 5}) == 0);
  CHECK(calls.gather({4, 5, 5}) == 0);
  CHECK(calls.gather({4}) == 2);
  CHECK(calls.gather({2, 3, 3}) == 4);
  CHECK(calls.gather({2}) == 6);
  CHECK(calls.gather({0, 1, 1, 0}) == 10);
}

TEST_CASE("closing schedule: without gathers in forward, backward closes what its gradients need the places of") {
  Calls calls(2);
  CHECK(calls.gather({5}) == 0);
  CHECK(calls.gather({4}) == 2);
  CHECK(calls.gather({3, 2, 1}) == 8);
  Calls longer(3);
  CHECK(longer.gather({5}) == 0);
  CHECK(longer.gather({4}) == 1);
  Calls of_all(12);
  CHECK(of_all.gather({5, 4, 3, 2, 1, 0}) == 0);
}

TEST_CASE("closing schedule: a unit that was never gathered is not passed by a first gather") {
  Calls calls(1);
  CHECK(calls.gather({0, 2, 1, 3}) == 0);  // forward in an order of its own
}

TEST_CASE("closing schedule: what is held is closed by a later gather, and counts once") {
  Calls calls(4);
  CHECK(calls.gather({0, 1, 2, 3, 4, 5}) == 0);
  CHECK(calls.gather({5}) == 0);
  calls.hold_unit(5);
  CHECK(calls.gather({4}) == 0);  // gathered ahead by the trainer
  calls.release_all();
  CHECK(calls.gather({3}) == 4);
  Calls one_lease(1);
  CHECK(one_lease.gather({0, 1, 2, 3, 4, 5}) == 0);
  for (int unit = 0; unit < 6; ++unit) one_lease.hold_unit(unit);
  CHECK(one_lease.gather({5, 4, 3, 2, 1, 0}) == 0);  // through both passes
}

TEST_CASE("closing schedule: parameters of a unit may be gathered one by one, named twice, or never") {
  Calls calls(3);
  for (std::uint32_t i = 0; i < 12; ++i) {
    if (i != 9) CHECK(calls.gather_ids({{i}}) == 0);  // b of unit 4 has no use
  }
  CHECK(calls.gather_ids({{11}, {10}}) == 0);
  CHECK(calls.gather_ids({{8}}) == 2);
  CHECK(calls.gather_ids({{7}}) == 4);
  Calls twice(12);
  CHECK(twice.gather_ids({{10}, {10}}) == 0);
  CHECK(twice.gather_ids({{8}}) == 0);
}

TEST_CASE("closing schedule: a gather of tied parameters closes what the gather before it could not") {
  Calls calls(3);
  CHECK(calls.gather({0, 1, 2, 3, 4, 5}) == 0);
  CHECK(calls.gather_ids({{12}}) == 0);
  CHECK(calls.gather({5}) == 0);
  CHECK(calls.gather_ids({{12}}) == 0);
  calls.hold_unit(5);
  CHECK(calls.gather({4}) == 0);
  calls.release_all();
  CHECK(calls.gather_ids({{12}}) == 2);
  calls.begin();
  CHECK(calls.gather_ids({{12}}) == 0);
}

TEST_CASE("closing schedule: in a model of one unit parameters are passed one by one") {
  Calls calls(2, true);
  for (std::uint32_t i = 0; i < 12; ++i) CHECK(calls.gather_ids({{i}}) == 0);
  for (std::uint32_t i = 12; i-- > 0;) CHECK(calls.gather_ids({{i}}) == 11 - i);
  Calls at_once(2, true);
  for (int pass = 0; pass < 2; ++pass) CHECK(at_once.gather({0, 1, 2, 3, 4, 5}) == 0);
}

}  // namespace gradients_closing_schedule_test
