// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/adapters/detail/random_state.hpp>
#include <zero/adapters/detail/region_host.hpp>
#include <zero/adapters/detail/unit_link.hpp>
#include <zero/error.hpp>

#include <ATen/ThreadLocalState.h>
#include <torch/csrc/autograd/functions/accumulate_grad.h>
#include <torch/csrc/autograd/saved_variable.h>
#include <torch/torch.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <vector>

namespace zero::libtorch::detail {

/// What tells whether a tensor is what it was: sizes, type, and on the host the sum of its bits, which costs one pass.
struct TensorMark {
  explicit TensorMark(Tensor const& x) {
    if (!x.defined()) return;
    sizes = x.sizes().vec();
    type = x.scalar_type();
    if (!x.is_cpu() || x.numel() == 0 || x.layout() != ::at::kStrided || x.is_complex()) return;
    auto values = x.detach().contiguous();
    if (x.is_floating_point()) {
      constexpr ::at::ScalarType of_width[] = {::at::kChar, ::at::kShort, ::at::kInt, ::at::kInt, ::at::kLong};
      values = values.view(of_width[(std::min)(x.element_size() / 2, std::int64_t{4})]);
    }
    bits = values.sum(::at::kLong).item<std::int64_t>();
  }
  friend bool operator==(TensorMark const&, TensorMark const&) = default;

  std::vector<std::int64_t> sizes{};
  ::at::ScalarType type = ::at::ScalarType::Undefined;
  std::int64_t bits = 0;
};

/// A part of forward that keeps its arguments only, and is computed again when backward comes to it: a node of the
/// graph, whose edges are the arguments and the parameters that the part uses, so that autograd adds their gradients to
/// those of other uses and hands each over once.
template <class Function, class Result, class... Arguments>
class RecomputedRegion final : public ::torch::autograd::Node {
 public:
  using Values = std::tuple<Arguments...>;

  RecomputedRegion(std::shared_ptr<RegionHost> const& host, Function f, Values arguments)
      : host_(host), micro_batch_(host->micro_batch()), f_(std::move(f)), arguments_(std::move(arguments)) {}

  /// Runs it for the first time; \p self owns this. With gradients enabled: its graph says which parameters it uses,
  /// and goes with its activations.
  [[nodiscard]] Result forward(NodePointer const& self) {
    auto const host = host_.lock();
    auto passed = detached(arguments_);
    for_each_tensor(arguments_, [&](Tensor& x) {
      if (x.defined() && x.requires_grad()) add_next_edge(::torch::autograd::impl::gradient_edge(x));
      saved_.emplace_back(x, false);  // which notices what is changed in place
      x.reset();
    });
    auto const before = buffer_marks(*host);
    if (host->owns_generators()) random_.emplace(device_of(passed));
    auto outputs = run(*host, passed, /*again=*/false);
    if (random_ && *random_ == RandomState(device_of(passed))) random_.reset();
    auto const after = buffer_marks(*host);
    auto const buffers = host->buffers();
    for (std::size_t b = 0; b < buffers.size(); ++b) {
      if (!buffers[b].is_cpu() || !(before[b] == after[b])) changed_.push_back(buffers[b]);
    }
    find_parameters(outputs, passed);
    for_each_tensor(outputs, [&](Tensor& y) {
      marks_.emplace_back(y);
      if (!y.defined() || !y.requires_grad()) return;
      y = y.detach();
      ::torch::autograd::create_gradient_edge(y, self);
    });
    return outputs;
  }

  ::torch::autograd::variable_list apply(::torch::autograd::variable_list&& gradients) override {
    auto const host = host_.lock();
    if (!host || host->micro_batch() != micro_batch_) {
      throw SequenceError(
          "zero::libtorch: backward runs through a checkpoint() of an earlier micro-batch, whose parameters may have "
          "changed since: detach() what is carried over");
    }
    if (is_released_) {
      throw SequenceError(
          "zero::libtorch: backward runs a second time through a checkpoint(), whose arguments are gone");
    }
    if (::torch::GradMode::is_enabled()) {
      throw SequenceError(
          "zero::libtorch: backward with create_graph runs through a checkpoint(), which has no second derivatives: "
          "leave checkpoint() out");
    }
    auto passed = unpacked();
    ::torch::autograd::variable_list wanted;
    for_each_tensor(passed, [&](Tensor const& x) {
      if (x.defined() && x.requires_grad()) wanted.push_back(x);
    });
    wanted.insert(wanted.end(), parameters_.begin(), parameters_.end());
    auto outputs = run_again(*host, passed);
    ::torch::autograd::variable_list roots, of_roots;
    std::size_t number = 0, root = 0;
    for_each_tensor(outputs, [&](Tensor const& y) {
      if (number >= marks_.size() || !(TensorMark(y) == marks_[number])) throw_other_result(*host);
      ++number;
      if (!y.defined() || !y.requires_grad()) return;
      if (gradients[root].defined()) {
        roots.push_back(y);
        of_roots.push_back(gradients[root]);
      }
      ++root;
    });
    if (number != marks_.size()) throw_other_result(*host);
    if (roots.empty()) return ::torch::autograd::variable_list(wanted.size());
    return ::torch::autograd::grad(roots, wanted, of_roots, /*retain_graph=*/false, /*create_graph=*/false,
                                   /*allow_unused=*/true);
  }
  void release_variables() override {
    saved_.clear();
    is_released_ = true;
  }

 private:
  // `passed` with tensors that begin a graph of their own.
  [[nodiscard]] static Values detached(Values passed) {
    for_each_tensor(passed, [&](Tensor& x) {
      if (!x.defined()) return;
      bool const requires_gradient = x.requires_grad();
      x = x.detach();
      x.requires_grad_(requires_gradient);
    });
    return passed;
  }
  [[nodiscard]] Values unpacked() const {
    Values values = arguments_;
    std::size_t next = 0;
    for_each_tensor(values, [&](Tensor& x) { x = saved_[next++].unpack(); });
    return detached(std::move(values));
  }
  [[nodiscard]] static ::at::Device device_of(Values& values) {
    ::at::Device device(::at::kCPU);
    for_each_tensor(values, [&](Tensor const& x) {
      if (x.defined() && !x.is_cpu()) device = x.device();
    });
    return device;
  }
  [[nodiscard]] static std::vector<TensorMark> buffer_marks(RegionHost const& host) {
    std::vector<TensorMark> marks;
    for (auto const& buffer : host.buffers()) marks.emplace_back(buffer);
    return marks;
  }

  [[nodiscard]] Result run(RegionHost& host, Values& passed, bool again) {
    RegionScope const scope(host, again);
    return std::apply([&](auto&... x) -> Result { return f_(x...); }, passed);
  }
  [[nodiscard]] Result run_again(RegionHost& host, Values& passed) {
    ::at::ThreadLocalStateGuard const as_in_forward(state_);
    ::torch::AutoGradMode const enabled(true);
    RegionHostScope const current(host_);
    struct PutBack {
      PutBack() = default;
      PutBack(PutBack const&) = delete;
      PutBack& operator=(PutBack const&) = delete;
      ~PutBack() {
        ::torch::NoGradGuard const guard;
        // Through data(), which leaves the version as it is: the graph of this run has saved buffers.
        for (auto& [buffer, values] : buffers) buffer.data().copy_(values);
        if (random) random->restore();
      }
      std::vector<std::pair<Tensor, Tensor>> buffers{};
      std::optional<RandomState> random{};
    } put_back;
    for (auto const& buffer : changed_) put_back.buffers.emplace_back(buffer, buffer.detach().clone());
    if (random_) {
      put_back.random.emplace(device_of(passed));
      random_->restore();
    }
    return run(host, passed, /*again=*/true);
  }

  // Walks the graph of the first run.
  void find_parameters(Result& outputs, Values& passed) {
    using ::torch::autograd::AccumulateGrad;
    std::unordered_set<void const*> arguments;
    for_each_tensor(passed, [&](Tensor const& x) { arguments.insert(x.unsafeGetTensorImpl()); });
    std::unordered_set<::torch::autograd::Node*> seen;
    std::vector<NodePointer> open;
    auto const visit = [&](NodePointer const& node) {
      if (node && seen.insert(node.get()).second) open.push_back(node);
    };
    for_each_tensor(outputs, [&](Tensor const& y) {
      if (y.defined() && y.requires_grad()) visit(::torch::autograd::impl::gradient_edge(y).function);
    });
    while (!open.empty()) {
      auto const node = open.back();
      open.pop_back();
      if (auto* const leaf = dynamic_cast<AccumulateGrad*>(node.get())) {
        if (arguments.count(leaf->variable.unsafeGetTensorImpl()) == 0) add_parameter(leaf->variable);
      } else if (node->sequence_nr() < sequence_nr()) {
        throw ConfigurationError(
            "zero::libtorch: the function of checkpoint() uses a tensor with a graph that it has not got as an "
            "argument: pass every tensor that it computes from to checkpoint()");
      }
      for (auto const& edge : node->next_edges()) visit(edge.function);
    }
  }
  void add_parameter(Tensor const& parameter) {
    auto const& hooks = ::torch::autograd::impl::get_autograd_meta(parameter)->cpp_hooks_list_;
    if (hooks && std::any_of(hooks->begin(), hooks->end(), [](auto const& hook) { return hook != nullptr; })) {
      throw ConfigurationError(
          "zero::libtorch: a parameter that is used within checkpoint() has a hook, by register_hook(), which would "
          "run "
          "twice: take it off, or leave checkpoint() out");
    }
    parameters_.push_back(parameter);
    add_next_edge(::torch::autograd::impl::gradient_edge(parameter));
  }

  [[noreturn]] static void throw_other_result(RegionHost const& host) {
    throw ConfigurationError(
        host.owns_generators()
            ? "zero::libtorch: the function of checkpoint() gave another result when backward computed it again: it "
              "may "
              "depend on its arguments, parameters, buffers and torch's default generators only, and must capture what "
              "still lives then"
            : "zero::libtorch: the function of checkpoint() gave another result when backward computed it again. It "
              "may "
              "depend on its arguments, parameters and buffers only: ranks that are threads share torch's generators, "
              "so "
              "that dropout within checkpoint() needs ranks that are processes");
  }

  std::weak_ptr<RegionHost> host_;
  std::uint64_t micro_batch_;
  Function f_;
  Values arguments_;  // their tensors are in saved_
  std::vector<::torch::autograd::SavedVariable> saved_{};
  ::at::ThreadLocalState state_{};
  std::optional<RandomState> random_{};  // where generators stood, if it draws numbers
  std::vector<Tensor> changed_{};        // buffers that it changes
  std::vector<Tensor> parameters_{};     // that it uses, and whatever else is a leaf
  std::vector<TensorMark> marks_{};      // of the outputs
  bool is_released_ = false;
};

/// Runs \p f, in a region where a micro-batch runs on this thread with gradients enabled.
template <class Function, class... Arguments>
auto run_region(Function f, Arguments... arguments) {
  using Result = std::remove_cvref_t<std::invoke_result_t<Function&, Arguments&...>>;
  static_assert(
      HoldsTensors<Result>::value,
      "zero::libtorch::checkpoint: the function must return a tensor, or a tuple, pair, vector or optional of "
      "tensors: backward begins at them");
  auto const host = current_region_host.lock();
  if (!host || host->micro_batch() == 0 || !::torch::GradMode::is_enabled()) return Result(f(arguments...));
  using Region = RecomputedRegion<Function, Result, Arguments...>;
  auto const node = make_node<Region>(host, std::move(f), std::tuple<Arguments...>(std::move(arguments)...));
  return static_cast<Region*>(node.get())->forward(node);
}

}  // namespace zero::libtorch::detail
