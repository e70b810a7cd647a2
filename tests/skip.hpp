// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

namespace zero_test {

/// Whether a test case has found that it cannot run here: main.cpp then ends with 77, which ctest shows as skipped,
/// unless something has failed. Such a test case is a test suite with a ctest entry of its own (SUITES of
/// zero_add_test).
inline bool skipped = false;

}  // namespace zero_test

/// Ends a test case that cannot run here, and says why: `ZERO_SKIP("strace is not installed")`.
#define ZERO_SKIP(why)           \
  do {                           \
    zero_test::skipped = true;   \
    MESSAGE("skipped: " << why); \
    return;                      \
  } while (false)
