#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# header.sh INCLUDE WORK COMPILER...: zero/c.h alone compiles as C and as C++ of every standard, with all warnings as
# errors; it defines no macro but those of versions.
set -euo pipefail
include=$1 work=$2
shift 2

die() {
  printf '%s\n' "$*" >&2
  exit 1
}

mkdir -p "$work"
printf '#include <zero/c.h>\nint main(void) { zero_step_report r = {sizeof r}; return (int)r.step; }\n' >"$work/alone.c"
warnings=(-Wall -Wextra -Werror -pedantic -Wno-missing-field-initializers -fsyntax-only -I "$include")
checked=0
for compiler; do
  for standard in c99 c11 c17 gnu11; do
    "$compiler" -x c "-std=$standard" "${warnings[@]}" -Wstrict-prototypes "$work/alone.c" || die "$compiler -std=$standard"
  done
  for standard in c++11 c++17 c++20 gnu++20; do
    "$compiler" -x c++ "-std=$standard" "${warnings[@]}" "$work/alone.c" || die "$compiler -std=$standard"
  done
  # Macros of the header itself: what including it defines beside the standard's headers.
  macros() { "$compiler" -x c -std=c11 -I "$include" -dM -E - | sed -n 's/^#define \([^ (]*\).*/\1/p' | sort; }
  others=$(comm -13 <(printf '#include <stddef.h>\n#include <stdint.h>\n' | macros) <(printf '#include <zero/c.h>\n' | macros) |
    grep -v '^ZERO_VERSION' || true)
  [ -z "$others" ] || die "zero/c.h defines macros beside versions: $others"
  checked=$((checked + 1))
done
[ $checked -gt 0 ] || die "usage: header.sh INCLUDE WORK COMPILER..."
