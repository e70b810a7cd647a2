// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/adapters/detail/hand_over_order.hpp>
#include <zero/adapters/detail/module_map.hpp>
#include <zero/adapters/detail/parameter_memory.hpp>
#include <zero/adapters/detail/unit_link.hpp>
#include <zero/adapters/detail/unit_passes.hpp>
#include <zero/any_engine.hpp>
#include <zero/backends/host.hpp>
#include <zero/checkpoint/load.hpp>
#include <zero/checkpoint/named_tensor.hpp>
#include <zero/checkpoint/save.hpp>
#include <zero/communicators/thread.hpp>
#include <zero/error.hpp>
#include <zero/layout/default_bucket.hpp>
#include <zero/support/message.hpp>
#include <zero/utility/fingerprint.hpp>

#include <torch/csrc/autograd/function_hook.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace zero::libtorch::detail {

/// What torch and a backend call the same things. <zero/adapters/libtorch_cuda.hpp> has that of CudaBackend.
template <class Backend>
struct TorchDevice;

template <>
struct TorchDevice<HostBackend> {
  static constexpr bool has_host_memory = true;
  static constexpr char const* name = "HostBackend works in host memory";
  static constexpr char const* remedy = "call module.to(torch::kCPU) before, or choose zero::CudaBackend";
  [[nodiscard]] static bool owns(::at::Device device) noexcept { return device.is_cpu(); }
  [[nodiscard]] static HostBackend::Stream current_stream(::at::Device /*device*/) noexcept { return {}; }
};

template <class Element>
inline constexpr ::at::ScalarType scalar_type = std::is_same_v<Element, float>      ? ::at::kFloat
                                                : std::is_same_v<Element, bfloat16> ? ::at::kBFloat16
                                                                                    : ::at::kHalf;

/// What a parameter is registered with.
using GroupOf = std::function<ParameterGroup(std::string const&, Tensor const&)>;

/// What a session is made of, besides the engine's settings.
struct SessionSettings {
  GroupOf group_of;
  std::vector<std::string> unit_order;
  bool check_values = false;
};

/// Refuses ranks that would wait for each other in hooks that one thread runs.
inline void check_ranks(bool host_memory, bool ranks_are_threads, int ranks) {
  zero::detail::enforce(
      host_memory || !ranks_are_threads || ranks == 1,
      "zero::libtorch: on CUDA, autograd runs the hooks of a device on one thread, in which ranks that "
      "are threads would wait for each other for ever: run one process per GPU, with "
      "zero::NcclCommunicator");
}

/// One module on one rank, and the engine that trains it. Graphs and units, which may outlive it, hold it weakly.
template <class Rule, class Prec, class Communicator, class Backend>
class Session final : public UnitHost, public std::enable_shared_from_this<Session<Rule, Prec, Communicator, Backend>> {
 public:
  using Engine = AnyEngine<Rule, Prec, Backend, Communicator>;
  using Config = typename Engine::Config;
  using Stream = typename Engine::Stream;
  using Element = typename Engine::Compute;
  using Device = TorchDevice<Backend>;

  /// Changes nothing of the module where it throws.
  Session(::torch::nn::Module& module, Communicator& communicator, Stage stage, Config config,
          SessionSettings const& settings)
      : communicator_(communicator),
        stage_(stage),
        check_values_(settings.check_values),
        missing_(config.missing_gradient),
        map_(map_module(module, settings.unit_order, stage == Stage::parameters)) {
    check_ranks(Device::has_host_memory, std::is_same_v<Communicator, ThreadCommunicator>, communicator.size());
    check_module();
    for (auto const& parameter : map_.parameters) memory_.emplace_back(parameter.name, parameter.tensor);
    auto const list = register_parameters(settings.group_of);
    if (is_sharded() && config.max_live_elements == 0) config.max_live_elements = live_bound(list, config);
    auto const ring = config.gradient_ring;
    engine_ = make_any_engine<Rule, Prec, Backend>(stage, communicator, list, std::nullopt, std::move(config));
    order_.emplace(engine_->layout(), static_cast<std::size_t>(
                                          ring ? *ring : static_cast<int>(engine_->layout().default_gradient_ring())));
    deferred_.resize(memory_.size());
    arrived_.resize(memory_.size());
    write_initial_values();
  }
  Session(Session const&) = delete;
  Session& operator=(Session const&) = delete;
  ~Session() { end(/*give_back=*/!is_sharded()); }

  /// Takes the module over: it must be held by a shared pointer now. Nothing here fails for what a user does.
  void attach() {
    for (std::size_t u = 0; u < map_.units.size(); ++u) {
      if (auto const& link = map_.units[u].link) *link = {this->weak_from_this(), u};
    }
    if (is_sharded()) {
      passes_.emplace(map_.units, memory_, ids_);
      set_unit_ends();
    }
    for (std::size_t i = 0; i < memory_.size(); ++i) {
      attach(i);
      if (memory_[i].trainable()) {
        ::torch::autograd::impl::set_post_acc_grad_hooks(memory_[i].tensor(),
                                                         std::make_unique<Hook>(this->weak_from_this(), i));
      }
    }
    for (auto& [name, buffer] : map_.buffers) {
      if (casts_ && buffer.scalar_type() == ::at::kFloat) buffer.set_data(buffer.to(type));
    }
    note_values();
  }

  // ------------------------------------------------------------------------------------------------- training

  /// One micro-batch of this rank: `loss_of(index)` gives the loss that backward begins at.
  template <class LossOf>
  [[nodiscard]] Tensor micro_batch(LossOf&& loss_of) {
    require_open("micro_batch()");
    if (active_) throw SequenceError("zero::libtorch: micro_batch() inside of micro_batch(): one ends before the next");
    require_not_whole("micro_batch()");
    check_unchanged();
    stream_ = Device::current_stream(device_);
    auto micro_batch = engine_->begin_micro_batch(stream_);
    Scope scope(*this);
    std::optional<typename Engine::Lease> whole;
    if (is_sharded()) {
      passes_->begin(*engine_, stream_);
    } else {
      whole.emplace(engine_->gather(ids_, stream_));
    }
    Tensor loss;
    if (micro_batch.contributes()) {
      loss = loss_of(micro_batch.index());
      backward(loss);
      stream_ = Device::current_stream(device_);
      loss = loss.detach();
    } else if (is_sharded()) {
      passes_->repeat(*engine_, stream_);
    }
    whole.reset();
    if (is_sharded()) passes_->end(micro_batch.contributes());
    if (micro_batch.contributes()) hand_over_rest(micro_batch);
    micro_batch.finish(stream_);
    scope.is_complete = true;
    return loss;
  }

  [[nodiscard]] typename Engine::Ticket step(StepOptions const& options) {
    require_open("step()");
    require_not_whole("step()");
    check_unchanged();
    auto ticket = engine_->step(options, Device::current_stream(device_));
    values_changed();
    return ticket;
  }

  void discard() {
    require_open("discard()");
    if (active_) throw SequenceError("zero::libtorch: discard() inside of micro_batch(): throw an exception out of it");
    engine_->discard_gradients();
  }

  // ------------------------------------------------------------------------------------------------- values

  /// Makes every parameter whole and current until `end_whole`. Collective.
  void begin_whole() {
    require_open("whole()");
    require_not_whole("whole()");
    if (active_) throw SequenceError("zero::libtorch: whole() inside of micro_batch(): call it between two of them");
    check_unchanged();
    engine_->finish_update();
    sync_buffers();
    auto const stream = Device::current_stream(device_);
    if (!is_sharded()) {
      whole_lease_.emplace(engine_->gather(ids_, stream));
    } else {
      // One at a time, into memory of torch's: all of them together would be beyond the live bound.
      for (std::size_t i = 0; i < memory_.size(); ++i) memory_[i].own(copy_of(i, stream));
    }
    whole_ = true;
  }
  void end_whole() noexcept {
    if (!whole_) return;
    whole_ = false;
    whole_lease_.reset();
    if (!engine_ || !is_sharded()) return;
    for (auto& memory : memory_) memory.hide(Passes::sharded(memory.name()));
  }

  /// Runs \p f without gradients, with rank 0's buffers; at stage 3 units are gathered by themselves, and what is in
  /// none is whole meanwhile. Collective.
  template <class Function>
  decltype(auto) evaluate(Function&& f) {
    require_between("evaluate()");
    check_unchanged();
    ::torch::NoGradGuard const guard;
    auto const stream = Device::current_stream(device_);
    if (!whole_) {
      engine_->finish_update();
      sync_buffers();
    }
    struct Root {
      explicit Root(Passes* of) : passes(of) {}
      Root(Root const&) = delete;
      Root& operator=(Root const&) = delete;
      ~Root() {
        if (serial != 0) passes->leave(serial, false);
      }
      Passes* passes;
      std::uint64_t serial = 0;
      std::optional<typename Engine::Lease> lease{};
    } root(passes_ ? &*passes_ : nullptr);
    if (is_sharded() && !whole_) root.serial = passes_->start_root(*engine_, stream);
    if (!is_sharded() && !whole_) root.lease.emplace(engine_->gather(ids_, stream));
    return std::forward<Function>(f)();
  }

  /// Rank 0's values of the module become the engine's. Collective.
  void take_values() {
    require_open("take_values()");
    if (active_)
      throw SequenceError("zero::libtorch: take_values() inside of micro_batch(): call it between two of them");
    if (is_sharded() && !whole_) {
      throw SequenceError(
          "zero::libtorch: take_values() at stage 3 needs whole(): without it there are no values in the "
          "module to take");
    }
    std::vector<Tensor> values;
    for (std::size_t i = 0; i < memory_.size(); ++i) values.push_back(values_of(i));
    bool const holds = whole_lease_.has_value();
    whole_lease_.reset();
    for (std::size_t i = 0; i < memory_.size(); ++i) write_values(i, values[i]);
    for (std::size_t i = 0; i < memory_.size(); ++i) {
      auto const edited = is_sharded() ? copy_of(i, Device::current_stream(device_)) : Tensor();
      if (!memory_[i].is_in_place()) attach(i);
      if (is_sharded()) memory_[i].own(edited);
      memory_[i].changed();
    }
    if (holds) whole_lease_.emplace(engine_->gather(ids_, Device::current_stream(device_)));
    note_values();
  }

  /// Rank 0's buffers become everybody's. Collective.
  void sync_buffers() {
    require_open("sync_buffers()");
    if (communicator_.size() == 1) return;
    ::torch::NoGradGuard const guard;
    for (auto& [name, buffer] : map_.buffers) {
      auto const values = buffer.detach().to(::at::kCPU).contiguous().clone();
      engine_->broadcast_bytes({static_cast<std::byte*>(values.data_ptr()), values.nbytes()}, values.element_size(), 0);
      if (communicator_.rank() != 0) buffer.detach().copy_(values);
    }
  }

  /// Parameters, states and buffers. Collective.
  SaveReport save(std::string const& folder, SaveOptions options) {
    require_between("save()");
    check_unchanged();
    sync_buffers();
    auto const buffers = buffers_on_host();
    for (auto const& [tensor, values] : buffers) options.tensors.push_back(tensor);
    return save_checkpoint(*engine_, folder, options);
  }
  LoadReport load(std::string const& folder, LoadOptions options) {
    require_between("load()");
    require_not_whole("load()");
    check_unchanged();
    auto const buffers = buffers_on_host();
    for (auto const& [tensor, values] : buffers) options.tensors.push_back(tensor);
    auto report = load_checkpoint(*engine_, folder, options);
    values_changed();
    ::torch::NoGradGuard const guard;
    for (std::size_t i = 0, b = 0; i < map_.buffers.size(); ++i) {
      if (map_.buffers[i].second.numel() > 0) map_.buffers[i].second.detach().copy_(buffers[b++].second);
    }
    return report;
  }

  // ------------------------------------------------------------------------------------------------- the end

  /// Gives the module memory of its own, with the engine's values, and ends the engine. Collective at stage 3.
  void close() {
    if (!engine_) return;
    if (active_) throw SequenceError("zero::libtorch: close() inside of micro_batch(): throw an exception out of it");
    if (is_sharded() && !whole_) {
      auto const stream = Device::current_stream(device_);
      std::vector<Tensor> values;
      for (std::size_t i = 0; i < memory_.size(); ++i) values.push_back(copy_of(i, stream));
      give(std::move(values));
      whole_ = true;  // `end` leaves it
    }
    end(!is_sharded());
  }

  [[nodiscard]] Engine& engine() const {
    require_open("engine()");
    return *engine_;
  }
  /// \throws as ParameterMemory::check_unchanged, and for what `check_values` finds.
  void check_unchanged() const {
    for (auto const& memory : memory_) memory.check_unchanged();
    if (!check_values_ || is_sharded()) return;
    for (std::size_t i = 0; i < memory_.size(); ++i) {
      if (fingerprint(i) == fingerprints_[i]) continue;
      zero::detail::fail<ConfigurationError>({"zero::libtorch: the values of parameter ",
                                              zero::detail::quote(memory_[i].name()),
                                              " were changed behind autograd, such as through data(): call "
                                              "take_values() on every rank to go on with them"});
    }
  }

  // ------------------------------------------------------------------------------------------------- hooks

  Pass enter(std::size_t unit) override {
    if (!engine_ || !is_sharded() || whole_) return {};
    bool const recorded = active_ && ::torch::GradMode::is_enabled();
    auto const serial = passes_->enter(*engine_, unit, Device::current_stream(device_));
    return {serial, recorded};
  }
  void leave(std::uint64_t serial) noexcept override { passes_->leave(serial, active_); }
  void expect_end(std::uint64_t serial) override { passes_->expect_end(serial); }
  void begin_backward(std::uint64_t serial) override {
    require_open("backward");
    passes_->begin_backward(*engine_, serial, Device::current_stream(device_));
  }
  void end_backward(std::uint64_t serial) override { passes_->end_backward(serial); }

 private:
  using Passes = UnitPasses<Engine>;
  static constexpr ::at::ScalarType type = scalar_type<Element>;

  class Hook final : public ::torch::autograd::PostAccumulateGradHook {
   public:
    Hook(std::weak_ptr<Session> session, std::size_t i) : session_(std::move(session)), i_(i) {}
    void operator()(Tensor const& /*parameter*/) override {
      if (auto const session = session_.lock()) session->arrive(i_);
    }

   private:
    std::weak_ptr<Session> session_;
    std::size_t i_;
  };

  // What a micro-batch leaves behind, whatever ends it.
  struct Scope {
    explicit Scope(Session& of) : session(of) {
      session.active_ = true;
      session.order_->begin();
      std::fill(session.arrived_.begin(), session.arrived_.end(), char{0});
    }
    Scope(Scope const&) = delete;
    Scope& operator=(Scope const&) = delete;
    ~Scope() {
      session.active_ = false;
      if (session.passes_ && session.passes_->is_inside()) session.passes_->end(false);
      for (auto& gradient : session.deferred_) gradient.reset();
      session.deferred_count_ = 0;
      if (is_complete) return;
      for (auto& memory : session.memory_) memory.tensor().mutable_grad().reset();
    }
    Session& session;
    bool is_complete = false;
  };

  [[nodiscard]] bool is_sharded() const noexcept { return stage_ == Stage::parameters; }
  void require_open(char const* call) const {
    if (engine_) return;
    zero::detail::fail<SequenceError>({"zero::libtorch: ", call, " after close(): wrap the module again"});
  }
  void require_not_whole(char const* call) const {
    if (!whole_) return;
    zero::detail::fail<SequenceError>(
        {"zero::libtorch: ", call, " while whole() is held: end its scope before, because it holds every parameter"});
  }

  void require_between(char const* call) const {
    require_open(call);
    if (!active_) return;
    zero::detail::fail<SequenceError>(
        {"zero::libtorch: ", call, " inside of micro_batch(): call it between two steps"});
  }

  // ----------------------------------------------------------------------------------------------- construction

  void check_module() {
    zero::detail::enforce(!map_.parameters.empty(),
                          "zero::libtorch: the module has no parameters: wrap one that has, and "
                          "register its modules and parameters");
    if (is_sharded() && map_.units.size() == 1) {
      throw ConfigurationError(
          "zero::libtorch: the module has no unit, and stage 3 would hold all of it at once: mark its "
          "layers with ZERO_TORCH_UNIT in place of TORCH_MODULE, or use stages 0 to 2");
    }
    device_ = map_.parameters[0].tensor.device();
    casts_ = map_.parameters[0].tensor.scalar_type() == ::at::kFloat && type != ::at::kFloat;
    for (auto const& parameter : map_.parameters) check_parameter(parameter);
  }
  void check_parameter(MappedParameter const& parameter) const {
    auto const& tensor = parameter.tensor;
    auto const name = zero::detail::quote(parameter.name);
    if (tensor.layout() != ::at::kStrided) {
      zero::detail::fail<ConfigurationError>(
          {"zero::libtorch: parameter ", name, " is not a dense tensor: to_dense()"});
    }
    if (!Device::owns(tensor.device()) || tensor.device() != device_) {
      zero::detail::fail<ConfigurationError>(
          {"zero::libtorch: parameter ", name, " is on ", tensor.device().str(), ", but ",
           Device::owns(tensor.device()) ? "others are elsewhere" : Device::name, ": ", Device::remedy});
    }
    auto const wanted = casts_ ? ::at::kFloat : type;
    if (tensor.scalar_type() != wanted) {
      zero::detail::fail<ConfigurationError>(
          {"zero::libtorch: parameter ", name, " is ", ::c10::toString(tensor.scalar_type()), ", but ",
           casts_ ? "the first one is Float" : "the engine computes in ", casts_ ? "" : ::c10::toString(type),
           ": all are of one type: that, or Float, which is then kept as master values and cast to the engine's"});
    }
    if (hook_of(tensor) != nullptr) {
      zero::detail::fail<ConfigurationError>(
          {"zero::libtorch: parameter ", name,
           " belongs to another engine already, or has a post-accumulate-grad hook of "
           "somebody else: close() that one first"});
    }
  }

  [[nodiscard]] static ::torch::autograd::PostAccumulateGradHook* hook_of(Tensor const& tensor) {
    if (::torch::autograd::impl::get_autograd_meta(tensor) == nullptr) return nullptr;
    return ::torch::autograd::impl::post_acc_grad_hooks(tensor).get();
  }

  [[nodiscard]] ParameterList register_parameters(GroupOf const& group_of) {
    ParameterList list;
    std::vector<std::pair<ParameterGroup, GroupId>> groups;
    for (auto const& parameter : map_.parameters) {
      auto const sizes = parameter.tensor.sizes();
      ids_.push_back(
          list.add({.name = parameter.name,
                    .shape = {sizes.begin(), sizes.end()},
                    .group = group_of ? group(list, groups, group_of(parameter.name, parameter.tensor)) : GroupId{},
                    .unit = static_cast<int>(parameter.owner),
                    .frozen = !parameter.tensor.requires_grad()}));
    }
    return list;
  }
  [[nodiscard]] static GroupId group(ParameterList& list, std::vector<std::pair<ParameterGroup, GroupId>>& groups,
                                     ParameterGroup const& wanted) {
    for (auto const& [group, id] : groups) {
      if (group.lr_factor == wanted.lr_factor && group.weight_decay == wanted.weight_decay) return id;
    }
    return groups.emplace_back(wanted, list.add_group(wanted)).second;
  }

  // What the root, the units around one, its tied parameters and the unit that is gathered ahead need beside each
  // other. The engine knows of units in a row only, so that 0, its own choice, is kept where there is nothing else.
  [[nodiscard]] std::size_t live_bound(ParameterList const& list, Config const& config) const {
    bool in_a_row = map_.units[0].parameters.empty();
    for (auto const& unit : map_.units) in_a_row = in_a_row && unit.parent == 0;
    for (auto const& parameter : map_.parameters) in_a_row = in_a_row && parameter.units.size() == 1;
    if (in_a_row) return 0;
    LayoutSettings settings{.stage = stage_,
                            .world = static_cast<std::size_t>(communicator_.size()),
                            .alignment_elements = config.alignment_elements,
                            .persistence_threshold = config.persistence_threshold};
    if (config.bucket_elements) {
      settings.bucket_elements = *config.bucket_elements;
    } else {
      settings = zero::detail::DefaultBucket(list.specs(), settings).settings();
    }
    FlatLayout const layout(list.specs(), settings);
    std::vector<std::size_t> sizes, around;
    std::size_t largest = 0, deepest = 0;
    for (auto const& unit : map_.units) {
      std::vector<std::uint32_t> blocks;
      for (auto const i : unit.parameters) blocks.push_back(layout.extents()[i].block);
      std::sort(blocks.begin(), blocks.end());
      blocks.erase(std::unique(blocks.begin(), blocks.end()), blocks.end());
      std::size_t size = 0;
      for (auto const block : blocks) size += layout.blocks()[block].whole ? 0 : layout.blocks()[block].elements;
      around.push_back(sizes.empty() || unit.parent == 0 ? 0 : around[unit.parent] + sizes[unit.parent]);
      sizes.push_back(size);
      if (sizes.size() > 1) largest = (std::max)(largest, size);
      deepest = (std::max)(deepest, around.back());
    }
    return sizes[0] + 2 * deepest + (deepest > 0 ? 3 : 2) * largest;
  }

  void set_unit_ends() {
    auto const& layout = engine_->layout();
    std::vector<std::size_t> ends(map_.units.size());
    for (std::size_t i = 0; i < memory_.size(); ++i) {
      auto const& extent = layout.extents()[ids_[i].index];
      if (!memory_[i].trainable() || layout.blocks()[extent.block].whole) continue;
      auto& end = ends[map_.parameters[i].owner];
      end = (std::max)(end, static_cast<std::size_t>(extent.first_bucket) + extent.bucket_count);
    }
    for (std::size_t u = 0; u < ends.size(); ++u) passes_->set_end(u, ends[u]);
  }

  void write_initial_values() {
    for (std::size_t i = 0; i < memory_.size(); ++i) write_values(i, values_of(i));
  }

  // ----------------------------------------------------------------------------------------------- memory

  [[nodiscard]] ::at::TensorOptions options() const { return ::at::TensorOptions().dtype(type).device(device_); }

  // Values of the module, in fp32 on the host.
  [[nodiscard]] Tensor values_of(std::size_t i) const {
    auto const& tensor = memory_[i].tensor();
    std::size_t const count = ParameterList::element_count(shape(i));
    if (static_cast<std::size_t>(tensor.numel()) != count) {
      zero::detail::fail<ConfigurationError>({"zero::libtorch: parameter ", zero::detail::quote(memory_[i].name()),
                                              " has ", tensor.numel(), " elements, but was wrapped with ", count,
                                              ": close(), change the module, and wrap it again"});
    }
    return tensor.detach().to(::at::kCPU).to(::at::kFloat).contiguous();
  }
  [[nodiscard]] std::vector<std::size_t> shape(std::size_t i) const {
    if (shapes_.empty()) {
      auto const sizes = map_.parameters[i].tensor.sizes();
      return {sizes.begin(), sizes.end()};
    }
    return {shapes_[i].begin(), shapes_[i].end()};
  }
  // Rank 0's.
  void write_values(std::size_t i, Tensor const& values) {
    auto const own = communicator_.size() > 1 && communicator_.rank() != 0 ? values.clone() : values;
    auto* const data = own.template data_ptr<float>();
    auto const count = static_cast<std::size_t>(own.numel());
    engine_->broadcast(std::span(data, count), 0);
    engine_->write_parameter(ids_[i], {data, count});
  }

  void attach(std::size_t i) {
    ::torch::NoGradGuard const guard;
    auto& memory = memory_[i];
    if (shapes_.size() <= i) shapes_.push_back(memory.tensor().sizes().vec());
    if (is_sharded()) {
      memory.attach(::torch::empty(shapes_[i], options()));
      memory.hide(Passes::sharded(memory.name()));
    } else {
      auto lease = engine_->gather(ids_[i], Device::current_stream(device_));
      auto* const place = const_cast<Element*>(lease[ids_[i]].data());
      memory.attach(::torch::from_blob(place, shapes_[i], options()));
    }
  }

  // The engine's values of a parameter, in memory of torch's.
  [[nodiscard]] Tensor copy_of(std::size_t i, Stream stream) {
    ::torch::NoGradGuard const guard;
    auto own = ::torch::empty(shapes_[i], options());
    auto const lease = engine_->gather(ids_[i], stream);
    own.copy_(::torch::from_blob(const_cast<Element*>(lease[ids_[i]].data()), shapes_[i], options()));
    return own;
  }
  void give(std::vector<Tensor> values) {
    for (std::size_t i = 0; i < memory_.size(); ++i) {
      if (memory_[i].is_in_place()) {
        memory_[i].own(values[i]);
      } else {
        memory_[i].tensor().set_data(values[i]);
      }
    }
  }

  void end(bool give_back) noexcept {
    if (!engine_) return;
    for (auto const& unit : map_.units) {
      if (unit.link) unit.link->host.reset();
    }
    whole_lease_.reset();
    for (auto& memory : memory_) {
      if (!memory.is_attached()) continue;
      if (dynamic_cast<Hook*>(hook_of(memory.tensor())) == nullptr) continue;
      ::torch::autograd::impl::post_acc_grad_hooks(memory.tensor()).reset();
    }
    bool given = is_sharded() && whole_;
    if (give_back) {
      try {
        std::vector<Tensor> values;
        bool const attached = memory_.empty() || memory_.back().is_attached();
        for (std::size_t i = 0; attached && i < memory_.size(); ++i) {
          values.push_back(copy_of(i, Device::current_stream(device_)));
        }
        if (attached) give(std::move(values));
        given = true;
      } catch (...) {  // a poisoned engine: its values are not to be trusted
      }
    }
    for (auto& memory : memory_) {
      if (given || !memory.is_attached()) continue;
      memory.hide(
          "zero::libtorch: parameter '" + memory.name() +
          "' went with its engine, which ended without close(): call close() on every rank before, which gives the "
          "module its values back");
    }
    passes_.reset();
    engine_.reset();
  }

  // The engine has written new values.
  void values_changed() {
    for (auto& memory : memory_) memory.changed();
    note_values();
  }

  // Copies of the buffers, as a checkpoint has them.
  [[nodiscard]] std::vector<std::pair<NamedTensor, Tensor>> buffers_on_host() const {
    std::vector<std::pair<NamedTensor, Tensor>> tensors;
    for (auto const& [name, buffer] : map_.buffers) {
      if (buffer.numel() == 0) continue;
      auto values = buffer.detach().to(::at::kCPU).contiguous().clone();
      NamedTensor tensor{.name = name,
                         .shape = {values.sizes().begin(), values.sizes().end()},
                         .type = element_type_of(name, values.scalar_type()),
                         .data = values.data_ptr()};
      tensors.emplace_back(std::move(tensor), std::move(values));
    }
    return tensors;
  }
  [[nodiscard]] static ElementType element_type_of(std::string const& name, ::at::ScalarType type) {
    switch (type) {
      case ::at::kFloat:
        return ElementType::fp32;
      case ::at::kHalf:
        return ElementType::fp16;
      case ::at::kBFloat16:
        return ElementType::bf16;
      case ::at::kDouble:
        return ElementType::fp64;
      case ::at::kLong:
        return ElementType::int64;
      case ::at::kInt:
        return ElementType::int32;
      case ::at::kShort:
        return ElementType::int16;
      case ::at::kChar:
        return ElementType::int8;
      case ::at::kByte:
        return ElementType::uint8;
      case ::at::kBool:
        return ElementType::boolean;
      default:
        zero::detail::fail<ConfigurationError>({"zero::libtorch: buffer ", zero::detail::quote(name), " is ",
                                                ::c10::toString(type),
                                                ", which a checkpoint has no name for: keep it in another type"});
    }
  }

  // ----------------------------------------------------------------------------------------------- gradients

  void backward(Tensor const& loss) {
    if (!loss.defined() || loss.numel() != 1) {
      throw ConfigurationError(
          "zero::libtorch: the function of micro_batch() must return the loss, a tensor of one "
          "element: take its mean()");
    }
    if (!loss.requires_grad()) {
      throw ConfigurationError(
          "zero::libtorch: the loss of micro_batch() has no graph: compute it with gradients enabled, "
          "from the module's parameters, and without detach()");
    }
    float const scale = engine_->loss_scale().value();
    if (scale != 1.0F && loss.scalar_type() == ::at::kHalf) {
      throw ConfigurationError(
          "zero::libtorch: the loss is Half, in which the loss scale overflows: compute it in Float, "
          "from logits.to(torch::kFloat)");
    }
    (scale == 1.0F ? loss : loss * scale).backward();
  }

  void arrive(std::size_t i) {
    auto& memory = memory_[i];
    if (!engine_) return;
    if (!active_) {
      memory.tensor().mutable_grad().reset();
      zero::detail::fail<SequenceError>({"zero::libtorch: backward outside of micro_batch() has made a gradient of ",
                                         zero::detail::quote(memory.name()),
                                         ": give micro_batch() the loss, which runs backward itself"});
    }
    Tensor const gradient = std::exchange(memory.tensor().mutable_grad(), Tensor());
    if (arrived_[i] != 0) {
      zero::detail::fail_gradient(
          memory.name(), {"zero::libtorch: a second gradient of ", zero::detail::quote(memory.name()),
                          " in one micro-batch: backward ran twice. micro_batch() runs it itself: return the loss, "
                          "or the sum of several, without calling backward()"});
    }
    if (gradient.layout() != ::at::kStrided) {
      zero::detail::fail_gradient(memory.name(),
                                  {"zero::libtorch: the gradient of ", zero::detail::quote(memory.name()),
                                   " is sparse: make its module with sparse(false)"});
    }
    arrived_[i] = 1;
    if (order_->needed(ids_[i].index) > closed()) {
      deferred_[i] = gradient;  // until its place in the ring is free
      ++deferred_count_;
    } else {
      hand_over(i, gradient);
      hand_over_deferred();
    }
    if (is_sharded()) passes_->arrived(i);
  }

  // Buckets whose places are free, or will be when they are asked for. Where a rank may lack gradients, at stage 3 only
  // gathers may close buckets, because the other ranks close theirs there.
  [[nodiscard]] std::size_t closed() const noexcept {
    std::size_t const by_gathers = is_sharded() ? passes_->closed() : 0;
    bool const may_lack = missing_ == MissingGradient::zero || engine_->config().micro_batches_per_step.has_value();
    return is_sharded() && may_lack ? by_gathers : (std::max)(by_gathers, order_->complete());
  }

  void hand_over(std::size_t i, Tensor const& gradient) {
    ::torch::NoGradGuard const guard;
    auto const stream = Device::current_stream(device_);
    auto lease = engine_->gradients(ids_[i], stream);
    ::torch::from_blob(lease.write(ids_[i]).values.data(), shapes_[i], options()).copy_(gradient);
    lease.ready(stream);
    order_->handed_over(ids_[i].index);
  }
  void hand_over_deferred() {
    for (bool moved = deferred_count_ > 0; moved && deferred_count_ > 0;) {
      moved = false;
      for (std::size_t i = deferred_.size(); i-- > 0;) {
        if (!deferred_[i].defined() || order_->needed(ids_[i].index) > closed()) continue;
        take_deferred(i);
        moved = true;
      }
    }
  }
  void take_deferred(std::size_t i) {
    Tensor const gradient = std::exchange(deferred_[i], Tensor());
    --deferred_count_;
    hand_over(i, gradient);
  }

  // Backward is over. What is still deferred comes in the order of reduction; what is missing is named, once the other
  // ranks have all that they wait for.
  template <class MicroBatch>
  void hand_over_rest(MicroBatch& micro_batch) {
    if (missing_ == MissingGradient::error) {
      for (std::size_t i = 0; i < memory_.size(); ++i) {
        if (arrived_[i] != 0 || !memory_[i].trainable()) continue;
        try {
          micro_batch.finish(stream_);
        } catch (GradientError const&) {  // may name one that is deferred
        }
        zero::detail::fail_gradient(
            memory_[i].name(), {"zero::libtorch: parameter ", zero::detail::quote(memory_[i].name()),
                                " got no gradient in this micro-batch: the loss does not depend on it. Freeze it by "
                                "requires_grad_(false) before it is wrapped, or set missing_gradient = "
                                "zero::MissingGradient::zero. discard() goes on after this error"});
      }
    }
    std::vector<std::pair<std::size_t, std::size_t>> rest;
    for (std::size_t i = 0; i < deferred_.size(); ++i) {
      if (deferred_[i].defined()) rest.emplace_back(engine_->layout().extents()[ids_[i].index].first_bucket, i);
    }
    std::sort(rest.begin(), rest.end());
    for (auto const& [bucket, i] : rest) take_deferred(i);
  }

  // ----------------------------------------------------------------------------------------------- check_values

  [[nodiscard]] std::uint64_t fingerprint(std::size_t i) const {
    auto const bytes = memory_[i].tensor().detach().to(::at::kCPU);
    Fingerprint fingerprint;
    fingerprint.add({static_cast<std::byte const*>(bytes.data_ptr()), bytes.nbytes()});
    return fingerprint.value();
  }
  void note_values() {
    if (!check_values_ || is_sharded()) return;
    fingerprints_.clear();
    for (std::size_t i = 0; i < memory_.size(); ++i) fingerprints_.push_back(fingerprint(i));
  }

  Communicator& communicator_;
  Stage stage_;
  bool check_values_;
  MissingGradient missing_;
  ModuleMap map_;
  ::at::Device device_{::at::kCPU};
  bool casts_ = false;                   // of a module in fp32 to an engine of 16 bits
  std::vector<ParameterMemory> memory_;  // by registration
  std::vector<ParameterId> ids_;         // the same
  std::vector<std::vector<std::int64_t>> shapes_;
  std::unique_ptr<Engine> engine_;
  std::optional<HandOverOrder> order_;
  std::optional<Passes> passes_;  // at stage 3
  std::optional<typename Engine::Lease> whole_lease_;
  std::vector<Tensor> deferred_;  // gradients that came too early, by parameter
  std::size_t deferred_count_ = 0;
  std::vector<char> arrived_;  // by parameter
  std::vector<std::uint64_t> fingerprints_;
  Stream stream_{};
  bool active_ = false;  // inside of micro_batch
  bool whole_ = false;
};

}  // namespace zero::libtorch::detail
