// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// An engine, in C.
#include <zero/c.h>
#include <stdio.h>

int run(zero_engine* engine);
int run(zero_engine* engine) {
  // block
  return 0;
}
