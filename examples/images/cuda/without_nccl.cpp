// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "processes.hpp"

namespace images {

bool has_nccl() { return false; }

bool run_over_nccl(RunParts const& /*parts*/, zero::LaunchEnvironment const& /*launch*/) { return false; }

}  // namespace images
