// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Two processes and one folder of checkpoints, on the machine's own file system. A sixth of the saves, all of them
// where ZERO_TEST_FULL is set.

#include "checkpoint/calls.hpp"
#include "checkpoint/plain_state.hpp"
#include "checkpoint/support.hpp"

#include <zero/checkpoint/lock.hpp>

#include <doctest/doctest.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace checkpoint_two_writers_test {

using checkpoint_test::PlainState;
using checkpoint_test::TemporaryFolder;
using checkpoint_test::thrown_by;
using std::chrono::milliseconds;
using zero::CheckpointFailure;

namespace {

zero::SelfCommunicator self;

/// A process that runs writer_program, killed at the latest with this object.
class Writer {
 public:
  Writer(std::string const& folder, milliseconds stale_after, std::string const& mode) {
    std::array<int, 2> in{}, out{};
    REQUIRE(::pipe(in.data()) == 0);
    REQUIRE(::pipe(out.data()) == 0);
    auto const time = std::to_string(stale_after.count());
    process_ = ::fork();
    if (process_ == 0) {
      (void)::dup2(in[0], STDIN_FILENO);
      (void)::dup2(out[1], STDOUT_FILENO);
      for (int const end : {in[0], in[1], out[0], out[1]}) (void)::close(end);
      (void)::execl(WRITER_PROGRAM, WRITER_PROGRAM, folder.c_str(), time.c_str(), mode.c_str(), nullptr);
      ::_exit(127);
    }
    (void)::close(in[0]);
    (void)::close(out[1]);
    in_ = in[1];
    out_ = out[0];
    REQUIRE(process_ > 0);
    REQUIRE(word() == "locked");
  }
  Writer(Writer const&) = delete;
  Writer& operator=(Writer const&) = delete;
  ~Writer() {
    if (process_ > 0) (void)::kill(process_, SIGKILL);
    (void)end();
    (void)::close(in_);
    (void)::close(out_);
  }

  void ask() const { REQUIRE(::write(in_, "\n", 1) == 1); }
  /// The next line that it says; empty where it has ended.
  [[nodiscard]] std::string word() const {
    std::string word;
    for (char c = 0; ::read(out_, &c, 1) == 1 && c != '\n';) word += c;
    return word;
  }
  void signal(int number) const { REQUIRE(::kill(process_, number) == 0); }
  void wait_until_stopped() const {
    int status = 0;
    REQUIRE(::waitpid(process_, &status, WUNTRACED) == process_);
    REQUIRE(WIFSTOPPED(status));
  }
  /// Waits for its end without collecting it.
  void wait_until_killed() const {
    siginfo_t info{};
    REQUIRE(::waitid(P_PID, static_cast<id_t>(process_), &info, WEXITED | WNOWAIT) == 0);
  }
  /// Its exit code, or -1.
  int end() {
    int status = 0;
    if (process_ <= 0 || ::waitpid(std::exchange(process_, -1), &status, 0) < 0) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t process_ = -1;
  int in_ = -1, out_ = -1;
};

zero::CheckpointFolder folder_of(std::string const& path) { return {zero::posix_file_system(), path}; }

void save(zero::CheckpointFolder const& folder, std::string const& tag) {
  PlainState state(self, 1000);
  (void)checkpoint_test::save_checkpoint(state, folder, {.tag = tag});
}

/// All names of checkpoints, each of which must be whole.
std::vector<std::string> whole_checkpoints(std::string const& path) {
  auto const folder = folder_of(path);
  std::vector<std::string> names, tags;
  REQUIRE(folder.system().list(path, names) == 0);
  for (auto const& name : names) {
    if (!zero::detail::is_valid_tag(name)) continue;
    CAPTURE(name);
    REQUIRE_NOTHROW(checkpoint_test::verify_checkpoint(folder.system(), folder.path(name),
                                                       checkpoint_test::read_manifest(folder, name)));
    tags.push_back(name);
  }
  return tags;
}

}  // namespace

TEST_CASE("two writers: as often as one process saves, another is refused, until the first is killed") {
  TemporaryFolder const folder;
  auto const path = folder / "run";
  Writer writer(path, std::chrono::minutes(2), "steps");
  int const saves = std::getenv("ZERO_TEST_FULL") != nullptr ? 600 : 100;
  int refused = 0;
  for (int i = 0; i < saves; ++i) {
    writer.ask();  // it saves while this process tries to
    auto const thrown = thrown_by([&] { save(folder_of(path), "mine"); });
    refused += thrown.kind == CheckpointFailure::locked ? 1 : 0;
    REQUIRE(writer.word() == "saved");
  }
  CHECK(refused == saves);
  CHECK(whole_checkpoints(path).size() == 3);
  writer.signal(SIGKILL);
  writer.wait_until_killed();  // nobody has collected it: it runs nothing all the same
  CHECK_NOTHROW(save(folder_of(path), "mine"));
  CHECK(whole_checkpoints(path).size() == 4);
}

TEST_CASE("two writers: one that ends well leaves the folder to the next, of another process or of its own") {
  TemporaryFolder const folder;
  auto const path = folder / "run";
  {
    Writer writer(path, std::chrono::minutes(2), "steps");
    writer.ask();
    REQUIRE(writer.word() == "saved");
  }
  CHECK_NOTHROW(save(folder_of(path), "mine"));
  Writer const writer(path, std::chrono::minutes(2), "steps");
  CHECK(thrown_by([&] { save(folder_of(path), "mine-2"); }).kind == CheckpointFailure::locked);
}

TEST_CASE("two writers: one that was stopped for too long publishes nothing more when it wakes up") {
  constexpr milliseconds stale_after{300};
  for (int i = 0; i < 8; ++i) {
    CAPTURE(i);
    TemporaryFolder const folder;
    auto const path = folder / "run";
    Writer writer(path, stale_after, "on");
    // Somewhere in its saves: wherever that is, the same must hold.
    std::this_thread::sleep_for(std::chrono::microseconds(20'000 + 1'700 * i));
    writer.signal(SIGSTOP);
    writer.wait_until_stopped();
    auto mine = folder_of(path);
    while (!mine.is_locked()) {
      try {
        mine.lock({.stale_after = stale_after});
      } catch (zero::CheckpointError const& error) {
        REQUIRE(error.kind() == CheckpointFailure::locked);
        std::this_thread::sleep_for(milliseconds(10));
      }
    }
    save(mine, "mine-1");
    auto const before = whole_checkpoints(path);
    writer.signal(SIGCONT);
    CHECK(writer.end() == 5);
    for (auto const& tag : whole_checkpoints(path)) {
      CAPTURE(tag);
      CHECK(std::find(before.begin(), before.end(), tag) != before.end());
    }
    CHECK_NOTHROW(mine.check_lock());
    CHECK_NOTHROW(save(mine, "mine-2"));
    CHECK(folder_of(path).pointer("latest") == "mine-2");
    auto const after = whole_checkpoints(path);
    CHECK(std::count(after.begin(), after.end(), "mine-1") == 1);
  }
}

}  // namespace checkpoint_two_writers_test
