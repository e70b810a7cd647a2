// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/adapters/dlpack/device.hpp>
#include <zero/adapters/dlpack/exported_tensor.hpp>
#include <zero/adapters/dlpack_abi.hpp>
#include <zero/error.hpp>
#include <zero/parameter.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace zero::dlpack {

/// A tensor of another library's, checked to be one that an engine can use in place. Move-only; owns the managed tensor
/// and ends it, on the thread that this ends on. What was adopted of it needs it for the life of the engine.
class ImportedTensor {
 public:
  /// Takes \p tensor over, out of a capsule called "dltensor_versioned": its deleter is called also where it is
  /// refused. \p place is where the engine computes: `host()`, which takes pinned memory too, or `cuda(ordinal)`, which
  /// takes managed memory too. On a device the tensor has been written when a stream of the engine comes to it. Strides
  /// that are null, and those of dimensions of 1, say nothing, as DLPack has it. \throws ConfigurationError for a null
  /// pointer, another major version, another device or type, shapes that are negative or overflow, elements that are
  /// not row-major, at a null pointer or not aligned to their size.
  explicit ImportedTensor(abi::ManagedTensorVersioned* tensor, Device place = host()) : owner_(own(tensor)) {
    constexpr std::uint32_t known_major = abi::Version().major_number;
    if (tensor->version.major_number != known_major) {
      detail::fail<ConfigurationError>({"zero::dlpack: the tensor is of DLPack ", tensor->version.major_number, ".",
                                        tensor->version.minor_number, ", and this library reads ", known_major,
                                        ".x: ask its producer for that, as in max_version=(1, 0)"});
    }
    flags_ = tensor->flags;
    take(tensor->dl_tensor, place);
  }
  /// The same for a tensor of DLPack 0.x, out of a capsule called "dltensor", which cannot say that it is read-only.
  explicit ImportedTensor(abi::ManagedTensor* tensor, Device place = host()) : owner_(own(tensor)) {
    take(tensor->dl_tensor, place);
  }

  /// Type of an element.
  [[nodiscard]] ElementType type() const noexcept { return buffer_.type; }
  /// Sizes, as ParameterSpec::shape takes them.
  [[nodiscard]] std::vector<std::size_t> const& shape() const noexcept { return shape_; }
  /// Elements.
  [[nodiscard]] std::size_t size() const noexcept { return buffer_.count; }
  /// Where the memory lies.
  [[nodiscard]] Device device() const noexcept { return device_; }
  /// Whether its producer forbids to write.
  [[nodiscard]] bool read_only() const noexcept { return (flags_ & abi::flag_read_only) != 0; }
  /// Whether its producer has made a copy for this tensor.
  [[nodiscard]] bool is_copied() const noexcept { return (flags_ & abi::flag_is_copied) != 0; }

  /// What ParameterSpec::values and ParameterSpec::gradients take. Borrowed: this tensor outlives the engine.
  /// \throws ConfigurationError for a tensor that is read-only, a copy, whose producer would not see what the engine
  /// writes, or empty, and after `release`.
  [[nodiscard]] ZERO_OUT_OF_LINE AdoptedBuffer adopt() const {
    require_held();
    zero::detail::enforce(
        !read_only(),
        "zero::dlpack: the tensor is read-only, and the engine writes to what it adopts: pass one that "
        "may be written, or its values as ParameterSpec::initial");
    zero::detail::enforce(!is_copied(),
                          "zero::dlpack: the tensor is a copy, so that what the engine writes would not reach its "
                          "producer's: ask for the tensor itself, as in copy=False");
    zero::detail::enforce(buffer_.count != 0,
                          "zero::dlpack: the tensor has no elements: leave it out, as a parameter has some");
    return buffer_;
  }
  /// The elements, for reading. Borrowed. \throws ConfigurationError for another type and after `release`.
  template <class Element>
  [[nodiscard]] std::span<Element const> values() const {
    require_held();
    if (element_type<Element> != buffer_.type) {
      detail::fail<ConfigurationError>({"zero::dlpack: the tensor holds ", name(buffer_.type), ", not ",
                                        name(element_type<Element>), ": ask for the type that it has"});
    }
    return {static_cast<Element const*>(buffer_.data), buffer_.count};
  }
  /// First values of a parameter, as ParameterSpec::initial takes them: fp32 in host memory; read-only ones will do.
  /// Borrowed. \throws ConfigurationError for another type or device and after `release`.
  [[nodiscard]] std::span<float const> initial() const {
    if (device_.kind != abi::DeviceKind::cpu && device_.kind != abi::DeviceKind::cuda_host) {
      detail::fail<ConfigurationError>({"zero::dlpack: initial values are read on the host, and the tensor is in ",
                                        detail::name(device_), ": copy it to the host first"});
    }
    return values<float>();
  }

  /// Gives the tensor back to its producer now. Nothing may use its memory any more.
  void release() noexcept { owner_.reset(); }

 private:
  using Owner = std::unique_ptr<void, void (*)(void*)>;

  template <class Managed>
  [[nodiscard]] static Owner own(Managed* tensor) {
    zero::detail::enforce(tensor != nullptr, "zero::dlpack: the tensor is a null pointer: pass what the capsule holds");
    return {tensor, [](void* owned) { EndTensor()(static_cast<Managed*>(owned)); }};
  }

  ZERO_OUT_OF_LINE void take(abi::Tensor const& tensor, Device place) {
    device_ = tensor.device;
    check_device(place);
    buffer_.type = detail::element_type_of(tensor.dtype);
    take_shape(tensor);
    check_strides(tensor);
    take_data(tensor);
  }
  void check_device(Device place) const {
    bool const on_host = place.kind == abi::DeviceKind::cpu;
    auto const other = on_host ? abi::DeviceKind::cuda_host : abi::DeviceKind::cuda_managed;
    if (device_ == place || device_.kind == other) return;
    detail::fail<ConfigurationError>({"zero::dlpack: the tensor is in ", detail::name(device_), ", and the engine in ",
                                      detail::name(place), ": move one to the other"});
  }
  void take_shape(abi::Tensor const& tensor) {
    zero::detail::enforce(tensor.ndim >= 0,
                          "zero::dlpack: the tensor has a negative number of dimensions: it is not a valid tensor");
    zero::detail::enforce(tensor.ndim == 0 || tensor.shape != nullptr,
                          "zero::dlpack: the tensor has dimensions, and its shape is a null pointer: it is not valid");
    std::size_t const most =
        static_cast<std::size_t>((std::numeric_limits<std::ptrdiff_t>::max)()) / element_size(buffer_.type);
    std::size_t elements = 1;
    bool empty = false;
    for (std::int32_t i = 0; i < tensor.ndim; ++i) {
      auto const size = tensor.shape[i];
      if (size < 0) {
        detail::fail<ConfigurationError>(
            {"zero::dlpack: dimension ", i, " of the tensor is ", size, ": sizes are not negative"});
      }
      auto const dimension = static_cast<std::size_t>(size);
      empty = empty || dimension == 0;
      if (!empty && dimension > most / elements) {
        detail::fail<ConfigurationError>(
            {"zero::dlpack: the sizes of the tensor overflow at dimension ", i, ", which is ", size, ": correct them"});
      }
      elements *= empty ? 1 : dimension;
      shape_.push_back(dimension);
    }
    buffer_.count = empty ? 0 : elements;
  }
  void check_strides(abi::Tensor const& tensor) const {
    if (tensor.strides == nullptr || buffer_.count == 0) return;
    std::int64_t row_major = 1;
    for (std::int32_t i = tensor.ndim; i-- > 0;) {
      auto const size = tensor.shape[i];
      if (size != 1 && tensor.strides[i] != row_major) {
        detail::fail<ConfigurationError>({"zero::dlpack: dimension ", i, " of the tensor has the stride ",
                                          tensor.strides[i], ", and row-major order needs ", row_major,
                                          ": pass a contiguous tensor"});
      }
      row_major *= size;
    }
  }
  void take_data(abi::Tensor const& tensor) {
    zero::detail::enforce(tensor.data != nullptr || buffer_.count == 0,
                          "zero::dlpack: the tensor has elements at a null pointer: allocate its memory first");
    auto const bytes = buffer_.count * element_size(buffer_.type);
    auto const base = reinterpret_cast<std::uintptr_t>(tensor.data);
    if (tensor.byte_offset > (std::numeric_limits<std::uintptr_t>::max)() - base - bytes) {
      detail::fail<ConfigurationError>({"zero::dlpack: the tensor begins ", tensor.byte_offset,
                                        " bytes behind its data, which no address does: correct byte_offset"});
    }
    if (buffer_.count == 0) return;
    auto* const data = static_cast<std::byte*>(tensor.data) + tensor.byte_offset;
    if ((base + tensor.byte_offset) % element_size(buffer_.type) != 0) {
      detail::fail<ConfigurationError>(
          {"zero::dlpack: the tensor's first element is not aligned to its size: align it to ",
           element_size(buffer_.type), " bytes"});
    }
    buffer_.data = data;
  }
  void require_held() const {
    zero::detail::enforce(owner_ != nullptr,
                          "zero::dlpack: the tensor was given back to its producer: import it again");
  }

  Owner owner_;
  AdoptedBuffer buffer_{};
  std::vector<std::size_t> shape_{};
  Device device_{};
  std::uint64_t flags_ = 0;
};

}  // namespace zero::dlpack
