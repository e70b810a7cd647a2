// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "checkpoint/calls.hpp"
#include "checkpoint/faulty_file_system.hpp"
#include "checkpoint/memory_file_system.hpp"
#include "checkpoint/plain_state.hpp"
#include "checkpoint/support.hpp"

#include <zero/communicators/thread.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace checkpoint_crash_test {

using checkpoint_test::FaultyFileSystem;
using checkpoint_test::is_sampled;
using checkpoint_test::Loss;
using checkpoint_test::MemoryFileSystem;
using checkpoint_test::PlainState;
using checkpoint_test::thrown_by;
using zero::CheckpointError;
using zero::CheckpointFailure;
using zero::CheckpointFolder;

namespace {

constexpr std::uint64_t chunk = 64;  // small, so that there are many writes to fail

zero::SelfCommunicator self;

zero::SaveOptions options(std::string tag) { return {.tag = std::move(tag), .chunk = chunk}; }

zero::SaveReport save(zero::FileSystem& system, std::uint64_t seed, zero::SaveOptions const& how) {
  PlainState state(self, seed);
  return checkpoint_test::save_checkpoint(state, CheckpointFolder(system, "/run"), how);
}

/// Which state is loaded, by its seed; nothing where it is a mixture or no checkpoint can be read.
std::optional<std::uint64_t> loaded(zero::FileSystem& system, zero::LoadOptions const& how = {}) {
  PlainState state(self, 0);
  try {
    (void)checkpoint_test::load_checkpoint(state, CheckpointFolder(system, "/run"), how);
  } catch (CheckpointError const&) {
    return std::nullopt;
  }
  auto const steps = state.progress().steps;
  if (!state.same(PlainState(self, steps))) return std::nullopt;
  return steps;
}

/// A save that is about to happen, where there are others already.
struct Scene {
  char const* name;
  zero::SaveOptions save;
};

std::vector<Scene> scenes() {
  auto replacing = options("step-2");
  replacing.replace = true;
  auto pruning = options("step-3");
  pruning.keep = 2;
  pruning.aliases = {"best"};
  return {
      {"one more", options("step-3")}, {"in the place of the newest", replacing}, {"with old ones to remove", pruning}};
}

/// All files but those that say who owns the folder, which every save changes.
std::map<std::string, std::string> checkpoints_of(MemoryFileSystem& memory) {
  auto files = memory.snapshot();
  std::erase_if(files, [](auto const& file) { return file.first.find("/.owner.") != std::string::npos; });
  return files;
}

/// Two checkpoints, durable, of which the second is the newest.
MemoryFileSystem const& prepared() {
  static MemoryFileSystem const files = [] {
    MemoryFileSystem memory;
    (void)save(memory, 1, options("step-1"));
    (void)save(memory, 2, options("step-2"));
    return memory;
  }();
  return files;
}

/// Whether fault \p kind is tried at call \p k: a sanitizer's build tries each call with some of the kinds.
bool is_tried(std::size_t k, std::size_t kind) { return !is_sampled || (k + kind) % 3 == 0; }

std::size_t calls_of(Scene const& scene) {
  MemoryFileSystem memory(prepared());
  FaultyFileSystem faulty(memory);
  (void)save(faulty, 3, scene.save);
  return faulty.calls();
}

}  // namespace

TEST_CASE("crash: killed at any call, and whatever unsynced writes a power failure takes, one whole state loads") {
  struct Failure {
    Loss loss;
    unsigned seed;
  };
  std::vector<Failure> failures{{Loss::everything, 0}, {Loss::contents, 0}};
  for (unsigned seed = 0; seed < (is_sampled ? 2 : 12); ++seed) failures.push_back({Loss::some, seed});
  for (auto const& scene : scenes()) {
    std::size_t const calls = calls_of(scene);
    REQUIRE(calls > 40);
    for (std::size_t k = 0; k <= calls; ++k) {
      for (std::size_t i = 0; i < failures.size(); ++i) {
        if (!is_tried(k, i)) continue;
        auto const& failure = failures[i];
        MemoryFileSystem memory(prepared());
        FaultyFileSystem faulty(memory);
        faulty.die_at(k);
        bool saved = true;
        try {
          (void)save(faulty, 3, scene.save);
        } catch (CheckpointError const&) {
          saved = false;
        }
        memory.crash(failure.loss, failure.seed);
        auto const seed = loaded(memory);
        CAPTURE(scene.name);
        CAPTURE(k);
        REQUIRE(seed.has_value());
        REQUIRE((*seed == 3 || (*seed == 2 && (!saved || k < calls))));
        if (k == calls) REQUIRE(*seed == 3);
        // What the crash left behind is in nobody's way.
        (void)save(memory, 4, options("step-4"));
        REQUIRE(loaded(memory) == 4);
      }
    }
  }
}

TEST_CASE("crash: a save that has returned survives every power failure") {
  for (auto const& scene : scenes()) {
    for (unsigned seed = 0; seed < 20; ++seed) {
      MemoryFileSystem memory(prepared());
      (void)save(memory, 3, scene.save);
      memory.crash(seed == 0 ? Loss::everything : Loss::some, seed);
      REQUIRE(loaded(memory) == 3);
    }
  }
}

TEST_CASE("crash: a save that warns of its pointer has made the checkpoint durable all the same") {
  MemoryFileSystem memory(prepared());
  FaultyFileSystem faulty(memory);
  faulty.only = "exchange";  // of the pointer's names
  faulty.fail(0, EIO, true);
  auto const report = save(faulty, 3, options("step-3"));
  REQUIRE(report.warnings.size() == 1);
  CHECK(report.warnings.front().find("latest") != std::string::npos);
  memory.crash(Loss::everything);
  CHECK(loaded(memory, {.tag = "step-3"}) == 3);
}

TEST_CASE("crash: any call that fails, once or for ever, is a typed error or does no harm") {
  for (auto const& scene : scenes()) {
    std::size_t const calls = calls_of(scene);
    std::size_t kind_of_fault = 0;
    for (int const error :
         is_sampled ? std::vector{ENOSPC, EINTR} : std::vector{ENOSPC, EIO, EINTR, EDQUOT, EROFS, EINVAL}) {
      for (bool const for_ever : {false, true}) {
        ++kind_of_fault;
        for (std::size_t k = 0; k < calls; ++k) {
          if (!is_tried(k, kind_of_fault)) continue;
          CAPTURE(scene.name);
          CAPTURE(error);
          CAPTURE(for_ever);
          CAPTURE(k);
          MemoryFileSystem memory(prepared());
          FaultyFileSystem faulty(memory);
          faulty.fail(k, error, for_ever);
          std::optional<CheckpointFailure> kind;
          bool warned = false;
          try {
            warned = !save(faulty, 3, scene.save).warnings.empty();
          } catch (CheckpointError const& failed) {
            kind = failed.kind();
          }
          if (kind && (error == ENOSPC || error == EDQUOT)) REQUIRE(kind == CheckpointFailure::no_space);
          if (!for_ever && error == EINTR) REQUIRE(!kind);
          faulty.heal();
          REQUIRE(memory.open_handles() == 0);
          auto const seed = loaded(memory);
          REQUIRE(seed.has_value());
          // Safe, and said so; a pointer that could not be written names the one before.
          if (!kind && !warned) REQUIRE(*seed == 3);
          if (!kind) REQUIRE(loaded(memory, {.tag = scene.save.tag}) == 3);
          // Where nothing works any more, not even a rename can be taken back.
          if (kind) REQUIRE((*seed == 2 || (for_ever && *seed == 3)));
          memory.crash(Loss::everything);
          REQUIRE(loaded(memory).has_value());
          (void)save(memory, 4, options("step-4"));
          REQUIRE(loaded(memory) == 4);
        }
      }
    }
  }
}

TEST_CASE("crash: on several ranks all throw the same, none hangs, and the folder is left as it was") {
  constexpr int world = 3;
  auto const run = [](FaultyFileSystem& faulty, std::vector<std::string>& errors) {
    errors.assign(world, "");
    zero::run_ranks(world,
                    [&](zero::ThreadCommunicator& ranks) {
                      PlainState state(ranks, 3);
                      try {
                        (void)checkpoint_test::save_checkpoint(state, CheckpointFolder(faulty, "/run"),
                                                               options("step-3"));
                      } catch (CheckpointError const& error) {
                        errors[static_cast<std::size_t>(ranks.rank())] = error.what();
                      }
                    },
                    {.deadline = std::chrono::seconds(60)});
  };
  MemoryFileSystem counted(prepared());
  FaultyFileSystem counter(counted);
  std::vector<std::string> errors;
  run(counter, errors);
  std::size_t const calls = counter.calls();
  int failures = 0;
  for (int const error : {EIO, ENOSPC}) {
    for (std::size_t k = 0; k < calls; ++k) {
      MemoryFileSystem memory(prepared());
      auto const before = checkpoints_of(memory);
      FaultyFileSystem faulty(memory);
      faulty.fail(k, error, false);
      run(faulty, errors);
      CAPTURE(k);
      for (auto const& e : errors) REQUIRE(e == errors.front());
      REQUIRE(loaded(memory).has_value());
      if (errors.front().empty()) continue;
      ++failures;
      REQUIRE(loaded(memory) == 2);
      REQUIRE(checkpoints_of(memory) == before);
    }
  }
  CHECK(failures > 40);
}

TEST_CASE("crash: any call of a load that fails is a typed error, or an older state that says so") {
  MemoryFileSystem memory(prepared());
  FaultyFileSystem faulty(memory);
  REQUIRE(loaded(faulty) == 2);
  std::size_t const calls = faulty.calls();
  REQUIRE(calls > 20);
  for (int const error : {EIO, EINTR, ENOENT}) {
    for (bool const for_ever : {false, true}) {
      int fell_back = 0;
      for (std::size_t k = 0; k < calls; ++k) {
        CAPTURE(k);
        faulty.fail(k, error, for_ever);
        PlainState state(self, 0);
        zero::LoadReport report;
        bool failed = false;
        try {
          report = checkpoint_test::load_checkpoint(state, CheckpointFolder(faulty, "/run"));
        } catch (CheckpointError const&) {
          failed = true;
        }
        REQUIRE(memory.open_handles() == 0);
        if (failed) continue;
        REQUIRE_FALSE(state.half_loaded);
        REQUIRE(state.same(PlainState(self, report.steps)));
        if (report.steps == 1) REQUIRE_FALSE(report.skipped.empty());
        fell_back += report.steps == 1 ? 1 : 0;
      }
      if (error != EINTR && !for_ever) REQUIRE(fell_back > 0);
    }
  }
}

TEST_CASE("crash: a folder that shows late on another machine is waited for, but not for ever") {
  MemoryFileSystem memory(prepared());
  FaultyFileSystem faulty(memory);
  faulty.only = "create";
  faulty.fail(1, ENOENT, false);  // the first one is the lock's, in a folder that is not new
  faulty.last = 4;
  (void)save(faulty, 3, options("step-3"));
  CHECK(loaded(memory) == 3);
  CHECK(memory.paused() >= std::chrono::milliseconds(10 + 20 + 40 + 80));
  faulty.fail(1, ENOENT, true);
  CHECK(thrown_by([&] { (void)save(faulty, 4, options("step-4")); }).kind == CheckpointFailure::not_found);
  CHECK(loaded(memory) == 3);
}

}  // namespace checkpoint_crash_test
