// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/call_site.hpp>
#include <zero/simulation/access.hpp>
#include <zero/simulation/detail/operation.hpp>
#include <zero/simulation/detail/process.hpp>
#include <zero/simulation/detail/stream.hpp>
#include <zero/simulation/process.hpp>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace zero {

class SimulationBackend;
class SimulationCommunicator;

/// A stream of a simulated rank, which SimulationCommunicator::make_stream gives: what is put on it runs when the
/// scheduler says so. A borrowed reference, valid during `simulate`.
class SimulationStream {
 public:
  SimulationStream() = default;
  SimulationStream(int) = delete;  // a 0 is not a stream

  /// Puts work of the caller on the stream: \p run, which touches the bytes of \p accesses and no others that
  /// operations use. Returns before it has run. Take the ranges from leases:
  /// `stream.launch("forward", {simulation::reads(weights[id])}, [=] { ... });`
  void launch(std::string name, std::vector<simulation::Access> accesses, std::function<void()> run) const {
    detail::simulation::Operation operation;
    operation.name = std::move(name);
    operation.accesses = std::move(accesses);
    operation.run = std::move(run);
    put(std::move(operation));
  }
  /// Blocks the host until everything that was put on the stream has run.
  void synchronize(CallSite site = CallSite::current()) const { process_.synchronize(*stream_, site); }

  /// The rank that this stream belongs to.
  [[nodiscard]] simulation::Process process() const noexcept { return simulation::Process(process_); }
  friend bool operator==(SimulationStream a, SimulationStream b) noexcept { return a.stream_ == b.stream_; }

 private:
  friend class SimulationBackend;
  friend class SimulationCommunicator;

  SimulationStream(detail::simulation::Process process, detail::simulation::Stream& stream) noexcept
      : process_(process), stream_(&stream) {}

  void put(detail::simulation::Operation operation) const { process_.put(*stream_, std::move(operation)); }

  detail::simulation::Process process_;
  detail::simulation::Stream* stream_ = nullptr;
};

/// An event as CUDA has it: it stands for what its latest record, at the time of a wait, has behind it on its stream;
/// one that was never recorded has passed.
class SimulationEvent {
 public:
  /// Blocks the host until what this event was recorded after has run.
  void synchronize(CallSite site = CallSite::current()) const {
    if (process_) process_.synchronize(recorded_, site);
  }
  /// Whether what this event was recorded after has run. Does not block.
  [[nodiscard]] bool done() const { return !process_ || process_.has_passed(recorded_); }
  /// Waits, and gives \p value, which an operation before this event has written.
  template <class Type>
  [[nodiscard]] Type const& read(Type const& value, CallSite site = CallSite::current()) const {
    synchronize(site);
    if (process_) process_.touch(simulation::reads(&value, sizeof value));
    return value;
  }

 private:
  friend class SimulationBackend;
  detail::simulation::Process process_;
  std::shared_ptr<detail::simulation::Operation> recorded_;
};

}  // namespace zero
