#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# benchmarks/generated_code.sh [compiler...]
#
# What g++ and clang++ (or the compilers named) make of the code, read from objdump. A measurement, not a test: results
# are right either way, and another version of a compiler may see things in another way without a defect of ours.
#
# - Drivers of the kernels, which should call nothing: a compiler says nothing when its `flatten` gives up, and the
#   speed is then a tenth.
# - A trainer's own loop, which should not lie in .text.unlikely: GCC takes the whole way to a call of what is declared
#   cold for cold, too, and makes it small and slow. So nothing that a trainer calls may be cold, or lead there on its
#   usual way.
set -euo pipefail
repository=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
source "$repository/scripts/dependencies.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# object <compiler> <source> <argument...>
object() {
  "$1" -std=c++20 -O2 "-I$repository/include" "${@:3}" -c "$repository/$2" -o "$work/unit.o"
}

# A driver's name ends in its instruction set; its calls show as relocations against zero's functions.
drivers_that_call() {
  object "$1" tests/kernels/build_flags/unit.cpp -DZERO_UNIT=unit
  objdump -dr --no-show-raw-insn "$work/unit.o" | c++filt |
    awk '/^[0-9a-f]+ </ { driver = /zero::detail::[a-z_]+_(baseline|avx2|avx512)</ && !/fused_update|_whole_blocks/
                          if (driver) { ++drivers; name = $0 } }
         driver && /R_[A-Z0-9_]+.*zero::(detail::|Real|fma|sqrt|operator)/ && !/rodata/ { ++calls; print "  " name; print }
         END { printf "  %d calls of operations from %d drivers of kernels\n", calls, drivers }'
}

section_of_callers_loop() {
  local section
  object "$1" benchmarks/generated_code/hot_caller.cpp
  for section in .text .text.unlikely; do
    if objdump -dr -j "$section" "$work/unit.o" 2>/dev/null | grep work_of_the_caller >/dev/null; then
      printf '  a loop beside the engine lies in %s\n' "$section"
    fi
  done
}

main() {
  local compilers=("$@") candidate
  has_command objdump || die "this needs objdump (Debian, Ubuntu: binutils)"
  if [ ${#compilers[@]} -eq 0 ]; then
    for candidate in g++ clang++; do has_command "$candidate" && compilers+=("$candidate"); done
  fi
  for candidate in "${compilers[@]}"; do
    printf '%s, -O2\n' "$("$candidate" --version | head -n 1)"
    drivers_that_call "$candidate"
    section_of_callers_loop "$candidate"
  done
}

main "$@"
