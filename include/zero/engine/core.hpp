// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/captured_step.hpp>
#include <zero/communicator.hpp>
#include <zero/engine/description.hpp>
#include <zero/engine/operations.hpp>
#include <zero/engine/parts.hpp>
#include <zero/engine/rank_agreement.hpp>
#include <zero/engine/settings.hpp>
#include <zero/engine/state_access.hpp>
#include <zero/engine_config.hpp>
#include <zero/engine_state.hpp>
#include <zero/error.hpp>
#include <zero/flat_layout.hpp>
#include <zero/lease.hpp>
#include <zero/micro_batch.hpp>
#include <zero/parameter.hpp>
#include <zero/precision.hpp>
#include <zero/step/decider.hpp>
#include <zero/step_ticket.hpp>
#include <zero/support/fixed_array.hpp>
#include <zero/support/message.hpp>
#include <zero/traffic.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zero::detail {

/// An engine without its types: sets it up on all ranks, knows what may be called when, and takes a step through its
/// parts. Written and compiled once for all engines of a backend; see Engine for the contracts of its functions.
template <class Backend>
class EngineCore final : private MicroBatchSink<typename Backend::Stream> {
 public:
  using Stream = typename Backend::Stream;
  using Event = typename Backend::Event;

  /// Collective, blocks. \p operations is borrowed.
  [[gnu::noinline]] EngineCore(EngineOperations<Backend>& operations, ParameterList const& parameters,
                               EngineSettings const& settings, typename Backend::Config const& backend)
      : operations_(operations), settings_(settings), lifetime_(new EngineLifetime{parameters}) {
    run_on_all_ranks(operations_, [&] { prepare(); });
    agree_on_settings(operations_, describe_engine(operations_, settings_, lifetime_->parameters));
    run_on_all_ranks(operations_, [&] { parts_.emplace(operations_, settings_, backend, lifetime_, *layout_); });
    parts_->register_memory();
    take_initial_values();
  }
  EngineCore(EngineCore const&) = delete;
  EngineCore& operator=(EngineCore const&) = delete;
  ~EngineCore() {
    lifetime_->alive = false;
    if (phase_ != Phase::between || poison_ != nullptr || parts_->failure) parts_->synchronize_all();
  }

  // ------------------------------------------------------------------------------------------------- a micro-batch

  MicroBatch<Stream> begin_micro_batch() {
    expect(Phase::between, "begin_micro_batch");
    if (micro_batches_ == settings_.gradient_accumulation_steps) {
      fail<SequenceError>({"zero::Engine: all ", settings_.gradient_accumulation_steps,
                           " micro-batches of this step are done: call step()"});
    }
    parts_->reducer.begin(micro_batches_);
    phase_ = Phase::inside;
    return {*this, lifetime_, parts_->reducer.micro_batch_serial()};
  }

  /// The record of a lease.
  [[nodiscard]] std::uint32_t gather(std::span<ParameterId const> ids, Stream stream) {
    expect_alive();
    check(ids);
    return parts_->gatherer.gather(ids, stream, phase_ == Phase::inside);
  }
  /// The record of a lease.
  [[nodiscard]] std::uint32_t lease_gradients(std::span<ParameterId const> ids, Stream stream) {
    expect(Phase::inside, "gradients");
    check(ids);
    return parts_->reducer.lease(ids, stream);
  }

  [[gnu::noinline]] void discard_gradients() {
    expect_alive();
    parts_->reducer.discard();
    micro_batches_ = 0;
    phase_ = Phase::between;
  }

  // ------------------------------------------------------------------------------------------------- a step

  [[nodiscard]] StepTicket<Event> step(StepOptions const& options, Stream stream) {
    expect(Phase::between, "step");
    expect_complete("step");
    auto& parts = *parts_;
    bool const records = capturing();
    if (!records) set(options);
    parts.gatherer.invalidate();
    all_reduce_norm(stream);
    poison_ = "an update did not end";
    if (!records) parts.decider.send_settings(stream);
    parts.updater.join(stream);  // it reads the last decision
    parts.decider.decide(parts.norm.view(), addends(), stream);
    if (!records) parts.decider.fetch_report(stream);
    parts.gatherer.join_readers(stream);
    parts.updater.update(parts.decider.decision(), stream);
    parts.gatherer.copy_to_adopted();
    parts.reducer.release_sums();
    poison_ = nullptr;
    micro_batches_ = 0, ++steps_;
    return records ? parts.decider.ticket_of_captured() : parts.decider.ticket();
  }

  void finish_update() {
    expect(Phase::between, "finish_update");
    if (micro_batches_ != 0) throw_incomplete("finish_update");
    publish_pending_update();
  }

  /// Records the step that \p body takes on \p stream.
  template <class Body>
  [[nodiscard]] CapturedStep<Backend> capture(Stream stream, Body&& body) {
    expect_capturable();
    auto& parts = *parts_;
    Traffic const before = parts.traffic;
    std::uint64_t const steps = steps_;
    parts.gatherer.invalidate();
    parts.gatherer.join_readers(stream);  // what is recorded cannot wait for them, and forgets them
    parts.backend.begin_capture(stream, parts.communication.get());
    try {
      body();
      expect(Phase::between, "the end of a capture");
      if (steps_ != steps + 1 || micro_batches_ != 0) throw_bad_capture(steps_ - steps);
    } catch (...) {
      parts.backend.abandon_capture(stream);
      poison_ = nullptr, parts.failure = nullptr;  // nothing has run
      parts.traffic = before;
      discard_gradients();
      throw;
    }
    auto graph = parts.backend.end_capture(stream, parts.communication.get());
    Traffic const sent = std::exchange(parts.traffic, before) - before;
    return {*this, lifetime_, std::move(graph), sent};
  }

  [[nodiscard]] StepTicket<Event> replay(typename CapturedStep<Backend>::Graph const& graph, Traffic const& sent,
                                         StepOptions const& options, Stream stream) {
    expect(Phase::between, "replay");
    if (micro_batches_ != 0) throw_incomplete("replay");
    auto& parts = *parts_;
    set(options);
    parts.gatherer.invalidate();
    poison_ = "a captured step did not end";
    parts.gatherer.join_readers(stream);
    parts.backend.wait_for(stream, parts.communication.get());
    parts.decider.send_settings(stream);
    parts.backend.launch(graph, stream);
    parts.decider.fetch_report(stream);
    parts.backend.end_replay(stream, parts.communication.get());
    operations_.watch(stream);
    parts.traffic = parts.traffic + sent;
    poison_ = nullptr;
    return parts.decider.ticket();
  }

  // ------------------------------------------------------------------------------------------------- by name

  [[nodiscard, gnu::noinline]] std::vector<float> read_parameter(std::string_view name) {
    return between_micro_batches("read_parameter").read_parameter(find(name));
  }
  [[gnu::noinline]] void write_parameter(std::string_view name, std::span<float const> values) {
    auto& access = between_micro_batches("write_parameter");
    parts_->gatherer.invalidate();
    access.write_parameter(find(name), values);
    parts_->gatherer.copy_to_adopted();
  }
  [[nodiscard, gnu::noinline]] std::vector<float> read_gradient(std::string_view name) {
    auto& access = between_micro_batches("read_gradient");
    expect_complete("read_gradient");
    return access.read_gradient(find(name), average());
  }
  [[gnu::noinline]] void write_gradient(std::string_view name, std::span<float const> values) {
    auto& access = between_micro_batches("write_gradient");
    expect_complete("write_gradient");
    access.write_gradient(find(name), values, average());
  }
  [[nodiscard, gnu::noinline]] std::vector<float> read_state(std::string_view name, std::size_t k) {
    return between_micro_batches("read_state").read_state(find(name), k);
  }
  [[gnu::noinline]] void write_state(std::string_view name, std::size_t k, std::span<float const> values) {
    between_micro_batches("write_state").write_state(find(name), k, values);
  }
  [[nodiscard, gnu::noinline]] ParameterId find(std::string_view name) const {
    for (std::uint32_t i = 0; i < specs().size(); ++i) {
      if (specs()[i].name == name) return {i};
    }
    fail<ConfigurationError>({"zero::Engine: no parameter is named ", quote(name)});
  }

  [[nodiscard]] std::unique_ptr<EngineState> state() {
    expect(Phase::between, "state");
    if (micro_batches_ > 0) {
      fail<SequenceError>({"zero::Engine: a checkpoint after ", micro_batches_, " of ",
                           settings_.gradient_accumulation_steps,
                           " micro-batches would lose their gradients: call step() first, or "
                           "discard_gradients()"});
    }
    publish_pending_update();  // as a run that loads this checkpoint goes on
    return std::make_unique<EngineStateAccess<Backend>>(*parts_, poison_);
  }

  [[nodiscard]] FlatLayout const& layout() const noexcept { return *layout_; }
  [[nodiscard]] EngineParts<Backend>& parts() noexcept { return *parts_; }
  [[nodiscard]] EngineParts<Backend> const& parts() const noexcept { return *parts_; }
  /// Shared with leases, which outlive the engine.
  [[nodiscard]] std::shared_ptr<EngineLifetime> const& lifetime() const noexcept { return lifetime_; }

 private:
  enum class Phase : std::uint8_t { between, inside, broken };

  [[nodiscard]] std::vector<ParameterSpec> const& specs() const noexcept { return lifetime_->parameters.specs(); }

  [[gnu::noinline]] void prepare() {
    check_settings(settings_);
    operations_.validate(lifetime_->parameters.groups());
    for (auto const& spec : specs()) {
      check_adopted(spec, spec.values);
      check_adopted(spec, spec.gradients);
    }
    LayoutSettings layout{.stage = settings_.stage,
                          .world = static_cast<std::size_t>(operations_.size()),
                          .alignment_elements = settings_.alignment_elements,
                          .persistence_threshold = settings_.persistence_threshold};
    layout.bucket_elements = settings_.bucket_elements.value_or(FlatLayout::default_bucket_elements(specs(), layout));
    layout_.emplace(specs(), layout);
    require(layout_->trainable() > 0, "zero::Engine: every parameter is frozen: there is nothing to train");
  }

  [[gnu::noinline]] void check_adopted(ParameterSpec const& spec, std::optional<AdoptedBuffer> const& buffer) const {
    auto const compute = operations_.traits().compute;
    if (!buffer || buffer->type == compute) return;
    fail<ConfigurationError>({"zero::Engine: parameter ", quote(spec.name), " has adopted ", name(buffer->type),
                              " buffers, but this engine computes in ", name(compute)});
  }

  // Adopted values initialize master parameters and arenas; ranks whose values differ would train different models.
  [[gnu::noinline]] void take_initial_values() {
    for (std::uint32_t i = 0; i < specs().size(); ++i) {
      auto const& adopted = specs()[i].values;
      if (!adopted) continue;
      std::vector<float> values(adopted->count);
      FixedArray<std::byte> copied(adopted->count * operations_.bytes(ElementRole::value));
      parts_->backend.copy(copied.begin(), adopted->data, copied.size(), parts_->communication.get());
      parts_->backend.synchronize(parts_->communication.get());
      parts_->backend.host_reads(copied.begin(), copied.size());
      operations_.widen(ElementRole::value, values.data(), copied.begin(), values.size());
      parts_->access.write_parameter({i}, values);
    }
  }

  void finish_micro_batch(std::uint64_t micro_batch_serial, Stream stream) override {
    if (micro_batch_serial != parts_->reducer.micro_batch_serial()) {
      fail<SequenceError>({"zero::MicroBatch: its gradients were discarded: begin another one"});
    }
    phase_ = Phase::broken;  // until every gradient is known to be there
    parts_->reducer.finish(stream);
    ++micro_batches_;
    phase_ = Phase::between;
  }
  void abandon_micro_batch(std::uint64_t micro_batch_serial) noexcept override {
    if (micro_batch_serial == parts_->reducer.micro_batch_serial()) phase_ = Phase::broken;
  }

  /// Before this ends nothing has changed: a failure here loses the gradients, not the states.
  void all_reduce_norm(Stream stream) {
    auto& parts = *parts_;
    phase_ = Phase::broken;
    parts.norm.all_reduce(operations_, parts.communication.get());
    ++parts.traffic.collectives;
    parts.traffic.control_words += parts.norm.size();
    parts.backend.record(parts.norm_ready, parts.communication.get());
    parts.backend.wait(stream, parts.norm_ready);
    phase_ = Phase::between;
  }

  [[nodiscard]] bool capturing() const noexcept {
    if constexpr (requires { parts_->backend.capturing(); }) return parts_->backend.capturing();
    return false;
  }
  void set(StepOptions const& options) {
    parts_->decider.set(options.lr.value_or(settings_.lr),
                        options.gradient_clipping.value_or(settings_.gradient_clipping));
  }
  void expect_capturable() const {
    expect(Phase::between, "capture");
    if (micro_batches_ != 0) throw_incomplete("capture");
    require(!settings_.offloads,
            "zero::Engine: an offloaded step waits on the host for its decision and cannot be captured: use "
            "zero::NoOffload");
    require(operations_.can_be_captured(),
            "zero::Engine: the ranks of this communicator meet on the host, which cannot be captured: use one "
            "rank, or zero::NcclCommunicator");
    if (parts_->decider.number() > 0) return;
    fail<SequenceError>({"zero::Engine: capture before the first step: take one as usual, which warms collectives up"});
  }
  [[noreturn, gnu::cold, gnu::noinline]] static void throw_bad_capture(std::uint64_t steps) {
    fail<SequenceError>({"zero::Engine: a capture records all micro-batches of one step and the step itself, not ",
                         steps, " steps: call step() once, last"});
  }

  /// How many gradients were added up: what the sum is divided by.
  [[nodiscard]] double addends() const {
    return static_cast<double>(operations_.size()) * static_cast<double>(settings_.gradient_accumulation_steps);
  }
  [[nodiscard, gnu::noinline]] double average() const {
    return 1.0 / (addends() * static_cast<double>(parts_->decider.loss_scale().value()));
  }

  [[gnu::noinline]] void check(std::span<ParameterId const> ids) const {
    for (auto id : ids) {
      if (id.index < specs().size()) continue;
      fail<ConfigurationError>({"zero::Engine: there is no parameter ", id.index, " of ", specs().size(),
                                ": use the ids that ParameterList::add returned"});
    }
  }
  void expect_alive() const {
    if (poison_ != nullptr || parts_->failure) throw_poisoned();
  }
  // Where a stream has come cannot be noted again: who reads parameters or writes gradients is not waited for.
  [[noreturn, gnu::cold, gnu::noinline]] void throw_poisoned() const {
    if (parts_->failure) std::rethrow_exception(parts_->failure);
    fail<PoisonedError>(
        {"zero::Engine: ", poison_, ", so states may be half new: make a new engine and load a checkpoint"});
  }
  void expect(Phase phase, char const* call) const {
    if (poison_ != nullptr || phase_ != phase || parts_->failure) throw_illegal(call);
  }
  [[noreturn, gnu::cold, gnu::noinline]] void throw_illegal(char const* call) const {
    expect_alive();
    fail<SequenceError>({"zero::Engine: ", call,
                         phase_ == Phase::broken
                             ? " after a micro-batch or step that failed: call discard_gradients() first"
                         : phase_ == Phase::inside ? " inside a micro-batch: call its finish() first"
                                                   : " outside of a micro-batch: call begin_micro_batch() first"});
  }
  void expect_complete(char const* call) const {
    if (micro_batches_ != settings_.gradient_accumulation_steps) throw_incomplete(call);
  }
  [[noreturn, gnu::cold, gnu::noinline]] void throw_incomplete(char const* call) const {
    fail<SequenceError>({"zero::Engine: ", call, " after ", micro_batches_, " of ",
                         settings_.gradient_accumulation_steps,
                         " micro-batches: finish them first, or discard_gradients()"});
  }
  [[nodiscard]] ParameterAccess<Backend>& between_micro_batches(char const* call) {
    expect(Phase::between, call);
    parts_->updater.join(parts_->communication.get());
    return parts_->access;
  }
  void publish_pending_update() {
    auto& parts = *parts_;
    if (!parts.updater.has_pending_update()) return;
    auto const stream = parts.communication.get();  // behind gathers that nobody has waited for
    parts.gatherer.invalidate();
    poison_ = "a delayed update was not published";
    parts.gatherer.join_readers(stream);
    parts.updater.finish(stream);
    parts.gatherer.copy_to_adopted();
    poison_ = nullptr;
  }

  EngineOperations<Backend>& operations_;
  EngineSettings settings_;
  std::shared_ptr<EngineLifetime> lifetime_;
  std::optional<FlatLayout> layout_;
  std::optional<EngineParts<Backend>> parts_;
  int micro_batches_ = 0;
  std::uint64_t steps_ = 0;  // recorded ones, too
  Phase phase_ = Phase::between;
  char const* poison_ = nullptr;  // why the states cannot be trusted any more
};

}  // namespace zero::detail
