// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "options.hpp"
#include "run_data.hpp"

namespace images {

/// Draws the first micro-batch of a run of \p options as the model sees it, in the file of `show_batch`, which is
/// given. \throws UsageError where this program was built without libpng, and std::runtime_error where the file cannot
/// be written.
void show_batch(Options const& options, RunData const& data);

}  // namespace images
