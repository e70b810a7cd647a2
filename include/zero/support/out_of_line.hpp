// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Marks a function that is not to be inlined where its callers are many or its type is guessed: a compiler that sees
// only one engine guesses the type behind a virtual call and puts each typed operation into the schedule once more, and
// what sets an engine up would be inlined into every constructor that may throw. Decision 18 in docs/decisions.md has
// the measurements.
#define ZERO_OUT_OF_LINE [[gnu::noinline]]
