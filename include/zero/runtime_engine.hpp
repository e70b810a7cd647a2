// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/backend.hpp>
#include <zero/backends/host.hpp>
#include <zero/captured_step.hpp>
#include <zero/engine_config.hpp>
#include <zero/engine_member.hpp>
#include <zero/engine_state.hpp>
#include <zero/flat_layout.hpp>
#include <zero/lease.hpp>
#include <zero/loss_scale.hpp>
#include <zero/memory_report.hpp>
#include <zero/micro_batch.hpp>
#include <zero/offload.hpp>
#include <zero/parameter.hpp>
#include <zero/partitioner.hpp>
#include <zero/step_ticket.hpp>
#include <zero/traffic.hpp>
#include <zero/utility/function_ref.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace zero {

/// The settings of an engine whose policies were chosen when the program ran: EngineConfig without the rule's, the
/// scaler's and the backend's own.
struct RuntimeConfig : EngineConfig<NoPolicy, NoPolicy, AnyOffload, NoPolicy> {
  Stage stage = Stage::none;  ///< what is sharded
  double lr = 0.0;            ///< the rule's learning rate
};

/// Where a run stands: StepState without the scaler's own.
struct RuntimeStepState {
  std::uint64_t steps = 0;            ///< updates done: the rule's step count
  std::uint64_t skipped = 0;          ///< steps skipped for a non-finite gradient
  std::uint64_t skipped_in_row = 0;   ///< the last steps, as far as all of them were skipped
  std::uint64_t zero_norm_steps = 0;  ///< the last steps, as far as the norm of all of them was exactly 0
  float scale = 1.0F;                 ///< of the loss, for the coming backward passes
};

namespace detail {

/// What of an engine depends on neither rule, scaler, offload nor communicator, behind one virtual call.
template <class Compute, class Backend>
class EngineInterface {
 public:
  using Stream = typename Backend::Stream;
  using Lease = ParameterLease<Compute, Stream>;
  using Gradients = GradientLease<Compute, Stream>;
  using Ticket = StepTicket<typename Backend::Event>;

  virtual ~EngineInterface() = default;
  virtual MicroBatch<Stream> begin_micro_batch(Stream stream) = 0;
  virtual Lease gather(std::span<ParameterId const> ids, Stream stream) = 0;
  virtual Gradients gradients(std::span<ParameterId const> ids, Stream stream) = 0;
  virtual LossScale<typename Backend::Event> loss_scale() = 0;
  virtual void discard_gradients() = 0;
  virtual Ticket step(StepOptions const& options, Stream stream) = 0;
  virtual void accumulate(Stream stream) = 0;
  virtual Ticket update(StepOptions const& options, Stream stream) = 0;
  virtual double mean_over_ranks(double value, double weight) = 0;
  virtual void broadcast(std::span<std::byte> bytes, std::size_t element, int root, Stream stream) = 0;
  virtual void broadcast_on_host(std::span<std::byte> bytes, std::size_t element, int root) = 0;
  virtual void finish_update() = 0;
  virtual EngineMember<Backend> member(std::string_view name, MemberOptions options) = 0;
  virtual std::vector<float> read_parameter(ParameterId id) = 0;
  virtual void write_parameter(ParameterId id, std::span<float const> values) = 0;
  virtual void take_adopted_values() = 0;
  virtual std::vector<float> read_gradient(ParameterId id) = 0;
  virtual void write_gradient(ParameterId id, std::span<float const> values) = 0;
  virtual std::vector<float> read_state(ParameterId id, std::size_t k) = 0;
  virtual void write_state(ParameterId id, std::size_t k, std::span<float const> values) = 0;
  virtual std::unique_ptr<EngineState> state() = 0;
  virtual MemoryReport const& memory() const = 0;
  virtual Traffic const& traffic() const = 0;
  virtual FlatLayout const& layout() const = 0;
  virtual Backend& backend() = 0;
  virtual RuntimeConfig const& config() const = 0;
  virtual RuntimeStepState step_state() const = 0;
  virtual ParameterId find(std::string_view name) const = 0;
};

/// The same with `capture`, for backends that record graphs.
template <class Compute, class Backend>
class CapturingInterface : public EngineInterface<Compute, Backend> {
 public:
  virtual CapturedStep<Backend> capture(typename Backend::Stream stream, FunctionRef<void()> body) = 0;
};

template <class Compute, class Backend>
using InterfaceOf = std::conditional_t<backend_facts<Backend>().captures_graphs, CapturingInterface<Compute, Backend>,
                                       EngineInterface<Compute, Backend>>;

/// An engine of any policies behind the interface. Owns it.
template <class Engine, class Compute, class Backend>
class ErasedEngine : public InterfaceOf<Compute, Backend> {
 public:
  using Interface = EngineInterface<Compute, Backend>;
  using Stream = typename Interface::Stream;

  explicit ErasedEngine(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {
    auto const& config = engine_->config();
    auto const copy = [](std::string_view, auto& to, auto const& from) { to = from; };
    for_each_setting(copy, config_, config);
    config_.stage = engine_->layout().settings().stage;
    config_.lr = static_cast<double>(config.optimizer.lr);
    if constexpr (std::convertible_to<decltype(config.offload), AnyOffload::Config>) config_.offload = config.offload;
  }

  MicroBatch<Stream> begin_micro_batch(Stream stream) override { return engine_->begin_micro_batch(stream); }
  typename Interface::Lease gather(std::span<ParameterId const> ids, Stream stream) override {
    return engine_->gather(ids, stream);
  }
  typename Interface::Gradients gradients(std::span<ParameterId const> ids, Stream stream) override {
    return engine_->gradients(ids, stream);
  }
  LossScale<typename Backend::Event> loss_scale() override { return engine_->loss_scale(); }
  void discard_gradients() override { engine_->discard_gradients(); }
  typename Interface::Ticket step(StepOptions const& options, Stream stream) override {
    return engine_->step(options, stream);
  }
  void accumulate(Stream stream) override { engine_->accumulate(stream); }
  typename Interface::Ticket update(StepOptions const& options, Stream stream) override {
    return engine_->update(options, stream);
  }
  double mean_over_ranks(double value, double weight) override { return engine_->mean_over_ranks(value, weight); }
  void broadcast(std::span<std::byte> bytes, std::size_t element, int root, Stream stream) override {
    engine_->broadcast_bytes(bytes, element, root, stream);
  }
  void broadcast_on_host(std::span<std::byte> bytes, std::size_t element, int root) override {
    engine_->broadcast_bytes(bytes, element, root);
  }
  void finish_update() override { engine_->finish_update(); }
  EngineMember<Backend> member(std::string_view name, MemberOptions options) override {
    return engine_->member(name, std::move(options));
  }
  std::vector<float> read_parameter(ParameterId id) override { return engine_->read_parameter(id); }
  void write_parameter(ParameterId id, std::span<float const> values) override { engine_->write_parameter(id, values); }
  void take_adopted_values() override { engine_->take_adopted_values(); }
  std::vector<float> read_gradient(ParameterId id) override { return engine_->read_gradient(id); }
  void write_gradient(ParameterId id, std::span<float const> values) override { engine_->write_gradient(id, values); }
  std::vector<float> read_state(ParameterId id, std::size_t k) override { return engine_->read_state(id, k); }
  void write_state(ParameterId id, std::size_t k, std::span<float const> values) override {
    engine_->write_state(id, k, values);
  }
  std::unique_ptr<EngineState> state() override { return engine_->state(); }
  MemoryReport const& memory() const override { return engine_->memory(); }
  Traffic const& traffic() const override { return engine_->traffic(); }
  FlatLayout const& layout() const override { return engine_->layout(); }
  Backend& backend() override { return engine_->backend(); }
  RuntimeConfig const& config() const override { return config_; }
  RuntimeStepState step_state() const override {
    auto const& state = engine_->step_state();
    return {state.steps, state.skipped, state.skipped_in_row, state.zero_norm_steps, state.scale};
  }
  ParameterId find(std::string_view name) const override { return engine_->find(name); }

 protected:
  std::unique_ptr<Engine> engine_;

 private:
  RuntimeConfig config_;
};

/// The same on a backend that records graphs.
template <class Engine, class Compute, class Backend>
class CapturingErasedEngine final : public ErasedEngine<Engine, Compute, Backend> {
 public:
  using ErasedEngine<Engine, Compute, Backend>::ErasedEngine;
  CapturedStep<Backend> capture(typename Backend::Stream stream, FunctionRef<void()> body) override {
    return this->engine_->capture(stream, body);
  }
};

}  // namespace detail

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

  /// Begins a micro-batch.
  MicroBatch<Stream> begin_micro_batch(Stream stream = default_stream<Stream>()) {
    return engine_->begin_micro_batch(stream);
  }
  /// Makes parameters whole.
  Lease gather(std::span<ParameterId const> ids, Stream stream = default_stream<Stream>()) {
    return engine_->gather(ids, stream);
  }
  /// The same of a list.
  Lease gather(std::initializer_list<ParameterId> ids, Stream stream = default_stream<Stream>()) {
    return engine_->gather({ids.begin(), ids.size()}, stream);
  }
  /// The same of one.
  Lease gather(ParameterId id, Stream stream = default_stream<Stream>()) { return engine_->gather({&id, 1}, stream); }
  /// Places for gradients.
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
  /// What the loss is to be multiplied with.
  [[nodiscard]] LossScale<typename Backend::Event> loss_scale() const { return engine_->loss_scale(); }
  /// Gives up this step's micro-batches.
  void discard_gradients() { engine_->discard_gradients(); }
  /// Updates the parameters.
  [[nodiscard]] Ticket step(StepOptions const& options, Stream stream) { return engine_->step(options, stream); }
  /// The same with the configuration's numbers.
  [[nodiscard]] Ticket step(Stream stream = default_stream<Stream>()) { return engine_->step({}, stream); }
  /// The same on the host.
  template <class Options = StepOptions>
  requires std::same_as<Options, StepOptions>
  [[nodiscard]] Ticket step(Options const& options) { return engine_->step(options, default_stream<Stream>()); }
  /// Hands all adopted gradients over as one micro-batch.
  void accumulate(Stream stream = default_stream<Stream>()) { engine_->accumulate(stream); }
  /// The same for the last one of a step, and the step.
  [[nodiscard]] Ticket update(StepOptions const& options = {}, Stream stream = default_stream<Stream>()) {
    return engine_->update(options, stream);
  }
  /// The mean of a number over the ranks.
  [[nodiscard]] double mean_over_ranks(double value, double weight = 1.0) {
    return engine_->mean_over_ranks(value, weight);
  }
  /// Sets device memory on all ranks to that of one.
  template <class Element, std::size_t extent>
  void broadcast(std::span<Element, extent> values, int root, Stream stream) {
    static_assert(std::is_trivially_copyable_v<Element> && !std::is_const_v<Element>,
                  "zero::RuntimeEngine::broadcast: elements are copied bit by bit: a span of numbers that are not "
                  "const");
    engine_->broadcast(std::as_writable_bytes(values), sizeof(Element), root, stream);
  }
  /// The same of host memory.
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
  /// The same of host memory.
  void broadcast_bytes(std::span<std::byte> bytes, std::size_t element, int root) {
    engine_->broadcast_on_host(bytes, element, root);
  }
  /// Publishes a delayed update.
  void finish_update() { engine_->finish_update(); }
  /// Records a step into a graph. Whoever replays it includes `<zero/engine.hpp>`.
  template <class Body>
  [[nodiscard]] CapturedStep<Backend> capture(Stream stream, Body&& body) {
    static_assert(backend_facts<Backend>().captures_graphs,
                  "zero::RuntimeEngine::capture: this backend records no graphs: use zero::CudaBackend");
    return engine_->capture(stream, body);
  }
  /// This engine in a joint step.
  [[nodiscard]] EngineMember<Backend> member(std::string_view name, MemberOptions options = {}) {
    return engine_->member(name, std::move(options));
  }
  /// One whole parameter in fp32.
  [[nodiscard]] std::vector<float> read_parameter(std::string_view name) { return read_parameter(find(name)); }
  /// The same by number.
  [[nodiscard]] std::vector<float> read_parameter(ParameterId id) { return engine_->read_parameter(id); }
  /// Sets it.
  void write_parameter(std::string_view name, std::span<float const> values) { write_parameter(find(name), values); }
  /// The same by number.
  void write_parameter(ParameterId id, std::span<float const> values) { engine_->write_parameter(id, values); }
  /// Takes adopted buffers in again.
  void take_adopted_values() { engine_->take_adopted_values(); }
  /// The averaged gradient of the coming step.
  [[nodiscard]] std::vector<float> read_gradient(std::string_view name) { return read_gradient(find(name)); }
  /// The same by number.
  [[nodiscard]] std::vector<float> read_gradient(ParameterId id) { return engine_->read_gradient(id); }
  /// Replaces it.
  void write_gradient(std::string_view name, std::span<float const> values) { write_gradient(find(name), values); }
  /// The same by number.
  void write_gradient(ParameterId id, std::span<float const> values) { engine_->write_gradient(id, values); }
  /// The rule's k-th state of a parameter.
  [[nodiscard]] std::vector<float> read_state(std::string_view name, std::size_t k) {
    return read_state(find(name), k);
  }
  /// The same by number.
  [[nodiscard]] std::vector<float> read_state(ParameterId id, std::size_t k) { return engine_->read_state(id, k); }
  /// Sets it.
  void write_state(std::string_view name, std::size_t k, std::span<float const> values) {
    write_state(find(name), k, values);
  }
  /// The same by number.
  void write_state(ParameterId id, std::size_t k, std::span<float const> values) {
    engine_->write_state(id, k, values);
  }
  /// What a checkpoint holds.
  [[nodiscard]] std::unique_ptr<EngineState> state() { return engine_->state(); }
  /// Bytes of this engine on this rank.
  [[nodiscard]] MemoryReport const& memory() const { return engine_->memory(); }
  /// What this rank has sent.
  [[nodiscard]] Traffic const& traffic() const { return engine_->traffic(); }
  /// Where parameters and buckets lie.
  [[nodiscard]] FlatLayout const& layout() const { return engine_->layout(); }
  /// What owns the engine's memory.
  [[nodiscard]] Backend& backend() const { return engine_->backend(); }
  /// The settings that it was made with, but for those of policies.
  [[nodiscard]] RuntimeConfig const& config() const { return engine_->config(); }
  /// Where the run stands. Waits until the last step has been decided.
  [[nodiscard]] RuntimeStepState step_state() const { return engine_->step_state(); }
  /// A parameter by its name, through a hash.
  [[nodiscard]] ParameterId find(std::string_view name) const { return engine_->find(name); }
  /// @}

 private:
  std::unique_ptr<detail::InterfaceOf<Value, Backend>> engine_;
};

}  // namespace zero
