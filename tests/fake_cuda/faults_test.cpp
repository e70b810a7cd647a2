// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fake_cuda/fixtures.hpp"
#include "fake_cuda/machine.hpp"

#include <zero/error.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>

namespace fake_cuda_faults_test {

using fake_cuda::Fault;
using fake_cuda::Small;

namespace {

// What gives something back does so even where it says that something failed; a guard's way back to the device that
// was current before has nobody to tell, nor has the end of an engine that asks whether a last report has come.
bool tells_nobody(std::string const& call) {
  constexpr std::array names = {"cudaFree",         "cudaFreeHost",  "cudaEventDestroy",     "cudaStreamDestroy",
                                "cudaGraphDestroy", "cudaSetDevice", "cudaGraphExecDestroy", "cudaEventQuery"};
  return std::find(names.begin(), names.end(), call) != names.end();
}

// One run with the n-th call failing; false once there is no n-th call any more. An engine that fails in a step waits
// for all that may touch its memory before it gives it back.
bool fails_well(Small const& small, Fault const& fault, fake_cuda::Seen const& sound) {
  bool const in_step = fault.call > sound.calls_of_construction && fault.call <= sound.calls_of_steps;
  auto const order = fault.call % 2 == 0 ? zero::SimulationOrder::latest : zero::SimulationOrder::random;
  fake_cuda::start({.seed = fault.call, .order = order, .fault = fault, .frees_wait = small.world > 1 || !in_step});
  fake_cuda::Seen seen;
  bool thrown = false;
  try {
    fake_cuda::train_small(small, seen);
  } catch (zero::Error const&) {
    thrown = true;
  }  // anything else ends the test
  if (!fake_cuda::fault_has_struck()) return false;
  INFO("call " << fault.call << ", " << fake_cuda::failed_call()
               << std::string(fault.for_ever ? ", for ever" : ", once"));
  bool const while_training = seen.calls == 0 || fault.call <= seen.calls;
  if (while_training && !tells_nobody(fake_cuda::failed_call())) CHECK(thrown);
  CHECK(fake_cuda::live_handles() == fake_cuda::LiveHandles{});
  CHECK(fake_cuda::violations() == "");
  return true;
}

/// Whether each call fails both once and for ever; or, unless ZERO_TEST_FULL is set, in one of the two ways, call by
/// call: where each kind of call fails both ways in another case, too.
enum class Ways { both, in_turn };

void check_every_call(Small const& small, Ways ways = Ways::both) {
  static bool const whole = std::getenv("ZERO_TEST_FULL") != nullptr;
  fake_cuda::start();
  fake_cuda::Seen sound;
  fake_cuda::train_small(small, sound);
  for (bool const other : {false, true}) {
    bool const both = whole || ways == Ways::both;
    if (other && !both) break;
    std::uint64_t n = 1;
    while (fails_well(small, {.call = n, .for_ever = both ? other : n % 2 == 0}, sound)) ++n;
    MESSAGE("calls that failed in turn: " << n - 1);
    CHECK(n > 100);
  }
}

}  // namespace

TEST_CASE("faults: each call of a stage-2 engine fails in turn") {
  check_every_call({.evaluates = true, .gives_up = true});
  check_every_call({.adopted = true, .accumulation = 2}, Ways::in_turn);
}

TEST_CASE("faults: each call of a stage-3 engine fails in turn") {
  check_every_call({.stage = zero::Stage::parameters, .evaluates = true, .gives_up = true});
}

TEST_CASE("faults: each call of an offloaded engine fails in turn") {
  check_every_call({.offload = true, .accumulation = 2});
  check_every_call({.stage = zero::Stage::parameters, .offload = true}, Ways::in_turn);
  check_every_call({.offload = true, .delayed_update = true, .evaluates = true});
}

TEST_CASE("faults: each call of an engine with a profiler fails in turn, those of the profiler too") {
  check_every_call({.evaluates = true, .gives_up = true, .profiles = true}, Ways::in_turn);
  check_every_call({.offload = true, .accumulation = 2, .profiles = true}, Ways::in_turn);
}

TEST_CASE("faults: each call of a step's capture and replay fails in turn") {
  check_every_call({.steps = 3, .captured_from = 1});
}

TEST_CASE("faults: each call of two ranks fails in turn, and both end") {
  check_every_call({.world = 2}, Ways::in_turn);
}

}  // namespace fake_cuda_faults_test
