// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <chrono>

namespace zero {

/// When a folder of checkpoints may be taken from a process that cannot be seen from here. The same for all processes
/// that use one folder.
struct CheckpointLockOptions {
  /// An owner that gave no sign of life for so long has lost the folder. It gives one twelve times as often. Longer
  /// than what a network file system keeps the attributes of a file for (a minute, as Linux mounts NFS).
  std::chrono::milliseconds stale_after{std::chrono::minutes(2)};
  /// How long to wait and see whether an owner on another machine is alive, before the folder is refused.
  std::chrono::milliseconds patience{0};
};

}  // namespace zero
