// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "engine/runs.hpp"

namespace fake_cuda {

/// Trains on CUDA engines, in as many threads as there are ranks; the result of the first rank.
[[nodiscard]] engine_test::Result train(engine_test::Run const& run);

[[nodiscard]] engine_test::Result train_fp32(engine_test::Run const& run);
[[nodiscard]] engine_test::Result train_fp16(engine_test::Run const& run);
[[nodiscard]] engine_test::Result train_bf16(engine_test::Run const& run);

}  // namespace fake_cuda
