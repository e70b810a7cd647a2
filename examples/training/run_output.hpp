// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "curves.hpp"
#include "run_log.hpp"

#include <string>

namespace training {

/// What rank 0 of a run writes beside standard output and checkpoints. Other ranks' are off.
struct RunOutput {
  /// \p items: what the program counts, such as "tokens"; \p kind: that of its losses. Touches no file yet.
  /// \throws UsageError where something cannot be written, or belongs to another run.
  RunOutput(CommonOptions const& options, bool speaks, std::string const& items, LossKind kind)
      : log(speaks ? options.log : std::nullopt, items), curves(speaks ? Curves(options, items, kind) : Curves()) {}

  /// Takes files and folders for this run alone. \throws UsageError where another run writes there.
  void claim() {
    log.claim();
    curves.claim();
  }

  RunLog log;
  Curves curves;
};

}  // namespace training
