// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/backend.hpp>
#include <zero/captured_step.hpp>
#include <zero/communicator.hpp>
#include <zero/engine_member.hpp>
#include <zero/engine_state.hpp>
#include <zero/error.hpp>
#include <zero/joint/capture.hpp>
#include <zero/joint/core.hpp>
#include <zero/joint/world.hpp>
#include <zero/joint_config.hpp>
#include <zero/loss_scale.hpp>
#include <zero/micro_batch.hpp>
#include <zero/step_ticket.hpp>
#include <zero/topology.hpp>

#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace zero {

template <class Backend, class Communicator>
class JointStep;

/// A whole step of several engines, which `JointStep::capture` has recorded in one graph; see CapturedStep. Move-only;
/// used by the engines' thread, and not beyond the joint step's end.
template <class Backend>
class [[nodiscard]] CapturedJointStep {
 public:
  /// What operations are put on; a trivially copyable reference.
  using Stream = typename Backend::Stream;
  /// What a step returns.
  using Ticket = StepTicket<typename Backend::Event>;

  /// Takes the step once more, in the order of \p stream. Does not synchronize it. \throws as JointStep::step.
  [[nodiscard]] Ticket replay(JointStepOptions const& options, Stream stream) const {
    if (!lifetime_->alive) {
      throw LeaseError("zero::CapturedJointStep: used after the joint step's end: record it on a new one");
    }
    return core_->replay(step_, options, stream);
  }

 private:
  using Graph = typename detail::GraphOf<Backend>::type;
  template <class JointBackend, class Communicator>
  friend class JointStep;

  CapturedJointStep(detail::JointCore<Backend>& core, std::shared_ptr<detail::EngineLifetime const> lifetime,
                    detail::RecordedJointStep<Graph> step)
      : core_(&core), lifetime_(std::move(lifetime)), step_(std::move(step)) {}

  detail::JointCore<Backend>* core_;
  std::shared_ptr<detail::EngineLifetime const> lifetime_;
  detail::RecordedJointStep<Graph> step_;
};

/// Several engines that step together: of other rules, stages, types or offloads, and on other groups of ranks. They
/// have one gradient norm, one decision to skip, one clip coefficient and one loss scale, which one collective over all
/// ranks settles. Made on every rank, of the engines that the rank has; used by one host thread at a time, as they are.
/// Gathers, leases and access by name stay the engines' own; micro-batches and steps are the joint step's.
///
/// The order of collectives is one for all members, as on one engine: every rank makes the same calls in the same
/// order. The buckets of all members are reduced in the order of backward, unit by unit, so that units are to be
/// numbered alike in all members. Where an engine of any rank is at stage 3, they are reduced where the gathers of
/// backward say so, or at `finish`.
///
/// When the joint step ends its members are engines by themselves again; when one of them ends, the joint step does.
template <class Backend, class Communicator>
class JointStep {
  static_assert(communicator_on<Communicator, typename Backend::Stream>,
                "zero::JointStep: the first argument must be the communicator of all ranks, for the members' backend");

 public:
  /// What operations are put on; a trivially copyable reference.
  using Stream = typename Backend::Stream;
  /// What a step returns.
  using Ticket = StepTicket<typename Backend::Event>;

  /// Makes one step of the engines of \p members, which are between two steps. Those of one engine are passed on every
  /// rank of its communicator, whose ranks have the order of \p world. Collective, blocks. \p world must outlive this.
  /// \throws on every rank ConfigurationError for engines that cannot step together: which have parameter names in
  /// common, other loss scalers, steps or rounds of micro-batches, or do not cover the ranks; MismatchError where ranks
  /// have other settings; SequenceError, on the rank where it is so, for an engine in the middle of a step. The engines
  /// are unchanged then.
  JointStep(Communicator& world, std::span<EngineMember<Backend> const> members, JointConfig const& config = {})
      : world_(world), core_(world_, members, config) {}
  /// The same with a list.
  JointStep(Communicator& world, std::initializer_list<EngineMember<Backend>> members, JointConfig const& config = {})
      : JointStep(world, std::span(members.begin(), members.size()), config) {}
  /// The same with those that a program has collected.
  JointStep(Communicator& world, std::vector<EngineMember<Backend>> const& members, JointConfig const& config = {})
      : JointStep(world, std::span(members), config) {}

  /// Opens the next micro-batch of the step for all members. Does not synchronize \p stream. \throws SequenceError for
  /// one too many, one inside another, after one that was given up, and once a member is gone.
  MicroBatch<Stream> begin_micro_batch(Stream stream) { return core_.begin_micro_batch(stream); }

  /// The scale that the loss is to be multiplied with in this step's backward passes, whatever members it reaches.
  [[nodiscard]] LossScale<typename Backend::Event> loss_scale() const { return core_.loss_scale(); }

  /// Gives up the micro-batches of all members since the last step, after an error in one of them. Every rank must do
  /// so. Does not synchronize any stream.
  void discard_gradients() { core_.discard_gradients(); }

  /// Updates the parameters of all members from the gradients of this step's micro-batches, or of none: a gradient that
  /// is not finite on any rank skips the step of all. Updates of members without offload are launched before the host
  /// waits for those with it. Does not synchronize \p stream otherwise. \throws as Engine::step, and ConfigurationError
  /// for a learning rate or a momentum of a member that there is not.
  [[nodiscard]] Ticket step(JointStepOptions const& options, Stream stream) { return core_.step(options, stream); }
  /// The same with the configurations' learning rates and clipping.
  [[nodiscard]] Ticket step(Stream stream) { return step({}, stream); }

  /// Records the step that \p body takes, of all members, into one CUDA graph: as Engine::capture, which says what that
  /// needs. Members are on one device, and none of them offloads. \throws as that; all members are unchanged then.
  template <class Body>
  [[nodiscard]] CapturedJointStep<Backend> capture(Stream stream, Body&& body) {
    static_assert(backend_facts<Backend>().captures_graphs,
                  "zero::JointStep::capture: this backend records no graphs: use zero::CudaBackend");
    return {core_, core_.lifetime(), core_.capture(stream, body)};
  }

  /// As Engine::finish_update, of all members. \throws as that.
  void finish_update() { core_.finish_update(); }

  /// All that training has made in all engines of all ranks, as if they were one: for `save_checkpoint` and
  /// `load_checkpoint`, which take a joint step in place of an engine. A checkpoint fits whatever engines its
  /// parameters are divided over, where each has the rule that it had. Valid until the next micro-batch. \throws as
  /// Engine::state.
  template <class State = EngineState>
  [[nodiscard]] std::unique_ptr<State> state() {
    return core_.state();
  }

 private:
  detail::TypedJointWorld<Backend, Communicator> world_;
  detail::JointCore<Backend> core_;
};

template <class Communicator, class Backend>
JointStep(Communicator&, std::initializer_list<EngineMember<Backend>>) -> JointStep<Backend, Communicator>;
template <class Communicator, class Backend>
JointStep(Communicator&, std::initializer_list<EngineMember<Backend>>, JointConfig const&)
    -> JointStep<Backend, Communicator>;
template <class Communicator, class Backend>
JointStep(Communicator&, std::vector<EngineMember<Backend>> const&) -> JointStep<Backend, Communicator>;
template <class Communicator, class Backend>
JointStep(Communicator&, std::vector<EngineMember<Backend>> const&, JointConfig const&)
    -> JointStep<Backend, Communicator>;

/// Where this rank of \p topology stands along \p axes, those along which ranks take other micro-batches: for
/// JointConfig::data. \throws ConfigurationError for an unknown axis.
template <class Communicator>
[[nodiscard]] DataPosition data_position(Topology<Communicator> const& topology,
                                         std::initializer_list<std::string_view> axes) {
  DataPosition data;
  for (auto name : axes) (void)topology.size(name);
  for (auto const& axis : topology.grid().axes()) {
    for (auto name : axes) {
      if (name != axis.name) continue;
      data = {data.position * axis.size + topology.position(name), data.count * axis.size};
    }
  }
  return data;
}

}  // namespace zero
