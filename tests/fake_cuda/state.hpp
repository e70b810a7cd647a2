// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "fake_cuda/handles.hpp"
#include "fake_cuda/machine.hpp"
#include "fake_cuda/memory.hpp"

#include <zero/simulation/detail/race_checker.hpp>
#include <zero/simulation/detail/scheduler.hpp>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace fake_cuda {

using zero::simulation::Access;

struct CommGroup;
class Meeting;

/// Who runs an operation, which decides what memory it reaches.
enum class Actor : std::uint8_t { device, host, copier };

/// Whether a call only asks if something is over: how often a program does depends on time.
enum class Asks : bool { no, yes };

/// Streams and their operations, memory, and the threads that call the runtime. Host threads run as they like; whoever
/// calls holds the lock, and runs operations of all streams while it does: where it waits until what it waits for has
/// run, elsewhere as many as the order of the scheduler wants. Only collectives wait for hosts: for those of other
/// ranks, which must get the lock while one that waits has nothing to run.
class FakeMachine {
 public:
  static constexpr char const* host_function = "host function";

  explicit FakeMachine(Options const& options);
  FakeMachine(FakeMachine const&) = delete;
  FakeMachine& operator=(FakeMachine const&) = delete;

  // ------------------------------------------------------------------------------------------------- calls

  /// Counts a call and says whether it fails. One that \p releases does its work even so.
  [[nodiscard]] cudaError_t begin_call(char const* name, Asks asks = Asks::no);
  void count(std::uint64_t Counts::*what) { ++(counts.*what), ++(host().counts.*what); }
  [[nodiscard]] HostState& host();
  void end_host(HostState& host);
  [[nodiscard]] Options const& options() const noexcept { return options_; }
  [[nodiscard]] bool in_host_function() const noexcept { return in_host_function_; }
  [[nodiscard]] bool captures_here() const;
  /// Keeps the exception that is being handled, or is made of \p what; the device is lost.
  void fail(std::string const& what);
  [[nodiscard]] std::exception_ptr failure() const noexcept { return failure_; }
  void lose(int device, cudaError_t code);

  // ------------------------------------------------------------------------------------------------- streams

  [[nodiscard]] StreamState& make_stream(int device, std::string name);
  /// Null for what is no stream, or no longer one.
  [[nodiscard]] StreamState* stream(cudaStream_t handle);
  std::shared_ptr<Operation> put(StreamState& stream, Operation operation, Actor actor);
  [[nodiscard]] cudaError_t record(EventState& event, StreamState& stream);
  [[nodiscard]] cudaError_t wait(StreamState& stream, EventState& event);
  /// Runs operations until \p operation has run; null: none.
  void await(std::shared_ptr<Operation> const& operation);
  /// The same for all that is on a device, which the host knows then.
  void await_device(int device);
  /// Runs all that can.
  void run_all();
  /// Lets the scheduler run one operation, if it likes to.
  bool run_one(std::size_t hosts);
  void launch_graph(GraphState& graph, StreamState& stream);
  /// Whether events order anything at the place that calls.
  [[nodiscard]] bool orders(bool records);

  // ------------------------------------------------------------------------------------------------- collectives

  /// Puts one rank's part of its communicator's next collective on a stream.
  void post(CommunicatorState& rank, StreamState& stream, Part part);
  /// Ends a communicator; what it has under way goes on without the other ranks.
  void abort(CommunicatorState& rank);
  /// Waits, as NCCL does, until no graph holds collectives of it.
  void end_communicator(CommunicatorState& rank);
  /// Once all ranks have chosen, \p made is a communicator of all that chose \p color; a negative one makes none.
  void split(CommunicatorState& rank, int color, int key, CommunicatorState** made);

  // ------------------------------------------------------------------------------------------------- memory

  [[nodiscard]] cudaError_t allocate(void** data, std::size_t bytes, cudaMemoryType kind);
  [[nodiscard]] cudaError_t free(void* data, cudaMemoryType kind);
  /// How the host's memory around \p data is known; null: as memory of the program.
  [[nodiscard]] Block* block_of(void const* data);

  std::recursive_mutex mutex;
  std::condition_variable_any changed;  ///< something has been put on a stream, has run or is lost
  Counts counts;
  Memory memory;
  std::deque<StreamState> streams;
  std::set<EventState*> events;
  std::set<GraphState*> graphs;
  std::set<CommunicatorState*> communicators;
  std::map<std::string, std::shared_ptr<CommGroup>> comm_groups;  ///< by id
  int asynchronously_failed = -1;                                 ///< the rank whose communicators say so
  std::size_t tasks = 0;
  std::vector<Site> sites;
  std::set<std::pair<int, int>> peers;
  bool struck = false;
  std::string struck_call;

 private:
  [[nodiscard]] bool strikes(char const* name, Asks asks, HostState const& from) const;
  [[nodiscard]] cudaError_t lost(int device) const;
  void drop(StreamState& stream);
  template <class Over>
  void await_until(Over const& over);
  [[nodiscard]] bool may_run(StreamState const& stream) const;
  /// Something on a stream waits for what another host has not put on another yet.
  [[nodiscard]] bool awaits_hosts() const;
  /// The last call of a communicator that put something on the stream is not over.
  [[nodiscard]] bool is_awaited(StreamState const& stream) const;
  /// A graph, or a capture that has not ended, holds collectives of it.
  [[nodiscard]] bool is_in_graphs(CommunicatorState const& rank) const;
  void await_graphs(CommunicatorState const& rank);
  void begin(zero::detail::simulation::Stream& stream);
  void end(zero::detail::simulation::Stream& stream);
  void run_together(Meeting& meeting);
  void post_group(CommunicatorState& rank, StreamState& stream, Part const& part);
  /// The messages of \p operation, if it has any, never move.
  static void withdraw(Operation& operation);
  void run_group(std::shared_ptr<zero::detail::simulation::TransferPart> group);
  void check_reach(StreamState const& stream, Operation const& operation, Actor actor);
  void host_touches(Access const& access);
  void see_host_writes(Operation const& operation);
  void run_front(zero::detail::simulation::Stream& stream);
  void run(Operation& operation);

  Options options_;
  zero::detail::simulation::Scheduler scheduler_;
  zero::detail::simulation::RaceChecker checker_;
  std::deque<HostState> hosts_;
  std::vector<zero::detail::simulation::Stream*> ready_;
  std::size_t threads_ = 0;
  std::uint64_t numbers_ = 0;
  std::uint64_t generation_;
  std::thread::id starter_;                        ///< which waits for the ends of all others
  zero::detail::simulation::VectorClock ended_{};  ///< what threads that have ended knew
  std::size_t blocks_made_ = 0;
  bool in_host_function_ = false;
  std::uint64_t time_ = 0;           // operations that have touched memory, one after another
  std::map<int, cudaError_t> lost_;  ///< by device
  std::exception_ptr failure_;
};

/// The machine since the last `start`.
[[nodiscard]] FakeMachine& machine();

}  // namespace fake_cuda
