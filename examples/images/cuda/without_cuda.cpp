// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "run.hpp"

#if defined(IMAGES_TORCH_LACKS_CUDA)
#define IMAGES_WHY "with a torch without CUDA"
#else
#define IMAGES_WHY "without CUDA"
#endif

namespace images {

zero::LaunchEnvironment require_cuda() {
  throw UsageError("--device cuda: this program was built " IMAGES_WHY
                   ": install the CUDA toolkit and a torch with CUDA, and configure with -DZERO_BUILD_CUDA=ON and "
                   "LIBTORCH_ROOT set to that torch");
}

std::string describe_device(zero::LaunchEnvironment const& /*launch*/) { return {}; }

bool run_on_cuda(RunParts const& /*parts*/, zero::LaunchEnvironment const& /*launch*/) { return false; }

}  // namespace images
