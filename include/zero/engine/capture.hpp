// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/backend.hpp>
#include <zero/captured_step.hpp>
#include <zero/engine/observation.hpp>
#include <zero/engine/parts.hpp>
#include <zero/engine/phase.hpp>
#include <zero/engine/policies.hpp>
#include <zero/error.hpp>
#include <zero/profile/phase.hpp>
#include <zero/step_ticket.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>
#include <zero/traffic.hpp>

#include <cstdint>
#include <utility>

namespace zero::detail {

/// Records one step of an engine into a graph, and launches it again.
template <class Backend>
class StepCapture {
 public:
  using Stream = typename Backend::Stream;
  using Graph = typename GraphOf<Backend>::type;

  /// Both are borrowed.
  StepCapture(EngineParts<Backend>& parts, EnginePhase& phase) : parts_(parts), phase_(phase) {}

  /// Records the step that \p body takes on \p stream. Where it throws nothing has run, and the engine is as it was.
  template <class Body>
  [[nodiscard]] RecordedStep<Graph> record(Stream stream, Body&& body) {
    require_capturable();
    parts_.gatherer.require_no_leases();
    Traffic const before = parts_.traffic;
    CallRecording recording(parts_.context.collectives);
    std::uint64_t const steps = phase_.steps();
    ObservationPause const pause(parts_.context.observation);
    parts_.gatherer.forget_gathered();
    parts_.gatherer.join_readers(stream);  // what is recorded cannot wait for them, and forgets them
    parts_.backend.begin_capture(stream, parts_.communication.get());
    parts_.decider.set_capturing(true);
    try {
      body();
      phase_.require_allowed(EngineCall::end_of_capture);
      if (phase_.steps() != steps + 1 || phase_.finished_rounds() != 0) throw_bad_capture(phase_.steps() - steps);
      parts_.decider.set_capturing(false);
      auto graph = parts_.backend.end_capture(stream, parts_.communication.get());
      Traffic const sent = std::exchange(parts_.traffic, before) - before;
      auto const calls = recording.calls(parts_.decider.captured_calls());
      recording.undo();
      return {std::move(graph), sent, calls, parts_.decider.generation()};
    } catch (...) {
      parts_.decider.set_capturing(false);
      parts_.backend.abandon_capture(stream);
      phase_.forget_failures();
      parts_.follow_abandoned_capture(stream);
      parts_.traffic = before;
      recording.undo();
      parts_.reducer.discard();
      phase_.discard_gradients();
      throw;
    }
  }

  /// Launches \p step as the coming step of \p owner. \p settings and \p clipping are this step's.
  [[nodiscard]] StepTicket<typename Backend::Event> replay(RecordedStep<Graph> const& step,
                                                           RuleSettings const& settings, double clipping,
                                                           void const* owner, Stream stream) {
    phase_.require_allowed(EngineCall::replay);
    require_current(step.generation);
    parts_.gatherer.require_no_leases();
    auto const* const observation = parts_.context.observation;
    if (observation != nullptr) observation->begin_step(owner, profile::Phase::captured, stream);
    auto& collectives = parts_.context.collectives;
    auto history = collectives.history_now();
    history.append(step.calls.before_decision);
    parts_.decider.stage(settings, clipping, history);
    history.append(step.calls.after_decision);
    collectives.history = history;
    count_replay(collectives, step.calls);
    parts_.gatherer.forget_gathered();
    EnginePhase::UpdateGuard update(phase_, "a captured step did not end");
    parts_.gatherer.join_readers(stream);
    parts_.backend.wait_for(stream, parts_.communication.get());
    parts_.decider.send_settings(stream);
    parts_.backend.launch(step.graph, stream);
    parts_.decider.fetch_report(stream);
    parts_.backend.end_replay(stream, parts_.communication.get());
    parts_.context.collectives.watch(stream);
    parts_.traffic = parts_.traffic + step.sent;
    update.commit();
    if (observation != nullptr) observation->end_step(stream);
    return parts_.decider.ticket();
  }

 private:
  void require_current(std::uint64_t generation) const {
    if (generation == parts_.decider.generation()) return;
    fail<SequenceError>(
        {"zero::CapturedStep: recorded before a checkpoint was loaded that gives parameters step counts of their own: "
         "capture the step again"});
  }
  void require_capturable() const {
    phase_.require_allowed(EngineCall::capture);
    enforce(!parts_.context.policies.traits().offloads,
            "zero::Engine: an offloaded step waits on the host for its decision and cannot be captured: use "
            "zero::NoOffload");
    enforce(parts_.context.collectives.can_be_captured(),
            "zero::Engine: the ranks of this communicator meet on the host, which cannot be captured: use one "
            "rank, or zero::NcclCommunicator");
    if (parts_.decider.number() > 0) return;
    fail<SequenceError>({"zero::Engine: capture before the first step: take one as usual, which warms collectives up"});
  }
  [[noreturn, gnu::cold]] ZERO_OUT_OF_LINE static void throw_bad_capture(std::uint64_t steps) {
    fail<SequenceError>({"zero::Engine: a capture records all micro-batches of one step and the step itself, not ",
                         steps, " steps: call step() once, last"});
  }

  EngineParts<Backend>& parts_;
  EnginePhase& phase_;
};

}  // namespace zero::detail
