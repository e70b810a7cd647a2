// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "engine/runs.hpp"

namespace cuda_test {

/// Trains on CUDA engines: ranks are threads of this process, on one GPU or spread over all. The first rank's result.
[[nodiscard]] engine_test::Result train(engine_test::Run const& run);

// One translation unit per types, so that they compile side by side.
[[nodiscard]] engine_test::Result train_fp32(engine_test::Run const& run);
[[nodiscard]] engine_test::Result train_fp16(engine_test::Run const& run);
[[nodiscard]] engine_test::Result train_bf16(engine_test::Run const& run);
[[nodiscard]] engine_test::Result train_bf16_sums(engine_test::Run const& run);

}  // namespace cuda_test
