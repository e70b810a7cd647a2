// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Checkpoints large enough to be read by a thread of its own, in pieces, through a ring of one chunk.

#include "checkpoint/calls.hpp"
#include "checkpoint/faulty_file_system.hpp"
#include "checkpoint/memory_file_system.hpp"
#include "checkpoint/plain_state.hpp"
#include "checkpoint/support.hpp"

#include <zero/communicators/thread.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>

namespace checkpoint_read_ahead_test {

using checkpoint_test::FaultyFileSystem;
using checkpoint_test::MemoryFileSystem;
using checkpoint_test::PlainState;
using checkpoint_test::thrown_by;
using zero::CheckpointFailure;
using zero::CheckpointFolder;

namespace {

constexpr std::size_t rows = 120'000;  // 1.4 MB of each kind
zero::SelfCommunicator self;

/// By \p world ranks, whose files' lengths are not multiples of 8.
void save(MemoryFileSystem& memory, std::uint64_t seed, std::uint64_t chunk, int world = 3) {
  zero::run_ranks(world, [&](zero::ThreadCommunicator& ranks) {
    PlainState state(ranks, seed, rows);
    (void)checkpoint_test::save_checkpoint(state, CheckpointFolder(memory, "/run"),
                                           {.tag = "step-" + std::to_string(seed), .chunk = chunk});
  });
}

}  // namespace

TEST_CASE("read ahead: what is read in pieces of chunks of any size is what was written, on any number of ranks") {
  for (std::uint64_t const chunk : {200'008U, 1U << 20U, 3'000'000U}) {
    CAPTURE(chunk);
    MemoryFileSystem memory;
    save(memory, 7, chunk);
    for (int const world : {1, 2}) {
      zero::run_ranks(world, [&](zero::ThreadCommunicator& ranks) {
        PlainState state(ranks, 0, rows);
        auto const report = checkpoint_test::load_checkpoint(state, CheckpointFolder(memory, "/run"));
        CHECK(state.same(PlainState(self, 7, rows)));
        CHECK(report.bytes_read > 3 * rows * 12);
      });
    }
    CHECK(memory.open_handles() == 0);
  }
}

TEST_CASE("read ahead: no byte of a damaged chunk is used, however far the reader has come") {
  MemoryFileSystem memory;
  save(memory, 6, 200'008);
  save(memory, 7, 200'008);
  std::string const path = "/run/step-7/parameters-00001-of-00003.safetensors";
  auto const whole = memory.content(path);
  for (std::size_t const at : {whole.size() - 1, whole.size() / 2}) {
    auto damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    memory.replace(path, damaged);
    PlainState state(self, 0, rows);
    auto const thrown = thrown_by(
        [&] { (void)checkpoint_test::load_checkpoint(state, CheckpointFolder(memory, "/run"), {.tag = "step-7"}); });
    CHECK(thrown.kind == CheckpointFailure::damaged);
    CHECK(thrown.says("parameters-00001-of-00003"));
    CHECK(state.half_loaded);
    PlainState const seven(self, 7, rows);
    auto const& got = state.elements().at({0, 0});
    auto const& saved = seven.elements().at({0, 0});
    CHECK(std::equal(got.begin(), got.end(), saved.begin(),
                     [](std::byte read, std::byte wanted) { return read == wanted || read == std::byte{}; }));

    PlainState other(self, 0, rows);
    auto const report = checkpoint_test::load_checkpoint(other, CheckpointFolder(memory, "/run"));
    CHECK(report.tag == "step-6");
    CHECK(report.skipped.size() == 1);
    CHECK(other.same(PlainState(self, 6, rows)));
  }
  CHECK(memory.open_handles() == 0);
}

TEST_CASE("read ahead: any call that fails on the reader's thread is a typed error on the caller's") {
  MemoryFileSystem memory;
  save(memory, 7, 1U << 19U, 1);
  FaultyFileSystem faulty(memory);
  auto const load = [&](PlainState& state) {
    (void)checkpoint_test::load_checkpoint(state, CheckpointFolder(faulty, "/run"));
  };
  {
    PlainState state(self, 0, rows);
    load(state);
  }
  std::size_t const calls = faulty.calls();
  REQUIRE(calls > 50);
  int failed = 0;
  for (std::size_t k = 0; k < calls; ++k) {
    CAPTURE(k);
    faulty.fail(k, EIO, false);
    PlainState state(self, 0, rows);
    try {
      load(state);
      REQUIRE(state.same(PlainState(self, 7, rows)));
    } catch (zero::CheckpointError const&) {
      ++failed;
    }
    REQUIRE(memory.open_handles() == 0);
  }
  CHECK(failed > 45);
}

}  // namespace checkpoint_read_ahead_test
