// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstdint>

namespace gpt2::device {

/// Keys and a value of each, in two arrays.
template <class Word>
struct KeysAndValues {
  Word *keys, *values;
};

/// What a run-length encoding writes: the value and the length of each run, and how many runs there are.
struct Runs {
  std::uint32_t *values, *lengths, *count;
};

}  // namespace gpt2::device
