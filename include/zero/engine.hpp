// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/backends/host.hpp>
#include <zero/captured_step.hpp>
#include <zero/communicator.hpp>
#include <zero/communicators/self.hpp>
#include <zero/communicators/thread.hpp>
#include <zero/engine/contracts.hpp>
#include <zero/engine/core.hpp>
#include <zero/engine/operations.hpp>
#include <zero/engine/settings.hpp>
#include <zero/engine/typed_collectives.hpp>
#include <zero/engine/typed_kernels.hpp>
#include <zero/engine/typed_policies.hpp>
#include <zero/engine_config.hpp>
#include <zero/engine_member.hpp>
#include <zero/engine_state.hpp>
#include <zero/flat_model.hpp>
#include <zero/lease.hpp>
#include <zero/loss_scale.hpp>
#include <zero/micro_batch.hpp>
#include <zero/optimizer.hpp>
#include <zero/parameter.hpp>
#include <zero/partitioner.hpp>
#include <zero/precision.hpp>
#include <zero/step_ticket.hpp>
#include <zero/traffic.hpp>

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace zero {

/// Sharded optimization of one model on one rank. One engine per rank, used by one host thread at a time: another one
/// may go on where the first has ended or has been waited for. Every rank makes the same calls in the same order.
/// Streams are the caller's; the engine's own are ordered against them by events. On the host, where operations run
/// when they are called, a call may leave its stream out.
///
/// \tparam Partition what is sharded, e.g. Partitioner<Stage::gradients>, whose `stage` the engine has, too
/// \tparam Opt the rule and where its states live, e.g. Optimizer<AdamW, CpuOffload>
/// \tparam Prec compute type, loss scaler and sum type, e.g. Precision<FP16, DynamicScale>
template <class Partition, class Opt, class Prec, class Backend = HostBackend, class Communicator = SelfCommunicator>
class Engine final : public PublishedStage<Partition> {
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
  static constexpr bool stage_at_run_time = std::is_same_v<Partition, AnyStage>;
  using Rule = typename Opt::rule;
  using Offload = typename Opt::offload;
  using Scaler = typename Prec::scale;
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
  using Value = typename Prec::compute::type;
  using Sum = typename Prec::sum::type;
  static_assert(detail::PolicyContract<Rule, Scaler>::holds);
  static_assert(detail::BackendContract<Backend>::holds);
  static_assert(detail::KernelContract<Backend, Rule, Scaler, Value, Sum, Offload::offloads>::holds);
  static_assert(detail::CommunicatorContract<Communicator, Backend, Value, Sum>::holds);

 public:
  /// Type of parameters and gradients.
  using Compute = typename Prec::compute::type;
  /// What operations are put on; a trivially copyable reference.
  using Stream = typename Backend::Stream;
  /// Settings; see EngineConfig.
  using Config = EngineConfig<Rule, Scaler, Offload, Backend>;
  /// What `gather` returns.
  using Lease = ParameterLease<Compute, Stream>;
  /// What `gradients` returns.
  using Gradients = GradientLease<Compute, Stream>;
  /// What a step returns.
  using Ticket = StepTicket<typename Backend::Event>;

  /// Lays the model out and takes the initial values of adopted parameters; placed ones are 0 until written.
  /// Collective, blocks. \p communicator must outlive the engine. \throws ConfigurationError on every rank for settings
  /// that cannot work, MismatchError where ranks differ.
  Engine(Communicator& communicator, ParameterList const& parameters, Config config = {}) requires(!stage_at_run_time)
      : Engine(fixed_stage(), std::move(config), communicator, parameters) {}
  /// The same with the stage \p stage, where the partitioner is AnyStage.
  Engine(Stage stage, Communicator& communicator, ParameterList const& parameters,
         Config config = {}) requires stage_at_run_time : Engine(stage, std::move(config), communicator, parameters) {}

  // ------------------------------------------------------------------------------------------------- a micro-batch

  /// Opens the next micro-batch of the step. Does not synchronize \p stream.
  /// \throws SequenceError for one too many, one inside another, and after one that was given up.
  MicroBatch<Stream> begin_micro_batch(Stream stream = default_stream<Stream>()) {
    return core_.begin_micro_batch(stream);
  }

  /// Makes the parameters \p ids whole until the lease ends: at stages 0 to 2 at the cost of an event wait, at stage 3
  /// by all-gathers of their buckets, where the following unit is gathered ahead. In backward it first closes the
  /// gradients of the units that backward has passed: hand them over before. Outside of a micro-batch it serves
  /// evaluation. At stages 0 to 2 the addresses are the same for the life of the engine, those of adopted buffers among
  /// them, so that a model may keep them. Does not synchronize \p stream. \throws LeaseError beyond the live bound,
  /// CommunicationError.
  Lease gather(std::span<ParameterId const> ids, Stream stream = default_stream<Stream>()) {
    auto const record = core_.gather(ids, stream);
    return Lease(core_.parts().gatherer, core_.lifetime(), record, stream);
  }
  /// The same for a list, as in `gather({a, b}, stream)`.
  Lease gather(std::initializer_list<ParameterId> ids, Stream stream = default_stream<Stream>()) {
    return gather(std::span(ids.begin(), ids.size()), stream);
  }
  /// The same for one parameter.
  Lease gather(ParameterId id, Stream stream = default_stream<Stream>()) { return gather({&id, 1}, stream); }

  /// Places for the gradients of \p ids; may make \p stream wait for a free bucket. Does not synchronize \p stream.
  /// \throws GradientError for a frozen parameter, one gradient too many, or one that comes after its bucket was
  /// closed; LeaseError for a gradient that another lease holds.
  Gradients gradients(std::span<ParameterId const> ids, Stream stream = default_stream<Stream>()) {
    auto const record = core_.lease_gradients(ids, stream);
    return Gradients(core_.gradient_sink(), core_.lifetime(), record, stream);
  }
  /// The same for a list, as in `gradients({a, b}, stream)`.
  Gradients gradients(std::initializer_list<ParameterId> ids, Stream stream = default_stream<Stream>()) {
    return gradients(std::span(ids.begin(), ids.size()), stream);
  }
  /// The same for one parameter.
  Gradients gradients(ParameterId id, Stream stream = default_stream<Stream>()) { return gradients({&id, 1}, stream); }

  /// The scale that the loss, or its gradient, is to be multiplied with in this step's backward passes.
  [[nodiscard]] LossScale<typename Backend::Event> loss_scale() const { return core_.loss_scale(); }

  /// Gives up the micro-batches since the last step, after an error in one of them. Every rank must do so. Does not
  /// synchronize any stream.
  void discard_gradients() { core_.discard_gradients(); }

  // ------------------------------------------------------------------------------------------------- a step

  /// Updates the parameters from the gradients of this step's micro-batches. Does not synchronize \p stream, except
  /// with offload, whose update runs on the host and waits for the decision there unless it is delayed. A gradient that
  /// is not finite on any rank skips the update on all of them. \throws SequenceError before the last micro-batch or
  /// with leases held, ConfigurationError for options that cannot work: the engine is unchanged then.
  /// CommunicationError before the decision leaves the states as they were; after it the engine is poisoned.
  [[nodiscard]] Ticket step(StepOptions const& options, Stream stream) { return core_.step(options, stream); }
  /// The same with the configuration's learning rate, clipping and momentum.
  [[nodiscard]] Ticket step(Stream stream = default_stream<Stream>()) { return step(StepOptions{}, stream); }
  /// The same on the host, as in `step({.lr = lr})`. A template, so that `step({})` is the one above.
  template <class Options = StepOptions>
  requires std::same_as<Options, StepOptions>
  [[nodiscard]] Ticket step(Options const& options) { return step(options, default_stream<Stream>()); }

  /// One micro-batch of a model whose gradients are all in adopted buffers, which have been written as far as they have
  /// been put on \p stream: opens it, hands all of them over and finishes it. For each micro-batch of a step but the
  /// last, whose is `update`. One that arrives several times is complete in its buffer. The caller may write the
  /// buffers again on \p stream. Stages 0 to 2. \throws ConfigurationError at stage 3 and for a gradient that is not
  /// adopted, where nothing has changed; otherwise as the calls that it stands for.
  void accumulate(Stream stream = default_stream<Stream>()) { core_.accumulate(stream); }
  /// The same for the last micro-batch of a step, and the step. \throws ConfigurationError as `accumulate`, and for
  /// options that cannot work, SequenceError before the last micro-batch: nothing has changed then. Otherwise as the
  /// calls that it stands for.
  [[nodiscard]] Ticket update(StepOptions const& options = {}, Stream stream = default_stream<Stream>()) {
    return core_.update(options, stream);
  }

  /// With CpuOffload::Config::delayed_update, publishes the pending update, so that the next gather returns current
  /// parameters, e.g. to evaluate a trained model. Otherwise it does nothing. Collective. Does not synchronize any
  /// stream. \throws SequenceError between the micro-batches of a step or with leases held, CommunicationError.
  void finish_update() { core_.finish_update(); }

  /// Records the step that \p body takes into a CUDA graph: all of its micro-batches, with whatever the caller puts on
  /// \p stream and on streams that follow it, and `step`. The options and the ticket of that `step` are ignored: pass
  /// options to `replay`. Nothing runs until the recorded step is replayed. Addresses are recorded with it: leases of
  /// later steps give the same ones. Needs CudaBackend without offload, one rank or NcclCommunicator, and one step
  /// before it. \p stream is not a default stream. Meanwhile calls of this engine that cannot be recorded throw
  /// SequenceError, and so do calls of other engines on streams that are recorded: those of a communicator that shares
  /// its stream among all. An engine of these that ends meanwhile ends the capture. \throws ConfigurationError,
  /// SequenceError, CudaError; the engine is unchanged then.
  template <class Body>
  [[nodiscard]] CapturedStep<Backend> capture(Stream stream, Body&& body) {
    static_assert(backend_facts<Backend>().captures_graphs,
                  "zero::Engine::capture: this backend records no graphs: use zero::CudaBackend");
    return core_.capture(stream, body);
  }

  /// This engine as a member of a JointStep, in which several engines step together. \p name is its name there, the
  /// same on every rank of it. Until the joint step ends, micro-batches, steps and loading are its business: this
  /// engine's own `begin_micro_batch`, `discard_gradients`, `step`, `capture`, `finish_update` and `loss_scale` throw
  /// SequenceError.
  [[nodiscard]] EngineMember<Backend> member(std::string_view name, MemberOptions options = {}) {
    return {core_, core_.lifetime(), name, std::move(options)};
  }

  // ------------------------------------------------------------------------------------------------- over ranks

  /// The mean of a number over the ranks, such as that of a loss: the same bits on every rank. With \p weight, the
  /// mean by weight, such as by samples: 0 for a rank without a micro-batch, whose \p value does not count then.
  /// Collective, blocks the host, not the streams. \throws ConfigurationError on every rank for a weight that is
  /// negative or not finite and where all are 0, MismatchError where a rank calls something else, SequenceError inside
  /// a micro-batch and inside a capture.
  [[nodiscard]] double mean_over_ranks(double value, double weight = 1.0) {
    return core_.mean_over_ranks(value, weight);
  }
  /// Sets \p values on all ranks to those of rank \p root, bit by bit: tensors that are no parameters, such as the
  /// statistics of a BatchNorm. Memory of the backend's device, in the order of \p stream, which is not synchronized;
  /// the ranks agree on the call before, which blocks the host. Takes 64 KiB of memory from the first call on.
  /// Collective. \throws ConfigurationError on every rank where there is no rank \p root, MismatchError where ranks
  /// differ in it, in the number of elements or in their size, or call something else, SequenceError inside a
  /// micro-batch and inside a capture, CommunicationError.
  template <class Element, std::size_t extent>
  void broadcast(std::span<Element, extent> values, int root, Stream stream) {
    static_assert(std::is_trivially_copyable_v<Element> && !std::is_const_v<Element>,
                  "zero::Engine::broadcast: elements are copied bit by bit: a span of numbers that are not const");
    broadcast_bytes(std::as_writable_bytes(values), sizeof(Element), root, stream);
  }
  /// The same of host memory, whatever the backend. Blocks.
  template <class Element, std::size_t extent>
  void broadcast(std::span<Element, extent> values, int root) {
    static_assert(std::is_trivially_copyable_v<Element> && !std::is_const_v<Element>,
                  "zero::Engine::broadcast: elements are copied bit by bit: a span of numbers that are not const");
    broadcast_bytes(std::as_writable_bytes(values), sizeof(Element), root);
  }
  /// The same for elements whose size only the program knows, as tensors of a run-time type are: \p element bytes each,
  /// which is not 0. Ranks differ where that differs.
  void broadcast_bytes(std::span<std::byte> bytes, std::size_t element, int root, Stream stream) {
    core_.broadcast(bytes, element, root, stream);
  }
  /// The same of host memory. Blocks.
  void broadcast_bytes(std::span<std::byte> bytes, std::size_t element, int root) {
    core_.broadcast_on_host(bytes, element, root);
  }

  // ------------------------------------------------------------------------------------------------- by name

  /// One whole parameter in fp32: the master value where there is one. Collective, blocks.
  [[nodiscard]] std::vector<float> read_parameter(std::string_view name) { return read_parameter(find(name)); }
  /// The same by number.
  [[nodiscard]] std::vector<float> read_parameter(ParameterId id) { return core_.by_name().read_parameter(id); }
  /// Sets one whole parameter on all ranks, which must pass the same values. Collective, blocks.
  void write_parameter(std::string_view name, std::span<float const> values) { write_parameter(find(name), values); }
  /// The same by number.
  void write_parameter(ParameterId id, std::span<float const> values) { core_.by_name().write_parameter(id, values); }
  /// Takes the values of all adopted buffers in again, which the caller has written since the engine was made, such as
  /// from a file: without this call the next step overwrites them. Master values become those of the buffers, in the
  /// compute type; optimizer states stay. Collective, blocks. \throws MismatchError where ranks have other values,
  /// SequenceError inside a micro-batch or with leases held.
  void take_adopted_values() { core_.take_adopted_values(); }
  /// The unscaled averaged gradient that the coming `step` will use, before clipping. Collective, blocks.
  /// \throws SequenceError before the step's last micro-batch is finished.
  [[nodiscard]] std::vector<float> read_gradient(std::string_view name) { return read_gradient(find(name)); }
  /// The same by number.
  [[nodiscard]] std::vector<float> read_gradient(ParameterId id) { return core_.by_name().read_gradient(id); }
  /// Replaces the gradient that the coming `step` will use. Collective, blocks. \throws as `read_gradient`.
  void write_gradient(std::string_view name, std::span<float const> values) { write_gradient(find(name), values); }
  /// The same by number.
  void write_gradient(ParameterId id, std::span<float const> values) { core_.by_name().write_gradient(id, values); }
  /// The rule's \p k-th state of one whole parameter. Collective, blocks.
  [[nodiscard]] std::vector<float> read_state(std::string_view name, std::size_t k) {
    return read_state(find(name), k);
  }
  /// The same by number.
  [[nodiscard]] std::vector<float> read_state(ParameterId id, std::size_t k) {
    return core_.by_name().read_state(id, k);
  }
  /// Sets the rule's \p k-th state of one whole parameter on all ranks, which must pass the same values. Collective,
  /// blocks.
  void write_state(std::string_view name, std::size_t k, std::span<float const> values) {
    write_state(find(name), k, values);
  }
  /// The same by number.
  void write_state(ParameterId id, std::size_t k, std::span<float const> values) {
    core_.by_name().write_state(id, k, values);
  }

  /// All that training has made, for `save_checkpoint` and `load_checkpoint`; valid until the next micro-batch.
  /// With CpuOffload::Config::delayed_update it publishes the pending update first, and is collective. \throws
  /// SequenceError inside an accumulation, whose gradients are not part of a checkpoint, and with leases held that such
  /// an update would change. A template, so that an engine that is instantiated whole pays for it only where it is
  /// called.
  template <class State = EngineState>
  [[nodiscard]] std::unique_ptr<State> state() {
    return core_.state();
  }

  // ------------------------------------------------------------------------------------------------- reports

  /// Bytes of this engine on this rank; equal to what its backend has handed out.
  [[nodiscard]] MemoryReport const& memory() const noexcept { return core_.parts().memory_report; }
  /// What this rank has sent since construction.
  [[nodiscard]] Traffic const& traffic() const noexcept { return core_.parts().traffic; }
  /// The parameters that it was made with, by registration. What they borrow, such as initial values, may be gone.
  [[nodiscard]] std::vector<ParameterSpec> const& parameters() const noexcept {
    return core_.lifetime()->parameters.specs();
  }
  /// Where parameters and buckets lie.
  [[nodiscard]] FlatLayout const& layout() const noexcept { return core_.layout(); }
  /// What owns this engine's memory and streams.
  [[nodiscard]] Backend& backend() noexcept { return core_.parts().backend; }
  /// The settings that it was made with.
  [[nodiscard]] Config const& config() const noexcept { return config_; }
  /// Updates done and steps skipped since construction. Waits until the last step has been decided.
  [[nodiscard]] StepState<Scaler> const& step_state() const {
    auto const& decider = core_.parts().decider;
    return decider.decided().read(*static_cast<StepState<Scaler> const*>(decider.state()));
  }
  /// The parameter that was registered under \p name, by a hash of it. \throws ConfigurationError for an unknown one.
  [[nodiscard]] ParameterId find(std::string_view name) const { return core_.find(name); }

 private:
  // A function, because an explicit instantiation by clang 14 looks into constructors whose constraint does not hold.
  static constexpr Stage fixed_stage() noexcept {
    if constexpr (stage_at_run_time) {
      return Stage::none;
    } else {
      return Partition::stage;
    }
  }
  Engine(Stage chosen, Config config, Communicator& communicator, ParameterList const& parameters)
      : config_(std::move(config)),
        collectives_(communicator),
        kernels_(config_.scale),
        policies_(config_),
        core_({collectives_, kernels_, policies_, config_.profiler}, parameters, detail::settings_of(config_, chosen),
              config_.backend) {}

  Config config_;
  detail::TypedCollectives<Prec, Backend, Communicator> collectives_;
  detail::TypedKernels<Opt, Prec, Backend> kernels_;
  detail::TypedPolicies<Opt, Prec, Config> policies_;
  detail::EngineCore<Backend> core_;
};

}  // namespace zero
