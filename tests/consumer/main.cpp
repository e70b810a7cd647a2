// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "training.hpp"

#include <zero/version.hpp>

#include <cstdio>
#include <string>

static bool version_agrees() {
#ifdef ZERO_PACKAGE_VERSION
  auto const stated = std::to_string(ZERO_VERSION_MAJOR) + '.' + std::to_string(ZERO_VERSION_MINOR) + '.' +
                      std::to_string(ZERO_VERSION_PATCH);
  return stated == ZERO_PACKAGE_VERSION;
#else
  return true;
#endif
}

int main() {
  auto const before = consumer::train_two_ranks(0);
  auto const after = consumer::train_two_ranks(40);
  std::printf("squared error: %g before, %g after 40 steps\n", before.error, after.error);
  if (!(after.error < before.error / 100.0)) return std::puts("the engine did not learn"), 1;
  if (!version_agrees()) return std::puts("the package states another version than its headers"), 1;
  return 0;
}
