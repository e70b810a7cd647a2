// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/backend.hpp>
#include <zero/captured_step.hpp>
#include <zero/engine/core.hpp>
#include <zero/engine/joint_link.hpp>
#include <zero/engine/lease_interfaces.hpp>
#include <zero/engine/micro_batch_sequence.hpp>
#include <zero/engine/observation.hpp>
#include <zero/engine/phase.hpp>
#include <zero/engine/rank_agreement.hpp>
#include <zero/engine/settings.hpp>
#include <zero/engine_member.hpp>
#include <zero/engine_state.hpp>
#include <zero/error.hpp>
#include <zero/joint/agreement.hpp>
#include <zero/joint/capture.hpp>
#include <zero/joint/guards.hpp>
#include <zero/joint/members.hpp>
#include <zero/joint/norm.hpp>
#include <zero/joint/options.hpp>
#include <zero/joint/plan.hpp>
#include <zero/joint/reduction.hpp>
#include <zero/joint/setup.hpp>
#include <zero/joint/staging.hpp>
#include <zero/joint/state.hpp>
#include <zero/joint/world.hpp>
#include <zero/joint_config.hpp>
#include <zero/loss_scale.hpp>
#include <zero/micro_batch.hpp>
#include <zero/parameter.hpp>
#include <zero/profile/observer.hpp>
#include <zero/profile/phase.hpp>
#include <zero/step_ticket.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace zero::detail {

/// Takes the engines of one rank through micro-batches and steps at once; see JointStep for the contracts of its
/// functions. All members add their squares to the same words, so that one all-reduce over the world settles the step,
/// and each decides by these words with its own rule. What members put on their communication streams is ordered as if
/// they had one.
template <class Backend>
class JointCore final : private JointLink<Backend>, private MicroBatchSink<typename Backend::Stream> {
 public:
  using Stream = typename Backend::Stream;
  using Event = typename Backend::Event;
  using Graph = typename GraphOf<Backend>::type;

  /// Collective, blocks. \p world is borrowed.
  ZERO_OUT_OF_LINE JointCore(JointWorld<Backend>& world, std::span<EngineMember<Backend> const> members,
                             JointConfig const& config)
      : world_(world),
        config_(config),
        plan_(JointAgreement<Backend>(world, config).ranks(members)),
        names_(std::make_shared<JointNames const>(plan_.names())),
        first_steps_(plan_.first_steps()),
        micro_batches_(plan_.micro_batches(plan_.engine_of(rank(), 0), world.rank())),
        phase_(micro_batches_.rounds(), "zero::JointStep"),
        lifetime_(new EngineLifetime{}),
        reduction_(plan_, members_),
        norm_(world, plan_, members_, agree_on_engine_number(world)),
        staging_(world, config_, plan_, members_) {
    try {
      run_on_all_ranks<JointSetupFailure>(world_, [&] { enter(members); });
    } catch (...) {
      dissolve();
      throw;
    }
  }
  JointCore(JointCore const&) = delete;
  JointCore& operator=(JointCore const&) = delete;
  ~JointCore() {
    lifetime_->alive = false;
    dissolve();
  }

  // ------------------------------------------------------------------------------------------------- a micro-batch

  MicroBatch<Stream> begin_micro_batch(Stream stream) {
    require_allowed(EngineCall::begin_micro_batch, stream);
    for (auto* observed : members_.observers()) observed->begin_micro_batch(this, stream);
    round_ = phase_.finished_rounds();
    ++serial_;
    reduction_.begin(plan_.may_lack() || micro_batches_.is_ragged(round_));
    for (auto& member : members_) {
      member.parts().reducer.begin(round_);
      member.core->phase().begin_micro_batch();
    }
    phase_.begin_micro_batch();
    if (micro_batches_.is_last(round_)) norm_.zero();
    return {*this, lifetime_, serial_, {micro_batches_.index(round_), micro_batches_.contributes(round_)}};
  }

  void discard_gradients() {
    require_sound();
    members_.require_own_streams("discard_gradients");
    forget_gradients();
  }
  ZERO_OUT_OF_LINE void forget_gradients() {
    for (auto& member : members_) {
      member.parts().reducer.discard();
      member.core->phase().discard_gradients();
    }
    phase_.discard_gradients();
    for (auto* observed : members_.observers()) observed->discard(this);
    reduction_.discard();
    ++serial_;
  }

  [[nodiscard]] LossScale<Event> loss_scale() const {
    require_members();
    return members_.lead_parts().decider.loss_scale();
  }

  // ------------------------------------------------------------------------------------------------- a step

  /// As EngineCore::step, for all members in turn.
  [[nodiscard]] StepTicket<Event> step(JointStepOptions const& options, Stream stream) {
    require_allowed(EngineCall::step, stream);
    for (auto& member : members_) member.parts().gatherer.require_no_leases();
    for (auto* observed : members_.observers()) observed->begin_step(this, profile::Phase::update, stream);
    staging_.stage(options);
    for (auto& member : members_) member.parts().gatherer.forget_gathered();
    all_reduce_norm(stream);
    update_guards_.open("an update did not end");
    decide(stream);
    for (auto& member : members_) member.parts().gatherer.join_readers(stream);
    for (auto m : members_.update_order()) update(m, stream);
    update_guards_.commit();
    for (auto& member : members_) member.core->phase().end_step();
    phase_.end_step();
    for (auto* observed : members_.observers()) observed->end_step(stream);
    return members_.lead_parts().decider.ticket();
  }

  void finish_update() {
    require_allowed(EngineCall::finish_update);
    publish_pending_updates();
  }

  [[nodiscard]] std::unique_ptr<EngineState> state() {
    require_allowed(EngineCall::state);
    publish_pending_updates();
    std::vector<typename JointState<Backend>::Member> members;
    std::size_t lead = 0;
    for (auto m : members_.update_order()) {
      if (m == members_.lead()) lead = members.size();
      members.push_back({members_[m].core, members_[m].engine});
    }
    JointLink<Backend>& joint = *this;
    return std::make_unique<JointState<Backend>>(world_, joint, plan_, phase_, members, lead, first_steps_);
  }

  /// Records the step that \p body takes on \p stream.
  template <class Body>
  [[nodiscard]] RecordedJointStep<Graph> capture(Stream stream, Body&& body) {
    require_allowed(EngineCall::capture, stream);
    enforce(world_.can_be_captured(),
            "zero::JointStep: the ranks of this communicator meet on the host, which cannot be captured: use one rank, "
            "or zero::NcclCommunicator");
    std::deque<ObservationPause<Stream>> pauses;
    for (auto* observed : members_.observers()) pauses.emplace_back(observed);
    return recorder().record(stream, body, [this] { forget_gradients(); });
  }
  [[nodiscard]] StepTicket<Event> replay(RecordedJointStep<Graph> const& step, JointStepOptions const& options,
                                         Stream stream) {
    require_allowed(EngineCall::replay, stream);
    auto recorder = this->recorder();
    recorder.require_current(step);
    for (auto& member : members_) member.parts().gatherer.require_no_leases();
    for (auto* observed : members_.observers()) observed->begin_step(this, profile::Phase::captured, stream);
    staging_.stage_replay(step, options);
    for (auto& member : members_) member.parts().gatherer.forget_gathered();
    update_guards_.open("a captured step did not end");
    recorder.launch(step, stream);
    world_.watch(stream);
    update_guards_.commit();
    for (auto* observed : members_.observers()) observed->end_step(stream);
    return members_.lead_parts().decider.ticket();
  }
  [[nodiscard]] std::shared_ptr<EngineLifetime const> lifetime() const noexcept { return lifetime_; }

 private:
  [[nodiscard]] std::size_t rank() const { return static_cast<std::size_t>(world_.rank()); }
  [[nodiscard]] JointCapture<Backend> recorder() {
    std::vector<EngineCore<Backend>*> cores;
    for (auto& member : members_) cores.push_back(member.core);
    return {std::move(cores), phase_, world_.calls()};
  }

  // ------------------------------------------------------------------------------------------------- construction

  void enter(std::span<EngineMember<Backend> const> members) {
    for (std::size_t m = 0; m < members.size(); ++m) {
      auto const engine = plan_.engine_of(rank(), m);
      members_.add({.core = members[m].core_,
                    .name = members[m].name(),
                    .engine = engine,
                    .entry = plan_.entry_of(engine, world_.rank()),
                    .rate_entry = plan_.rate_entry_of(engine, world_.rank()),
                    .repeats = plan_.engines()[engine].repeats});
    }
    for (auto& member : members_) {
      gradient_guards_.add(member.core->phase());
      update_guards_.add(member.core->phase());
    }
    gradient_guards_.add(phase_);
    update_guards_.add(phase_);
    reduction_.arrange();
    norm_.allocate();
    for (std::size_t m = 0; m < members_.size(); ++m) {
      members_[m].core->enter_joint(*this, m, plan_.micro_batches(members_[m].engine, world_.rank()));
      norm_.enter(m, names_, static_cast<std::uint64_t>(config_.max_skipped_steps));
    }
    members_.find_observers();
  }
  // As members end, each of them is an engine by itself again. Blocks until nothing uses the words.
  void dissolve() noexcept {
    if (std::exchange(dissolved_, true)) return;
    for (auto* observed : members_.observers()) observed->discard(this);
    members_.forget_observers();
    for (auto& member : members_) member.parts().quiesce();
    for (auto& member : members_) {
      if (!member.core->is_in_joint()) continue;
      auto& phase = member.core->phase();
      bool const is_open = phase.inside_micro_batch() || phase.finished_rounds() > 0;
      member.core->leave_joint();
      member.parts().norm.leave_joint();
      member.parts().decider.leave_joint();
      if (is_open) phase.abandon_micro_batch();  // a part of its gradients' norm is gone
    }
    norm_.release();
  }

  // ------------------------------------------------------------------------------------------------- checks

  void require_members() const {
    if (dissolved_) {
      fail<SequenceError>(
          {"zero::JointStep: an engine that was a member is gone: make a new joint step of those that are left"});
    }
  }
  void require_sound() const {
    require_members();
    for (auto const& member : members_) member.core->phase().require_sound();
    phase_.require_sound();
  }
  template <class... Streams>
  void require_allowed(EngineCall call, Streams... streams) const {
    require_sound();
    phase_.require_allowed(call);
    members_.require_recordable(call, streams...);
  }

  // ------------------------------------------------------------------------------------------------- what members ask

  void take_turn(std::size_t m) override { members_.take_turn(m); }
  void reduce_complete() override { reduction_.reduce_complete(); }
  void make_room(std::size_t m, std::size_t end, ParameterId id) override { reduction_.make_room(m, end, id); }
  void before_gather(std::size_t m, std::span<ParameterId const> ids) override { reduction_.before_gather(m, ids); }
  void retake_norm() override {
    norm_.zero();
    for (std::size_t m = 0; m < members_.size(); ++m) {
      members_.take_turn(m);
      members_[m].parts().reducer.add_squares();
    }
  }
  void end_of_member() noexcept override { dissolve(); }

  void finish_micro_batch(std::uint64_t serial, Stream stream) override {
    require_members();
    if (serial != serial_) {
      fail<SequenceError>({"zero::MicroBatch: its gradients were discarded: begin another one"});
    }
    gradient_guards_.open();
    members_.require_own_streams("finish", stream);
    reduction_.require_sums();
    for (auto& member : members_) member.intake().copy_partial(stream);
    reduction_.finish();
    for (auto& member : members_) member.intake().end();
    gradient_guards_.commit_micro_batch();
    for (auto* observed : members_.observers()) observed->end_micro_batch(stream);
    ++serial_;
  }
  void abandon_micro_batch(std::uint64_t serial) noexcept override {
    if (serial != serial_ || dissolved_) return;
    for (auto& member : members_) member.core->phase().abandon_micro_batch();
    phase_.abandon_micro_batch();
  }

  // ------------------------------------------------------------------------------------------------- the step

  /// Until this ends nothing has changed: a failure here loses the gradients, not the states.
  void all_reduce_norm(Stream stream) {
    Observation<Stream> const* const observation = members_.observers().empty() ? nullptr : members_.observers()[0];
    PhaseScope const scope(observation, profile::Phase::reduce, stream);
    gradient_guards_.open();
    norm_.all_reduce(observation, stream);
    gradient_guards_.commit();
  }
  // The one that knows the loss scale first: the others take from it what backward has used.
  void decide(Stream stream) {
    for (auto& member : members_) member.parts().updater.join(stream);
    double const addends = static_cast<double>(micro_batches_.total());
    norm_.decide(members_.lead(), addends, stream);
    for (std::size_t m = 0; m < members_.size(); ++m) {
      if (m != members_.lead()) norm_.decide(m, addends, stream);
    }
    for (auto& member : members_) member.parts().decider.fetch_report(stream);
  }
  void update(std::size_t m, Stream stream) {
    members_.take_turn(m);
    auto& parts = members_[m].parts();
    parts.updater.update(parts.decider.decision(), stream);
    parts.gatherer.copy_to_adopted();
    parts.reducer.release_sums();
  }

  void publish_pending_updates() {
    for (auto m : members_.update_order()) members_[m].core->publish_pending_update();
  }

  JointWorld<Backend>& world_;
  JointConfig config_;
  JointPlan plan_;
  std::shared_ptr<JointNames const> names_;
  std::vector<std::uint64_t> first_steps_;  // of the parameters of all ranks, as StepProgress has it
  MicroBatchSequence micro_batches_;
  EnginePhase phase_;
  std::shared_ptr<EngineLifetime> lifetime_;
  JointMembers<Backend> members_;
  JointReduction<Backend> reduction_;
  JointNorm<Backend> norm_;
  JointStaging<Backend> staging_;
  GradientGuards gradient_guards_;
  UpdateGuards update_guards_;
  bool dissolved_ = false;
  int round_ = 0;             // of the micro-batch
  std::uint64_t serial_ = 0;  // of the micro-batch; moves on where it ends
};

}  // namespace zero::detail
