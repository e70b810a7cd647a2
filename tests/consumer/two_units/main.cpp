// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <cinttypes>
#include <cstdint>
#include <cstdio>

std::uint64_t train_plain();
std::uint64_t train_fast();

int main() {
  auto const plain = train_plain();
  auto const fast = train_fast();
  std::printf("%016" PRIx64 " %016" PRIx64 "\n", plain, fast);
  return plain == fast ? 0 : 1;
}
