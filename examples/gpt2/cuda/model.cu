// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "device.cuh"
#include "model.hpp"

namespace gpt2::device {

template class DeviceModel<float, CudaDevice>;
template class DeviceModel<zero::bfloat16, CudaDevice>;
template class DeviceModel<zero::float16, CudaDevice>;

}  // namespace gpt2::device
