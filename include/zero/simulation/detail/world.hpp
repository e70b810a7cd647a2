// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/error.hpp>
#include <zero/simulation/detail/collective.hpp>
#include <zero/simulation/detail/communicator_table.hpp>
#include <zero/simulation/detail/deadlock.hpp>
#include <zero/simulation/detail/host.hpp>
#include <zero/simulation/detail/operation.hpp>
#include <zero/simulation/detail/operation_runner.hpp>
#include <zero/simulation/detail/run_token.hpp>
#include <zero/simulation/detail/scheduler.hpp>
#include <zero/simulation/detail/stream.hpp>
#include <zero/simulation/options.hpp>
#include <zero/support/message.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace zero::detail::simulation {

/// All ranks of a simulation: one thread per host, of which one runs at a time, and the operations of all streams,
/// which whoever holds the run token runs. A host gives the run token away only where it waits, and at its end.
class World {
 public:
  explicit World(SimulationOptions const& options)
      : options_(options),
        scheduler_(options.order, options.seed),
        run_token_(static_cast<std::size_t>(options.ranks)),
        communicators_(options.ranks, options.only_rank.has_value()),
        runner_(options_, hosts_, communicators_, result_),
        threads_(static_cast<std::size_t>(options.ranks)) {
    for (int rank = 0; rank < options.ranks; ++rank) {
      auto& host = hosts_.emplace_back();
      host.rank = rank;
      host.thread = static_cast<std::size_t>(rank);
      host.finished = options.only_rank && *options.only_rank != rank;
      host.communicators[0].launched = std::make_shared<LaunchOrder>();
    }
  }
  World(World const&) = delete;
  World& operator=(World const&) = delete;

  [[nodiscard]] SimulationOptions const& options() const noexcept { return options_; }
  [[nodiscard]] CommunicatorTable& communicators() noexcept { return communicators_; }
  [[nodiscard]] Host& host(int rank) { return hosts_[static_cast<std::size_t>(rank)]; }

  /// Nothing waits, nothing is judged or kept, and no other rank takes part: operations need not be queued.
  [[nodiscard]] bool passes_through() const noexcept {
    return options_.only_rank && !options_.check && !options_.trace;
  }
  void count_operation() noexcept { ++result_.operations; }

  /// Runs `f(rank)` for every rank and what it puts on streams. \throws the first error of any rank.
  template <class Function>
  SimulationResult run(Function const& f) {
    std::vector<std::thread> threads;
    for (auto& host : hosts_) {
      if (!host.finished) threads.emplace_back([this, &f, &host] { run_host(f, host); });
    }
    pass_on();
    for (auto& thread : threads) thread.join();
    if (error_) std::rethrow_exception(error_);
    return std::move(result_);
  }

  // ------------------------------------------------------------------------------------------------- what hosts do

  [[nodiscard]] Stream& make_stream(Host& host, std::string_view name) {
    return host.streams.emplace_back(Stream{.rank = host.rank,
                                            .ranks = static_cast<std::uint64_t>(options_.ranks),
                                            .ordinal = host.streams.size(),
                                            .thread = threads_++,
                                            .name = std::string(name)});
  }

  /// Puts an operation on a stream. May run it and others. Never throws for what they do: that shows at the next wait.
  std::shared_ptr<Operation> put(Host& host, Stream& stream, Operation operation) {
    operation.number = ++numbers_;
    operation.rank = host.rank;
    operation.stream = &stream.name;
    operation.put_at = host.time;
    if (options_.check) operation.host = host.clock_snapshot();
    if (operation.collective) OperationRunner::launched(host, operation.collective->communicator()).push_back(&stream);
    if (operation.transfer) OperationRunner::launched(host, operation.transfer->communicator).push_back(&stream);
    stream.last = std::make_shared<Operation>(std::move(operation));
    stream.queue.push_back(stream.last);
    auto put = stream.last;
    while (!error_ && run_one_operation(1)) continue;
    return put;
  }

  /// Blocks the host until \p operation has run; null: not at all. \throws CommunicationError once any rank failed.
  void await(Host& host, std::shared_ptr<Operation> const& operation) {
    if (!operation) return;
    host.awaits = operation;
    block(host);
    host.awaits.reset();
    throw_if_failed(host);
  }

  /// Blocks the host until every host has come to \p collective.
  void meet(Host& host, std::shared_ptr<Collective> const& collective) {
    host.meets = collective;
    block(host);
    host.meets.reset();
    throw_if_failed(host);
    for (auto const& part : collective->parts()) {
      if (part) host.join_clock(*part->snapshot, host.time);
    }
  }

  /// Lets one operation run, for a host that asks whether something is over already.
  void poll() {
    if (!error_) (void)run_one_operation(0);
  }

  /// Enters an access of the host. A race fails the simulation at the next wait. Pending operations are checked at
  /// once, because the memory may be reused before they run.
  void host_touches(Host& host, Access const& access) noexcept {
    if (error_ || !options_.check) return;
    host.tick();
    try {
      for (auto const& stream : host.streams) {
        for (auto const& pending : stream.queue) host.checker.judge_pending(access, pending);
      }
      host.checker.touch(access, {host.thread, nullptr, host.rank}, host.clock);
    } catch (std::exception const& error) {
      fail(host.rank, error.what());
    }
  }

  /// Whether the source orders anything at \p site in this run.
  [[nodiscard]] bool orders(OrderingKind kind, CallSite site) {
    OrderingSite const place{kind, site};
    auto& known = result_.sites;
    if (std::find(known.begin(), known.end(), place) == known.end()) known.push_back(place);
    return !options_.without || !(*options_.without == place);
  }

  /// Ends the simulation with the exception that is being handled. The first failure counts.
  void fail(int rank, std::string reason) {
    if (error_) return;
    error_ = std::current_exception();
    failed_rank_ = rank;
    reason_ = std::move(reason);
  }
  [[nodiscard]] bool failed() const noexcept { return error_ != nullptr; }
  void throw_if_failed(Host const& host) const {
    if (!error_) return;
    throw CommunicationError(
        CommunicationFailure::peer_failed, {.rank = failed_rank_, .operation = "simulation"},
        concat({"zero: rank ", host.rank, " was stopped: rank ", failed_rank_, " failed: ", reason_}));
  }

 private:
  template <class Function>
  void run_host(Function const& f, Host& host) {
    run_token_.await(host.thread);
    try {
      f(host.rank);
    } catch (std::exception const& error) {
      fail(host.rank, error.what());
    } catch (...) {
      fail(host.rank, "something that is no std::exception");
    }
    host.finished = true;
    pass_on();
  }

  // Gives the run token away for good; runs what no host waits for.
  void pass_on() {
    for (;;) {
      collect();
      if (ready_.empty() && runnable_.empty()) {
        if (!declare_deadlock()) return;
        continue;
      }
      if (advance()) continue;
      run_token_.give(runnable_[scheduler_.draw(runnable_.size())]->thread);
      return;
    }
  }

  // Returns when the host may go on, or once the simulation has failed.
  void block(Host& host) {
    while (!error_ && !host.may_go_on()) {
      collect();
      if (ready_.empty() && runnable_.empty()) {
        declare_deadlock();
        return;
      }
      if (advance()) continue;
      run_token_.give(runnable_[scheduler_.draw(runnable_.size())]->thread);
      run_token_.await(host.thread);
    }
  }

  /// Finds what may run: streams, and hosts; after a failure every host that has not finished.
  void collect() {
    ready_.clear();
    runnable_.clear();
    for (auto& host : hosts_) {
      if (!host.finished && (error_ || host.may_go_on())) runnable_.push_back(&host);
      for (auto& stream : host.streams) {
        if (!error_ && !stream.queue.empty() && OperationRunner::may_run(host, stream)) ready_.push_back(&stream);
      }
    }
  }

  /// Runs an operation if the scheduler prefers one to the hosts that could go on.
  bool advance() {
    auto* const stream = ready_.empty() ? nullptr : scheduler_.choose(ready_, runnable_.size());
    if (stream == nullptr) return false;
    run_front(*stream);
    return true;
  }
  // Runs an operation, if there is one and the scheduler prefers it to so many hosts.
  bool run_one_operation(std::size_t hosts) {
    collect();
    auto* const stream = ready_.empty() ? nullptr : scheduler_.choose(ready_, hosts);
    if (stream != nullptr) run_front(*stream);
    return stream != nullptr;
  }

  void run_front(Stream& stream) {
    try {
      runner_.run_front(stream);
    } catch (std::exception const& error) {
      fail(stream.rank, error.what());
    }
  }

  // False when everything is over instead.
  bool declare_deadlock() {
    if (error_ || std::all_of(hosts_.begin(), hosts_.end(), [](Host const& host) { return host.finished; })) {
      auto const left = [](Host const& host) {
        return std::any_of(host.streams.begin(), host.streams.end(), [](Stream const& s) { return !s.queue.empty(); });
      };
      if (error_ || std::none_of(hosts_.begin(), hosts_.end(), left)) return false;
    }
    try {
      throw DeadlockError(describe_deadlock(hosts_));
    } catch (Error const& error) {
      fail(0, error.what());
    }
    return true;
  }

  SimulationOptions options_;
  Scheduler scheduler_;
  RunToken run_token_;
  std::deque<Host> hosts_;
  SimulationResult result_;
  CommunicatorTable communicators_;
  OperationRunner runner_;
  std::vector<Stream*> ready_;
  std::vector<Host*> runnable_;
  std::size_t threads_;
  std::uint64_t numbers_ = 0;
  std::exception_ptr error_;
  int failed_rank_ = 0;
  std::string reason_;
};

}  // namespace zero::detail::simulation
