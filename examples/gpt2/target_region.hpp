// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// All functions between GPT2_BEGIN_TARGET("avx2,fma") and GPT2_END_TARGET are compiled for these instruction sets, on
// top of those of the translation unit. Headers are included before, so that no function of theirs is.
#define GPT2_PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define GPT2_BEGIN_TARGET(sets) GPT2_PRAGMA(clang attribute push(__attribute__((target(sets))), apply_to = function))
#define GPT2_END_TARGET GPT2_PRAGMA(clang attribute pop)
#else
#define GPT2_BEGIN_TARGET(sets) \
  GPT2_PRAGMA(GCC push_options) \
  GPT2_PRAGMA(GCC target(sets))
#define GPT2_END_TARGET GPT2_PRAGMA(GCC pop_options)
#endif
