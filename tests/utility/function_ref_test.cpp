// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <zero/utility/function_ref.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <type_traits>

namespace utility_function_ref_test {

void add_twice(zero::FunctionRef<void(int)> f) {
  f(1);
  f(2);
}

void add_one(int& sum) { ++sum; }

TEST_CASE("function ref: calls the caller's own object, and no copy of it") {
  struct Counter {
    Counter() = default;
    Counter(Counter const&) = delete;
    Counter& operator=(Counter const&) = delete;
    int operator()(int n) { return sum += n; }  // its result is dropped
    int sum = 0;
  } counter;
  add_twice(counter);
  CHECK(counter.sum == 3);

  zero::FunctionRef<void(int)> const ref = counter;
  auto const copy = ref;
  copy(4);
  CHECK(counter.sum == 7);
}

TEST_CASE("function ref: takes lambdas in an argument, const objects and pointers to functions; hands arguments on") {
  int sum = 0;
  add_twice([&sum](int n) { sum += n; });
  CHECK(sum == 3);

  auto const constant = [&sum](std::unique_ptr<int> n) { sum += *n; };
  zero::FunctionRef<void(std::unique_ptr<int>)>{constant}(std::make_unique<int>(4));
  CHECK(sum == 7);

  auto* const pointer = &add_one;
  zero::FunctionRef<void(int&)>{pointer}(sum);
  CHECK(sum == 8);
  static_assert(std::is_trivially_copyable_v<zero::FunctionRef<void()>>);
}

}  // namespace utility_function_ref_test
