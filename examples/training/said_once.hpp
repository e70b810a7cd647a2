// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "support/usage_error.hpp"

namespace training {

/// Where a launcher has started this process as another rank than 0: gives rank 0 the time to say what is wrong with
/// the command line that all of them have. Its launcher ends this process meanwhile; one that does not would be told
/// the same by each rank, so that this one ends here, without a word, with the exit code of a wrong command line. In
/// every other case it comes back, and who calls says it: two sentences are better than none.
void let_rank_0_say_it();

/// Calls \p f, which looks at nothing but the command line and the launcher's numbers: these are alike on all ranks, so
/// that what is wrong with them is, too. What depends on files, on devices or on a machine may be one rank's alone, and
/// must not be looked at in here: it would be lost.
template <class F>
decltype(auto) said_once(F const& f) {
  try {
    return f();
  } catch (command_line::UsageError const&) {
    let_rank_0_say_it();
    throw;
  }
}

}  // namespace training
