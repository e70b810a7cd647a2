// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/backend.hpp>
#include <zero/backends/host.hpp>
#include <zero/captured_step.hpp>
#include <zero/engine/erased_engine.hpp>
#include <zero/engine_config.hpp>
#include <zero/engine_member.hpp>
#include <zero/engine_state.hpp>
#include <zero/flat_layout.hpp>
#include <zero/kernels/step_state.hpp>
#include <zero/loss_scale.hpp>
#include <zero/memory_report.hpp>
#include <zero/micro_batch.hpp>
#include <zero/parameter.hpp>
#include <zero/runtime_config.hpp>
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

/// An engine whose rule, loss scaler, stage, offload and communicator were chosen when the program ran: what a trainer
/// holds that a configuration file drives. Its calls are Engine's, and mean what they mean there; each costs one
/// virtual call more. Owns the engine; move-only. See Settings::visit of zero/config/settings.hpp.
///
/// \tparam Value type of parameters and gradients: float, float16 or bfloat16
/// \tparam Backend of the engine
template <class Value, class Backend = HostBackend>
class RuntimeEngine {
  using Interface = detail::EngineInterface<Value, Backend>;

 public:
  /// Type of parameters and gradients.
  using Compute = Value;
  /// What operations are put on.
  using Stream = typename Backend::Stream;
  /// What `gather` returns.
  using Lease = typename Interface::Lease;
  /// What `gradients` returns.
  using Gradients = typename Interface::Gradients;
  /// What a step returns.
  using Ticket = typename Interface::Ticket;

  /// Takes \p engine, an Engine of that type and backend, such as make_any_engine makes.
  template <class Engine>
  requires(std::same_as<typename Engine::Compute, Value>&& std::same_as<typename Engine::Stream, Stream>)
      RuntimeEngine(std::unique_ptr<Engine> engine) {
    if constexpr (backend_facts<Backend>().captures_graphs) {
      engine_ = std::make_unique<detail::CapturingErasedEngine<Engine, Value, Backend>>(std::move(engine));
    } else {
      engine_ = std::make_unique<detail::ErasedEngine<Engine, Value, Backend>>(std::move(engine));
    }
  }

  /// \name As Engine has them, with what they throw and wait for
  /// @{

  /// Opens the next micro-batch of the step. Does not synchronize \p stream. \throws SequenceError for one too many,
  /// and for one inside another.
  MicroBatch<Stream> begin_micro_batch(Stream stream = default_stream<Stream>()) {
    return engine_->begin_micro_batch(stream);
  }
  /// Makes the parameters \p ids whole until the lease ends. At stage 3 their buckets are all-gathered; before, it
  /// costs an event wait. Does not synchronize \p stream. \throws LeaseError beyond the live bound, CommunicationError.
  Lease gather(std::span<ParameterId const> ids, Stream stream = default_stream<Stream>()) {
    return engine_->gather(ids, stream);
  }
  /// The same of a list.
  Lease gather(std::initializer_list<ParameterId> ids, Stream stream = default_stream<Stream>()) {
    return engine_->gather({ids.begin(), ids.size()}, stream);
  }
  /// The same of one.
  Lease gather(ParameterId id, Stream stream = default_stream<Stream>()) { return engine_->gather({&id, 1}, stream); }
  /// Places for the gradients of \p ids. Does not synchronize \p stream. \throws GradientError for a frozen parameter,
  /// and for one gradient too many; LeaseError for one that another lease holds.
  Gradients gradients(std::span<ParameterId const> ids, Stream stream = default_stream<Stream>()) {
    return engine_->gradients(ids, stream);
  }
  /// The same for a list.
  Gradients gradients(std::initializer_list<ParameterId> ids, Stream stream = default_stream<Stream>()) {
    return engine_->gradients({ids.begin(), ids.size()}, stream);
  }
  /// The same for one.
  Gradients gradients(ParameterId id, Stream stream = default_stream<Stream>()) {
    return engine_->gradients({&id, 1}, stream);
  }
  /// The scale that the loss is to be multiplied with in this step's backward passes.
  [[nodiscard]] LossScale<typename Backend::Event> loss_scale() const { return engine_->loss_scale(); }
  /// Gives up the micro-batches since the last step, after an error in one of them. Every rank must do so. Does not
  /// synchronize any stream.
  void discard_gradients() { engine_->discard_gradients(); }
  /// Updates the parameters from the gradients of this step's micro-batches. Does not synchronize \p stream, except
  /// with offload. \throws SequenceError before the last micro-batch or with leases held, ConfigurationError for
  /// options that cannot work, CommunicationError.
  [[nodiscard]] Ticket step(StepOptions const& options, Stream stream) { return engine_->step(options, stream); }
  /// The same with the configuration's learning rate, clipping and momentum.
  [[nodiscard]] Ticket step(Stream stream = default_stream<Stream>()) { return engine_->step({}, stream); }
  /// The same on the host, as in `step({.lr = lr})`.
  template <class Options = StepOptions>
  requires std::same_as<Options, StepOptions>
  [[nodiscard]] Ticket step(Options const& options) { return engine_->step(options, default_stream<Stream>()); }
  /// Hands all gradients over as one micro-batch, where all are in adopted buffers, which have been written as far as
  /// they have been put on \p stream. Stages 0 to 2. Does not synchronize \p stream. \throws ConfigurationError for a
  /// gradient that is not adopted.
  void accumulate(Stream stream = default_stream<Stream>()) { engine_->accumulate(stream); }
  /// The same for the last micro-batch of a step, and the step. \throws as `accumulate` and `step`.
  [[nodiscard]] Ticket update(StepOptions const& options = {}, Stream stream = default_stream<Stream>()) {
    return engine_->update(options, stream);
  }
  /// The mean of a number over the ranks, by \p weight: the same bits on every rank. Collective, blocks the host, not
  /// the streams. \throws ConfigurationError where all weights are 0, MismatchError.
  [[nodiscard]] double mean_over_ranks(double value, double weight = 1.0) {
    return engine_->mean_over_ranks(value, weight);
  }
  /// Sets \p values on all ranks to those of rank \p root, bit by bit: memory of the backend's device, in the order of
  /// \p stream, which is not synchronized. Collective. \throws MismatchError where ranks differ in what they call.
  template <class Element, std::size_t extent>
  void broadcast(std::span<Element, extent> values, int root, Stream stream) {
    static_assert(std::is_trivially_copyable_v<Element> && !std::is_const_v<Element>,
                  "zero::RuntimeEngine::broadcast: elements are copied bit by bit: a span of numbers that are not "
                  "const");
    engine_->broadcast(std::as_writable_bytes(values), sizeof(Element), root, stream);
  }
  /// The same of host memory, whatever the backend. Blocks.
  template <class Element, std::size_t extent>
  void broadcast(std::span<Element, extent> values, int root) {
    static_assert(std::is_trivially_copyable_v<Element> && !std::is_const_v<Element>,
                  "zero::RuntimeEngine::broadcast: elements are copied bit by bit: a span of numbers that are not "
                  "const");
    engine_->broadcast_on_host(std::as_writable_bytes(values), sizeof(Element), root);
  }
  /// The same for elements whose size only the program knows, as tensors of a run-time type are: \p element bytes each.
  void broadcast_bytes(std::span<std::byte> bytes, std::size_t element, int root, Stream stream) {
    engine_->broadcast(bytes, element, root, stream);
  }
  /// The same of host memory. Blocks.
  void broadcast_bytes(std::span<std::byte> bytes, std::size_t element, int root) {
    engine_->broadcast_on_host(bytes, element, root);
  }
  /// With a delayed update, publishes the pending one, so that the next gather returns current parameters. Collective.
  /// Does not synchronize any stream.
  void finish_update() { engine_->finish_update(); }
  /// Records the step that \p body takes on \p stream into a graph, which runs when it is replayed. Whoever replays it
  /// includes `<zero/engine.hpp>`. \throws ConfigurationError, SequenceError, CudaError: the engine is unchanged then.
  template <class Body>
  [[nodiscard]] CapturedStep<Backend> capture(Stream stream, Body&& body) {
    static_assert(backend_facts<Backend>().captures_graphs,
                  "zero::RuntimeEngine::capture: this backend records no graphs: use zero::CudaBackend");
    return engine_->capture(stream, body);
  }
  /// This engine as the member \p name of a JointStep, in which several engines step together.
  [[nodiscard]] EngineMember<Backend> member(std::string_view name, MemberOptions options = {}) {
    return engine_->member(name, std::move(options));
  }
  /// One whole parameter in fp32, its elements in the order of its shape. Collective, blocks.
  [[nodiscard]] std::vector<float> read_parameter(std::string_view name) { return read_parameter(find(name)); }
  /// The same by number.
  [[nodiscard]] std::vector<float> read_parameter(ParameterId id) { return engine_->read_parameter(id); }
  /// Sets one whole parameter on all ranks, which must pass the same values. Collective, blocks.
  void write_parameter(std::string_view name, std::span<float const> values) { write_parameter(find(name), values); }
  /// The same by number.
  void write_parameter(ParameterId id, std::span<float const> values) { engine_->write_parameter(id, values); }
  /// Takes the values of all adopted buffers in again, which the caller has written. Collective, blocks. \throws
  /// MismatchError where ranks have other values, SequenceError inside a micro-batch or with leases held.
  void take_adopted_values() { engine_->take_adopted_values(); }
  /// The unscaled averaged gradient that the coming `step` will use, before clipping. Collective, blocks. \throws
  /// SequenceError before the step's last micro-batch is finished.
  [[nodiscard]] std::vector<float> read_gradient(std::string_view name) { return read_gradient(find(name)); }
  /// The same by number.
  [[nodiscard]] std::vector<float> read_gradient(ParameterId id) { return engine_->read_gradient(id); }
  /// Replaces the gradient that the coming `step` will use. Collective, blocks. \throws as `read_gradient`.
  void write_gradient(std::string_view name, std::span<float const> values) { write_gradient(find(name), values); }
  /// The same by number.
  void write_gradient(ParameterId id, std::span<float const> values) { engine_->write_gradient(id, values); }
  /// The rule's \p k-th state of one whole parameter in fp32. Collective, blocks.
  [[nodiscard]] std::vector<float> read_state(std::string_view name, std::size_t k) {
    return read_state(find(name), k);
  }
  /// The same by number.
  [[nodiscard]] std::vector<float> read_state(ParameterId id, std::size_t k) { return engine_->read_state(id, k); }
  /// Sets the rule's \p k-th state of one whole parameter on all ranks, which must pass the same values. Collective,
  /// blocks.
  void write_state(std::string_view name, std::size_t k, std::span<float const> values) {
    write_state(find(name), k, values);
  }
  /// The same by number.
  void write_state(ParameterId id, std::size_t k, std::span<float const> values) {
    engine_->write_state(id, k, values);
  }
  /// All that training has made, for `save_checkpoint` and `load_checkpoint`; valid until the next micro-batch. With a
  /// delayed update collective. \throws SequenceError inside an accumulation.
  [[nodiscard]] std::unique_ptr<EngineState> state() { return engine_->state(); }
  /// Bytes of this engine on this rank; equal to what its backend has handed out.
  [[nodiscard]] MemoryReport const& memory() const { return engine_->memory(); }
  /// What this rank has sent since construction.
  [[nodiscard]] Traffic const& traffic() const { return engine_->traffic(); }
  /// Where parameters and buckets lie.
  [[nodiscard]] FlatLayout const& layout() const { return engine_->layout(); }
  /// What owns the engine's memory and streams.
  [[nodiscard]] Backend& backend() const { return engine_->backend(); }
  /// The settings that it was made with, but for those of policies.
  [[nodiscard]] RuntimeConfig const& config() const { return engine_->config(); }
  /// Updates done and steps skipped since construction. Waits until the last step has been decided.
  [[nodiscard]] RuntimeStepState step_state() const { return engine_->step_state(); }
  /// The parameter that was registered under \p name, by a hash of it. \throws ConfigurationError for an unknown one.
  [[nodiscard]] ParameterId find(std::string_view name) const { return engine_->find(name); }
  /// @}

 private:
  std::unique_ptr<detail::InterfaceOf<Value, Backend>> engine_;
};

}  // namespace zero
