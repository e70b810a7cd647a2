// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/call_site.hpp>
#include <zero/error.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>

#include <cuda_runtime_api.h>

#include <string>
#include <string_view>

#if CUDART_VERSION < 12000
#error "zero needs CUDA 12.0 or newer: install a newer CUDA toolkit, or use zero::HostBackend"
#endif

namespace zero {

/// A call of the CUDA runtime that failed. After an error of a kernel the device's context is lost: end the process.
class CudaError : public Error {
 public:
  /// \p call is the function that returned \p code.
  CudaError(cudaError_t code, std::string call, std::string const& what)
      : Error(what), code_(code), call_(std::move(call)) {}
  /// What the runtime returned.
  [[nodiscard]] cudaError_t code() const noexcept { return code_; }
  /// Name of the runtime's function, or of the kernel.
  [[nodiscard]] std::string const& call() const noexcept { return call_; }

 private:
  cudaError_t code_;
  std::string call_;
};

namespace detail {

[[nodiscard]] constexpr std::string_view advice_on(cudaError_t code) noexcept {
  switch (code) {
    case cudaErrorMemoryAllocation:
      return ": choose a higher stage or zero::CpuOffload, or smaller buckets; engine.memory() says what bytes are for";
    case cudaErrorNoDevice:
      return ": this machine shows no GPU; look at CUDA_VISIBLE_DEVICES, or use zero::HostBackend";
    case cudaErrorInsufficientDriver:
      return ": the driver is missing, or older than the CUDA toolkit that this program was built with: update it";
    case cudaErrorInvalidDevice:
      return ": set CudaBackend::Config::device to one of this machine's GPUs";
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorInvalidDeviceFunction:
      return ": the program was compiled for other GPUs: add this one's architecture to CMAKE_CUDA_ARCHITECTURES";
    case cudaErrorStreamCaptureIsolation:
    case cudaErrorStreamCaptureUnsupported:
    case cudaErrorStreamCaptureInvalidated:
      return ": a step that is captured may not wait on the host, nor for work outside of it";
    default:
      return "";
  }
}

[[noreturn, gnu::cold]] ZERO_OUT_OF_LINE inline void fail_cuda(cudaError_t code, char const* call, CallSite site) {
  (void)cudaGetLastError();  // an error that was told is not told again by the next call
  throw CudaError(code, call,
                  concat({"zero: ", call, " failed at ", site.file, ":", site.line, ": ", cudaGetErrorString(code),
                          " (", cudaGetErrorName(code), ")", advice_on(code)}));
}

}  // namespace detail

/// \throws CudaError, which names \p call and the place of this one, unless \p code is success.
inline void check_cuda(cudaError_t code, char const* call, CallSite site = CallSite::current()) {
  if (code != cudaSuccess) detail::fail_cuda(code, call, site);
}

namespace detail {
using zero::check_cuda;  // its earlier place
}  // namespace detail

}  // namespace zero
