// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "curves.hpp"
#include "run_log.hpp"

namespace gpt2 {

/// What rank 0 of a run writes beside standard output and checkpoints. Other ranks' are off.
struct RunOutput {
  /// Touches no file yet. \throws UsageError where something cannot be written, or belongs to another run.
  RunOutput(Options const& options, bool speaks)
      : log(speaks ? options.log : std::nullopt), curves(speaks ? Curves(options) : Curves()) {}

  /// Takes files and folders for this run alone. \throws UsageError where another run writes there.
  void claim() {
    log.claim();
    curves.claim();
  }

  RunLog log;
  Curves curves;
};

}  // namespace gpt2
