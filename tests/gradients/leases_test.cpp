// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <zero/gradients/leases.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdlib>
#include <new>
#include <vector>

namespace {

int allocations_left = -1;  // before one fails; negative: none does

std::vector<zero::ParameterSpec> const specs{
    {.name = "a", .shape = {1}}, {.name = "b", .shape = {1}}, {.name = "c", .shape = {1}}};
std::vector<zero::ParameterId> const all{{0}, {1}, {2}};

}  // namespace

// Of the whole program, so that arrays of the library's containers can fail to grow, too.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  if (allocations_left == 0) throw std::bad_alloc();
  if (allocations_left > 0) --allocations_left;
  if (void* const memory = std::malloc(bytes > 0 ? bytes : 1)) return memory;
  throw std::bad_alloc();
}
// A sanitizer's own form of arrays does not come here by itself.
[[gnu::noinline]] void* operator new[](std::size_t bytes) { return operator new(bytes); }
[[gnu::noinline]] void operator delete[](void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory, std::size_t /*bytes*/) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t /*bytes*/) noexcept { std::free(memory); }

TEST_CASE("gradient leases: a gradient is held by one lease at a time, until that ends") {
  zero::detail::GradientLeases leases(specs);
  leases.begin_micro_batch();
  auto const first = leases.take(std::vector<zero::ParameterId>{{0}, {1}}).hand_out();
  CHECK_NOTHROW(leases.check_lease(first, {1}));
  CHECK_THROWS_AS(leases.check_lease(first, {2}), zero::LeaseError);
  CHECK_THROWS_AS((void)leases.take(std::vector<zero::ParameterId>{{2}, {1}}), zero::LeaseError);
  auto const second = leases.take(std::vector<zero::ParameterId>{{2}}).hand_out();  // the refused lease holds nothing
  CHECK_NOTHROW(leases.check_lease(second, {2}));
  leases.end(first);
  CHECK_NOTHROW((void)leases.take(std::vector<zero::ParameterId>{{0}, {1}}));
}

TEST_CASE("gradient leases: a gradient that is named twice is refused, and nothing is held") {
  zero::detail::GradientLeases leases(specs);
  leases.begin_micro_batch();
  CHECK_THROWS_AS((void)leases.take(std::vector<zero::ParameterId>{{0}, {0}}), zero::LeaseError);
  CHECK_NOTHROW((void)leases.take(all));
}

TEST_CASE("gradient leases: those of an earlier micro-batch are refused, and hold nothing") {
  zero::detail::GradientLeases leases(specs);
  leases.begin_micro_batch();
  auto const old = leases.take(all).hand_out();
  leases.begin_micro_batch();
  CHECK_THROWS_AS(leases.check_lease(old), zero::LeaseError);
  auto const record = leases.take(all).hand_out();
  leases.end(old);
  for (auto id : all) CHECK_NOTHROW(leases.check_lease(record, id));
  CHECK_THROWS_AS((void)leases.take(all), zero::LeaseError);
}

TEST_CASE("gradient leases: a claim that is not handed out holds nothing after its scope") {
  zero::detail::GradientLeases leases(specs);
  leases.begin_micro_batch();
  {
    auto const claim = leases.take(all);
    CHECK_THROWS_AS((void)leases.take(all), zero::LeaseError);
  }
  CHECK_NOTHROW((void)leases.take(all));
}

TEST_CASE("gradient leases: when memory runs out, at whatever allocation, nothing is held") {
  int failures = 0;
  for (bool failed = true; failed; failures += failed) {
    zero::detail::GradientLeases leases(specs);
    leases.begin_micro_batch();
    allocations_left = failures;
    try {
      (void)leases.take(all);
      failed = false;
    } catch (std::bad_alloc const&) {
    }
    allocations_left = -1;
    CHECK_NOTHROW((void)leases.take(all));
  }
  CHECK(failures >= 2);  // the record, and its ids
}
