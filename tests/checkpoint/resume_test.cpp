// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "checkpoint/calls.hpp"
#include "checkpoint/memory_file_system.hpp"
#include "checkpoint/session.hpp"
#include "checkpoint/support.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace checkpoint_resume_test {

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

TEST_CASE("resume: going on gives the bits of not stopping, in every stage and precision, offloaded or not") {
  for (auto const types : checkpoint_test::all_types) {
    for (auto const stage : checkpoint_test::all_stages) {
      for (bool const offload : {false, true}) {
        Setup setup{.types = types, .stage = stage, .offload = offload, .world = 2, .accumulation = 2};
        CAPTURE(describe(setup));
        auto const good = uninterrupted(setup, 6);
        CHECK(resumed(setup, setup, 0, 6) == good);  // saved before the first step
        CHECK(resumed(setup, setup, 3, 6) == good);
        setup.bad_step = 2;
        auto const skipped = uninterrupted(setup, 6);
        CHECK(skipped != good);
        CHECK(resumed(setup, setup, 3, 6) == skipped);
      }
    }
  }
}

TEST_CASE("resume: a checkpoint brings a delayed update in, for the run that goes on and for the one that loads it") {
  for (auto const types : checkpoint_test::all_types) {
    for (auto const stage : checkpoint_test::all_stages) {
      Setup const setup{.types = types, .stage = stage, .offload = true, .delayed_update = true, .world = 2};
      CAPTURE(describe(setup));
      std::uint64_t saved = 0;
      with_session(setup, [&](Session& session) {
        session.train(0, 3);
        (void)session.state();
        session.train(3, 3);
        auto const mine = session.hash();
        if (session.state()->rank() == 0) saved = mine;
      });
      CHECK(resumed(setup, setup, 3, 6) == saved);
      CHECK(uninterrupted(setup, 6) != saved);
    }
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
                 .persistence_threshold = stage == Stage::parameters ? 100U : 0U};
  };
  std::uint64_t const expected = uninterrupted(setup(1, Stage::none, false, 1024), 4);
  for (int const from : worlds) {
    for (int const to : worlds) {
      for (std::size_t s = 0; s < 16; ++s) {
        // Under a sanitizer a quarter of all combinations: every pair of worlds meets every stage on either side.
        if (checkpoint_test::is_sampled && (s / 4 + static_cast<std::size_t>(from + to)) % 4 != s % 4) continue;
        auto const first = setup(from, checkpoint_test::all_stages[s / 4], (from + to) % 3 == 0, 700);
        auto const second = setup(to, checkpoint_test::all_stages[s % 4], s % 2 == 1, 3000);
        CAPTURE(describe(first));
        CAPTURE(describe(second));
        CHECK(resumed(first, second, 2, 4) == expected);
      }
    }
  }
}

TEST_CASE("resume: a number of micro-batches that the ranks do not divide gives the same bits on any of them") {
  auto const setup = [](int world, Stage stage, bool offload) {
    return Setup{.stage = stage, .offload = offload, .world = world, .micro_batches = 5, .reduce = std::nullopt};
  };
  auto const expected = uninterrupted(setup(1, Stage::none, false), 4);
  for (int from = 1; from <= 6; ++from) {
    for (int to = 1; to <= 6; ++to) {
      auto const first = setup(from, checkpoint_test::all_stages[static_cast<std::size_t>(from + to) % 4], to % 2 == 0);
      auto const second = setup(to, checkpoint_test::all_stages[static_cast<std::size_t>(to) % 4], from % 2 == 0);
      CAPTURE(describe(first));
      CAPTURE(describe(second));
      CHECK(resumed(first, second, 2, 4) == expected);
    }
  }
}

TEST_CASE("resume: a checkpoint keeps its number of micro-batches, unless the engine was given one") {
  MemoryFileSystem memory;
  with_session({.world = 3, .micro_batches = 7}, [&](Session& session) {
    session.train(0, 1);
    save(memory, session, {.tag = "a"});
  });
  with_session({.world = 2, .accumulation = 2}, [&](Session& session) {
    auto const before = session.hash();
    std::string message;
    try {
      (void)load(memory, session);
    } catch (zero::CheckpointError const& error) {
      CHECK(error.kind() == zero::CheckpointFailure::mismatch);
      message = error.what();
    }
    CHECK(message.find("set EngineConfig::micro_batches_per_step to 7") != std::string::npos);
    CHECK(session.hash() == before);
    CHECK_NOTHROW((void)load(memory, session, {.parameters_only = true}));
  });
  with_session({.world = 2, .micro_batches = 4},
               [&](Session& session) { CHECK(load(memory, session).micro_batches_per_step == 7); });
  with_session({.world = 2, .accumulation = 2}, [&](Session& session) {
    save(memory, session, {.tag = "b"});
    CHECK(load(memory, session, {.tag = "b"}).micro_batches_per_step == std::nullopt);
  });
}

TEST_CASE("resume: where ranks add in another order, the run goes on as from the same state set by name") {
  for (int const from : {1, 2, 3, 4, 8}) {
    for (int const to : {1, 2, 3, 4, 8}) {
      for (std::size_t s = 0; s < 4; ++s) {
        bool const once = s < 2;  // what these stages do by default
        auto const reduce = once ? std::optional(zero::Reduce::once_per_step) : std::nullopt;
        Setup const first{.stage = checkpoint_test::all_stages[3 - s], .world = from, .reduce = std::nullopt};
        Setup const second{.stage = checkpoint_test::all_stages[s],
                           .world = to,
                           .accumulation = 2,
                           .bucket_elements = 3000,
                           .reduce = reduce};
        CAPTURE(describe(first));
        CAPTURE(describe(second));
        checkpoint_test::FullState full;
        with_session(first, [&](Session& session) {
          session.train(0, 2);
          auto mine = session.full_state();
          if (session.state()->rank() == 0) full = std::move(mine);
        });
        std::uint64_t expected = 0;
        with_session(second, [&](Session& session) {
          session.set_full_state(full);
          session.train(2, 2);
          auto const mine = session.hash();
          if (session.state()->rank() == 0) expected = mine;
        });
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
    session.finish_step(0);
    save(memory, session, {.tag = "a"});
  });
  std::uint64_t hash = 0;
  with_session(setup, [&](Session& session) {
    (void)load(memory, session);
    session.train(1, 2);
    auto const mine = session.hash();
    if (session.state()->rank() == 0) hash = mine;
  });
  CHECK(hash == uninterrupted(setup, 3));
}

}  // namespace checkpoint_resume_test
