// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "monitor/support.hpp"

#include <zero/monitor/monitors.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <signal.h>
#include <unistd.h>

namespace monitor_monitors_test {

using monitor_test::content;
using monitor_test::Folder;
using monitor_test::names_in;
using monitor_test::refusal_of;
using monitor_test::Warnings;
using zero::monitor::Existing;
using zero::monitor::Monitors;

namespace {

/// What the test and the monitor of the background thread share.
struct Gate {
  std::mutex mutex;
  std::condition_variable changed;
  bool open = true, entered = false;
  std::vector<std::string> calls;
  void close() {
    std::lock_guard const lock(mutex);
    open = entered = false;
  }
  void let_in() {
    std::lock_guard const lock(mutex);
    open = true;
    changed.notify_all();
  }
  void wait_for_entry() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return entered; });
  }
};

/// A monitor that stands still while its gate is closed, as one on a disk that hangs.
class Gated final : public zero::monitor::Monitor {
 public:
  explicit Gated(Gate& gate) : gate_(gate) {}
  [[nodiscard]] std::string const& place() const noexcept override { return place_; }
  [[nodiscard]] bool holds_curves() const override { return false; }
  void replace() override { note("replace"); }
  void resume_at(std::uint64_t step) override { note("resume_at " + std::to_string(step)); }
  void scalar(zero::monitor::Scalar const& scalar) override {
    std::unique_lock lock(gate_.mutex);
    gate_.entered = true;
    gate_.changed.notify_all();
    gate_.changed.wait(lock, [&] { return gate_.open; });
    gate_.calls.push_back(scalar.tag + " " + std::to_string(scalar.step));
  }
  void text(zero::monitor::Text const& text) override { note(text.tag); }
  void flush() override { note("flush"); }

 private:
  void note(std::string call) {
    std::lock_guard const lock(gate_.mutex);
    gate_.calls.push_back(std::move(call));
  }
  Gate& gate_;
  std::string place_ = "nowhere";
};

class Throwing final : public zero::monitor::Monitor {
 public:
  [[nodiscard]] std::string const& place() const noexcept override { return place_; }
  [[nodiscard]] bool holds_curves() const override { return false; }
  void replace() override { throw std::runtime_error("broken"); }
  void resume_at(std::uint64_t /*step*/) override { throw 1; }
  void scalar(zero::monitor::Scalar const& /*scalar*/) override { throw std::runtime_error("broken"); }
  void text(zero::monitor::Text const& /*text*/) override {}
  void flush() override {}

 private:
  std::string place_ = "nowhere";
};

Monitors::Config all_in(Folder const& folder, Warnings& warnings) {
  return {.tensorboard = {{.output_path = folder.path(), .job_name = "job"}},
          .csv = {{.output_path = folder.path(), .job_name = "job"}},
          .json_lines = {{.output_path = folder.path(), .job_name = "job"}},
          .interval = std::chrono::hours(1),  // no test waits for it
          .warning = warnings.warning()};
}

}  // namespace

TEST_CASE("monitors: all of them are written, on demand and at the end") {
  Folder const folder;
  Warnings warnings;
  {
    Monitors monitors(all_in(folder, warnings));
    CHECK(monitors.enabled());
    monitors.begin();
    monitors.text("settings", "{}", 0);
    monitors.scalar("a", 0.5, 1);
    CHECK(monitors.flush());
    CHECK(content(folder / "job/a.csv") == "step,a\r\n1,0.5\r\n");
    CHECK(names_in(folder / "job").size() == 3);
    monitors.scalar("a", 0.25, 2);
  }
  CHECK(content(folder / "job/a.csv") == "step,a\r\n1,0.5\r\n2,0.25\r\n");
  CHECK(content(folder / "job/metrics.jsonl").find("\"text\":\"{}\"") != std::string::npos);
  CHECK(warnings.said.empty());
}

TEST_CASE("monitors: without any there is nothing to do") {
  Monitors monitors;
  CHECK(!monitors.enabled());
  monitors.begin();
  monitors.resume_at(3);
  monitors.scalar("a", 0.5, 1);
  monitors.text("a", "b", 1);
  CHECK(monitors.flush());
  CHECK(monitors.dropped() == 0);
}

TEST_CASE("monitors: a new run refuses another's curves, untouched, unless they are to be replaced") {
  Folder const folder;
  Warnings warnings;
  {
    Monitors monitors(all_in(folder, warnings));
    monitors.scalar("a", 0.5, 1);
  }
  auto const before = content(folder / "job/a.csv");
  Monitors monitors(all_in(folder, warnings));
  CHECK(monitor_test::refusal_of([&] { monitors.begin(); }).find("holds the curves of another run") !=
        std::string::npos);
  CHECK(content(folder / "job/a.csv") == before);
  monitors.begin(Existing::replace);
  CHECK(names_in(folder / "job") == std::vector<std::string>{"metrics.jsonl"});
  CHECK(content(folder / "job/metrics.jsonl").empty());
}

TEST_CASE("monitors: what a run that goes back in one process has written after that step is cut off") {
  Folder const folder;
  Warnings warnings;
  {
    Monitors monitors(all_in(folder, warnings));
    for (std::uint64_t step = 1; step <= 4; ++step) monitors.scalar("a", 0.5, step);
    monitors.resume_at(2);
    CHECK(content(folder / "job/a.csv") == "step,a\r\n1,0.5\r\n2,0.5\r\n");
    monitors.scalar("a", 0.25, 3);
  }
  CHECK(content(folder / "job/a.csv") == "step,a\r\n1,0.5\r\n2,0.5\r\n3,0.25\r\n");
}

TEST_CASE("monitors: a monitor that stands still holds nobody up, and what finds no room is counted and said") {
  Gate gate;
  gate.open = false;
  Warnings warnings;
  std::uint64_t total = 0;
  {
    Monitors monitors({.queue_bytes = 8192, .interval = std::chrono::hours(1), .warning = warnings.warning()});
    monitors.add(std::make_unique<Gated>(gate));
    monitors.scalar("a", 0.5, 0);
    CHECK(!monitors.flush(std::chrono::milliseconds(1)));
    gate.wait_for_entry();
    for (std::uint64_t step = 1; step <= 1000; ++step) monitors.scalar("a", 0.5, step);
    CHECK(monitors.dropped() > 800);
    CHECK(monitors.dropped() < 1000);
    monitors.text("t", std::string(8192, 'x'), 1);
    auto const dropped = monitors.dropped();
    gate.let_in();
    CHECK(monitors.flush(std::chrono::minutes(5)));
    monitors.scalar("a", 0.5, 1001);
    CHECK(monitors.flush(std::chrono::minutes(5)));
    CHECK(monitors.dropped() == dropped);
    CHECK(gate.calls[1] == "flush");
    CHECK(gate.calls.back() == "flush");
    CHECK(gate.calls[gate.calls.size() - 2] == "a 1001");
    CHECK(gate.calls.size() == 1002 - (dropped - 1) + 3);
    CHECK(warnings.says(std::to_string(dropped) + " values were dropped"));
    CHECK(warnings.said.size() == 1);
    gate.close();
    monitors.scalar("a", 0.5, 1002);
    CHECK(!monitors.flush(std::chrono::milliseconds(1)));
    gate.wait_for_entry();
    monitors.text("t", std::string(8192, 'x'), 1);
    gate.let_in();
    total = dropped + 1;
  }
  CHECK(warnings.said.size() == 2);
  CHECK(warnings.says(std::to_string(total) + " values were dropped"));
}

TEST_CASE("monitors: one that throws loses what it was given; the others and the run go on") {
  Folder const folder;
  Warnings warnings;
  {
    auto config = all_in(folder, warnings);
    config.tensorboard.reset();
    Monitors monitors(config);
    monitors.add(std::make_unique<Throwing>());
    monitors.begin();
    monitors.resume_at(0);
    monitors.scalar("a", 0.5, 1);
    CHECK(monitors.flush());
  }
  CHECK(content(folder / "job/a.csv") == "step,a\r\n1,0.5\r\n");
  CHECK(warnings.said.size() == 1);
  CHECK(warnings.says("broken"));
}

TEST_CASE("monitors: the thread in the background takes no signal of the program's") {
  sigset_t user, before;
  ::sigemptyset(&user);
  ::sigaddset(&user, SIGUSR1);
  Folder const folder;
  Warnings warnings;
  Monitors monitors(all_in(folder, warnings));
  monitors.scalar("a", 0.5, 1);
  CHECK(monitors.flush());
  ::pthread_sigmask(SIG_BLOCK, &user, &before);
  // Any thread that does not block it would be ended by it, and the process with it.
  REQUIRE(::kill(::getpid(), SIGUSR1) == 0);
  int taken = 0;
  CHECK(::sigwait(&user, &taken) == 0);
  CHECK(taken == SIGUSR1);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST_CASE("monitors: one run has a folder at a time, for as long as it lives") {
  Folder const folder;
  Warnings warnings;
  auto const refuses = [](auto&& f) {
    return refusal_of(f).find("another run is writing curves to '") != std::string::npos;
  };
  {
    Monitors first(all_in(folder, warnings)), second(all_in(folder, warnings));
    first.begin();
    first.claim();
    CHECK(refuses([&] { second.claim(); }));
    CHECK(refuses([&] { second.begin(Existing::replace); }));
    CHECK(refuses([&] { second.resume_at(3); }));
    first.scalar("loss", 1.0, 1);
    CHECK(first.flush());
    second.scalar("loss", 2.0, 1);  // of a run that never asked
    CHECK(second.flush());
    CHECK(content(folder / "job/loss.csv") == "step,loss\r\n1,1\r\n");
    CHECK(warnings.said.size() == 1);
    CHECK(warnings.says("another run is writing curves"));
  }
  // Each kind by itself, as a folder may have all of them.
  Monitors first({.tensorboard = all_in(folder, warnings).tensorboard}), second({.csv = all_in(folder, warnings).csv});
  first.claim();
  CHECK_NOTHROW(second.claim());
}

}  // namespace monitor_monitors_test
