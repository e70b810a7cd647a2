// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/error.hpp>
#include <zero/parameter.hpp>
#include <zero/support/message.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace zero {

/// How the tensors of one allocation are registered. Every list is empty, or has an entry for each tensor.
struct FlatOptions {
  std::vector<std::string> names{};  ///< unique; default: tensor_0, tensor_1, ...
  /// How many layers of the model each tensor stacks, slice after slice, as a tensor of the shape (layers, ...) does;
  /// 0 or 1: none. Each slice is a parameter of its own, `name.0`, `name.1`, ...
  std::vector<std::size_t> layers{};
  std::vector<GroupId> groups{};   ///< from `ParameterList::add_group`
  std::vector<bool> persistent{};  ///< see ParameterSpec::persistent

  /// For a model of \p tensors tensors, of which those from \p begin to before \p end stack \p layer_count layers each.
  /// The others are its root, and persistent.
  [[nodiscard]] static FlatOptions stacked(std::size_t tensors, std::size_t begin, std::size_t end,
                                           std::size_t layer_count) {
    FlatOptions options;
    for (std::size_t t = 0; t < tensors; ++t) {
      bool const stacks = t >= begin && t < end;
      options.layers.push_back(stacks ? layer_count : 1);
      options.persistent.push_back(!stacks);
    }
    return options;
  }
};

/// The parameters of a model whose tensors lie one after another in one allocation, as they were registered: in the
/// order of forward, layer by layer, with a unit for each layer, and one for what lies before, between and behind
/// stacked tensors.
class FlatModel {
 public:
  /// All parameters, by registration.
  [[nodiscard]] std::vector<ParameterId> const& ids() const noexcept { return ids_; }
  /// Number of units.
  [[nodiscard]] std::size_t units() const noexcept { return unit_ends_.size(); }
  /// The parameters of one unit. Borrowed.
  [[nodiscard]] std::span<ParameterId const> unit(std::size_t u) const {
    std::size_t const begin = u == 0 ? 0 : unit_ends_.at(u - 1);
    return std::span(ids_).subspan(begin, unit_ends_.at(u) - begin);
  }
  /// The parameters of tensors that stack no layers, such as an embedding and the last norm.
  [[nodiscard]] std::vector<ParameterId> unstacked() const {
    std::vector<ParameterId> ids;
    for (auto const& layers : by_tensor_) {
      if (layers.size() == 1) ids.push_back(layers[0]);
    }
    return ids;
  }
  /// The parameter that is layer \p layer of tensor \p tensor; 0 where that stacks none.
  [[nodiscard]] ParameterId operator()(std::size_t tensor, std::size_t layer = 0) const {
    return by_tensor_.at(tensor).at(layer);
  }

 private:
  template <class Element>
  friend class FlatRegistration;

  std::vector<ParameterId> ids_;
  std::vector<std::size_t> unit_ends_;  // in ids_
  std::vector<std::vector<ParameterId>> by_tensor_;
};

/// What `adopt_flat` and `place_flat` do. Not for callers.
template <class Element>
class FlatRegistration {
 public:
  /// \p list and \p sizes, the elements of each tensor, are borrowed. \throws ConfigurationError for lists of another
  /// length and layers that do not divide a tensor.
  FlatRegistration(ParameterList& list, std::span<std::size_t const> sizes, FlatOptions options)
      : list_(list), sizes_(sizes), options_(std::move(options)) {
    expect_count(options_.names.size(), "name");
    expect_count(options_.layers.size(), "layer");
    expect_count(options_.groups.size(), "group");
    expect_count(options_.persistent.size(), "persistent flag");
    for (std::size_t t = 0; t < sizes_.size(); ++t) {
      if (sizes_[t] % layers(t) == 0) continue;
      detail::fail<ConfigurationError>({"zero::adopt_flat: tensor ", t, " has ", sizes_[t], " elements, which ",
                                        layers(t), " layers do not divide: correct its layers"});
    }
  }

  /// Registers all tensors; \p spec_of(offset, count) gives buffers for the elements from \p offset on.
  template <class Buffers>
  [[nodiscard]] FlatModel run(Buffers const& buffers) {
    FlatModel model;
    model.by_tensor_.resize(sizes_.size());
    std::vector<std::size_t> offsets;
    std::size_t elements = 0;
    for (auto size : sizes_) offsets.push_back(std::exchange(elements, elements + size));
    for (std::size_t t = 0; t < sizes_.size();) {
      std::size_t end = t + 1;
      while (end < sizes_.size() && layers(end) == layers(t)) ++end;
      for (std::size_t layer = 0; layer < layers(t); ++layer) {
        auto const unit = static_cast<int>(model.unit_ends_.size());
        for (std::size_t k = t; k < end; ++k) {
          std::size_t const count = sizes_[k] / layers(k);
          ParameterSpec spec{.name = name(k, layer), .shape = {count}, .unit = unit};
          if (!options_.groups.empty()) spec.group = options_.groups[k];
          if (!options_.persistent.empty()) spec.persistent = options_.persistent[k];
          buffers(spec, offsets[k] + layer * count, count);
          model.by_tensor_[k].push_back(list_.add(std::move(spec)));
          model.ids_.push_back(model.by_tensor_[k].back());
        }
        model.unit_ends_.push_back(model.ids_.size());
      }
      t = end;
    }
    return model;
  }

 private:
  void expect_count(std::size_t count, char const* what) const {
    if (count == 0 || count == sizes_.size()) return;
    detail::fail<ConfigurationError>({"zero::adopt_flat: ", detail::counted(count, what), " for ",
                                      detail::counted(sizes_.size(), "tensor"), ": give one for each, or none"});
  }
  [[nodiscard]] std::size_t layers(std::size_t t) const noexcept {
    return options_.layers.empty() || options_.layers[t] == 0 ? 1 : options_.layers[t];
  }
  [[nodiscard]] std::string name(std::size_t t, std::size_t layer) const {
    auto const tensor = options_.names.empty() ? detail::concat({"tensor_", t}) : options_.names[t];
    return layers(t) == 1 ? tensor : detail::concat({tensor, ".", layer});
  }

  ParameterList& list_;
  std::span<std::size_t const> sizes_;
  FlatOptions options_;
};

/// Registers the tensors of a model that has one allocation for all parameters and one for all gradients: \p values and
/// \p gradients, of the sum of \p sizes elements, where tensor after tensor lies without gaps. Both are adopted:
/// borrowed for the life of the engine, and there already, also where the model would allocate its gradients later.
/// \throws ConfigurationError as `ParameterList::add`, and for options that do not fit; then some tensors may be in
/// \p list.
template <class Element>
[[nodiscard]] FlatModel adopt_flat(ParameterList& list, Element* values, Element* gradients,
                                   std::span<std::size_t const> sizes, FlatOptions options = {}) {
  detail::enforce(
      values != nullptr && gradients != nullptr,
      "zero::adopt_flat: the values or the gradients are at a null pointer: allocate both first, also where "
      "the model allocates its gradients in the first backward pass");
  return FlatRegistration<Element>(list, sizes, std::move(options))
      .run([&](ParameterSpec& spec, std::size_t offset, std::size_t count) {
        spec.values = adopt(values + offset, count);
        spec.gradients = adopt(gradients + offset, count);
      });
}

/// The same for parameters that the engine places, as stage 3 does: \p initial are their first values in fp32, borrowed
/// until the engine is made. Gradients are adopted where \p gradients is not null.
/// \throws ConfigurationError as `adopt_flat`.
template <class Element>
[[nodiscard]] FlatModel place_flat(ParameterList& list, float const* initial, Element* gradients,
                                   std::span<std::size_t const> sizes, FlatOptions options = {}) {
  detail::enforce(initial != nullptr,
                  "zero::place_flat: the initial values are at a null pointer: read or draw them first");
  return FlatRegistration<Element>(list, sizes, std::move(options))
      .run([&](ParameterSpec& spec, std::size_t offset, std::size_t count) {
        spec.initial = {initial + offset, count};
        if (gradients != nullptr) spec.gradients = adopt(gradients + offset, count);
      });
}

}  // namespace zero
