// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <schedule/recorded.hpp>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>

// print_rates FILE STEPS: of each case of FILE, what each of the first STEPS steps uses, a line each. For
// record_schedules.py, which compares all of them with what others make of the same settings.
int main(int count, char** arguments) {
  if (count != 3) return 1;
  std::ifstream in(arguments[1]);
  std::uint64_t const steps = std::strtoull(arguments[2], nullptr, 10);
  for (auto const& it : recorded::read(in).cases) {
    for (std::uint64_t step = 0; step < steps; ++step) {
      auto const rates = it.schedule.at(step);
      std::printf("%a", rates.lr);
      if (rates.momentum) std::printf(" %a", *rates.momentum);
      if (rates.beta2) std::printf(" %a", *rates.beta2);
      std::putchar('\n');
    }
  }
}
