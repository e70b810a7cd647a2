// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef ZERO_COMPILES
static_assert(false, "the sentence");
#endif
