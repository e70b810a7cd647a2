// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The binary interface of DLPack, written down from its specification (dlpack.h 0.x and 1.x, dmlc.github.io/dlpack):
// the order, the width and the values of its fields. Names are zero's own, so that the official header may be included
// beside this one; a pointer to one of these structs is a pointer to the official one of the same place.

#include <zero/support/requirements.hpp>

#include <cstddef>
#include <cstdint>

namespace zero::dlpack::abi {

/// DLPackVersion.
struct Version {
  std::uint32_t major_number = 1;  ///< another one means another layout, but for the deleter
  std::uint32_t minor_number = 0;  ///< another one means more values of enumerations
};

/// DLDeviceType, as far as an engine can use it.
enum class DeviceKind : std::int32_t {
  cpu = 1,            ///< host memory
  cuda = 2,           ///< memory of one GPU
  cuda_host = 3,      ///< pinned host memory
  cuda_managed = 13,  ///< memory that moves between the host and GPUs
};

/// DLDevice: where the bytes lie.
struct Device {
  DeviceKind kind = DeviceKind::cpu;  ///< kind of memory
  std::int32_t id = 0;                ///< number of the device; 0 for memory of the host
  friend bool operator==(Device, Device) = default;
};

/// DLDataTypeCode, as far as a parameter can be of it.
enum class TypeCode : std::uint8_t {
  floating = 2,  ///< IEEE 754
  bfloat = 4,    ///< bfloat16
};

/// DLDataType.
struct DataType {
  TypeCode code = TypeCode::floating;  ///< kind of number
  std::uint8_t bits = 32;              ///< of one lane
  std::uint16_t lanes = 1;             ///< of a vector type
};

/// DLTensor.
struct Tensor {
  void* data = nullptr;             ///< allocation, or an address in it
  Device device{};                  ///< where it lies
  std::int32_t ndim = 0;            ///< number of dimensions
  DataType dtype{};                 ///< of an element
  std::int64_t* shape = nullptr;    ///< ndim sizes
  std::int64_t* strides = nullptr;  ///< ndim strides in elements; null: row-major
  std::uint64_t byte_offset = 0;    ///< from `data` to the first element
};

/// DLManagedTensor, of DLPack 0.x: a capsule called "dltensor".
struct ManagedTensor {
  Tensor dl_tensor{};                         ///< the tensor
  void* manager_ctx = nullptr;                ///< the producer's
  void (*deleter)(ManagedTensor*) = nullptr;  ///< ends the tensor and this struct; called once, or null
};

/// DLManagedTensorVersioned, of DLPack 1.x: a capsule called "dltensor_versioned".
struct ManagedTensorVersioned {
  Version version{};                                   ///< of this struct
  void* manager_ctx = nullptr;                         ///< the producer's
  void (*deleter)(ManagedTensorVersioned*) = nullptr;  ///< ends the tensor and this struct; called once, or null
  std::uint64_t flags = 0;                             ///< of `flag_read_only` and others
  Tensor dl_tensor{};                                  ///< the tensor
};

inline constexpr std::uint64_t flag_read_only = 1;  ///< the consumer must not write
inline constexpr std::uint64_t flag_is_copied = 2;  ///< the producer has made a copy for this tensor

static_assert(sizeof(Version) == 8 && sizeof(Device) == 8 && sizeof(DataType) == 4);
static_assert(offsetof(Version, minor_number) == 4 && offsetof(Device, id) == 4);
static_assert(offsetof(DataType, bits) == 1 && offsetof(DataType, lanes) == 2);
static_assert(sizeof(void*) != 8 ||
              (offsetof(Tensor, device) == 8 && offsetof(Tensor, ndim) == 16 && offsetof(Tensor, dtype) == 20 &&
               offsetof(Tensor, shape) == 24 && offsetof(Tensor, strides) == 32 &&
               offsetof(Tensor, byte_offset) == 40 && sizeof(Tensor) == 48));
static_assert(sizeof(void*) != 8 || (offsetof(ManagedTensor, manager_ctx) == 48 &&
                                     offsetof(ManagedTensor, deleter) == 56 && sizeof(ManagedTensor) == 64));
static_assert(sizeof(void*) != 8 ||
              (offsetof(ManagedTensorVersioned, manager_ctx) == 8 && offsetof(ManagedTensorVersioned, deleter) == 16 &&
               offsetof(ManagedTensorVersioned, flags) == 24 && offsetof(ManagedTensorVersioned, dl_tensor) == 32 &&
               sizeof(ManagedTensorVersioned) == 80));

}  // namespace zero::dlpack::abi
