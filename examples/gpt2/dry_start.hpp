// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "data/training_data.hpp"
#include "options.hpp"

namespace gpt2 {

/// Starts a run that has no model, as its ranks would start it: whether its folders are its own and can be written to,
/// and whether it can begin with the checkpoint or the parameters that it is given, every byte of which is read. Says
/// what the run would say of them, and writes nothing. For the process that speaks.
/// \throws what the run would throw: UsageError, DataError, zero::CheckpointError.
void check_start(Options const& options, TrainingData const& data);

}  // namespace gpt2
