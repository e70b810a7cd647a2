// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/adapters/dlpack/device.hpp>
#include <zero/adapters/dlpack_abi.hpp>
#include <zero/error.hpp>
#include <zero/parameter.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace zero::dlpack {

namespace detail {

/// A tensor and what it refers to, freed by its deleter.
template <class Managed>
struct Exported {
  Managed tensor{};
  std::vector<std::int64_t> shape{};
  std::vector<std::int64_t> strides{};
  std::shared_ptr<void> owner{};

  static void end(Managed* tensor) noexcept { delete static_cast<Exported*>(tensor->manager_ctx); }
};

}  // namespace detail

/// Ends a managed tensor, as its consumer does.
struct EndTensor {
  /// Calls the deleter, where there is one.
  template <class Managed>
  void operator()(Managed* tensor) const noexcept {
    if (tensor->deleter != nullptr) tensor->deleter(tensor);
  }
};

/// A tensor for another library, which `release()` gives to: cast the pointer to `DLManagedTensorVersioned*`, whose
/// layout it has, and put it into a capsule called "dltensor_versioned". Who has it calls its deleter once, on any
/// thread.
using ExportedTensor = std::unique_ptr<abi::ManagedTensorVersioned, EndTensor>;
/// The same for consumers that know DLPack 0.x only: `DLManagedTensor*`, "dltensor".
using UnversionedTensor = std::unique_ptr<abi::ManagedTensor, EndTensor>;

/// How memory is shared.
struct ShareOptions {
  std::vector<std::size_t> shape{};  ///< row-major; empty: one dimension of all elements
  Device device = host();            ///< where the memory lies
  bool read_only = false;            ///< the consumer must not write
  std::shared_ptr<void> owner{};     ///< what keeps the memory alive: held until the tensor ends
};

/// Memory of the caller's as a tensor, such as an adopted buffer. Copies nothing. The caller keeps the memory alive
/// until the tensor has ended, or hands over what does as the owner. On a device the memory has been written when the
/// consumer's stream comes to it: order them first. \throws ConfigurationError for a type that is none of parameters, a
/// shape of another size and memory that is null or misaligned.
[[nodiscard]] ZERO_OUT_OF_LINE inline ExportedTensor share(AdoptedBuffer const& buffer, ShareOptions options = {}) {
  using Exported = detail::Exported<abi::ManagedTensorVersioned>;
  if (!is_parameter_type(buffer.type)) {
    detail::fail<ConfigurationError>({"zero::dlpack::share: the memory holds ", zero::name(buffer.type),
                                      ": parameters and gradients are of fp32, fp16 or bf16"});
  }
  if (buffer.data == nullptr && buffer.count != 0) {
    detail::fail<ConfigurationError>({"zero::dlpack::share: ", detail::counted(buffer.count, "element"),
                                      buffer.count == 1 ? " is" : " are",
                                      " at a null pointer: allocate the memory first"});
  }
  if (reinterpret_cast<std::uintptr_t>(buffer.data) % element_size(buffer.type) != 0) {
    detail::fail<ConfigurationError>({"zero::dlpack::share: the memory is not aligned to its element: align it to ",
                                      element_size(buffer.type), " bytes"});
  }
  if (options.shape.empty()) options.shape = {buffer.count};
  std::size_t const elements = buffer.count == 0 ? 0 : ParameterList::element_count(options.shape);
  if (elements != buffer.count) {
    detail::fail<ConfigurationError>({"zero::dlpack::share: the memory has ", detail::counted(buffer.count, "element"),
                                      ", and its shape ", elements, ": give the shape of all of them"});
  }
  auto exported = std::make_unique<Exported>();
  exported->shape.assign(options.shape.begin(), options.shape.end());
  exported->strides.resize(options.shape.size());
  std::int64_t stride = 1;
  for (std::size_t i = options.shape.size(); i-- > 0;) {
    exported->strides[i] = stride;
    stride *= exported->shape[i];
  }
  exported->owner = std::move(options.owner);
  auto& tensor = exported->tensor;
  tensor.manager_ctx = exported.get();
  tensor.deleter = &Exported::end;
  tensor.flags = options.read_only ? abi::flag_read_only : 0;
  tensor.dl_tensor = {buffer.data,
                      options.device,
                      static_cast<std::int32_t>(exported->shape.size()),
                      detail::data_type(buffer.type),
                      exported->shape.data(),
                      exported->strides.data(),
                      0};
  return ExportedTensor(&exported.release()->tensor);
}

/// The same for a span; one of const elements is read-only, whatever the options say.
template <class Element, std::size_t extent>
[[nodiscard]] ExportedTensor share(std::span<Element, extent> values, ShareOptions options = {}) {
  using Value = std::remove_const_t<Element>;
  if (std::is_const_v<Element>) options.read_only = true;
  return share(adopt(const_cast<Value*>(values.data()), values.size()), std::move(options));
}

/// \p tensor as one of DLPack 0.x, which it is part of from here on. \throws ConfigurationError where it is read-only,
/// which DLPack 0.x cannot say; \p tensor has ended then.
[[nodiscard]] ZERO_OUT_OF_LINE inline UnversionedTensor unversioned(ExportedTensor tensor) {
  using Exported = detail::Exported<abi::ManagedTensor>;
  zero::detail::enforce(tensor != nullptr,
                        "zero::dlpack::unversioned: there is no tensor: pass one that was not released");
  zero::detail::enforce(
      (tensor->flags & abi::flag_read_only) == 0,
      "zero::dlpack::unversioned: the tensor is read-only, which DLPack 0.x cannot say: pass it on as a "
      "versioned one, or lend it with Access::mutable_values");
  auto exported = std::make_unique<Exported>();
  exported->tensor.dl_tensor = tensor->dl_tensor;
  exported->tensor.manager_ctx = exported.get();
  exported->tensor.deleter = &Exported::end;
  exported->owner = std::shared_ptr<abi::ManagedTensorVersioned>(std::move(tensor));
  return UnversionedTensor(&exported.release()->tensor);
}

}  // namespace zero::dlpack
