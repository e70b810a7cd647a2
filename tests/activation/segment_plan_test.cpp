// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <zero/activation/segment_plan.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <vector>

namespace activation_segment_plan_test {

using zero::activation::BackwardWork;
using zero::activation::Recompute;
using zero::activation::SegmentPlan;

namespace {

/// Such as "b4 a2 ab3 b2": block, and what is done with it.
std::string calls(SegmentPlan const& plan) {
  std::string text;
  for (auto const& call : plan.backward_calls()) {
    if (!text.empty()) text += ' ';
    text += call.work == BackwardWork::again ? "a" : call.work == BackwardWork::backward ? "b" : "ab";
    text += std::to_string(call.block);
  }
  return text;
}

}  // namespace

TEST_CASE("segment plan: without recomputation, and with a part of each block, backward is one call a block") {
  for (auto const recompute : {Recompute::none, Recompute::selective}) {
    SegmentPlan const plan(3, recompute, 1);
    CHECK(calls(plan) == "b2 b1 b0");
    CHECK(plan.kept_inputs() == 0);
    CHECK(plan.sets() == 3);
  }
}

TEST_CASE("segment plan: a block is computed again under the gather of its backward pass, the last one never") {
  SegmentPlan const plan(4, Recompute::block);
  CHECK(calls(plan) == "b3 ab2 ab1 ab0");
  CHECK(plan.segments() == 4);
  CHECK(plan.kept_inputs() == 3);
  CHECK(plan.sets() == 1);
}

TEST_CASE("segment plan: as many inputs are kept as were asked for, in segments as even as they can be") {
  CHECK(calls({4, Recompute::block, 1}) == "b3 b2 a0 ab1 b0");
  CHECK(calls({7, Recompute::block, 2}) == "b6 b5 b4 a2 ab3 b2 a0 ab1 b0");
  SegmentPlan const three(7, Recompute::block, 2);
  CHECK(three.kept_inputs() == 2);
  CHECK(three.sets() == 3);
  CHECK(SegmentPlan(7, Recompute::block, 100).kept_inputs() == 6);
  CHECK(calls({1, Recompute::block}) == "b0");
}

TEST_CASE("segment plan: every block has a set that no other block of its segment has, and inputs begin segments") {
  for (std::size_t blocks = 1; blocks <= 13; ++blocks) {
    for (std::size_t kept = 1; kept <= blocks; ++kept) {
      CAPTURE(blocks);
      CAPTURE(kept);
      SegmentPlan const plan(blocks, Recompute::block, kept);
      std::size_t inputs = 0;
      for (std::size_t b = 0; b < blocks; ++b) {
        std::size_t const segment = plan.segment(b);
        CHECK(plan.begin(segment) <= b);
        CHECK(b < plan.begin(segment + 1));
        CHECK(plan.set(b) < plan.sets());
        if (plan.keeps_input(b)) CHECK(segment == inputs++);
      }
      CHECK(inputs == plan.kept_inputs());
      // Forward once, and twice at most in backward: no block is gathered more than three times.
      std::vector<int> gathers(blocks), works(blocks);
      for (auto const& call : plan.backward_calls()) {
        ++gathers[call.block];
        if (call.work != BackwardWork::again) ++works[call.block];
      }
      for (std::size_t b = 0; b < blocks; ++b) {
        CHECK(gathers[b] <= 2);
        CHECK(works[b] == 1);
      }
    }
  }
}

TEST_CASE("segment plan: a model without blocks, and no kept inputs, leave nothing to compute again") {
  CHECK_THROWS_AS(SegmentPlan(0, Recompute::block), zero::ConfigurationError);
  CHECK_THROWS_AS(SegmentPlan(0, Recompute::selective), zero::ConfigurationError);
  CHECK_THROWS_AS(SegmentPlan(3, Recompute::block, 0), zero::ConfigurationError);
  CHECK(SegmentPlan(0, Recompute::none).backward_calls().empty());
}

}  // namespace activation_segment_plan_test
