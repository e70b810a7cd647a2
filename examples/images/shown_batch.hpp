// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "options.hpp"
#include "run_data.hpp"

#include <cstdint>

namespace images {

/// Looks where `show_batch`, which is given, is to be drawn. \throws UsageError where it cannot be written, is there
/// and may not be replaced, or this program was built without libpng.
void expect_place_of_batch(Options const& options);

/// Which micro-batch of a run: its seed, and the number of its first picture among all that the run takes.
struct BatchPlace {
  std::uint64_t seed = 0, first = 0;
};

/// Draws a micro-batch of a run of \p options as the model sees it, in the file of `show_batch`. \throws
/// std::runtime_error where the file cannot be written; DataError.
void show_batch(Options const& options, RunData const& data, BatchPlace const& place);

}  // namespace images
