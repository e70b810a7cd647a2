// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "checkpoint/calls.hpp"
#include "checkpoint/faulty_file_system.hpp"
#include "checkpoint/memory_file_system.hpp"
#include "checkpoint/plain_state.hpp"
#include "checkpoint/session.hpp"
#include "checkpoint/support.hpp"
#include "skip.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

namespace checkpoint_saver_test {

using checkpoint_test::FaultyFileSystem;
using checkpoint_test::MemoryFileSystem;
using checkpoint_test::PlainState;
using checkpoint_test::Session;
using checkpoint_test::Setup;
using checkpoint_test::thrown_by;
using checkpoint_test::with_session;
using zero::CheckpointFailure;

namespace {

zero::LoadReport load(MemoryFileSystem& memory, Session& session, zero::LoadOptions const& options = {}) {
  return checkpoint_test::load_checkpoint(*session.state(), zero::CheckpointFolder(memory, "/run"), options);
}

}  // namespace

TEST_CASE("saver: what is written in the background is the state of the step at which it was asked for") {
  for (bool const polls : {false, true}) {
    MemoryFileSystem memory;
    Setup const setup{.stage = zero::Stage::parameters, .world = 2};
    std::vector<std::uint64_t> hashes(7);
    with_session(setup, [&](Session& session) {
      checkpoint_test::Saver saver("/run", memory);
      for (int step = 1; step <= 6; ++step) {
        session.train(step - 1, 1);
        auto const mine = session.hash();
        if (session.state()->rank() == 0) hashes[static_cast<std::size_t>(step)] = mine;
        auto const earlier = saver.start(session.state(), {.tag = "step-" + std::to_string(step), .chunk = 512});
        if (!polls && step > 1) CHECK(earlier->tag == "step-" + std::to_string(step - 1));
        CHECK(saver.under_way());
        for (int i = 0; polls && saver.under_way(); ++i) {
          if (auto const report = saver.poll()) CHECK(report->steps == static_cast<std::uint64_t>(step));
        }
      }
      if (!polls) CHECK(saver.finish()->tag == "step-6");
      CHECK_FALSE(saver.under_way());
      CHECK_FALSE(saver.poll().has_value());
      CHECK_FALSE(saver.finish().has_value());
    });
    with_session(setup, [&](Session& session) {
      for (int step = 1; step <= 6; ++step) {
        (void)load(memory, session, {.tag = "step-" + std::to_string(step)});
        CHECK(session.hash() == hashes[static_cast<std::size_t>(step)]);
      }
    });
  }
}

TEST_CASE(
    "saver: a failure in the background reaches every rank where the save is asked after, and the next one works") {
  MemoryFileSystem memory;
  FaultyFileSystem faulty(memory);
  for (auto const* const call : {"write", "sync", "rename_new"}) {
    CAPTURE(call);
    with_session({.world = 2}, [&](Session& session) {
      session.train(0, 1);
      checkpoint_test::Saver saver("/run", faulty);
      std::string const name(call);
      (void)saver.start(session.state(), {.tag = "0-" + name});  // from here on it has the folder
      (void)saver.finish();
      if (session.state()->rank() == 0) {
        faulty.only = call;
        faulty.fail(0, ENOSPC, false);
      }
      (void)session.hash();  // collective: nobody saves before the fault is set
      (void)saver.start(session.state(), {.tag = "a-" + name});
      CHECK(thrown_by([&] { (void)saver.finish(); }).kind == CheckpointFailure::no_space);
      CHECK_FALSE(saver.under_way());
      (void)saver.start(session.state(), {.tag = "b-" + name});
      CHECK(saver.finish()->tag == "b-" + name);
    });
  }
  with_session({}, [&](Session& session) {
    CHECK(load(memory, session).tag == "b-rename_new");
    CHECK(thrown_by([&] { (void)load(memory, session, {.tag = "a-write"}); }).kind == CheckpointFailure::not_found);
  });
}

TEST_CASE("saver: a save that has failed is told of where the next one starts, which it does not keep from starting") {
  MemoryFileSystem memory;
  FaultyFileSystem faulty(memory);
  with_session({.world = 2}, [&](Session& session) {
    session.train(0, 1);
    checkpoint_test::Saver saver("/run", faulty);
    (void)saver.start(session.state(), {.tag = "a"});
    (void)saver.finish();
    if (session.state()->rank() == 0) {
      faulty.only = "sync";
      faulty.fail(0, EIO, false);
    }
    (void)session.hash();  // collective: nobody saves before the fault is set
    (void)saver.start(session.state(), {.tag = "b"});
    auto const thrown = thrown_by([&] { (void)saver.start(session.state(), {.tag = "c"}); });
    CHECK(thrown.kind == CheckpointFailure::input_output);
    CHECK(saver.under_way());
    CHECK(saver.finish()->tag == "c");
  });
  with_session({}, [&](Session& session) {
    CHECK(load(memory, session).tag == "c");
    CHECK(thrown_by([&] { (void)load(memory, session, {.tag = "b"}); }).kind == CheckpointFailure::not_found);
  });
}

TEST_CASE("saver: the memory of snapshots is pinned as long as it is there, and anew where it grows") {
  MemoryFileSystem memory;
  zero::SelfCommunicator alone;
  auto small = std::make_unique<PlainState>(alone, 1, 5);
  auto large = std::make_unique<PlainState>(alone, 1, 5000);
  auto const first = small->pinned(), second = large->pinned();
  {
    checkpoint_test::Saver saver("/run", memory);
    (void)saver.start(std::move(small), {.tag = "a"});
    auto const size = first->size();
    CHECK(size > 0);
    (void)saver.start(std::move(large), {.tag = "b"});
    CHECK(first->empty());
    CHECK(second->size() > size);
    (void)saver.finish();
    CHECK_FALSE(second->empty());
  }
  CHECK(second->empty());
}

TEST_CASE("saver: one that is given up leaves no checkpoint behind, and waits for its thread") {
  MemoryFileSystem memory;
  with_session({.world = 2}, [&](Session& session) {
    checkpoint_test::Saver saver("/run", memory);
    (void)saver.start(session.state(), {.tag = "a"});
  });
  with_session({.world = 2}, [&](Session& session) {
    CHECK(thrown_by([&] { (void)load(memory, session); }).kind == CheckpointFailure::not_found);
    checkpoint_test::Saver saver("/run", memory);
    (void)saver.start(session.state(), {.tag = "b"});
    (void)saver.finish();
  });
  for (auto const& [path, content] : memory.snapshot()) {
    CHECK((path.find("/.") == std::string::npos || path.starts_with("run/.owner.")));
  }
}

TEST_CASE("saver: memory that is reserved is there before the first save, and enough for it" *
          doctest::test_suite("resident_memory")) {
  auto const resident = [] {
    std::ifstream file("/proc/self/statm");
    std::size_t pages = 0;
    file >> pages >> pages;
    return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  };
  if (resident() == 0) ZERO_SKIP("this system does not say how much memory a process has in use");
  constexpr std::size_t rows = 500'000;  // 18 MB of all kinds
  zero::SelfCommunicator self;
  MemoryFileSystem memory;
  checkpoint_test::Saver saver("/run", memory);
  std::unique_ptr<zero::EngineState> state = std::make_unique<checkpoint_test::PlainState>(self, 1, rows);
  std::size_t const before = resident();
  saver.reserve(state);
  CHECK(resident() > before + std::size_t{16'000'000});
  (void)saver.start(std::move(state), {.tag = "a"});
  CHECK(saver.finish()->bytes > 18'000'000);
}

}  // namespace checkpoint_saver_test
