// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/adapters/detail/call_state.hpp>
#include <zero/adapters/detail/gradient_hand_over.hpp>
#include <zero/adapters/detail/gradient_hook.hpp>
#include <zero/adapters/detail/live_bound.hpp>
#include <zero/adapters/detail/loss_backward.hpp>
#include <zero/adapters/detail/module_buffers.hpp>
#include <zero/adapters/detail/module_map.hpp>
#include <zero/adapters/detail/module_type.hpp>
#include <zero/adapters/detail/module_watch.hpp>
#include <zero/adapters/detail/parameter_values.hpp>
#include <zero/adapters/detail/region_host.hpp>
#include <zero/adapters/detail/registration.hpp>
#include <zero/adapters/detail/torch_device.hpp>
#include <zero/adapters/detail/unit_link.hpp>
#include <zero/adapters/detail/unit_passes.hpp>
#include <zero/adapters/libtorch/options.hpp>
#include <zero/any_engine.hpp>
#include <zero/checkpoint/load.hpp>
#include <zero/checkpoint/save.hpp>
#include <zero/communicators/thread.hpp>
#include <zero/engine/rank_agreement.hpp>
#include <zero/error.hpp>
#include <zero/support/message.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace zero::libtorch::detail {

/// One module on one rank, and the engine that trains it. Graphs and units, which may outlive it, hold it weakly.
template <class Rule, class Prec, class Communicator, class Backend>
class Session final : public UnitHost,
                      public RegionHost,
                      public std::enable_shared_from_this<Session<Rule, Prec, Communicator, Backend>> {
 public:
  using Engine = AnyEngine<Rule, Prec, Backend, Communicator>;
  using Config = typename Engine::Config;
  using Stream = typename Engine::Stream;
  using Element = typename Engine::Compute;
  using Device = TorchDevice<Backend>;

  /// Changes nothing of the module where it throws.
  Session(::torch::nn::Module& module, Communicator& communicator, Stage stage, Config config, Options const& options)
      : communicator_(communicator),
        stage_(stage),
        missing_(config.missing_gradient),
        map_(map_module(module, options.unit_order, stage == Stage::parameters)),
        type_(map_, scalar_type<Element>, stage == Stage::parameters),
        watch_(module, map_),
        buffers_(map_.buffers),
        values_(map_.parameters, ::at::TensorOptions().dtype(scalar_type<Element>).device(type_.device()),
                stage == Stage::parameters, options.check_values) {
    check_ranks(Device::has_host_memory, std::is_same_v<Communicator, ThreadCommunicator>, communicator.size());
    Registration const registration(map_, options.group_of);
    values_.set_ids(registration.ids);
    if (is_sharded() && config.max_live_elements == 0) {
      config.max_live_elements =
          live_bound(map_, registration.list, static_cast<std::size_t>(communicator.size()), config);
    }
    auto const ring = config.gradient_ring;
    engine_ =
        make_any_engine<Rule, Prec, Backend>(stage, communicator, registration.list, std::nullopt, std::move(config));
    zero::detail::agree_on_settings(communicator, buffers_.description());
    bool const may_lack = missing_ == MissingGradient::zero || engine_->config().micro_batches_per_step.has_value();
    gradients_.emplace(
        *engine_, values_,
        static_cast<std::size_t>(ring ? *ring : static_cast<int>(engine_->layout().default_gradient_ring())),
        is_sharded() && may_lack);
    for (std::size_t i = 0; i < values_.size(); ++i) write(i, values_.of_module(i));
  }
  Session(Session const&) = delete;
  Session& operator=(Session const&) = delete;
  ~Session() { end(/*releases=*/!is_sharded()); }

  /// Takes the module over: it must be held by a shared pointer now. Nothing here fails for what a user does.
  void attach() {
    for (std::size_t u = 0; u < map_.units.size(); ++u) {
      if (auto const& link = map_.units[u].link) *link = {this->weak_from_this(), u};
    }
    if (is_sharded()) {
      passes_.emplace(map_, values_.memory(), values_.ids(), engine_->layout());
    }
    for (std::size_t i = 0; i < values_.size(); ++i) {
      values_.attach(*engine_, i, stream());
      if (values_[i].trainable()) {
        ::torch::autograd::impl::set_post_acc_grad_hooks(values_[i].tensor(),
                                                         std::make_unique<Hook>(this->weak_from_this(), i));
      }
    }
    if (type_.casts()) buffers_.cast(scalar_type<Element>);
    values_.note();
  }

  // ------------------------------------------------------------------------------------------------- training

  /// One micro-batch of this rank: `loss_of(index)` gives the loss that backward begins at.
  template <class LossOf>
  [[nodiscard]] Tensor micro_batch(LossOf&& loss_of) {
    state_.require_open("micro_batch()");
    state_.require_outside("micro_batch()", "one ends before the next");
    state_.require_not_whole("micro_batch()");
    values_.check_unchanged();
    stream_ = stream();
    auto micro_batch = engine_->begin_micro_batch(stream_);
    Scope scope(*this);
    RegionHostScope const regions(this->weak_from_this());
    std::optional<typename Engine::Lease> whole;
    if (is_sharded()) {
      passes_->begin(*engine_, stream_);
    } else {
      whole.emplace(engine_->gather(values_.ids(), stream_));
    }
    Tensor loss;
    if (micro_batch.contributes()) {
      loss = loss_of(micro_batch.index());
      run_backward(loss, engine_->loss_scale().value());
      stream_ = stream();
      loss = loss.detach();
    } else if (is_sharded()) {
      passes_->repeat(*engine_, stream_);
    }
    whole.reset();
    if (is_sharded()) passes_->end(micro_batch.contributes());
    if (micro_batch.contributes()) {
      gradients_->hand_over_rest(*engine_, micro_batch, missing_ == MissingGradient::zero, stream_);
    }
    micro_batch.finish(stream_);
    scope.is_complete = true;
    return loss;
  }

  [[nodiscard]] typename Engine::Ticket step(StepOptions const& options) {
    state_.require_open("step()");
    state_.require_not_whole("step()");
    values_.check_unchanged();
    watch_.check();
    auto ticket = engine_->step(options, stream());
    values_.changed();
    return ticket;
  }

  void discard() {
    state_.require_open("discard()");
    state_.require_outside("discard()", "throw an exception out of it");
    engine_->discard_gradients();
  }

  // ------------------------------------------------------------------------------------------------- values

  /// Makes every parameter whole and current until `end_whole`. Collective.
  void begin_whole() {
    state_.require_open("whole()");
    state_.require_not_whole("whole()");
    state_.require_outside("whole()", "call it between two of them");
    values_.check_unchanged();
    engine_->finish_update();
    sync_buffers();
    auto const now = stream();
    if (!is_sharded()) {
      whole_lease_.emplace(engine_->gather(values_.ids(), now));
    } else {
      // One at a time, into memory of torch's: all of them together would be beyond the live bound.
      for (std::size_t i = 0; i < values_.size(); ++i) values_[i].own(values_.of_engine(*engine_, i, now));
    }
    state_.is_whole = true;
  }
  void end_whole() noexcept {
    if (!state_.is_whole) return;
    state_.is_whole = false;
    whole_lease_.reset();
    if (!engine_ || !is_sharded()) return;
    for (auto& memory : values_.memory()) memory.hide(sharded_message(memory.name()));
  }

  /// Runs \p f without gradients, with rank 0's buffers; at stage 3 units are gathered by themselves, and what is in
  /// none is whole meanwhile. Collective.
  template <class Function>
  decltype(auto) evaluate(Function&& f) {
    state_.require_open("evaluate()");
    state_.require_outside("evaluate()");
    values_.check_unchanged();
    ::torch::NoGradGuard const guard;
    auto const now = stream();
    if (!state_.is_whole) {
      engine_->finish_update();
      sync_buffers();
    }
    std::optional<typename Passes::Root> root;
    std::optional<typename Engine::Lease> lease;
    if (is_sharded() && !state_.is_whole) root.emplace(*passes_, *engine_, now);
    if (!is_sharded() && !state_.is_whole) lease.emplace(engine_->gather(values_.ids(), now));
    return std::forward<Function>(f)();
  }

  /// Rank 0's values of the module become the engine's. Collective.
  void take_values() {
    state_.require_open("take_values()");
    state_.require_outside("take_values()", "call it between two of them");
    if (is_sharded() && !state_.is_whole) {
      throw SequenceError(
          "zero::libtorch: take_values() at stage 3 needs whole(): without it there are no values in the "
          "module to take");
    }
    std::vector<Tensor> values;
    for (std::size_t i = 0; i < values_.size(); ++i) values.push_back(values_.of_module(i));
    bool const holds = whole_lease_.has_value();
    whole_lease_.reset();
    for (std::size_t i = 0; i < values_.size(); ++i) write(i, values[i]);
    for (std::size_t i = 0; i < values_.size(); ++i) {
      auto const edited = is_sharded() ? values_.of_engine(*engine_, i, stream()) : Tensor();
      if (!values_[i].is_in_place()) values_.attach(*engine_, i, stream());
      if (is_sharded()) values_[i].own(edited);
      values_[i].changed();
    }
    if (holds) whole_lease_.emplace(engine_->gather(values_.ids(), stream()));
    values_.note();
  }

  /// Rank 0's buffers become everybody's. Collective.
  void sync_buffers() {
    state_.require_open("sync_buffers()");
    buffers_.sync(*engine_, communicator_.rank(), communicator_.size());
  }

  /// Parameters, states and buffers. Collective.
  SaveReport save(std::string const& folder, SaveOptions options) {
    state_.require_open("save()");
    state_.require_outside("save()");
    values_.check_unchanged();
    sync_buffers();
    auto const buffers = buffers_.copies();
    for (auto const& [tensor, values] : buffers) options.tensors.push_back(tensor);
    return save_checkpoint(*engine_, folder, options);
  }
  LoadReport load(std::string const& folder, LoadOptions options) {
    state_.require_open("load()");
    state_.require_outside("load()");
    state_.require_not_whole("load()");
    values_.check_unchanged();
    auto const buffers = buffers_.copies();
    for (auto const& [tensor, values] : buffers) options.tensors.push_back(tensor);
    auto report = load_checkpoint(*engine_, folder, options);
    values_.changed();
    buffers_.take(buffers);
    return report;
  }

  /// Gives the module memory of its own, with the engine's values, and ends the engine. Collective at stage 3.
  void close() {
    if (!engine_) return;
    state_.require_outside("close()", "throw an exception out of it");
    if (is_sharded() && !state_.is_whole) {
      values_.give(of_engine());
      state_.is_whole = true;  // `end` leaves it
    }
    end(!is_sharded());
  }

  [[nodiscard]] Engine& engine() const {
    state_.require_open("engine()");
    return *engine_;
  }

  // ------------------------------------------------------------------------------------------------- hooks

  Pass enter(std::size_t unit) override {
    if (!engine_ || !is_sharded() || state_.is_whole) return {};
    bool const recorded = state_.is_active && ::torch::GradMode::is_enabled();
    if (has_other_unit()) passes_->throw_second_in_region(unit);
    auto const serial = passes_->enter(*engine_, unit, is_again(), stream());
    return {serial, recorded};
  }
  void leave(std::uint64_t serial) noexcept override { passes_->leave(serial, state_.is_active, is_again()); }
  void expect_end(std::uint64_t serial) override { passes_->expect_end(serial); }
  void begin_backward(std::uint64_t serial) override {
    state_.require_open("backward");
    passes_->begin_backward(*engine_, serial, stream());
  }
  void end_backward(std::uint64_t serial) override { passes_->end_backward(serial); }

  [[nodiscard]] std::uint64_t micro_batch() const noexcept override { return state_.is_active ? micro_batches_ : 0; }
  [[nodiscard]] bool owns_generators() const noexcept override {
    return !std::is_same_v<Communicator, ThreadCommunicator> || communicator_.size() == 1;
  }
  [[nodiscard]] std::vector<Tensor> buffers() const override { return buffers_.tensors(); }

  /// The gradient of parameter \p i is there.
  void arrive(std::size_t i) {
    if (!engine_) return;
    Tensor const gradient = std::exchange(values_[i].tensor().mutable_grad(), Tensor());
    if (!state_.is_active) {
      zero::detail::fail<SequenceError>(
          {"zero::libtorch: backward outside of micro_batch() has made a gradient of ",
           zero::detail::quote(values_[i].name()),
           ": give micro_batch() the loss, which runs backward itself. Where the loss of another "
           "model runs through this one, requires_grad_(false) meanwhile"});
    }
    gradients_->arrive(*engine_, i, gradient, is_sharded() ? passes_->closed() : 0, stream());
    if (is_sharded()) passes_->arrived(i);
  }

 private:
  using Passes = UnitPasses<Engine>;
  using Hook = GradientHook<Session>;

  // What a micro-batch leaves behind, whatever ends it.
  struct Scope {
    explicit Scope(Session& of) : session(of) {
      session.state_.is_active = true;
      ++session.micro_batches_;
      session.gradients_->begin();
    }
    Scope(Scope const&) = delete;
    Scope& operator=(Scope const&) = delete;
    ~Scope() {
      session.state_.is_active = false;
      if (session.passes_ && session.passes_->is_inside()) session.passes_->end(false);
      session.gradients_->drop();
      if (is_complete) return;
      for (auto& memory : session.values_.memory()) memory.tensor().mutable_grad().reset();
    }
    Session& session;
    bool is_complete = false;
  };

  [[nodiscard]] Stream stream() const { return Device::current_stream(type_.device()); }
  [[nodiscard]] bool is_sharded() const noexcept { return stage_ == Stage::parameters; }
  // Rank 0's values.
  void write(std::size_t i, Tensor const& values) {
    values_.write(*engine_, i, values, communicator_.size() == 1 || communicator_.rank() == 0);
  }
  [[nodiscard]] std::vector<Tensor> of_engine() {
    std::vector<Tensor> values;
    for (std::size_t i = 0; i < values_.size(); ++i) values.push_back(values_.of_engine(*engine_, i, stream()));
    return values;
  }

  void end(bool releases) noexcept {
    if (!engine_) return;
    for (auto const& unit : map_.units) {
      if (unit.link) unit.link->host.reset();
    }
    whole_lease_.reset();
    for (auto& memory : values_.memory()) {
      if (!memory.is_attached()) continue;
      if (dynamic_cast<Hook*>(hook_of(memory.tensor())) == nullptr) continue;
      ::torch::autograd::impl::post_acc_grad_hooks(memory.tensor()).reset();
    }
    bool given = is_sharded() && state_.is_whole;
    if (releases) {
      try {
        bool const attached = values_.size() == 0 || values_[values_.size() - 1].is_attached();
        if (attached) values_.give(of_engine());
        given = true;
      } catch (...) {  // a poisoned engine: its values are not to be trusted
      }
    }
    if (!given) values_.lose();
    passes_.reset();
    gradients_.reset();
    engine_.reset();
    state_.is_open = false;
  }

  Communicator& communicator_;
  Stage stage_;
  MissingGradient missing_;
  ModuleMap map_;
  ModuleType<Device> type_;
  ModuleWatch watch_;
  ModuleBuffers buffers_;
  ParameterValues<Engine> values_;
  std::unique_ptr<Engine> engine_;
  std::optional<GradientHandOver<Engine>> gradients_;
  std::optional<Passes> passes_;  // at stage 3
  std::optional<typename Engine::Lease> whole_lease_;
  Stream stream_{};
  CallState state_;
  std::uint64_t micro_batches_ = 0;
};

}  // namespace zero::libtorch::detail
