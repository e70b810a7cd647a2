// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <zero/version.hpp>

// Compiles and links only if zero::probe brings zero::zero along.
int main() { return ZERO_VERSION > 0 ? 0 : 1; }
