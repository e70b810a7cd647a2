// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/backend.hpp>
#include <zero/captured_step.hpp>
#include <zero/engine/core.hpp>
#include <zero/engine/parts.hpp>
#include <zero/engine/phase.hpp>
#include <zero/error.hpp>
#include <zero/support/call_history.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>
#include <zero/traffic.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace zero::detail {

/// A recorded step of several engines, and by engine what it sends and calls.
template <class Graph>
struct RecordedJointStep {
  struct Member {
    Traffic sent;
    RecordedCalls calls;
    std::uint64_t generation = 0;  ///< of the step counts that it was recorded with
  };
  Graph graph;
  std::vector<Member> members;
  std::uint64_t world_calls = 0;  ///< collectives on the communicator of all ranks, those of members among them
};

/// Records one step of several engines of a rank into one graph: as StepCapture does for one.
template <class Backend>
class JointCapture {
 public:
  using Stream = typename Backend::Stream;
  using Graph = typename GraphOf<Backend>::type;
  using Core = EngineCore<Backend>;

  /// \p members, one at least, and \p phase, of all of them, are borrowed, as is the count of calls on the communicator
  /// of all ranks, where there is one.
  JointCapture(std::vector<Core*> members, EnginePhase& phase, std::uint64_t* world_calls)
      : members_(std::move(members)), phase_(phase), world_calls_(world_calls) {}

  /// Records the step that \p body takes on \p stream. Where it throws nothing has run; `discard()` is to forget the
  /// gradients of all.
  template <class Body, class Discard>
  [[nodiscard]] RecordedJointStep<Graph> record(Stream stream, Body&& body, Discard const& discard) {
    require_capturable();
    Before before;
    if (world_calls_ != nullptr) before.world_calls = *world_calls_;
    for (auto* core : members_) {
      before.members.push_back({core->parts().traffic, CallRecording(core->operations().collectives)});
      core->parts().gatherer.forget_gathered();
      core->parts().gatherer.join_readers(stream);
    }
    auto const steps = phase_.steps();
    begin(stream);
    try {
      for (auto* core : others()) core->parts().backend.join_capture(stream, communication(*core), first().backend);
      body();
      phase_.require_allowed(EngineCall::end_of_capture);
      if (phase_.steps() != steps + 1 || phase_.finished_rounds() != 0) throw_bad_capture(phase_.steps() - steps);
      for (auto* core : others()) core->parts().backend.leave_capture(stream, communication(*core));
      set_capturing(false);
      return collect(first().backend.end_capture(stream, communication(*members_[0])), before);
    } catch (...) {
      abandon(stream, before);
      discard();
      throw;
    }
  }

  /// \throws SequenceError where \p step was recorded with other step counts.
  void require_current(RecordedJointStep<Graph> const& step) const {
    for (std::size_t m = 0; m < members_.size(); ++m) {
      if (step.members[m].generation == members_[m]->parts().decider.generation()) continue;
      fail<SequenceError>(
          {"zero::CapturedJointStep: recorded before a checkpoint was loaded that gives parameters step counts of "
           "their "
           "own: capture the step again"});
    }
  }
  /// Launches \p step, whose settings are staged, and brings its reports to the host.
  void launch(RecordedJointStep<Graph> const& step, Stream stream) {
    for (auto* core : members_) {
      auto& parts = core->parts();
      parts.gatherer.join_readers(stream);
      parts.backend.wait_for(stream, communication(*core));
      parts.decider.send_settings(stream);
    }
    first().backend.launch(step.graph, stream);
    for (std::size_t m = 0; m < members_.size(); ++m) {
      auto& parts = members_[m]->parts();
      parts.decider.fetch_report(stream);
      parts.backend.end_replay(stream, communication(*members_[m]));
      parts.context.collectives.watch(stream);
      parts.traffic = parts.traffic + step.members[m].sent;
    }
  }

 private:
  struct Before {
    struct Member {
      Traffic traffic;
      CallRecording<Backend> calls;
    };
    std::vector<Member> members{};
    std::uint64_t world_calls = 0;
  };

  [[nodiscard]] EngineParts<Backend>& first() const noexcept { return members_[0]->parts(); }
  [[nodiscard]] std::span<Core* const> others() const noexcept { return std::span(members_).subspan(1); }
  [[nodiscard]] static Stream communication(Core& core) { return core.parts().communication.get(); }

  void begin(Stream stream) {
    for (auto* core : others()) core->parts().backend.prepare_capture(stream, communication(*core));
    first().backend.begin_capture(stream, communication(*members_[0]));
    set_capturing(true);
  }
  void set_capturing(bool capturing) noexcept {
    for (auto* core : members_) core->parts().decider.set_capturing(capturing);
  }
  // All members go on as before the capture.
  [[nodiscard]] RecordedJointStep<Graph> collect(Graph graph, Before& before) {
    RecordedJointStep<Graph> step{std::move(graph),
                                  std::vector<typename RecordedJointStep<Graph>::Member>(members_.size())};
    for (std::size_t m = 0; m < members_.size(); ++m) {
      auto& parts = members_[m]->parts();
      auto const traffic = before.members[m].traffic;
      step.members[m] = {std::exchange(parts.traffic, traffic) - traffic,
                         before.members[m].calls.calls(parts.decider.captured_calls()), parts.decider.generation()};
    }
    if (world_calls_ != nullptr) step.world_calls = *world_calls_ - before.world_calls;
    undo_calls(before);
    return step;
  }
  void undo_calls(Before& before) noexcept {
    for (auto& member : before.members) member.calls.undo();
    if (world_calls_ != nullptr) *world_calls_ = before.world_calls;
  }
  void abandon(Stream stream, Before& before) noexcept {
    set_capturing(false);
    first().backend.abandon_capture(stream);
    for (auto* core : others()) core->parts().backend.forget_capture();
    for (std::size_t m = 0; m < members_.size(); ++m) {
      members_[m]->phase().forget_failures();
      members_[m]->parts().follow_abandoned_capture(stream);
      members_[m]->parts().traffic = before.members[m].traffic;
    }
    undo_calls(before);
    phase_.forget_failures();
  }

  void require_capturable() const {
    for (auto* core : members_) {
      auto& parts = core->parts();
      parts.gatherer.require_no_leases();
      enforce(!core->operations().policies.traits().offloads,
              "zero::JointStep: the step of an offloaded member waits on the host for its decision and cannot be "
              "captured: use zero::NoOffload for all members, or take steps as usual");
      enforce(core->operations().collectives.can_be_captured(),
              "zero::JointStep: the ranks of a member's communicator meet on the host, which cannot be captured: use "
              "one rank, or zero::NcclCommunicator");
      enforce(parts.backend.device() == first().backend.device(),
              "zero::JointStep: members on several devices cannot be captured in one graph: give them one device");
      if (parts.decider.number() > 0) continue;
      fail<SequenceError>(
          {"zero::JointStep: capture before the first step: take one as usual, which warms collectives up"});
    }
  }
  [[noreturn, gnu::cold]] ZERO_OUT_OF_LINE static void throw_bad_capture(std::uint64_t steps) {
    fail<SequenceError>({"zero::JointStep: a capture records all micro-batches of one step and the step itself, not ",
                         steps, " steps: call step() once, last"});
  }

  std::vector<Core*> members_;
  EnginePhase& phase_;
  std::uint64_t* world_calls_;
};

}  // namespace zero::detail
