// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "history.hpp"
#include "models/model_shape.hpp"
#include "options.hpp"
#include "ranks.hpp"
#include "run_data.hpp"
#include "training/run_output.hpp"

namespace images {

/// What a run is made of, and what it writes, which is the business of the rank that speaks. All are borrowed.
struct RunParts {
  Options const& options;
  RunData const& data;
  ModelShape const& shape;
  training::RunOutput& output;
  HistoryFile& history;
};

/// One rank's part of a run, from its first step to its table. False where a signal has stopped it. Every rank calls
/// it.
bool run_rank(Ranks& ranks, RunParts const& parts);

/// The run, on ranks that are threads and compute on the host.
bool run_on_host(RunParts const& parts);

}  // namespace images
