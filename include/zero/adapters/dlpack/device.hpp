// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/adapters/dlpack_abi.hpp>
#include <zero/backends/host.hpp>
#include <zero/error.hpp>
#include <zero/precision.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>

#include <cstdint>
#include <string>

namespace zero::dlpack {

/// Where the bytes of a tensor lie.
using Device = abi::Device;

/// Host memory.
[[nodiscard]] constexpr Device host() noexcept { return {abi::DeviceKind::cpu, 0}; }
/// Memory of the GPU of this number.
[[nodiscard]] constexpr Device cuda(int ordinal) noexcept { return {abi::DeviceKind::cuda, ordinal}; }
/// Pinned host memory.
[[nodiscard]] constexpr Device cuda_host() noexcept { return {abi::DeviceKind::cuda_host, 0}; }
/// Memory that moves between the host and GPUs.
[[nodiscard]] constexpr Device cuda_managed() noexcept { return {abi::DeviceKind::cuda_managed, 0}; }

/// The device that \p Backend computes on: `of(backend)`. <zero/adapters/dlpack_cuda.hpp> has that of CudaBackend.
template <class Backend>
struct BackendDevice;

/// Host memory.
template <>
struct BackendDevice<HostBackend> {
  /// Always `host()`.
  [[nodiscard]] static Device of(HostBackend const& /*backend*/) noexcept { return host(); }
};

namespace detail {

using zero::detail::concat;
using zero::detail::counted;
using zero::detail::fail;
using zero::detail::quote;

/// For messages.
[[nodiscard]] ZERO_OUT_OF_LINE inline std::string name(Device device) {
  switch (device.kind) {
    case abi::DeviceKind::cpu:
      return device.id == 0 ? "host memory (kDLCPU)" : concat({"kDLCPU with the device number ", device.id});
    case abi::DeviceKind::cuda:
      return concat({"CUDA device ", device.id, " (kDLCUDA)"});
    case abi::DeviceKind::cuda_host:
      return "pinned host memory (kDLCUDAHost)";
    case abi::DeviceKind::cuda_managed:
      return "managed memory (kDLCUDAManaged)";
  }
  return concat({"a device of kind ", static_cast<std::int32_t>(device.kind)});
}

[[nodiscard]] constexpr abi::DataType data_type(ElementType type) noexcept {
  auto const code = type == ElementType::bf16 ? abi::TypeCode::bfloat : abi::TypeCode::floating;
  return {code, static_cast<std::uint8_t>(8 * element_size(type)), 1};
}

/// \throws ConfigurationError for a type that no parameter has.
[[nodiscard]] ZERO_OUT_OF_LINE inline ElementType element_type_of(abi::DataType type) {
  for (auto const known : {ElementType::fp32, ElementType::fp16, ElementType::bf16}) {
    auto const wanted = data_type(known);
    if (type.code == wanted.code && type.bits == wanted.bits && type.lanes == 1) return known;
  }
  fail<ConfigurationError>({"zero::dlpack: the tensor has elements of type code ", static_cast<int>(type.code), ", ",
                            static_cast<int>(type.bits), " bits and ", counted(type.lanes, "lane"),
                            ": pass float of 32 or 16 bits (code 2) or bfloat of 16 (code 4), with 1 lane"});
}

}  // namespace detail

}  // namespace zero::dlpack
