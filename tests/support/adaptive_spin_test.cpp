// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <doctest/doctest.h>

#include <zero/support/adaptive_spin.hpp>

#include <chrono>

namespace adaptive_spin_test {
namespace {

/// A processor whose time is what its turns take.
struct FakeProcessor {
  using Clock = std::chrono::steady_clock;
  inline static Clock::time_point time{};
  inline static Clock::duration turn{};
  inline static int turns = 0;

  [[nodiscard]] static Clock::time_point now() noexcept { return time; }
  static void yield() noexcept { ++turns, time += turn; }

  static void begin(Clock::duration length) { turn = length, turns = 0; }
};

using Spin = zero::detail::AdaptiveSpin<FakeProcessor>;
using std::chrono::microseconds, std::chrono::milliseconds;

constexpr auto never = [] { return false; };

/// Waits that sleep at once, before one spins again.
int sleeps_before_a_spin(Spin& spin) {
  for (int waits = 0; waits < 10000; ++waits) {
    int const before = FakeProcessor::turns;
    (void)spin.wait(never);
    if (FakeProcessor::turns > before) return waits;
  }
  return -1;
}

TEST_CASE("adaptive spin: a wait that is over needs no turn") {
  Spin spin;
  FakeProcessor::begin(milliseconds(5));
  CHECK(spin.wait([] { return true; }));
  CHECK(FakeProcessor::turns == 0);
}

TEST_CASE("adaptive spin: as long as turns are short, every wait spins for at most 128 of them") {
  Spin spin;
  for (int wait = 0; wait < 1000; ++wait) {
    FakeProcessor::begin(microseconds(400));
    CHECK(spin.wait([] { return FakeProcessor::turns == 100; }));
    CHECK(FakeProcessor::turns == 100);
  }
  for (int wait = 0; wait < 10; ++wait) {
    FakeProcessor::begin(microseconds(1));
    CHECK_FALSE(spin.wait(never));
    CHECK(FakeProcessor::turns == 128);
  }
}

TEST_CASE("adaptive spin: a wait with turns of its own number") {
  Spin spin;
  FakeProcessor::begin(microseconds(400));
  CHECK_FALSE(spin.wait(never, 1000));
  CHECK(FakeProcessor::turns == 1000);
}

TEST_CASE("adaptive spin: a turn that takes a slice is the last one, also where it has brought what was waited for") {
  Spin spin;
  FakeProcessor::begin(milliseconds(5));
  CHECK(spin.wait([] { return FakeProcessor::turns == 1; }));
  CHECK(FakeProcessor::turns == 1);
  CHECK(sleeps_before_a_spin(spin) == 16);
}

TEST_CASE("adaptive spin: the more turns are too long, the more waits sleep at once, but not for ever") {
  Spin spin;
  FakeProcessor::begin(milliseconds(5));
  CHECK(sleeps_before_a_spin(spin) == 0);
  for (int expected : {16, 32, 64, 128, 256, 512, 1024, 1024, 1024}) CHECK(sleeps_before_a_spin(spin) == expected);
}

TEST_CASE("adaptive spin: a wait that sleeps at once looks once, and is over where it finds what it waits for") {
  Spin spin;
  FakeProcessor::begin(milliseconds(5));
  (void)spin.wait(never);
  int looks = 0;
  CHECK_FALSE(spin.wait([&] { return ++looks, false; }));
  CHECK(looks == 1);
  CHECK(spin.wait([] { return true; }));
  CHECK(sleeps_before_a_spin(spin) == 15);
}

TEST_CASE("adaptive spin: short spins bring it back") {
  Spin spin;
  FakeProcessor::begin(milliseconds(5));
  for (int i = 0; i < 5; ++i) (void)sleeps_before_a_spin(spin);  // the fifth one is followed by 16 * 2^4
  FakeProcessor::begin(microseconds(1));
  int sleeps = 0;
  while (!spin.wait([] { return FakeProcessor::turns > 0; })) ++sleeps;
  CHECK(sleeps == 256);
  for (int wait = 2; wait < 10; ++wait) CHECK(spin.wait([=] { return FakeProcessor::turns >= wait; }));
  FakeProcessor::begin(milliseconds(5));
  (void)spin.wait(never);
  CHECK(sleeps_before_a_spin(spin) == 16);
}

int turns_of_a_wait(Spin& spin) {
  int turns = 0;
  for (Spin::Turns wait(spin, 1000); wait.are_left(); wait.give()) ++turns;
  return turns;
}

TEST_CASE("adaptive spin: who gives the turns of a wait by hand has as many, and none where others take them") {
  Spin spin;
  FakeProcessor::begin(microseconds(400));
  CHECK(turns_of_a_wait(spin) == 1000);
  FakeProcessor::begin(milliseconds(5));
  CHECK(turns_of_a_wait(spin) == 1);
  for (int wait = 0; wait < 16; ++wait) CHECK(turns_of_a_wait(spin) == 0);
  CHECK(turns_of_a_wait(spin) == 1);
  CHECK(sleeps_before_a_spin(spin) == 32);
}

}  // namespace
}  // namespace adaptive_spin_test
