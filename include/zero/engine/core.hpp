// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/captured_step.hpp>
#include <zero/engine/adopted_buffers.hpp>
#include <zero/engine/adopted_gradients.hpp>
#include <zero/engine/caller_values.hpp>
#include <zero/engine/capture.hpp>
#include <zero/engine/description.hpp>
#include <zero/engine/joint_link.hpp>
#include <zero/engine/joint_membership.hpp>
#include <zero/engine/micro_batch_sequence.hpp>
#include <zero/engine/named_access.hpp>
#include <zero/engine/observation.hpp>
#include <zero/engine/observed.hpp>
#include <zero/engine/operations.hpp>
#include <zero/engine/parts.hpp>
#include <zero/engine/phase.hpp>
#include <zero/engine/policies.hpp>
#include <zero/engine/rank_agreement.hpp>
#include <zero/engine/settings.hpp>
#include <zero/engine/state_access.hpp>
#include <zero/engine_config.hpp>
#include <zero/engine_state.hpp>
#include <zero/error.hpp>
#include <zero/flat_layout.hpp>
#include <zero/gradients/reduce_settings.hpp>
#include <zero/layout/default_bucket.hpp>
#include <zero/lease.hpp>
#include <zero/loss_scale.hpp>
#include <zero/micro_batch.hpp>
#include <zero/parameter.hpp>
#include <zero/precision.hpp>
#include <zero/profile/phase.hpp>
#include <zero/step_ticket.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>
#include <zero/traffic.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace zero::detail {

/// An engine without its types: sets it up on all ranks, and takes micro-batches and steps through its parts. Written
/// and compiled once for all engines of a backend; see Engine for the contracts of its functions.
///
/// A gradient's way, of which `step` is the second half:
///
///   lease.ready -> bucket complete -> reduce-scatter -> squares      GradientReducer, while backward runs
///   norm over all ranks -> decision -> fused update -> all-gather    step
template <class Backend>
class EngineCore final : private MicroBatchSink<typename Backend::Stream> {
 public:
  using Stream = typename Backend::Stream;
  using Event = typename Backend::Event;

  /// Collective, blocks. What \p operations refers to is borrowed.
  ZERO_OUT_OF_LINE EngineCore(EngineOperations<Backend> const& operations, ParameterList const& parameters,
                              EngineSettings const& settings, typename Backend::Config const& backend)
      : observed_(operations.observer != nullptr ? new Observed<Backend>(operations) : nullptr),
        operations_(observed_ ? observed_->operations() : operations),
        settings_(settings),
        micro_batches_(micro_batches_of(settings, operations.collectives.size(), operations.collectives.rank())),
        lifetime_(new EngineLifetime{parameters}),
        phase_(micro_batches_.rounds()) {
    auto& ranks = operations_.collectives;
    run_on_all_ranks(ranks, [&] {
      prepare();
      if (observed_) observed_->attach();
    });
    agree_on_settings(ranks, describe_engine(ranks.size(), operations_.policies, settings_, lifetime_->parameters));
    check_no_sharing(ranks, specs());
    ranks.set_engine(agree_on_engine_number(ranks));
    run_on_all_ranks(ranks, [&] {
      parts_.emplace(operations_, settings_, backend, reduce_settings(settings_, *layout_, ranks.rank()), lifetime_,
                     phase_, *layout_, observation());
      if (observed_) observed_->prepare(*parts_);
    });
    parts_->register_memory();
    CallerValues<Backend>(*parts_).take_initial();
  }
  EngineCore(EngineCore const&) = delete;
  EngineCore& operator=(EngineCore const&) = delete;
  ~EngineCore() {
    joint_.end_of_member();
    lifetime_->alive = false;
    if (!phase_.is_quiet()) parts_->synchronize_all();
    if (observed_) observed_->discard(this);
  }

  // ------------------------------------------------------------------------------------------------- a micro-batch

  MicroBatch<Stream> begin_micro_batch(Stream stream) {
    require_alone(EngineCall::begin_micro_batch, stream);
    if (observed_) observed_->begin_micro_batch(this, stream);
    int const round = phase_.finished_rounds();
    parts_->reducer.begin(round);
    phase_.begin_micro_batch();
    return {*this,
            lifetime_,
            parts_->reducer.micro_batch_serial(),
            {micro_batches_.index(round), micro_batches_.contributes(round)}};
  }

  /// The record of a lease.
  [[nodiscard]] std::uint32_t gather(std::span<ParameterId const> ids, Stream stream) {
    phase_.require_sound();
    parts_->context.require_own_streams("gather", stream);
    check_ids(ids);
    if (observed_) [[unlikely]]
      return gather_observed(ids, stream);
    return gather_checked(ids, stream);
  }
  /// The record of a lease.
  [[nodiscard]] std::uint32_t lease_gradients(std::span<ParameterId const> ids, Stream stream) {
    parts_->context.require_allowed(EngineCall::gradients, stream);
    check_ids(ids);
    if (observed_) [[unlikely]]
      observed_->begin_backward(stream);
    return parts_->reducer.lease(ids, stream);
  }
  /// What leases of gradients report to.
  [[nodiscard]] GradientSink<Stream>& gradient_sink() noexcept {
    if (observed_) [[unlikely]]
      return observed_->gradients();
    return parts_->reducer;
  }

  ZERO_OUT_OF_LINE void discard_gradients() {
    joint_.require_alone("discard_gradients");
    phase_.require_sound();
    parts_->context.require_own_streams("discard_gradients");
    parts_->reducer.discard();
    phase_.discard_gradients();
    if (observed_) observed_->discard(this);
  }

  // ------------------------------------------------------------------------------------------------- a step

  /// Each line is ordered after the one before it by \p stream, or by the events of the part that it calls.
  [[nodiscard]] StepTicket<Event> step(StepOptions const& options, Stream stream) {
    auto& parts = *parts_;
    require_alone(EngineCall::step, stream);
    parts.gatherer.require_no_leases();
    if (observed_) observed_->begin_step(this, profile::Phase::update, stream);
    parts.decider.stage(rule_settings_of(options), clipping_of(options), operations_.collectives.history_now());
    parts.gatherer.forget_gathered();
    all_reduce_norm(stream);
    EnginePhase::UpdateGuard update(phase_, "an update did not end");
    parts.updater.join(stream);  // a delayed update reads the last decision, which the next line overwrites
    parts.decider.decide(parts.norm.words(), addends(), stream);
    parts.decider.fetch_report(stream);
    parts.gatherer.join_readers(stream);  // before the update overwrites what forward and backward have read
    parts.updater.update(parts.decider.decision(), stream);  // all-gathers each bucket behind its update
    parts.gatherer.copy_to_adopted();
    parts.reducer.release_sums();  // the next micro-batch may overwrite what the update has read
    update.commit();
    phase_.end_step();
    if (observed_) observed_->end_step(stream);
    return parts.decider.ticket();
  }

  /// One micro-batch whose gradients are all in adopted buffers.
  ZERO_OUT_OF_LINE void accumulate(Stream stream) {
    joint_.require_alone("accumulate");
    auto const adopted = adopted_gradients();
    adopted.require_all("accumulate");
    auto micro_batch = begin_micro_batch(stream);
    adopted.for_each_lease([&](std::span<ParameterId const> ids) {
      auto const record = lease_gradients(ids, stream);
      gradient_sink().ready(record, stream);
    });
    micro_batch.finish(stream);
  }
  /// The last one of a step, and the step.
  [[nodiscard]] ZERO_OUT_OF_LINE StepTicket<Event> update(StepOptions const& options, Stream stream) {
    joint_.require_alone("update");
    adopted_gradients().require_all("update");
    if (int const done = phase_.finished_rounds(); done + 1 < micro_batches_.rounds()) {
      phase_.require_allowed(EngineCall::begin_micro_batch);
      fail<SequenceError>({"zero::Engine: update after ", done, " of ", micro_batches_.rounds(),
                           " micro-batches: call accumulate() after each but the last, and update() after that"});
    }
    parts_->decider.require_possible(rule_settings_of(options), clipping_of(options));
    accumulate(stream);
    return step(options, stream);
  }

  void finish_update() {
    require_alone(EngineCall::finish_update);
    publish_pending_update();
  }

  /// Records the step that \p body takes on \p stream.
  template <class Body>
  [[nodiscard]] CapturedStep<Backend> capture(Stream stream, Body&& body) {
    require_alone(EngineCall::capture, stream);
    return {*this, lifetime_, StepCapture<Backend>(*parts_, phase_).record(stream, body)};
  }
  /// Launches \p step. A template, as the function above: only backends that record graphs have what it calls.
  template <class Graph>
  [[nodiscard]] StepTicket<Event> replay(RecordedStep<Graph> const& step, StepOptions const& options, Stream stream) {
    require_alone(EngineCall::replay, stream);
    return StepCapture<Backend>(*parts_, phase_)
        .replay(step, rule_settings_of(options), clipping_of(options), this, stream);
  }

  // ------------------------------------------------------------------------------------------------- beside the step

  [[nodiscard]] double mean_over_ranks(double value, double weight) {
    start_side_call(EngineCall::mean_over_ranks);
    return detail::mean_over_ranks(operations_.collectives, value, weight);
  }
  void broadcast(std::span<std::byte> bytes, std::size_t element, int root, Stream stream) {
    start_side_call(EngineCall::broadcast, stream);
    parts_->broadcast.on_device(bytes, element, root, stream);
  }
  void broadcast_on_host(std::span<std::byte> bytes, std::size_t element, int root) {
    start_side_call(EngineCall::broadcast);
    parts_->broadcast.on_host(bytes, element, root);
  }

  // ------------------------------------------------------------------------------------------------- access

  [[nodiscard]] ParameterId find(std::string_view name) const { return find_parameter(lifetime_->parameters, name); }
  [[nodiscard]] NamedAccess<Backend> by_name() {
    joint_.take_turn();
    return {*parts_, phase_, lifetime_->parameters, addends()};
  }
  [[nodiscard]] LossScale<Event> loss_scale() const {
    joint_.require_alone("loss_scale");
    return parts_->decider.loss_scale();
  }

  void take_adopted_values() {
    parts_->context.require_allowed(EngineCall::take_adopted_values);
    publish_pending_update();
    parts_->gatherer.require_no_leases();
    parts_->gatherer.forget_gathered();
    CallerValues<Backend>(*parts_).take_adopted();
  }

  [[nodiscard]] std::unique_ptr<EngineState> state() {
    parts_->context.require_allowed(EngineCall::state);
    publish_pending_update();  // as a run that loads this checkpoint goes on
    return std::make_unique<EngineStateAccess<Backend>>(*parts_, settings_.micro_batches_per_step, is_in_joint());
  }

  [[nodiscard]] FlatLayout const& layout() const noexcept { return *layout_; }
  [[nodiscard]] EngineParts<Backend>& parts() noexcept { return *parts_; }
  [[nodiscard]] EngineParts<Backend> const& parts() const noexcept { return *parts_; }

  // ------------------------------------------------------------------------------------------------- in a joint step

  /// From now on \p joint, which is borrowed until `leave_joint`, takes this engine's micro-batches and steps: it is
  /// its \p member, in rounds of \p micro_batches. \throws ConfigurationError where that cannot be; nothing has changed
  /// then.
  void enter_joint(JointLink<Backend>& joint, std::size_t member, MicroBatchSequence const& micro_batches) {
    parts_->reducer.enter_joint(joint, member, micro_batches);
    micro_batches_ = micro_batches;
    joint_.enter(joint, member);
  }
  /// It takes them itself again.
  void leave_joint() noexcept {
    micro_batches_ = micro_batches_of(settings_, operations_.collectives.size(), operations_.collectives.rank());
    parts_->reducer.leave_joint(micro_batches_);
    joint_.leave();
  }
  [[nodiscard]] bool is_in_joint() const noexcept { return static_cast<bool>(joint_); }
  /// Its number in the joint step.
  [[nodiscard]] std::size_t member() const noexcept { return joint_.member(); }
  [[nodiscard]] EnginePhase& phase() noexcept { return phase_; }
  [[nodiscard]] EngineSettings const& settings() const noexcept { return settings_; }
  [[nodiscard]] EngineOperations<Backend> const& operations() const noexcept { return operations_; }
  /// Who watches this engine; null where nobody does.
  [[nodiscard]] Observed<Backend>* observation() const noexcept { return observed_.get(); }
  [[nodiscard]] MicroBatchSequence const& micro_batches() const noexcept { return micro_batches_; }
  /// With CpuOffload::Config::delayed_update: see Engine::finish_update.
  void publish_pending_update() {
    auto& parts = *parts_;
    if (!parts.updater.has_pending_update()) return;
    joint_.take_turn();
    auto const stream = parts.communication.get();  // behind gathers that nobody has waited for
    parts.gatherer.require_no_leases();
    parts.gatherer.forget_gathered();
    EnginePhase::UpdateGuard update(phase_, "a delayed update was not published");
    parts.gatherer.join_readers(stream);
    parts.updater.finish(stream);
    parts.gatherer.copy_to_adopted();
    update.commit();
  }

  /// Shared with leases, which outlive the engine.
  [[nodiscard]] std::shared_ptr<EngineLifetime> const& lifetime() const noexcept { return lifetime_; }

 private:
  template <class... Streams>
  void require_alone(EngineCall call, Streams... streams) const {
    joint_.require_alone(EnginePhase::name_of(call));
    parts_->context.require_allowed(call, streams...);
  }
  template <class... Streams>
  void start_side_call(EngineCall call, Streams... streams) {
    parts_->context.require_allowed(call, streams...);
    joint_.take_turn();
  }

  [[nodiscard]] AdoptedGradients adopted_gradients() const noexcept { return {specs(), *layout_}; }
  [[nodiscard]] std::vector<ParameterSpec> const& specs() const noexcept { return lifetime_->parameters.specs(); }

  [[nodiscard]] std::uint32_t gather_checked(std::span<ParameterId const> ids, Stream stream) {
    auto& gatherer = parts_->gatherer;
    if (!joint_.before_gather(ids) && phase_.inside_micro_batch()) {
      parts_->reducer.before_gather(ids, [&gatherer](std::uint32_t block) { return gatherer.is_held(block); });
    }
    return gatherer.gather(ids, stream, phase_.inside_micro_batch());
  }
  ZERO_OUT_OF_LINE std::uint32_t gather_observed(std::span<ParameterId const> ids, Stream stream) {
    PhaseScope const scope(observation(), profile::Phase::gather, stream);
    return gather_checked(ids, stream);
  }

  ZERO_OUT_OF_LINE void prepare() {
    check_settings(settings_, operations_.collectives.size());
    operations_.policies.validate(lifetime_->parameters.groups());
    for (auto const& spec : specs()) check_adopted(spec, settings_.stage, operations_.policies.traits().compute);
    check_no_overlap(specs());
    LayoutSettings layout{.stage = settings_.stage,
                          .world = static_cast<std::size_t>(operations_.collectives.size()),
                          .alignment_elements = settings_.alignment_elements,
                          .persistence_threshold = settings_.persistence_threshold};
    if (settings_.bucket_elements) {
      layout.bucket_elements = *settings_.bucket_elements;
    } else {
      layout = DefaultBucket(specs(), layout).settings();
    }
    layout_.emplace(specs(), layout);
    enforce(layout_->trainable() > 0,
            "zero::Engine: every parameter is frozen: register one at least without frozen, to be trained");
  }

  void finish_micro_batch(std::uint64_t micro_batch_serial, Stream stream) override {
    if (micro_batch_serial != parts_->reducer.micro_batch_serial()) {
      fail<SequenceError>({"zero::MicroBatch: its gradients were discarded: begin another one"});
    }
    EnginePhase::GradientGuard gradients(phase_);
    parts_->context.require_own_streams("finish", stream);
    parts_->reducer.finish(stream);
    gradients.commit_micro_batch();
    if (observed_) observed_->end_micro_batch(stream);
  }
  void abandon_micro_batch(std::uint64_t micro_batch_serial) noexcept override {
    if (micro_batch_serial == parts_->reducer.micro_batch_serial()) phase_.abandon_micro_batch();
  }

  /// Until this ends nothing has changed: a failure here loses the gradients, not the states. The communication stream
  /// is behind the decision that has read the last settings.
  void all_reduce_norm(Stream stream) {
    PhaseScope const scope(observation(), profile::Phase::reduce, stream);
    EnginePhase::GradientGuard gradients(phase_);
    parts_->decider.send_settings(parts_->communication.get());
    parts_->norm.all_reduce(parts_->decider.agreement(), stream);
    gradients.commit();
  }

  [[nodiscard]] RuleSettings rule_settings_of(StepOptions const& options) const noexcept {
    return {options.lr.value_or(settings_.lr), options.momentum, options.beta2};
  }
  [[nodiscard]] double clipping_of(StepOptions const& options) const noexcept {
    return options.gradient_clipping.value_or(settings_.gradient_clipping);
  }
  /// How many gradients were added up: what the sum is divided by.
  [[nodiscard]] double addends() const noexcept { return static_cast<double>(micro_batches_.total()); }

  ZERO_OUT_OF_LINE void check_ids(std::span<ParameterId const> ids) const {
    for (auto id : ids) check_id(lifetime_->parameters, id);
  }

  std::unique_ptr<Observed<Backend>> observed_;  // where somebody watches
  EngineOperations<Backend> operations_;
  EngineSettings settings_;
  MicroBatchSequence micro_batches_;
  std::shared_ptr<EngineLifetime> lifetime_;
  EnginePhase phase_;
  std::optional<FlatLayout> layout_;
  std::optional<EngineParts<Backend>> parts_;
  JointMembership<Backend> joint_;
};

}  // namespace zero::detail
