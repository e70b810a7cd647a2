// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <cstdio>
#include <string>

// Prints what the kernels compute in the units linked; where there are two, the linker has merged their inline
// functions, and whichever it kept, both must print the same.
std::string first_unit();
#ifdef ZERO_TWO_UNITS
std::string second_unit();
#endif

int main() {
  std::fputs(first_unit().c_str(), stdout);
#ifdef ZERO_TWO_UNITS
  if (second_unit() != first_unit()) std::fputs("the second unit differs:\n", stdout);
  if (second_unit() != first_unit()) std::fputs(second_unit().c_str(), stdout);
#endif
}
