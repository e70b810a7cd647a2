// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/checkpoint/named_tensor.hpp>
#include <zero/error.hpp>
#include <zero/support/message.hpp>

#include <torch/torch.h>

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace zero::libtorch::detail {

using ::torch::Tensor;

/// The buffers of a module, such as the statistics of BatchNorm, by name and in the order of registration.
class ModuleBuffers {
 public:
  /// A buffer as a checkpoint has it, and the copy on the host that it points into.
  using Copy = std::pair<NamedTensor, Tensor>;

  /// \p buffers share the module's tensors. Changes nothing of them.
  explicit ModuleBuffers(std::vector<std::pair<std::string, Tensor>> buffers) : buffers_(std::move(buffers)) {}

  /// Names, types and sizes, a line for each.
  [[nodiscard]] std::string description() const {
    std::string lines;
    for (auto const& [name, buffer] : buffers_) {
      lines += zero::detail::concat(
          {"buffer ", zero::detail::quote(name), " ", ::c10::toString(buffer.scalar_type()), " ["});
      for (auto const size : buffer.sizes()) lines += std::to_string(size) + ",";
      lines += "]\n";
    }
    return lines;
  }
  /// Those in fp32 become \p type.
  void cast(::at::ScalarType type) {
    for (auto& [name, buffer] : buffers_) {
      if (buffer.scalar_type() == ::at::kFloat) buffer.set_data(buffer.to(type));
    }
  }

  /// Rank 0's become everybody's, of \p ranks ranks. Collective.
  template <class Engine>
  void sync(Engine& engine, int rank, int ranks) {
    if (ranks == 1) return;
    ::torch::NoGradGuard const guard;
    for (auto& [name, buffer] : buffers_) {
      auto const values = buffer.detach().to(::at::kCPU).contiguous().clone();
      engine.broadcast_bytes({static_cast<std::byte*>(values.data_ptr()), values.nbytes()},
                             static_cast<std::size_t>(values.element_size()), 0);
      if (rank != 0) buffer.detach().copy_(values);
    }
  }

  /// The module's own handles.
  [[nodiscard]] std::vector<Tensor> tensors() const {
    std::vector<Tensor> tensors;
    for (auto const& [name, buffer] : buffers_) tensors.push_back(buffer);
    return tensors;
  }
  /// Copies on the host of those that have elements.
  [[nodiscard]] std::vector<Copy> copies() const {
    std::vector<Copy> tensors;
    for (auto const& [name, buffer] : buffers_) {
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

  /// Takes the values of what `copies` has given.
  void take(std::vector<Copy> const& copies) {
    ::torch::NoGradGuard const guard;
    for (std::size_t i = 0, b = 0; i < buffers_.size(); ++i) {
      if (buffers_[i].second.numel() > 0) buffers_[i].second.detach().copy_(copies[b++].second);
    }
  }

 private:
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

  std::vector<std::pair<std::string, Tensor>> buffers_;
};

}  // namespace zero::libtorch::detail
