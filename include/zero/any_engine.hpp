// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace zero {

/// An engine whose stage and offload are chosen when the program runs: for trainers that options or a configuration
/// file drive. Rule, precision, backend and communicator stay policies, because the trainer's own code depends on them.
/// Its calls are those of Engine, one virtual call away.
template <class Rule, class Prec, class Backend = HostBackend, class Communicator = ThreadCommunicator>
class AnyEngine {
 public:
  using Compute = typename Prec::compute::type;
  using Stream = typename Backend::Stream;
  using Lease = ParameterLease<Compute, Stream>;
  using Gradients = GradientLease<Compute, Stream>;
  using Ticket = StepTicket<typename Backend::Event>;
  using Config = EngineConfig<Rule, typename Prec::scale, NoOffload, Backend>;

  virtual ~AnyEngine() = default;
  virtual MicroBatch<Stream> begin_micro_batch(Stream stream) = 0;
  virtual Lease gather(std::span<ParameterId const> ids, Stream stream) = 0;
  virtual Gradients gradients(std::span<ParameterId const> ids, Stream stream) = 0;
  [[nodiscard]] virtual LossScale<typename Backend::Event> loss_scale() const = 0;
  virtual void discard_gradients() = 0;
  [[nodiscard]] virtual Ticket step(StepOptions const& options, Stream stream) = 0;
  virtual void finish_update() = 0;
  [[nodiscard]] virtual std::vector<float> read_parameter(std::string_view name) = 0;
  virtual void write_parameter(std::string_view name, std::span<float const> values) = 0;
  [[nodiscard]] virtual std::vector<float> read_gradient(std::string_view name) = 0;
  virtual void write_gradient(std::string_view name, std::span<float const> values) = 0;
  [[nodiscard]] virtual std::vector<float> read_state(std::string_view name, std::size_t k) = 0;
  virtual void write_state(std::string_view name, std::size_t k, std::span<float const> values) = 0;
  [[nodiscard]] virtual std::unique_ptr<EngineState> state() = 0;
  [[nodiscard]] virtual MemoryReport const& memory() const noexcept = 0;
  [[nodiscard]] virtual Traffic const& traffic() const noexcept = 0;
  [[nodiscard]] virtual FlatLayout const& layout() const noexcept = 0;
};

namespace detail {

template <class E, class Base>
class EngineHolder final : public Base {
 public:
  using Stream = typename E::Stream;

  template <class Communicator>
  EngineHolder(Communicator& communicator, ParameterList const& parameters, typename E::Config config)
      : engine_(communicator, parameters, std::move(config)) {}

  MicroBatch<Stream> begin_micro_batch(Stream stream) override { return engine_.begin_micro_batch(stream); }
  typename E::Lease gather(std::span<ParameterId const> ids, Stream stream) override {
    return engine_.gather(ids, stream);
  }
  typename E::Gradients gradients(std::span<ParameterId const> ids, Stream stream) override {
    return engine_.gradients(ids, stream);
  }
  [[nodiscard]] auto loss_scale() const -> decltype(std::declval<E const&>().loss_scale()) override {
    return engine_.loss_scale();
  }
  void discard_gradients() override { engine_.discard_gradients(); }
  [[nodiscard]] typename E::Ticket step(StepOptions const& options, Stream stream) override {
    return engine_.step(options, stream);
  }
  void finish_update() override { engine_.finish_update(); }
  [[nodiscard]] std::vector<float> read_parameter(std::string_view name) override {
    return engine_.read_parameter(name);
  }
  void write_parameter(std::string_view name, std::span<float const> values) override {
    engine_.write_parameter(name, values);
  }
  [[nodiscard]] std::vector<float> read_gradient(std::string_view name) override { return engine_.read_gradient(name); }
  void write_gradient(std::string_view name, std::span<float const> values) override {
    engine_.write_gradient(name, values);
  }
  [[nodiscard]] std::vector<float> read_state(std::string_view name, std::size_t k) override {
    return engine_.read_state(name, k);
  }
  void write_state(std::string_view name, std::size_t k, std::span<float const> values) override {
    engine_.write_state(name, k, values);
  }
  [[nodiscard]] std::unique_ptr<EngineState> state() override { return engine_.state(); }
  [[nodiscard]] MemoryReport const& memory() const noexcept override { return engine_.memory(); }
  [[nodiscard]] Traffic const& traffic() const noexcept override { return engine_.traffic(); }
  [[nodiscard]] FlatLayout const& layout() const noexcept override { return engine_.layout(); }

 private:
  E engine_;
};

}  // namespace detail

/// An engine of stage S, with offload where \p offload is given. One explicit instantiation per translation unit and
/// stage keeps a build parallel; `make_any_engine` finds it through `extern template`.
template <Stage S, class Rule, class Prec, class Backend = HostBackend, class Communicator = ThreadCommunicator>
std::unique_ptr<AnyEngine<Rule, Prec, Backend, Communicator>> make_engine_of_stage(
    Communicator& communicator, ParameterList const& parameters, std::optional<CpuOffload::Config> const& offload,
    typename AnyEngine<Rule, Prec, Backend, Communicator>::Config const& config) {
  using Base = AnyEngine<Rule, Prec, Backend, Communicator>;
  using OnDevice = Engine<Partitioner<S>, Optimizer<Rule>, Prec, Backend, Communicator>;
  using OnHost = Engine<Partitioner<S>, Optimizer<Rule, CpuOffload>, Prec, Backend, Communicator>;
  if (!offload) return std::make_unique<detail::EngineHolder<OnDevice, Base>>(communicator, parameters, config);
  return std::make_unique<detail::EngineHolder<OnHost, Base>>(communicator, parameters,
                                                              config.template with_offload<CpuOffload>(*offload));
}

/// An engine of the stage \p stage. Collective, blocks. \throws as the constructor of Engine.
template <class Rule, class Prec, class Backend = HostBackend, class Communicator = ThreadCommunicator>
std::unique_ptr<AnyEngine<Rule, Prec, Backend, Communicator>> make_any_engine(
    Stage stage, Communicator& communicator, ParameterList const& parameters,
    std::optional<CpuOffload::Config> const& offload,
    typename AnyEngine<Rule, Prec, Backend, Communicator>::Config const& config) {
  switch (stage) {
    case Stage::none:
      return make_engine_of_stage<Stage::none, Rule, Prec, Backend>(communicator, parameters, offload, config);
    case Stage::optimizer_states:
      return make_engine_of_stage<Stage::optimizer_states, Rule, Prec, Backend>(communicator, parameters, offload,
                                                                                config);
    case Stage::gradients:
      return make_engine_of_stage<Stage::gradients, Rule, Prec, Backend>(communicator, parameters, offload, config);
    case Stage::parameters:
      return make_engine_of_stage<Stage::parameters, Rule, Prec, Backend>(communicator, parameters, offload, config);
  }
  throw ConfigurationError("zero::make_any_engine: stages are 0 to 3");
}

}  // namespace zero
