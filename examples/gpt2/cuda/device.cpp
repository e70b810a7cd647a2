// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "device.hpp"

#include <cublas_v2.h>

namespace gpt2::device {
namespace {

// What cuBLAS itself takes on the largest GPUs; less would close some of its faster ways.
constexpr std::size_t workspace_bytes = std::size_t{32} << 20;

void check(cublasStatus_t status, char const* call) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  throw CublasError(std::string("gpt2: ") + call + " failed: " + cublasGetStatusString(status) +
                    ": is this the cuBLAS of the CUDA toolkit that the program was built with?");
}

cudaDataType_t data_type(zero::ElementType type) {
  switch (type) {
    case zero::ElementType::bf16:
      return CUDA_R_16BF;
    case zero::ElementType::fp16:
      return CUDA_R_16F;
    default:
      return CUDA_R_32F;
  }
}

zero::CudaStream make_stream(int ordinal) {
  int const device = zero::checked_device(ordinal);
  zero::check_cuda(cudaSetDevice(device), "cudaSetDevice");
  cudaStream_t stream = nullptr;
  zero::check_cuda(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
  return {stream, device};
}

}  // namespace

CudaDevice::CudaDevice(int ordinal) : stream_(make_stream(ordinal)) {
  try {
    workspace_ = zero::DeviceArray<std::byte>(workspace_bytes);
    set_up_cublas();
  } catch (...) {
    if (cublas_ != nullptr) (void)cublasDestroy(cublas_);
    (void)cudaStreamDestroy(stream_.handle());
    throw;
  }
}

CudaDevice::~CudaDevice() {
  (void)cudaStreamSynchronize(stream_.handle());
  (void)cublasDestroy(cublas_);
  (void)cudaStreamDestroy(stream_.handle());
}

// The stream comes before the workspace, which setting a stream takes away.
void CudaDevice::set_up_cublas() {
  check(cublasCreate(&cublas_), "cublasCreate");
  check(cublasSetStream(cublas_, stream_.handle()), "cublasSetStream");
  check(cublasSetWorkspace(cublas_, workspace_.data(), workspace_.size()), "cublasSetWorkspace");
  check(cublasSetAtomicsMode(cublas_, CUBLAS_ATOMICS_NOT_ALLOWED), "cublasSetAtomicsMode");
  check(cublasSetPointerMode(cublas_, CUBLAS_POINTER_MODE_HOST), "cublasSetPointerMode");
  auto const mode = static_cast<cublasMath_t>(CUBLAS_DEFAULT_MATH | CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION);
  check(cublasSetMathMode(cublas_, mode), "cublasSetMathMode");
}

void CudaDevice::zero(void* to, std::size_t bytes) {
  zero::check_cuda(cudaMemsetAsync(to, 0, bytes, stream_.handle()), "cudaMemsetAsync");
}

void CudaDevice::synchronize() { zero::check_cuda(cudaStreamSynchronize(stream_.handle()), "cudaStreamSynchronize"); }

void CudaDevice::multiply(BlasProduct const& p, zero::ElementType in, zero::ElementType out) {
  auto const operation = [](bool transposes) { return transposes ? CUBLAS_OP_T : CUBLAS_OP_N; };
  auto const a = operation(p.transposes_a), b = operation(p.transposes_b);
  auto const from = data_type(in), to = data_type(out);
  if (p.count == 1) {
    check(cublasGemmEx(cublas_, a, b, p.m, p.n, p.k, &p.alpha, p.a, from, p.lda, p.b, from, p.ldb, &p.beta, p.c, to,
                       p.ldc, CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT),
          "cublasGemmEx");
  } else {
    check(cublasGemmStridedBatchedEx(cublas_, a, b, p.m, p.n, p.k, &p.alpha, p.a, from, p.lda, p.step_a, p.b, from,
                                     p.ldb, p.step_b, &p.beta, p.c, to, p.ldc, p.step_c, p.count, CUBLAS_COMPUTE_32F,
                                     CUBLAS_GEMM_DEFAULT),
          "cublasGemmStridedBatchedEx");
  }
}

int gpu_count() {
  int count = 0;
  zero::check_cuda(cudaGetDeviceCount(&count), "cudaGetDeviceCount");
  if (count == 0) zero::check_cuda(cudaErrorNoDevice, "cudaGetDeviceCount");
  return count;
}

std::string gpu_name() {
  cudaDeviceProp properties{};
  zero::check_cuda(cudaGetDeviceProperties(&properties, 0), "cudaGetDeviceProperties");
  return properties.name;
}

std::string describe_gpus() {
  int const count = gpu_count();
  int version[3] = {};
  (void)cublasGetProperty(MAJOR_VERSION, &version[0]);
  (void)cublasGetProperty(MINOR_VERSION, &version[1]);
  (void)cublasGetProperty(PATCH_LEVEL, &version[2]);
  return gpu_name() + (count > 1 ? " x " + std::to_string(count) : "") + ", cuBLAS " + std::to_string(version[0]) +
         "." + std::to_string(version[1]) + "." + std::to_string(version[2]);
}

}  // namespace gpt2::device
