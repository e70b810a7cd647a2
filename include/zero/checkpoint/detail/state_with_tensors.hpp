// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/checkpoint/named_tensor.hpp>
#include <zero/engine_state.hpp>
#include <zero/error.hpp>
#include <zero/parameter.hpp>
#include <zero/precision.hpp>
#include <zero/support/message.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace zero::detail {

/// \p parameters are an engine's, and \p tensors, the last of them. \throws CheckpointError (bad_request) for tensors
/// without a name of their own, without data or without elements.
inline void check_tensors(std::vector<ParameterSpec> const& parameters, std::vector<NamedTensor> const& tensors) {
  if (tensors.empty()) return;
  auto const throw_bad_request = [](std::string const& name, std::string_view why) {
    throw CheckpointError(CheckpointFailure::bad_request, concat({"zero: the tensor ", quote(name), " ", why}));
  };
  std::unordered_set<std::string> names;
  for (auto const& spec : parameters) {
    if (spec.name.empty()) throw_bad_request(spec.name, "has no name: give it one");
    if (names.insert(spec.name).second) continue;
    throw_bad_request(spec.name, "has the name of another tensor or of a parameter: give it one of its own");
  }
  for (auto const& tensor : tensors) {
    if (ParameterList::element_count(tensor.shape) == 0) {
      throw_bad_request(tensor.name, "has a dimension of 0 or more elements than 2^48: leave it out");
    }
    if (tensor.data == nullptr) throw_bad_request(tensor.name, "is at a null pointer: pass its host memory");
  }
}

/// The state of an engine and some tensors beside it, which look like further frozen parameters: rank 0 saves them, and
/// every rank loads them.
class StateWithTensors final : public EngineState {
 public:
  /// \p inner and what \p tensors refer to are borrowed; see check_tensors.
  StateWithTensors(EngineState& inner, std::vector<NamedTensor> tensors)
      : inner_(inner), tensors_(std::move(tensors)), parameters_(inner.parameters()) {
    for (auto const& tensor : tensors_) {
      parameters_.push_back({.name = tensor.name, .shape = tensor.shape, .frozen = true});
      traits_.push_back(inner.traits());
      traits_.back().compute = tensor.type;
    }
  }
  /// The same of a state that it owns.
  StateWithTensors(std::unique_ptr<EngineState> inner, std::vector<NamedTensor> tensors)
      : StateWithTensors(*inner, std::move(tensors)) {
    owned_ = std::move(inner);
  }

  [[nodiscard]] int rank() const override { return inner_.rank(); }
  [[nodiscard]] int size() const override { return inner_.size(); }
  void exchange(std::span<std::byte const> mine, std::span<std::byte> all) override { inner_.exchange(mine, all); }
  [[nodiscard]] EngineTraits const& traits() const override { return inner_.traits(); }
  [[nodiscard]] EngineTraits const& traits_of(std::uint32_t p) const override {
    return is_tensor(p) ? traits_[p - first()] : inner_.traits_of(p);
  }
  [[nodiscard]] bool is_tensor(std::uint32_t p) const override { return p >= first(); }
  [[nodiscard]] std::vector<ParameterSpec> const& parameters() const override { return parameters_; }

  [[nodiscard]] std::vector<StateRange> owned_ranges() const override {
    return with_tensors(inner_.owned_ranges(), rank() == 0);
  }
  [[nodiscard]] std::vector<StateRange> resident_ranges() const override {
    return with_tensors(inner_.resident_ranges(), true);
  }
  void read(StateRange const& range, std::uint64_t first, std::span<std::byte> into) override {
    if (!is_tensor(range.parameter)) return inner_.read(range, first, into);
    std::memcpy(into.data(), address(range, first), into.size());
  }
  [[nodiscard]] std::shared_ptr<void> pin(std::span<std::byte> memory) override { return inner_.pin(memory); }
  /// Tensors have no steps of their own.
  [[nodiscard]] StepProgress progress() const override {
    auto progress = inner_.progress();
    if (!progress.first_steps.empty()) progress.first_steps.resize(parameters_.size());
    return progress;
  }

  void begin_load() override { inner_.begin_load(); }
  void write(StateRange const& range, std::uint64_t first, std::span<std::byte const> from) override {
    if (!is_tensor(range.parameter)) return inner_.write(range, first, from);
    std::memcpy(address(range, first), from.data(), from.size());
  }
  void set_progress(StepProgress const& progress) override {
    auto of_inner = progress;
    if (!of_inner.first_steps.empty()) of_inner.first_steps.resize(first());
    inner_.set_progress(of_inner);
  }
  void finish_load() override { inner_.finish_load(); }

 private:
  [[nodiscard]] std::uint32_t first() const noexcept {
    return static_cast<std::uint32_t>(parameters_.size() - tensors_.size());
  }
  [[nodiscard]] std::vector<StateRange> with_tensors(std::vector<StateRange> ranges, bool has_tensors) const {
    for (std::size_t i = 0; has_tensors && i < tensors_.size(); ++i) {
      ranges.push_back({.parameter = first() + static_cast<std::uint32_t>(i),
                        .count = ParameterList::element_count(tensors_[i].shape),
                        .type = tensors_[i].type});
    }
    return ranges;
  }
  [[nodiscard]] std::byte* address(StateRange const& range, std::uint64_t element) const {
    return static_cast<std::byte*>(tensors_[range.parameter - first()].data) + element * element_size(range.type);
  }

  std::unique_ptr<EngineState> owned_;  // or nothing
  EngineState& inner_;
  std::vector<NamedTensor> tensors_;
  std::vector<ParameterSpec> parameters_;  // the engine's, and one for each tensor
  std::vector<EngineTraits> traits_;       // of tensors
};

/// \p state and \p tensors, both borrowed; null where there are none.
[[nodiscard]] inline std::unique_ptr<EngineState> with_tensors(EngineState& state,
                                                               std::vector<NamedTensor> const& tensors) {
  if (tensors.empty()) return nullptr;
  return std::make_unique<StateWithTensors>(state, tensors);
}

}  // namespace zero::detail
