// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/backend.hpp>
#include <zero/captured_step.hpp>
#include <zero/engine_config.hpp>
#include <zero/engine_member.hpp>
#include <zero/engine_state.hpp>
#include <zero/flat_layout.hpp>
#include <zero/kernels/step_state.hpp>
#include <zero/lease.hpp>
#include <zero/loss_scale.hpp>
#include <zero/memory_report.hpp>
#include <zero/micro_batch.hpp>
#include <zero/offload.hpp>
#include <zero/parameter.hpp>
#include <zero/runtime_config.hpp>
#include <zero/step_ticket.hpp>
#include <zero/traffic.hpp>
#include <zero/utility/function_ref.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace zero::detail {

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

}  // namespace zero::detail
