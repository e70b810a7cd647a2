// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/cuda/error.hpp>

#include <cuda_runtime_api.h>

#include <utility>

namespace zero {

/// Owns recorded work that can be put on a stream as a whole, again and again. Move-only.
class CudaGraph {
 public:
  CudaGraph() = default;
  /// Takes \p recorded over, also where it throws.
  explicit CudaGraph(cudaGraph_t recorded) {
    auto const code = cudaGraphInstantiate(&executable_, recorded, 0);
    (void)cudaGraphDestroy(recorded);
    check_cuda(code, "cudaGraphInstantiate");
  }
  /// Leaves \p other empty.
  CudaGraph(CudaGraph&& other) noexcept : executable_(std::exchange(other.executable_, nullptr)) {}
  /// Leaves \p other with what this one had.
  CudaGraph& operator=(CudaGraph&& other) noexcept {
    std::swap(executable_, other.executable_);
    return *this;
  }
  ~CudaGraph() {
    if (executable_ != nullptr) (void)cudaGraphExecDestroy(executable_);
  }

  /// Puts all that was recorded on \p stream, as one launch. \throws CudaError.
  void launch(cudaStream_t stream) const { check_cuda(cudaGraphLaunch(executable_, stream), "cudaGraphLaunch"); }

 private:
  cudaGraphExec_t executable_ = nullptr;
};

}  // namespace zero
