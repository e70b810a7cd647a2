// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "engine/runs.hpp"

namespace fake_cuda {

// Train on CUDA engines over NCCL, in as many threads as there are ranks; the result of the first rank.
[[nodiscard]] engine_test::Result train_fp32_over_nccl(engine_test::Run const& run);
[[nodiscard]] engine_test::Result train_fp16_over_nccl(engine_test::Run const& run);
[[nodiscard]] engine_test::Result train_bf16_over_nccl(engine_test::Run const& run);

}  // namespace fake_cuda
