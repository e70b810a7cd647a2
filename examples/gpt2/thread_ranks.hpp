// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "options.hpp"

#include <zero/communicators/thread.hpp>

namespace gpt2 {

/// Of a target whose ranks are threads of this process.
struct ThreadRanks {
  using Communicator = zero::ThreadCommunicator;

  /// Runs `f(communicator)` on every rank.
  template <class F>
  static void run_ranks(Options const& options, F&& f) {
    zero::run_ranks(options.ranks, f, {.deadline = deadline(options)});
  }
};

}  // namespace gpt2
