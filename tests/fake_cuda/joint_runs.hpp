// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "joint/joint_run.hpp"

namespace fake_cuda {

/// Trains in FP16 with DynamicScale on \p run.world threads, each a rank with a device of its own or a part of one.
[[nodiscard]] joint_test::Result train_joint(joint_test::Run const& run);
/// The same over NCCL, whose ranks have a device each.
[[nodiscard]] joint_test::Result train_joint_over_nccl(joint_test::Run const& run);

}  // namespace fake_cuda
