// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/adapters/detail/module_map.hpp>
#include <zero/adapters/detail/parameter_memory.hpp>
#include <zero/error.hpp>
#include <zero/parameter.hpp>
#include <zero/support/message.hpp>
#include <zero/utility/fingerprint.hpp>

#include <torch/torch.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace zero::libtorch::detail {

/// The values of a module's parameters, which an engine has, and where the module finds them. Parameters are numbered
/// as in the ModuleMap; the engine is told with each call, because it ends before this.
template <class Engine>
class ParameterValues {
 public:
  using Stream = typename Engine::Stream;
  using Element = typename Engine::Compute;

  /// \p options are type and device of what the engine has. At stage 3, \p is_sharded, nothing is whole. \p notes:
  /// finds what is changed behind autograd. Changes nothing yet.
  ParameterValues(std::vector<MappedParameter> const& parameters, ::at::TensorOptions options, bool is_sharded,
                  bool notes)
      : options_(options), is_sharded_(is_sharded), notes_(notes && !is_sharded) {
    for (auto const& parameter : parameters) {
      memory_.emplace_back(parameter.name, parameter.tensor);
      shapes_.push_back(parameter.tensor.sizes().vec());
    }
  }
  /// What the engine calls them.
  void set_ids(std::vector<ParameterId> ids) { ids_ = std::move(ids); }

  [[nodiscard]] std::size_t size() const noexcept { return memory_.size(); }
  [[nodiscard]] ParameterMemory& operator[](std::size_t i) noexcept { return memory_[i]; }
  [[nodiscard]] ParameterMemory const& operator[](std::size_t i) const noexcept { return memory_[i]; }
  [[nodiscard]] std::vector<ParameterMemory>& memory() noexcept { return memory_; }
  [[nodiscard]] std::vector<ParameterId> const& ids() const noexcept { return ids_; }
  /// A tensor of parameter \p i over memory of the engine's.
  [[nodiscard]] ::torch::Tensor view(std::size_t i, void const* data) const {
    return ::torch::from_blob(const_cast<void*>(data), shapes_[i], options_);
  }

  /// The module's values of parameter \p i, in fp32 on the host. \throws ConfigurationError for another size.
  [[nodiscard]] ::torch::Tensor of_module(std::size_t i) const {
    auto const& tensor = memory_[i].tensor();
    auto const count = static_cast<std::size_t>(::c10::multiply_integers(shapes_[i]));
    if (static_cast<std::size_t>(tensor.numel()) != count) {
      zero::detail::fail<ConfigurationError>(
          {"zero::libtorch: parameter ", zero::detail::quote(memory_[i].name()), " has ",
           zero::detail::counted(static_cast<std::uint64_t>(tensor.numel()), "element"), ", but was wrapped with ",
           count, ": close(), change the module, and wrap it again"});
    }
    return tensor.detach().to(::at::kCPU).to(::at::kFloat).contiguous();
  }
  /// The engine's values of parameter \p i, in memory of torch's. Collective at stage 3.
  [[nodiscard]] ::torch::Tensor of_engine(Engine& engine, std::size_t i, Stream stream) const {
    ::torch::NoGradGuard const guard;
    auto own = ::torch::empty(shapes_[i], options_);
    auto const lease = engine.gather(ids_[i], stream);
    own.copy_(view(i, lease[ids_[i]].data()));
    return own;
  }
  /// Rank 0's \p values become the engine's of parameter \p i. \p keeps: they must not change on this rank. Collective.
  void write(Engine& engine, std::size_t i, ::torch::Tensor const& values, bool keeps) const {
    auto const own = keeps ? values : values.clone();
    auto* const data = own.template data_ptr<float>();
    auto const count = static_cast<std::size_t>(own.numel());
    engine.broadcast(std::span(data, count), 0);
    engine.write_parameter(ids_[i], {data, count});
  }

  /// From now on the module's tensor is over memory of the engine's; at stage 3 over none until it is gathered.
  void attach(Engine& engine, std::size_t i, Stream stream) {
    ::torch::NoGradGuard const guard;
    if (is_sharded_) {
      memory_[i].attach(::torch::empty(shapes_[i], options_));
      memory_[i].hide(sharded_message(memory_[i].name()));
    } else {
      auto const lease = engine.gather(ids_[i], stream);
      memory_[i].attach(view(i, lease[ids_[i]].data()));
    }
  }
  /// From now on they are over \p values.
  void give(std::vector<::torch::Tensor> const& values) {
    for (std::size_t i = 0; i < memory_.size(); ++i) {
      if (memory_[i].is_in_place()) {
        memory_[i].own(values[i]);
      } else {
        memory_[i].tensor().set_data(values[i]);
      }
    }
  }
  /// The engine has ended, and with it what was over its memory: each use says so.
  void lose() {
    for (auto& memory : memory_) {
      if (!memory.is_attached()) continue;
      memory.hide(
          "zero::libtorch: parameter '" + memory.name() +
          "' went with its engine, which ended without close(): call close() on every rank before, which gives the "
          "module its values back");
    }
  }

  /// The engine has written new values.
  void changed() {
    for (auto& memory : memory_) memory.changed();
    note();
  }
  /// What is in the module now is what the engine has put there.
  void note() {
    if (!notes_) return;
    fingerprints_.clear();
    for (std::size_t i = 0; i < memory_.size(); ++i) fingerprints_.push_back(fingerprint(i));
  }
  /// \throws as ParameterMemory::check_unchanged, and for what was changed behind autograd.
  void check_unchanged() const {
    for (auto const& memory : memory_) memory.check_unchanged();
    for (std::size_t i = 0; notes_ && i < memory_.size(); ++i) {
      if (fingerprint(i) == fingerprints_[i]) continue;
      zero::detail::fail<ConfigurationError>({"zero::libtorch: the values of parameter ",
                                              zero::detail::quote(memory_[i].name()),
                                              " were changed behind autograd, such as through data(): call "
                                              "take_values() on every rank to go on with them"});
    }
  }

 private:
  [[nodiscard]] std::uint64_t fingerprint(std::size_t i) const {
    auto const bytes = memory_[i].tensor().detach().to(::at::kCPU);
    Fingerprint fingerprint;
    fingerprint.add({static_cast<std::byte const*>(bytes.data_ptr()), bytes.nbytes()});
    return fingerprint.value();
  }

  ::at::TensorOptions options_;
  bool is_sharded_, notes_;
  std::vector<ParameterMemory> memory_;
  std::vector<ParameterId> ids_;
  std::vector<std::vector<std::int64_t>> shapes_;
  std::vector<std::uint64_t> fingerprints_;
};

}  // namespace zero::libtorch::detail
