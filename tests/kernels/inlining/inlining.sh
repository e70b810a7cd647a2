#!/bin/sh
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# inlining.sh <include> <work> <compiler>...: no driver calls an operation that should have been inlined into it. The
# bits are right either way, and the speed is a tenth; a compiler says nothing when its flatten gives up.
set -eu
include=$1 work=$2
shift 2
here=$(dirname "$0")
if ! command -v objdump >/dev/null; then
  echo "left out: objdump was not found"
  exit 77
fi
mkdir -p "$work"

for compiler in "$@"; do
  "$compiler" -std=c++20 -O2 "-I$include" -DZERO_UNIT=unit -c "$here/../build_flags/unit.cpp" -o "$work/unit.o"
  objdump -dr --no-show-raw-insn "$work/unit.o" | c++filt >"$work/unit.s"
  # A driver's name ends in its instruction set; its calls show as relocations against zero's functions.
  awk '/^[0-9a-f]+ </ { driver = /zero::detail::[a-z_]+_(baseline|avx2|avx512)</ && !/fused_update|_whole_blocks/
                        if (driver) { ++drivers; name = $0 } }
       driver && /R_[A-Z0-9_]+.*zero::(detail::|Real|fma|sqrt|operator)/ && !/rodata/ { print name; print; bad = 1 }
       END { if (drivers < 50) { print "saw only " drivers " drivers"; bad = 1 }
             print drivers + 0 " drivers"; exit bad }' "$work/unit.s"
done
