// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "checkpoint/calls.hpp"
#include "checkpoint/faulty_file_system.hpp"
#include "checkpoint/memory_file_system.hpp"
#include "checkpoint/plain_state.hpp"
#include "checkpoint/support.hpp"

#include <zero/checkpoint/lock.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

namespace checkpoint_lock_test {

using checkpoint_test::FaultyFileSystem;
using checkpoint_test::MemoryFileSystem;
using checkpoint_test::PlainState;
using checkpoint_test::thrown_by;
using std::chrono::hours;
using zero::CheckpointError;
using zero::CheckpointFailure;
using zero::CheckpointFolder;
using zero::detail::FolderLock;
using zero::detail::ProcessIdentity;

namespace {

zero::SelfCommunicator self;

// Hours, so that no heartbeat comes while a test runs: these files are dated by a clock that the test moves.
constexpr zero::CheckpointLockOptions slow{.stale_after = hours(100)};

ProcessIdentity process_elsewhere(std::uint64_t pid = 17) {
  return {.host = "node-3", .boot = std::to_string(pid), .pid_namespace = "pid:[1]", .pid = pid, .start_time = 5};
}

std::unique_ptr<FolderLock> lock_of(zero::FileSystem& system, ProcessIdentity process,
                                    zero::CheckpointLockOptions const& how = slow) {
  return std::make_unique<FolderLock>(system, "/run", CheckpointFolder::make_nonce(), how, std::move(process));
}

std::vector<std::string> entries(MemoryFileSystem& memory) {
  std::vector<std::string> names;
  REQUIRE(memory.list("/run", names) == 0);
  return names;
}

bool has(MemoryFileSystem& memory, std::string const& name) {
  auto const names = entries(memory);
  return std::find(names.begin(), names.end(), name) != names.end();
}

zero::SaveReport save(CheckpointFolder const& folder, std::uint64_t seed, zero::SaveOptions how = {}) {
  PlainState state(self, seed);
  if (how.tag.empty()) how.tag = "step-" + std::to_string(seed);
  return checkpoint_test::save_checkpoint(state, folder, how);
}

std::uint64_t loaded(zero::FileSystem& system, std::string const& tag = {}) {
  PlainState state(self, 0);
  auto const steps = checkpoint_test::load_checkpoint(state, CheckpointFolder(system, "/run"), {.tag = tag}).steps;
  REQUIRE(state.same(PlainState(self, steps)));
  return steps;
}

}  // namespace

TEST_CASE("lock: the owner is named to whoever else wants to save, and the folder is free when it has ended") {
  MemoryFileSystem memory;
  {
    zero::CheckpointLock const lock(self, "/run", slow, memory);
    auto const refused = thrown_by([&] { (void)save(CheckpointFolder(memory, "/run"), 1); });
    CHECK(refused.kind == CheckpointFailure::locked);
    CHECK(refused.says("'/run' belongs to process " + std::to_string(::getpid())));
    CHECK(refused.says("use another folder"));
    CHECK(thrown_by([&] { zero::CheckpointLock(self, "/run", slow, memory); }).kind == CheckpointFailure::locked);
    CHECK(save(lock.folder(), 1).tag == "step-1");
    CHECK_NOTHROW(lock.check());
  }
  CHECK(save(CheckpointFolder(memory, "/run"), 2).tag == "step-2");
  CHECK(save(CheckpointFolder(memory, "/run"), 3).tag == "step-3");
  CHECK(loaded(memory) == 3);
}

TEST_CASE("lock: a saver has the folder from its first save to its end") {
  MemoryFileSystem memory;
  {
    checkpoint_test::Saver saver("/run", memory);
    CHECK(save(CheckpointFolder(memory, "/run"), 1).tag == "step-1");
    (void)saver.start(std::make_unique<PlainState>(self, 2), {.tag = "step-2"});
    (void)saver.finish();
    CHECK(thrown_by([&] { (void)save(CheckpointFolder(memory, "/run"), 3); }).kind == CheckpointFailure::locked);
    (void)saver.start(std::make_unique<PlainState>(self, 4), {.tag = "step-4"});
    (void)saver.finish();
  }
  CHECK(save(CheckpointFolder(memory, "/run"), 5).tag == "step-5");
}

TEST_CASE("lock: every rank gets the error of a folder that is taken, also where ranks run in one process") {
  MemoryFileSystem memory;
  REQUIRE(memory.make_folder("/run") == 0);
  auto const other = lock_of(memory, process_elsewhere());
  zero::run_ranks(3, [&](zero::ThreadCommunicator& ranks) {
    auto const thrown = thrown_by([&] { zero::CheckpointLock(ranks, "/run", slow, memory); });
    CHECK(thrown.kind == CheckpointFailure::locked);
    CHECK(thrown.says("process 17 on 'node-3'"));
    PlainState state(ranks, 7);
    auto const again = thrown_by(
        [&] { (void)checkpoint_test::save_checkpoint(state, CheckpointFolder(memory, "/run"), {.tag = "a"}); });
    CHECK(again.kind == CheckpointFailure::locked);
    CHECK(again.message == "rank 0: zero: " + again.message.substr(again.message.find("'/run'")));
  });
  CHECK(entries(memory) == std::vector<std::string>{".owner.1"});
}

TEST_CASE("lock: a process that is gone on this machine loses the folder at once, one elsewhere when it is silent") {
  MemoryFileSystem memory;
  REQUIRE(memory.make_folder("/run") == 0);
  auto const leave = [&](ProcessIdentity process) {
    zero::detail::Owner const owner{.process = std::move(process), .nonce = "0123456789abcdef"};
    memory.replace("/run/.owner.7", to_text(owner));
  };
  auto const is_taken = [&] {
    try {
      auto const lock = lock_of(memory, zero::detail::this_process());
      CHECK(entries(memory) == std::vector<std::string>{".owner.8"});
    } catch (CheckpointError const& error) {
      CHECK(error.kind() == CheckpointFailure::locked);
      CHECK(entries(memory) == std::vector<std::string>{".owner.7"});
      return false;
    }
    REQUIRE(memory.remove_file("/run/.owner.8") == 0);
    return true;
  };
  auto here = zero::detail::this_process();
  leave(here);  // a lock that this very process has lost
  CHECK(is_taken());
  ++here.start_time;  // the process's number went to another one
  leave(here);
  CHECK(is_taken());
  here.pid = 0x7FFFFFFF;  // larger than Linux gives
  leave(here);
  CHECK(is_taken());
  auto parent = zero::detail::this_process();
  parent.pid = static_cast<std::uint64_t>(::getppid());
  parent.start_time = zero::detail::process_status(std::to_string(parent.pid)).start_time;
  leave(parent);
  CHECK_FALSE(is_taken());
  here = zero::detail::this_process();
  here.pid_namespace = "pid:[2]";  // a container whose processes have other numbers
  leave(here);
  CHECK_FALSE(is_taken());
  here.boot = "before";  // the machine was started anew, or another has its name
  leave(here);
  CHECK_FALSE(is_taken());
  leave(process_elsewhere());
  memory.advance_clock(hours(100));
  CHECK_FALSE(is_taken());
  memory.advance_clock(std::chrono::milliseconds(1));
  CHECK(is_taken());
  for (auto const* const text : {"", "{", "{}", "[1]"}) {  // killed while it wrote
    memory.replace("/run/.owner.7", text);
    CHECK_FALSE(is_taken());
    memory.advance_clock(hours(101));
    CHECK(is_taken());
  }
}

TEST_CASE("lock: who only looks learns who has the folder, takes nothing and writes nothing") {
  MemoryFileSystem memory;
  REQUIRE(memory.make_folder("/run") == 0);
  CheckpointFolder const folder(memory, "/run");
  CHECK_FALSE(folder.look_for_owner());
  {
    zero::CheckpointLock const lock(self, "/run", slow, memory);
    auto const refused = thrown_by([&] { (void)folder.look_for_owner(); });
    CHECK(refused.kind == CheckpointFailure::locked);
    auto const taking = thrown_by([&] { zero::CheckpointLock(self, "/run", {}, memory); });
    CHECK(refused.message == taking.message.substr(taking.message.find("zero: ")));
    CHECK(entries(memory) == std::vector<std::string>{".owner.1"});
  }
  CHECK_FALSE(folder.look_for_owner());  // it was given back
  auto const leave = [&](std::string const& text) { memory.replace("/run/.owner.1", text); };
  auto process = zero::detail::this_process();
  process.pid = 0x7FFFFFFF;  // larger than Linux gives
  leave(to_text(zero::detail::Owner{.process = process, .nonce = "0123456789abcdef"}));
  CHECK_FALSE(folder.look_for_owner());
  leave(to_text(zero::detail::Owner{.process = process_elsewhere(), .nonce = "0123456789abcdef"}));
  CHECK(folder.look_for_owner() == "process 17 on 'node-3'");
  memory.advance_clock(hours(101));  // of which only who writes knows
  CHECK(folder.look_for_owner() == "process 17 on 'node-3'");
  leave("{");
  CHECK(folder.look_for_owner() == "an unknown process");
  CHECK(entries(memory) == std::vector<std::string>{".owner.1"});
  CHECK(thrown_by([&] { (void)CheckpointFolder(memory, "/nowhere").look_for_owner(); }).kind ==
        CheckpointFailure::not_found);
}

TEST_CASE("lock: a heartbeat keeps it, and whoever waits for an owner elsewhere sees it or takes over") {
  MemoryFileSystem memory;
  REQUIRE(memory.make_folder("/run") == 0);
  zero::CheckpointLockOptions const patient{.stale_after = hours(100), .patience = hours(200)};
  auto const silent = lock_of(memory, process_elsewhere());
  auto const before = memory.paused();
  {
    auto const next = lock_of(memory, process_elsewhere(18), patient);
    CHECK(memory.paused() - before > hours(100));
    CHECK(thrown_by([&] { silent->check(); }).says("was taken over by process 18 on 'node-3'"));
  }
  // What the waiting one does between two looks is here the owner's heartbeat.
  auto const alive = lock_of(memory, process_elsewhere(19));
  FaultyFileSystem beating(memory);
  beating.only = "list";
  beating.before = [&](std::size_t) {
    for (auto const& name : entries(memory)) (void)memory.touch("/run/" + name);
  };
  auto const thrown = thrown_by([&] { (void)lock_of(beating, process_elsewhere(20), patient); });
  CHECK(thrown.kind == CheckpointFailure::locked);
  CHECK(thrown.says("process 19"));
}

TEST_CASE("lock: a lock beats by itself, by touching its file or, where that is refused, by writing it again") {
  MemoryFileSystem memory;
  REQUIRE(memory.make_folder("/run") == 0);
  auto const time_of = [&] { return zero::detail::File::open(memory, "/run/.owner.1").modified(); };
  auto const lock = lock_of(memory, process_elsewhere(), {.stale_after = std::chrono::milliseconds(12)});
  auto const before = time_of();
  memory.advance_clock(hours(1));
  while (time_of() == before) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  memory.refuses_touch = true;
  auto const between = time_of();
  memory.advance_clock(hours(1));
  while (time_of() == between) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  CHECK_NOTHROW(lock->check());
}

TEST_CASE("lock: of two that take over at the same time one loses, with links and without") {
  for (int const error : {0, EPERM, EOPNOTSUPP, ENOSYS}) {
    CAPTURE(error);
    MemoryFileSystem memory;
    REQUIRE(memory.make_folder("/run") == 0);
    auto const owner = lock_of(memory, process_elsewhere());
    memory.advance_clock(hours(101));
    FaultyFileSystem system(memory);
    if (error != 0) system.only = "link", system.fail(0, error, true);
    // The other one comes between any two calls of the first.
    std::size_t calls = 100;
    for (std::size_t k = 0; k < calls; ++k) {
      CAPTURE(k);
      FaultyFileSystem watched(static_cast<zero::FileSystem&>(system));
      std::optional<CheckpointFolder> first, second;
      watched.before = [&](std::size_t call) {
        if (call != k || second) return;
        second.emplace(system, "/run");
        try {
          second->lock(slow);
        } catch (CheckpointError const&) {
          second.reset();
        }
      };
      first.emplace(watched, "/run");
      try {
        first->lock(slow);
      } catch (CheckpointError const& refused) {
        REQUIRE(refused.kind() == CheckpointFailure::locked);
        first.reset();
      }
      watched.before = {};
      calls = std::min(calls, first ? watched.calls() : calls);
      REQUIRE((first || second));
      REQUIRE_FALSE((first && second));
      REQUIRE_NOTHROW((first ? first : second)->check_lock());
      REQUIRE(entries(memory).size() == 1);
    }
    CHECK(calls > 4);
  }
}

TEST_CASE("lock: whatever happens meanwhile, an owner that was overtaken publishes nothing more and removes nothing") {
  for (bool const replaces : {false, true}) {
    for (bool const successor_prunes : {false, true}) {
      std::size_t calls = 1;
      for (std::size_t k = 0; k < calls; ++k) {
        MemoryFileSystem memory;
        FaultyFileSystem watched(memory);
        CheckpointFolder first(watched, "/run"), second(memory, "/run");
        first.lock(slow);
        for (std::uint64_t seed = 1; seed <= 3; ++seed) (void)save(first, seed);
        std::string const tag = replaces ? "step-3" : "step-4";
        bool was_there = false;
        std::vector<std::string> before;
        watched.fail(FaultyFileSystem::never, EIO, false);
        watched.before = [&](std::size_t call) {
          if (call != k) return;
          memory.advance_clock(hours(101));
          second.lock(slow);
          if (successor_prunes) second.prune(0, "");
          was_there = has(memory, tag) && loaded(memory, tag) == 4;
          before = entries(memory);
        };
        std::optional<CheckpointError> failure;
        try {
          (void)save(first, 4, {.tag = tag, .replace = replaces, .keep = 2});
        } catch (CheckpointError const& error) {
          failure = error;
        }
        watched.before = {};
        CAPTURE(replaces);
        CAPTURE(successor_prunes);
        CAPTURE(k);
        if (k == 0) calls = watched.calls() + 60;  // it ended early here
        if (!second.is_locked()) {
          REQUIRE(k >= watched.calls());
          break;
        }
        bool const is_there = has(memory, tag) && loaded(memory, tag) == 4;
        REQUIRE((!is_there || was_there));
        if (!is_there && replaces) REQUIRE(loaded(memory, "step-3") == 3);
        if (!failure) REQUIRE(is_there);
        if (failure) REQUIRE(failure->kind() == CheckpointFailure::locked);
        REQUIRE_NOTHROW(second.check_lock());
        auto const thrown = thrown_by([&] { first.check_lock(); });
        REQUIRE(thrown.kind == CheckpointFailure::locked);
        for (auto const* const kept : {"step-1", "step-2", "step-3"}) {
          bool const was = std::find(before.begin(), before.end(), kept) != before.end();
          REQUIRE((has(memory, kept) == was));
        }
        (void)loaded(memory);
        (void)save(second, 5);
        REQUIRE(loaded(memory) == 5);
      }
      CHECK(calls > 60);
    }
  }
}

namespace {

/// Two that go on by turns.
class TwoTurns {
 public:
  /// Lets the other one go on until that yields or ends.
  void yield() {
    std::unique_lock lock(mutex_);
    bool const mine = first_;
    first_ = !mine;
    turned_.notify_all();
    turned_.wait(lock, [&] { return first_ == mine || has_ended_; });
  }
  void await_second() {
    std::unique_lock lock(mutex_);
    turned_.wait(lock, [&] { return !first_ || has_ended_; });
  }
  void end() {
    std::lock_guard const lock(mutex_);
    has_ended_ = true;
    turned_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable turned_;
  bool first_ = true;
  bool has_ended_ = false;
};

/// An owner is stopped before call \p stopped_at of its save, wakes up before call \p woken_at of its successor's, and
/// ends there. \return the successor's save had so many calls; nothing where the owner's has fewer than that.
std::optional<std::size_t> wake_inside_successor(std::size_t stopped_at, std::size_t woken_at) {
  CAPTURE(stopped_at);
  CAPTURE(woken_at);
  MemoryFileSystem memory;
  FaultyFileSystem of_first(memory), of_second(memory);
  CheckpointFolder first(of_first, "/run"), second(of_second, "/run");
  first.lock(slow);
  for (std::uint64_t seed = 1; seed <= 3; ++seed) (void)save(first, seed);
  TwoTurns turns;
  bool is_stopped = false;
  of_first.fail(FaultyFileSystem::never, EIO, false);
  of_first.before = [&](std::size_t call) {
    if (call == stopped_at) is_stopped = true, turns.yield();
  };
  std::thread owner([&] {
    try {
      (void)save(first, 4, {.keep = 2});
    } catch (CheckpointError const&) {  // it has been overtaken
    }
    turns.end();
  });
  turns.await_second();
  std::optional<std::size_t> calls;
  if (is_stopped) {
    memory.advance_clock(hours(101));
    second.lock(slow);
    of_second.fail(FaultyFileSystem::never, EIO, false);
    of_second.before = [&](std::size_t call) {
      if (call == woken_at) turns.yield();
    };
    zero::SaveReport report;
    CHECK_NOTHROW(report = save(second, 9));
    CHECK(report.warnings.empty());
    calls = of_second.calls();
    if (*calls <= woken_at) turns.yield();
  }
  owner.join();
  of_first.before = of_second.before = {};
  if (calls && *calls > woken_at) CHECK(loaded(memory) == 9);
  return calls;
}

}  // namespace

TEST_CASE("lock: an owner that was overtaken and wakes up takes nothing from its successor's save, wherever that is") {
  std::size_t runs = 0;
  bool is_stopped = true;
  for (std::size_t stopped_at = 0; is_stopped; ++stopped_at) {
    for (std::size_t woken_at = stopped_at % 19;; woken_at += 19, ++runs) {  // each of its calls, by turns
      auto const calls = wake_inside_successor(stopped_at, woken_at);
      is_stopped = calls.has_value();
      if (!is_stopped || woken_at >= *calls) break;
    }
  }
  CHECK(runs > 250);
}

TEST_CASE("lock: a folder where latest, best or final would be is left alone, and a save says so") {
  MemoryFileSystem memory;
  CheckpointFolder folder(memory, "/run");
  REQUIRE(memory.make_folder("/run") == 0);
  REQUIRE(memory.make_folder("/run/latest") == 0);
  memory.replace("/run/latest/model", "mine");
  auto const report = save(folder, 1);
  CHECK(report.tag == "step-1");
  REQUIRE(report.warnings.size() == 1);
  CHECK(report.warnings[0].find("latest") != std::string::npos);
  (void)save(folder, 2);
  for (auto const& name : entries(memory)) {
    CAPTURE(name);
    CHECK((name == "latest" || name == "step-1" || name == "step-2" || name.starts_with(".owner.")));
  }
  std::vector<std::string> kept;
  CHECK(memory.list("/run/latest", kept) == 0);
  CHECK(kept == std::vector<std::string>{"model"});
  CHECK(loaded(memory, "step-2") == 2);
}

TEST_CASE("lock: one that is late, so that the number it wants is free again, does not get in a later owner's way") {
  std::size_t calls = 1, refusals = 0;
  for (std::size_t k = 0; k < calls; ++k) {
    CAPTURE(k);
    MemoryFileSystem memory;
    REQUIRE(memory.make_folder("/run") == 0);
    auto const silent = lock_of(memory, process_elsewhere());
    memory.advance_clock(hours(101));
    std::unique_ptr<FolderLock> last;
    FaultyFileSystem watched(memory);
    watched.before = [&](std::size_t call) {
      if (call != k) return;
      try {
        lock_of(memory, process_elsewhere(18)).reset();  // number 2, and it has ended
        last = lock_of(memory, process_elsewhere(19));   // number 3
      } catch (CheckpointError const&) {
        last = nullptr;  // they are late
      }
    };
    try {
      auto const late = lock_of(watched, process_elsewhere(20));
      watched.before = {};
      if (!last) REQUIRE_NOTHROW(late->check());
      if (last) REQUIRE(thrown_by([&] { late->check(); }).kind == CheckpointFailure::locked);
      calls = watched.calls();
    } catch (CheckpointError const& error) {
      REQUIRE(error.kind() == CheckpointFailure::locked);
      calls = std::max(calls, k + 2);
      ++refusals;
    }
    if (last) REQUIRE_NOTHROW(last->check());
  }
  CHECK(refusals > 8);
}

TEST_CASE("lock: what a killed process was writing goes at once, lest it wakes up and publishes the rest of it") {
  for (std::size_t k = 0; k < 40; ++k) {
    CAPTURE(k);
    MemoryFileSystem memory;
    FaultyFileSystem watched(memory);
    CheckpointFolder folder(watched, "/run");
    folder.lock(slow);
    REQUIRE(memory.make_folder("/run/.tmp.step-9.0") == 0);
    for (auto const* const name : {"a", "b", "c"}) memory.replace("/run/.tmp.step-9.0/" + std::string(name), name);
    watched.fail(FaultyFileSystem::never, EIO, false);
    watched.before = [&](std::size_t call) {
      if (call == k) (void)memory.rename_new("/run/.tmp.step-9.0", "/run/step-9");
    };
    folder.prune(0, "");
    watched.before = {};
    std::vector<std::string> files;
    if (has(memory, "step-9")) (void)memory.list("/run/step-9", files);
    CHECK((files.empty() || files.size() == 3));
    CHECK_FALSE(has(memory, ".tmp.step-9.0"));
  }
}

TEST_CASE("lock: one that has lost the folder gives nothing back that is another's") {
  MemoryFileSystem memory;
  REQUIRE(memory.make_folder("/run") == 0);
  auto first = lock_of(memory, process_elsewhere(1));
  memory.advance_clock(hours(101));
  auto second = lock_of(memory, process_elsewhere(2));
  first.reset();
  CHECK_NOTHROW(second->check());
  CHECK(entries(memory) == std::vector<std::string>{".owner.2"});
  CHECK(thrown_by([&] { (void)lock_of(memory, process_elsewhere(3)); }).kind == CheckpointFailure::locked);
  second.reset();
  CHECK_NOTHROW(lock_of(memory, process_elsewhere(3))->check());
}

TEST_CASE("lock: the folder is made with those above it; a file or a link that leads nowhere in its place is named") {
  checkpoint_test::TemporaryFolder const folder;
  auto& system = zero::posix_file_system();
  CHECK_NOTHROW(zero::CheckpointLock(self, folder / "a/b/c").check());
  CHECK_NOTHROW(zero::CheckpointLock(self, folder / "a/b/c/").check());
  zero::detail::write_new(system, folder / "file", "x");
  std::filesystem::create_symlink(folder / "nothing", folder / "link");
  for (std::string const name : {"file", "link"}) {
    auto const thrown = thrown_by([&] { zero::CheckpointLock(self, folder / name); });
    CHECK(thrown.kind == CheckpointFailure::bad_request);
    CHECK(thrown.says("remove it, or name another folder"));
    CHECK(thrown_by([&] { zero::CheckpointLock(self, folder / (name + "/a")); }).kind.has_value());
  }
}

}  // namespace checkpoint_lock_test
