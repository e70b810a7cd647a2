// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// That zero's structs are those of the official header, beside which they can be used: it compiles, or it does not.

#include <zero/adapters/dlpack.hpp>

#include <ATen/dlpack.h>

#include <cstddef>

namespace {

namespace abi = zero::dlpack::abi;

template <class Own, class Official>
constexpr bool same_size = sizeof(Own) == sizeof(Official) && alignof(Own) == alignof(Official);

static_assert(same_size<abi::Version, DLPackVersion> && same_size<abi::Device, DLDevice>);
static_assert(same_size<abi::DataType, DLDataType> && same_size<abi::Tensor, DLTensor>);
static_assert(same_size<abi::ManagedTensor, DLManagedTensor>);
static_assert(same_size<abi::ManagedTensorVersioned, DLManagedTensorVersioned>);
static_assert(offsetof(abi::Device, id) == offsetof(DLDevice, device_id));
static_assert(offsetof(abi::DataType, bits) == offsetof(DLDataType, bits));
static_assert(offsetof(abi::DataType, lanes) == offsetof(DLDataType, lanes));
static_assert(offsetof(abi::Tensor, data) == offsetof(DLTensor, data));
static_assert(offsetof(abi::Tensor, device) == offsetof(DLTensor, device));
static_assert(offsetof(abi::Tensor, ndim) == offsetof(DLTensor, ndim));
static_assert(offsetof(abi::Tensor, dtype) == offsetof(DLTensor, dtype));
static_assert(offsetof(abi::Tensor, shape) == offsetof(DLTensor, shape));
static_assert(offsetof(abi::Tensor, strides) == offsetof(DLTensor, strides));
static_assert(offsetof(abi::Tensor, byte_offset) == offsetof(DLTensor, byte_offset));
static_assert(offsetof(abi::ManagedTensor, manager_ctx) == offsetof(DLManagedTensor, manager_ctx));
static_assert(offsetof(abi::ManagedTensor, deleter) == offsetof(DLManagedTensor, deleter));
static_assert(offsetof(abi::ManagedTensorVersioned, version) == offsetof(DLManagedTensorVersioned, version));
static_assert(offsetof(abi::ManagedTensorVersioned, manager_ctx) == offsetof(DLManagedTensorVersioned, manager_ctx));
static_assert(offsetof(abi::ManagedTensorVersioned, deleter) == offsetof(DLManagedTensorVersioned, deleter));
static_assert(offsetof(abi::ManagedTensorVersioned, flags) == offsetof(DLManagedTensorVersioned, flags));
static_assert(offsetof(abi::ManagedTensorVersioned, dl_tensor) == offsetof(DLManagedTensorVersioned, dl_tensor));

template <class Own, class Official>
constexpr bool same(Own own, Official official) {
  return static_cast<int>(own) == static_cast<int>(official);
}
static_assert(same(abi::DeviceKind::cpu, kDLCPU) && same(abi::DeviceKind::cuda, kDLCUDA));
static_assert(same(abi::DeviceKind::cuda_host, kDLCUDAHost) && same(abi::DeviceKind::cuda_managed, kDLCUDAManaged));
static_assert(same(abi::TypeCode::floating, kDLFloat) && same(abi::TypeCode::bfloat, kDLBfloat));
static_assert(abi::Version().major_number == DLPACK_MAJOR_VERSION);
static_assert(abi::flag_read_only == DLPACK_FLAG_BITMASK_READ_ONLY);
static_assert(abi::flag_is_copied == DLPACK_FLAG_BITMASK_IS_COPIED);

}  // namespace
