// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Each call of the runtime and of NCCL fails in turn, on each rank.

#include "fake_cuda/machine.hpp"
#include "fake_cuda/nccl_fixtures.hpp"

#include <zero/error.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <functional>
#include <string>
#include <vector>

namespace fake_cuda_nccl_faults_test {

using fake_cuda::Fault;
using fake_cuda::NcclRank;
using fake_cuda::Small;

namespace {

using namespace std::chrono_literals;

// What gives something back does so even where it says that something failed, and a guard's way back to the device
// that was current before has nobody to tell.
bool tells_nobody(std::string const& call) {
  constexpr std::array names = {"ncclMemFree",       "cudaFree",         "cudaFreeHost",        "cudaEventDestroy",
                                "cudaStreamDestroy", "cudaGraphDestroy", "cudaGraphExecDestroy"};
  return std::find(names.begin(), names.end(), call) != names.end();
}

using Program = std::function<std::vector<NcclRank>(fake_cuda::NcclSettings const&)>;

std::vector<NcclRank> run(Program const& program, int world, fake_cuda::Options options,
                          std::chrono::nanoseconds deadline) {
  bool const awaits_failure = options.fault && options.fault->question != nullptr;
  options.devices = world;
  fake_cuda::start(options);
  return program({.deadline = deadline, .awaits_failure = awaits_failure});
}

// How many ranks have thrown one of the library's errors; anything else ends the test.
std::ptrdiff_t failures(std::vector<NcclRank> const& ranks) {
  return std::count_if(ranks.begin(), ranks.end(), [](NcclRank const& rank) {
    try {
      if (rank.end.thrown) std::rethrow_exception(rank.end.thrown);
    } catch (zero::Error const&) {
      return true;
    }
    return false;
  });
}

void check_nothing_is_left() {
  CHECK(fake_cuda::live_handles() == fake_cuda::LiveHandles{});
  CHECK(fake_cuda::violations() == "");
}

/// Who must fail where a call of a rank does, before the ranks have taken leave of one another.
enum class Fails { all, all_but_registrations, any };

// One run with a call of one rank failing.
void check_call(Program const& program, std::vector<NcclRank> const& sound, Fault const& fault, Fails fails,
                std::chrono::nanoseconds deadline) {
  auto const order = fault.call % 2 == 0 ? zero::SimulationOrder::latest : zero::SimulationOrder::random;
  int const world = static_cast<int>(sound.size());
  auto const ranks = run(program, world, {.seed = fault.call, .order = order, .fault = fault}, deadline);
  INFO("call " << fault.call << " of rank " << *fault.rank << ", " << fake_cuda::failed_call()
               << std::string(fault.for_ever ? ", for ever" : ", once"));
  bool const counts = fault.call <= sound[static_cast<std::size_t>(*fault.rank)].calls;
  CHECK((fake_cuda::fault_has_struck() || fails == Fails::any));
  bool const may_go_on = tells_nobody(fake_cuda::failed_call()) || fails == Fails::any ||
                         (fails == Fails::all_but_registrations && fake_cuda::failed_call() == "ncclCommRegister");
  if (counts && !may_go_on) CHECK(failures(ranks) == world);
  check_nothing_is_left();
}

/// Each call of each rank fails, once, for ever or in turn: where one rank's fails once, that of the next one does for
/// ever, since their calls are much the same. Without ZERO_TEST_FULL every other call of a rank, and those between of
/// the next one. \p deadline: of what no failure channel ends.
void check_every_call(Program const& program, int world, std::vector<bool> const& for_ever, Fails fails = Fails::all,
                      std::chrono::nanoseconds deadline = 30s) {
  auto const sound = run(program, world, {}, 30s);
  REQUIRE(failures(sound) == 0);
  std::uint64_t const step = std::getenv("ZERO_TEST_FULL") == nullptr ? 2 : 1;
  for (int rank = 0; rank < world; ++rank) {
    auto const calls = sound[static_cast<std::size_t>(rank)].end.calls;
    MESSAGE("calls that fail in turn: " << calls / step);
    for (std::uint64_t n = 1 + static_cast<std::uint64_t>(rank) % step; n <= calls; n += step) {
      bool const lasts = for_ever[(n / step + static_cast<std::uint64_t>(rank)) % for_ever.size()];
      check_call(program, sound, {.call = n, .for_ever = lasts, .rank = rank}, fails, deadline);
    }
  }
}

/// The first question after every fifth call fails.
void check_questions(Program const& program, int world, char const* question) {
  auto const sound = run(program, world, {}, 30s);
  for (int rank = 0; rank < world; ++rank) {
    for (std::uint64_t n = 1; n <= sound[static_cast<std::size_t>(rank)].calls; n += 5) {
      Fault const fault{.call = n, .for_ever = n % 2 == 0, .rank = rank, .question = question};
      auto const ranks = run(program, world, {.seed = n, .fault = fault}, 30s);
      INFO(std::string(question) << " after call " << n << " of rank " << rank
                                 << std::string(fault.for_ever ? ", for ever" : ", once"));
      CHECK(failures(ranks) == world);
      check_nothing_is_left();
    }
  }
}

Program training(Small const& small) {
  return [small](fake_cuda::NcclSettings const& settings) { return fake_cuda::train_small_over_nccl(small, settings); };
}

}  // namespace

TEST_CASE("nccl faults: each call of two ranks at stage 2 fails in turn, once and for ever, and both ranks fail") {
  auto const program = training({.world = 2, .evaluates = true, .gives_up = true});
  if (std::getenv("ZERO_TEST_FULL") == nullptr) return check_every_call(program, 2, {false, true});
  check_every_call(program, 2, {false});
  check_every_call(program, 2, {true});
}

TEST_CASE("nccl faults: each call of three ranks at stage 3 with offload fails in turn, and all ranks fail") {
  check_every_call(training({.stage = zero::Stage::parameters, .offload = true, .world = 3, .steps = 1}), 3,
                   {false, true});
}

TEST_CASE("nccl faults: each call of a step's capture and replay on two ranks fails in turn, and both ranks fail") {
  check_every_call(training({.world = 2, .steps = 3, .captured_from = 1}), 2, {true, false});
}

TEST_CASE("nccl faults: each call for sums of the library's own, groups and registrations fails in turn") {
  auto const program = [](fake_cuda::NcclSettings const& settings) {
    return fake_cuda::use_communicators(2, settings);
  };
  check_every_call(program, 2, {false}, Fails::all_but_registrations);
  check_every_call(program, 2, {true}, Fails::all_but_registrations);
}

TEST_CASE("nccl faults: each call of engines whose buffers NCCL knows fails in turn, and all ranks fail") {
  check_every_call(training({.stage = zero::Stage::parameters, .registers = true, .world = 2, .steps = 1}), 2,
                   {true, false});
}

TEST_CASE(
    "nccl faults: each call of ranks that have nothing but an id in common fails in turn, and those that do not fail "
    "go on") {
  auto const program = [](fake_cuda::NcclSettings const& settings) {
    return fake_cuda::use_communicators_without_rendezvous(2, settings);
  };
  check_every_call(program, 2, {false, true}, Fails::any, 200ms);
}

TEST_CASE("nccl faults: questions whether something is over fail in turn") {
  check_questions(training({.world = 2}), 2, "ncclCommGetAsyncError");
  check_questions(training({.world = 2}), 2, "cudaEventQuery");
}

}  // namespace fake_cuda_nccl_faults_test
