// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// doctest's main, compiled once for all test executables.
#define DOCTEST_CONFIG_IMPLEMENT
#include "skip.hpp"

#include <doctest/doctest.h>

int main(int argc, char** argv) {
  int const result = doctest::Context(argc, argv).run();
  return result == 0 && zero_test::skipped ? 77 : result;
}
