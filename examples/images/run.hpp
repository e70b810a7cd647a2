// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "history.hpp"
#include "models/model_shape.hpp"
#include "options.hpp"
#include "run_data.hpp"
#include "training/run_output.hpp"

namespace images {

/// A run from its first step to its table, on ranks that are threads. False where a signal has stopped it.
bool run_on_ranks(Options const& options, RunData const& data, ModelShape const& shape, training::RunOutput& output,
                  HistoryFile& history);

}  // namespace images
