// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <zero/gradients/arrivals.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace gradients_arrivals_test {

namespace {

std::vector<zero::ParameterSpec> const specs{{.name = "tied", .shape = {10}, .contributions = 2},
                                             {.name = "large", .shape = {600}},
                                             {.name = "still", .shape = {10}, .frozen = true},
                                             {.name = "small", .shape = {10}},
                                             {.name = "tiny", .shape = {1}}};
zero::FlatLayout const layout(specs, {.bucket_elements = 256});

// The parameter that an error names; "nothing was thrown" where there is none.
template <class F>
std::string named_by(F&& f) {
  try {
    f();
  } catch (zero::GradientError const& error) {
    return error.parameter();
  }
  return "nothing was thrown";
}

}  // namespace

TEST_CASE("gradient arrivals: a bucket is complete when the last contribution to its last parameter is there") {
  zero::detail::GradientArrivals arrivals(specs, layout);
  std::size_t const shared = layout.extents()[3].first_bucket, large = layout.extents()[1].first_bucket;
  CHECK(layout.extents()[4].first_bucket == shared);
  CHECK(!arrivals.bucket_complete(shared));
  CHECK(arrivals.mark_arrived({3}));
  CHECK(!arrivals.bucket_complete(shared));
  CHECK(arrivals.mark_arrived({4}));
  CHECK(arrivals.bucket_complete(shared));
  CHECK(!arrivals.mark_arrived({0}));
  CHECK(!arrivals.bucket_complete(layout.extents()[0].first_bucket));
  CHECK(arrivals.arrived({0}) == 1);
  CHECK(arrivals.mark_arrived({0}));
  CHECK(arrivals.bucket_complete(layout.extents()[0].first_bucket));
  CHECK(arrivals.first_missing() == 1);
  CHECK(arrivals.mark_arrived({1}));
  for (std::size_t b = large; b < large + 3; ++b) CHECK(arrivals.bucket_complete(b));
  CHECK(arrivals.first_missing() == zero::detail::GradientArrivals::none);
}

TEST_CASE("gradient arrivals: one too many, and one of a frozen parameter, name the parameter") {
  zero::detail::GradientArrivals arrivals(specs, layout);
  CHECK(arrivals.mark_arrived({4}));
  CHECK(named_by([&] { (void)arrivals.mark_arrived({4}); }) == "tiny");
  CHECK(named_by([&] { arrivals.require_expected({4}); }) == "tiny");
  CHECK(named_by([&] { arrivals.require_expected({2}); }) == "still");
}

TEST_CASE("gradient arrivals: closing a bucket completes it, what came short is refused, and a reset forgets") {
  zero::detail::GradientArrivals arrivals(specs, layout);
  std::size_t const shared = layout.extents()[3].first_bucket, large = layout.extents()[1].first_bucket;
  (void)arrivals.mark_arrived({0});
  (void)arrivals.mark_arrived({3});
  arrivals.close(shared);
  arrivals.close(large);
  arrivals.close(layout.extents()[0].first_bucket);
  CHECK(arrivals.bucket_complete(shared));
  CHECK(!arrivals.came_short({3}));
  CHECK(arrivals.came_short({4}));
  CHECK(named_by([&] { arrivals.require_expected({4}); }) == "tiny");
  for (std::size_t b = large; b < large + 3; ++b) CHECK(arrivals.bucket_complete(b));
  CHECK(arrivals.came_short({0}));
  CHECK(arrivals.arrived({0}) == 1);
  CHECK(arrivals.is_complete({0}));
  CHECK(arrivals.first_missing() == 0);
  arrivals.reset();
  CHECK(!arrivals.bucket_complete(shared));
  CHECK(!arrivals.came_short({4}));
  CHECK(arrivals.first_missing() == 0);
  CHECK_NOTHROW(arrivals.require_expected({4}));
}

}  // namespace gradients_arrivals_test
