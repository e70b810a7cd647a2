// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expected-error: the sentence
#ifndef ZERO_COMPILES
static_assert(false, "here is the sentence, word by word");
#endif
