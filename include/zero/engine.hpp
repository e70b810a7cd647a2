// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#if (defined(_MSVC_LANG) ? _MSVC_LANG : __cplusplus) < 202002L
#error "zero/engine.hpp needs C++20: compile with -std=c++20 or link the CMake target zero::zero"
#endif

#include <zero/agreement.hpp>
#include <zero/backends/host.hpp>
#include <zero/communicator.hpp>
#include <zero/communicators/self.hpp>
#include <zero/communicators/thread.hpp>
#include <zero/engine_config.hpp>
#include <zero/engine_parts.hpp>
#include <zero/gradient_norm.hpp>
#include <zero/gradient_reducer.hpp>
#include <zero/lease.hpp>
#include <zero/micro_batch.hpp>
#include <zero/optimizer.hpp>
#include <zero/parameter.hpp>
#include <zero/parameter_access.hpp>
#include <zero/parameter_gatherer.hpp>
#include <zero/parameter_updater.hpp>
#include <zero/partitioner.hpp>
#include <zero/precision.hpp>
#include <zero/step_decider.hpp>
#include <zero/step_ticket.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace zero {

/// Sharded optimization of one model on one rank. One engine per rank, used by one host thread; every rank makes the
/// same calls in the same order. Streams are the caller's; the engine's own are ordered against them by events.
///
/// \tparam Partition what is sharded, e.g. Partitioner<Stage::gradients>
/// \tparam Opt the rule and where its states live, e.g. Optimizer<AdamW, CpuOffload>
/// \tparam Prec compute type, loss scaler and sum type, e.g. Precision<FP16, DynamicScale>
template <class Partition, class Opt, class Prec, class Backend = HostBackend, class Communicator = SelfCommunicator>
class Engine final : private detail::MicroBatchSink<typename Backend::Stream> {
  static_assert(
      partitioner_policy<Partition>,
      "zero::Engine: the first argument must be a partitioner, e.g. zero::Partitioner<zero::Stage::gradients>");
  static_assert(optimizer_policy<Opt>,
                "zero::Engine: the second argument must be an optimizer, e.g. zero::Optimizer<zero::AdamW>");
  static_assert(precision_policy<Prec>,
                "zero::Engine: the third argument must be a precision, e.g. zero::Precision<zero::BF16>");
  static_assert(backend_policy<Backend>, "zero::Engine: the fourth argument must be a backend, e.g. zero::HostBackend");
  static_assert(communicator_on<Communicator, typename Backend::Stream>,
                "zero::Engine: the fifth argument must be a communicator for this backend's streams, e.g. "
                "zero::ThreadCommunicator");
  using Rule = typename Opt::rule;
  using Offload = typename Opt::offload;
  using Scaler = typename Prec::scale;
  using Sum = typename Prec::sum::type;
  static_assert(update_rule<Rule>,
                "zero::Optimizer: a rule needs state_count, Config with lr, Constants, constants() and update(); see "
                "examples/custom_rule");
  static_assert(std::is_trivially_copyable_v<typename Rule::Config>,
                "zero::Optimizer: the rule's Config must be trivially copyable, because the device reads it");
  static_assert(
      loss_scaler<Scaler>,
      "zero::Precision: a scaler needs Config, a trivially copyable State with scale, initial() and update(); see "
      "examples/custom_scaler");
  static_assert(!std::is_same_v<typename Prec::compute, FP16> || !std::is_same_v<Scaler, NoScale>,
                "zero::Precision: FP16 gradients underflow without a loss scale: write zero::Precision<zero::FP16, "
                "zero::DynamicScale>");
  static_assert(!std::is_same_v<typename Prec::sum, FP16>,
                "zero::Precision: sums of gradients overflow in FP16: write zero::BF16 or leave zero::FP32");

 public:
  /// Type of parameters and gradients.
  using Compute = typename Prec::compute::type;
  using Stream = typename Backend::Stream;
  using Config = EngineConfig<Rule, Scaler, Offload, Backend>;
  using Lease = ParameterLease<Compute, Stream>;
  using Gradients = GradientLease<Compute, Stream>;
  using Ticket = StepTicket<typename Backend::Event>;
  static constexpr Stage stage = Partition::stage;

  /// Lays the model out and takes the initial values of adopted parameters; placed ones are 0 until written.
  /// Collective, blocks. \p communicator must outlive the engine. \throws ConfigurationError on every rank for settings
  /// that cannot work, MismatchError where ranks differ.
  Engine(Communicator& communicator, ParameterList const& parameters, Config config = {})
      : communicator_(communicator),
        config_(std::move(config)),
        specs_(parameters.specs()),
        groups_(parameters.groups()) {
    detail::on_all_ranks_or_none(communicator_, [&] { prepare(); });
    detail::agree_on_settings(communicator_, describe());
    detail::on_all_ranks_or_none(communicator_,
                                 [&] { parts_.emplace(communicator_, config_, specs_, groups_, *layout_); });
    take_initial_values();
  }
  Engine(Engine const&) = delete;
  Engine& operator=(Engine const&) = delete;
  ~Engine() { life_->alive = false; }

  // ------------------------------------------------------------------------------------------------- a micro-batch

  /// Opens the next micro-batch of the step. Does not synchronize \p stream.
  /// \throws SequenceError for one too many, one inside another, and after one that was given up.
  MicroBatch<Stream> begin_micro_batch(Stream /*stream*/) {
    expect(Phase::between, "begin_micro_batch");
    if (micro_batches_ == config_.gradient_accumulation_steps) {
      throw SequenceError(detail::sentence({"zero::Engine: all ", config_.gradient_accumulation_steps,
                                            " micro-batches of this step are done: call step()"}));
    }
    parts_->reducer.begin(micro_batches_);
    phase_ = Phase::inside;
    return {*this, life_, parts_->reducer.pass()};
  }

  /// Makes the parameters \p ids whole until the lease ends: at stages 0 to 2 at the cost of an event wait, at stage 3
  /// by all-gathers of their buckets, where the following unit is gathered ahead. Outside of a micro-batch it serves
  /// evaluation. Does not synchronize \p stream. \throws LeaseError beyond the live bound, CommunicationError.
  Lease gather(std::span<ParameterId const> ids, Stream stream) {
    expect_alive();
    check(ids);
    auto const record = parts_->gatherer.gather(ids, stream, phase_ == Phase::inside);
    return Lease(parts_->gatherer, life_, record, stream);
  }
  Lease gather(ParameterId id, Stream stream) { return gather({&id, 1}, stream); }

  /// Places for the gradients of \p ids; may make \p stream wait for a free bucket. Does not synchronize \p stream.
  /// \throws GradientError for a frozen parameter, one gradient too many, or one too far ahead of the registered order;
  /// LeaseError for a gradient that another lease holds.
  Gradients gradients(std::span<ParameterId const> ids, Stream stream) {
    expect(Phase::inside, "gradients");
    check(ids);
    return Gradients(parts_->reducer, life_, parts_->reducer.lease(ids, stream), stream);
  }
  Gradients gradients(ParameterId id, Stream stream) { return gradients({&id, 1}, stream); }

  /// The scale that the loss, or its gradient, is to be multiplied with in this step's backward passes.
  [[nodiscard]] LossScale<typename Backend::Event> loss_scale() const { return parts_->decider.loss_scale(); }

  /// Gives up the micro-batches since the last step, after an error in one of them. Every rank must do so. Does not
  /// synchronize any stream.
  void discard_gradients() {
    expect_alive();
    parts_->reducer.discard();
    micro_batches_ = 0;
    phase_ = Phase::between;
  }

  // ------------------------------------------------------------------------------------------------- a step

  /// Updates the parameters from the gradients of this step's micro-batches. Does not synchronize \p stream, except
  /// with offload, whose update runs on the host. A gradient that is not finite on any rank skips the update on all of
  /// them. \throws SequenceError before the last micro-batch or with leases held, ConfigurationError for options that
  /// cannot work: the engine is unchanged then. CommunicationError before the decision leaves the states as they were;
  /// after it the engine is poisoned.
  [[nodiscard]] Ticket step(StepOptions const& options, Stream stream) {
    expect(Phase::between, "step");
    expect_complete("step");
    auto& parts = *parts_;
    parts.decider.set(config_.optimizer, options.lr.value_or(static_cast<double>(config_.optimizer.lr)),
                      options.gradient_clipping.value_or(config_.gradient_clipping));
    parts.gatherer.invalidate();
    settle_norm(stream);
    poison_ = "an update did not end";
    parts.decider.decide(parts.norm.view(), addends(), stream);
    parts.gatherer.join_readers(stream);
    parts.updater.update(parts.decider.decision(), stream);
    parts.gatherer.copy_to_adopted();
    parts.reducer.sums_were_read();
    poison_ = nullptr;
    micro_batches_ = 0;
    return parts.decider.take_ticket();
  }
  [[nodiscard]] Ticket step(Stream stream) { return step({}, stream); }

  // ------------------------------------------------------------------------------------------------- by name

  /// One whole parameter in fp32: the master value where there is one. Collective, blocks.
  [[nodiscard]] std::vector<float> read_parameter(std::string_view name) {
    return between_micro_batches("read_parameter").read_parameter(find(name));
  }
  /// Sets one whole parameter on all ranks, which must pass the same values. Collective, blocks.
  void write_parameter(std::string_view name, std::span<float const> values) {
    auto& access = between_micro_batches("write_parameter");
    parts_->gatherer.invalidate();
    access.write_parameter(find(name), values);
    parts_->gatherer.copy_to_adopted();
  }
  /// The unscaled averaged gradient that the coming `step` will use, before clipping. Collective, blocks.
  /// \throws SequenceError before the step's last micro-batch is finished.
  [[nodiscard]] std::vector<float> read_gradient(std::string_view name) {
    auto& access = between_micro_batches("read_gradient");
    expect_complete("read_gradient");
    return access.read_gradient(find(name), average());
  }
  /// Replaces the gradient that the coming `step` will use. Collective, blocks. \throws as `read_gradient`.
  void write_gradient(std::string_view name, std::span<float const> values) {
    auto& access = between_micro_batches("write_gradient");
    expect_complete("write_gradient");
    access.write_gradient(find(name), values, average());
  }
  /// The rule's \p k-th state of one whole parameter. Collective, blocks.
  [[nodiscard]] std::vector<float> read_state(std::string_view name, std::size_t k) {
    return between_micro_batches("read_state").read_state(find(name), k);
  }
  void write_state(std::string_view name, std::size_t k, std::span<float const> values) {
    between_micro_batches("write_state").write_state(find(name), k, values);
  }

  // ------------------------------------------------------------------------------------------------- books

  /// Bytes of this engine on this rank; equal to what its backend has handed out.
  [[nodiscard]] MemoryReport const& memory() const noexcept { return parts_->books; }
  /// What this rank has sent since construction.
  [[nodiscard]] Traffic const& traffic() const noexcept { return parts_->traffic; }
  [[nodiscard]] FlatLayout const& layout() const noexcept { return *layout_; }
  [[nodiscard]] Backend& backend() noexcept { return parts_->backend; }
  [[nodiscard]] Config const& config() const noexcept { return config_; }
  /// Updates done and steps skipped since construction. Waits until the last step has been decided.
  [[nodiscard]] StepState<Scaler> const& step_state() const { return parts_->decider.state(); }
  /// The parameter that was registered under \p name. \throws ConfigurationError for an unknown one.
  [[nodiscard]] ParameterId find(std::string_view name) const {
    for (std::uint32_t i = 0; i < specs_.size(); ++i) {
      if (specs_[i].name == name) return {i};
    }
    throw ConfigurationError(detail::sentence({"zero::Engine: no parameter is named ", detail::quoted(name)}));
  }

 private:
  enum class Phase : std::uint8_t { between, inside, broken };

  void prepare() {
    detail::check_config(config_, stage);
    detail::check_lr(static_cast<double>(config_.optimizer.lr));
    detail::validate<Rule>(config_.optimizer);
    detail::validate<Scaler>(config_.scale);
    detail::validate<Offload>(config_.offload);
    for (auto const& group : groups_) {
      detail::validate<Rule>(detail::group_config<Rule>(config_.optimizer, group, config_.optimizer.lr));
    }
    for (auto const& spec : specs_) {
      for (auto const& buffer : {spec.values, spec.gradients}) {
        if (!buffer || buffer->type == element_type<Compute>) continue;
        throw ConfigurationError(detail::sentence(
            {"zero::Engine: parameter ", detail::quoted(spec.name), " has adopted ", name(buffer->type),
             " buffers, but this engine computes in ", name(element_type<Compute>)}));
      }
    }
    layout_.emplace(specs_, LayoutSettings{.stage = stage,
                                           .world = static_cast<std::size_t>(communicator_.size()),
                                           .granule = config_.granule,
                                           .bucket_elements = config_.bucket_elements,
                                           .whole_below = config_.keep_whole_below});
    detail::require(layout_->trainable() > 0, "zero::Engine: every parameter is frozen: there is nothing to train");
  }

  [[nodiscard]] std::string describe() const {
    auto const policies = detail::sentence(
        {"world ", communicator_.size(), "\nstage ", static_cast<int>(stage), "\ncompute ", name(element_type<Compute>),
         "\nsum ", name(element_type<Sum>), "\noffload ", detail::policy_name<Offload>(), "\n"});
    return policies + detail::describe_parameters(specs_, groups_) +
           detail::describe_config<Rule, Scaler>(config_, groups_);
  }

  // Adopted values initialize master parameters and arenas; ranks whose values differ would train different models.
  void take_initial_values() {
    for (std::uint32_t i = 0; i < specs_.size(); ++i) {
      if (!specs_[i].values) continue;
      auto const* const data = static_cast<Compute const*>(specs_[i].values->data);
      std::vector<float> values(specs_[i].values->count);
      std::vector<Compute> copied(values.size());
      parts_->backend.copy(copied.data(), data, copied.size() * sizeof(Compute), parts_->communication.get());
      parts_->backend.synchronize(parts_->communication.get());
      parts_->backend.host_reads(copied.data(), copied.size() * sizeof(Compute));
      cast(InstructionSet::baseline, values.data(), copied.data(), values.size());
      parts_->access.write_parameter({i}, values);
    }
  }

  void finish_micro_batch(std::uint64_t pass, Stream stream) override {
    if (pass != parts_->reducer.pass()) {
      throw SequenceError("zero::MicroBatch: its gradients were discarded: begin another one");
    }
    phase_ = Phase::broken;  // until every gradient is known to be there
    parts_->reducer.finish(stream);
    ++micro_batches_;
    phase_ = Phase::between;
  }
  void give_up_micro_batch(std::uint64_t pass) noexcept override {
    if (pass == parts_->reducer.pass()) phase_ = Phase::broken;
  }

  /// Before this ends nothing has changed: a failure here loses the gradients, not the states.
  void settle_norm(Stream stream) {
    auto& parts = *parts_;
    phase_ = Phase::broken;
    parts.norm.all_reduce(communicator_, parts.communication.get());
    ++parts.traffic.collectives;
    parts.traffic.control_words += parts.norm.size();
    parts.backend.record(parts.gradients_settled, parts.communication.get());
    parts.backend.wait(stream, parts.gradients_settled);
    phase_ = Phase::between;
  }

  /// How many gradients were added up: what the sum is divided by.
  [[nodiscard]] double addends() const {
    return static_cast<double>(communicator_.size()) * static_cast<double>(config_.gradient_accumulation_steps);
  }
  [[nodiscard]] double average() const { return 1.0 / (addends() * static_cast<double>(loss_scale().value())); }

  void check(std::span<ParameterId const> ids) const {
    for (auto id : ids) {
      if (id.index >= specs_.size()) {
        throw ConfigurationError(detail::sentence({"zero::Engine: there is no parameter ", id.index, " of ",
                                                   specs_.size(), ": use the ids that ParameterList::add returned"}));
      }
    }
  }
  void expect_alive() const {
    if (poison_ == nullptr) return;
    throw PoisonedError(detail::sentence(
        {"zero::Engine: ", poison_, ", so states may be half new: make a new engine and load a checkpoint"}));
  }
  void expect(Phase phase, char const* call) const {
    expect_alive();
    if (phase_ == phase) return;
    throw SequenceError(detail::sentence(
        {"zero::Engine: ", call,
         (phase_ == Phase::broken   ? " after a micro-batch or step that failed: call discard_gradients() first"
          : phase_ == Phase::inside ? " inside a micro-batch: call its finish() first"
                                    : " outside of a micro-batch: call begin_micro_batch() first")}));
  }
  void expect_complete(char const* call) const {
    if (micro_batches_ == config_.gradient_accumulation_steps) return;
    throw SequenceError(detail::sentence({"zero::Engine: ", call, " after ", micro_batches_, " of ",
                                          config_.gradient_accumulation_steps,
                                          " micro-batches: finish them first, or discard_gradients()"}));
  }
  [[nodiscard]] auto& between_micro_batches(char const* call) {
    expect(Phase::between, call);
    return parts_->access;
  }

  Communicator& communicator_;
  Config config_;
  std::vector<ParameterSpec> specs_;
  std::vector<ParameterGroup> groups_;
  std::shared_ptr<detail::EngineLife> life_ = std::make_shared<detail::EngineLife>();
  std::optional<FlatLayout> layout_;
  std::optional<EngineParts<Partition, Opt, Prec, Backend, Communicator>> parts_;
  int micro_batches_ = 0;
  Phase phase_ = Phase::between;
  char const* poison_ = nullptr;  // why the states cannot be trusted any more
};

}  // namespace zero
