// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "checkpoint/calls.hpp"
#include "checkpoint/memory_file_system.hpp"
#include "checkpoint/session.hpp"
#include "checkpoint/support.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

using checkpoint_test::describe;
using checkpoint_test::MemoryFileSystem;
using checkpoint_test::Session;
using checkpoint_test::Setup;
using checkpoint_test::with_session;
using zero::Stage;

namespace {

zero::CheckpointFolder folder_of(MemoryFileSystem& memory) { return {memory, "/checkpoints"}; }

void save(MemoryFileSystem& memory, Session& session, zero::SaveOptions const& options) {
  (void)checkpoint_test::save_checkpoint(*session.state(), folder_of(memory), options);
}
zero::LoadReport load(MemoryFileSystem& memory, Session& session, zero::LoadOptions const& options = {}) {
  return checkpoint_test::load_checkpoint(*session.state(), folder_of(memory), options);
}

/// Trains \p total steps without stopping.
std::uint64_t uninterrupted(Setup const& setup, int total) {
  std::uint64_t hash = 0;
  with_session(setup, [&](Session& session) {
    session.train(0, total);
    auto const mine = session.hash();
    if (session.state()->rank() == 0) hash = mine;
  });
  return hash;
}

/// Trains \p before steps with one setup, saves, and trains on to \p total with another that has never trained.
std::uint64_t resumed(Setup const& first, Setup const& second, int before, int total, std::uint64_t chunk = 1024) {
  MemoryFileSystem memory;
  with_session(first, [&](Session& session) {
    session.train(0, before);
    save(memory, session, {.tag = "a", .chunk = chunk});
  });
  std::uint64_t hash = 0;
  with_session(second, [&](Session& session) {
    session.train(17, 2);  // what is loaded must replace all of this
    CHECK(load(memory, session).steps <= static_cast<std::uint64_t>(before));
    session.train(before, total - before);
    auto const mine = session.hash();
    if (session.state()->rank() == 0) hash = mine;
  });
  return hash;
}

}  // namespace

TEST_CASE(
    "resume: going on from a checkpoint gives the bits of not stopping, in every stage and precision, offloaded") {
  for (auto const types : checkpoint_test::all_types) {
    for (auto const stage : checkpoint_test::all_stages) {
      for (bool const offload : {false, true}) {
        Setup const setup{.types = types, .stage = stage, .offload = offload, .world = 2, .accumulation = 2};
        CAPTURE(describe(setup));
        CHECK(resumed(setup, setup, 3, 6) == uninterrupted(setup, 6));
      }
    }
  }
}

TEST_CASE("resume: a checkpoint of the very start, and one after skipped steps, go on as if nothing had happened") {
  for (auto const stage : {Stage::none, Stage::parameters}) {
    Setup const setup{.stage = stage, .world = 2, .bad_step = 2};
    CHECK(resumed(setup, setup, 0, 5) == uninterrupted(setup, 5));
    CHECK(resumed(setup, setup, 3, 6) == uninterrupted(setup, 6));
    Setup good = setup;
    good.bad_step = -1;
    CHECK(uninterrupted(setup, 6) != uninterrupted(good, 6));
  }
}

TEST_CASE("resume: on any number of ranks and in any stage, the run goes on with the same bits") {
  // 24 micro-batches per step, on as many ranks as divide them.
  std::vector<int> const worlds{1, 2, 3, 4, 8};
  auto const setup = [](int world, Stage stage, bool offload, std::size_t bucket) {
    return Setup{.stage = stage,
                 .offload = offload,
                 .world = world,
                 .accumulation = 24 / world,
                 .bucket_elements = bucket,
                 .keep_whole_below = stage == Stage::parameters ? 100U : 0U};
  };
  std::uint64_t const expected = uninterrupted(setup(1, Stage::none, false, 1024), 4);
  for (int const from : worlds) {
    for (int const to : worlds) {
      for (std::size_t s = 0; s < 4; ++s) {
        // Every pair of worlds meets every stage on either side; a quarter of all combinations.
        auto const target = checkpoint_test::all_stages[s];
        auto const source = checkpoint_test::all_stages[(s + static_cast<std::size_t>(from + to)) % 4];
        auto const first = setup(from, source, (from + to) % 3 == 0, 700);
        auto const second = setup(to, target, s % 2 == 1, 3000);
        CAPTURE(describe(first));
        CAPTURE(describe(second));
        CHECK(resumed(first, second, 2, 4) == expected);
      }
    }
  }
}

TEST_CASE("resume: in the middle of an accumulation a checkpoint is refused with a sentence, and later exact") {
  MemoryFileSystem memory;
  Setup const setup{.world = 2, .accumulation = 2};
  with_session(setup, [&](Session& session) {
    session.micro_batch(0);
    try {
      (void)session.state();
      FAIL_CHECK("nothing was thrown");
    } catch (zero::SequenceError const& error) {
      CHECK(std::string(error.what()).find("after 1 of 2 micro-batches") != std::string::npos);
    }
  });
}
