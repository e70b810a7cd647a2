#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# benchmarks/compile_time.sh [repetitions]
#
# What zero costs a translation unit, in seconds of processor time: the median of some runs of g++ (or CXX) at -O2 for
# the header alone, for one engine instantiated whole, and for two, whose difference is the price of each further one.
set -euo pipefail
repository=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
repetitions=${1:-5}
compiler=${CXX:-g++}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

first='template class zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                            zero::Precision<zero::BF16>>;'
second='template class zero::Engine<zero::Partitioner<zero::Stage::parameters>, zero::Optimizer<zero::Lion>,
                            zero::Precision<zero::FP16, zero::DynamicScale>>;'

# seconds <text of the translation unit>: processor time, which a busy machine does not stretch as it does the clock's.
seconds() {
  local i TIMEFORMAT='%U %S'
  printf '%s\n' "$1" >"$work/unit.cpp"
  for ((i = 0; i < repetitions; ++i)); do
    { time "$compiler" -std=c++20 -O2 -I "$repository/include" -c "$work/unit.cpp" -o "$work/unit.o"; } 2>&1
  done | awk '{ print $1 + $2 }' | sort -n | awk '{ time[NR] = $1 } END { printf "%.2f", time[int((NR + 1) / 2)] }'
}

include='#include <zero/engine.hpp>'
header=$(seconds "$include")
one=$(seconds "$include"$'\n'"$first")
two=$(seconds "$include"$'\n'"$first"$'\n'"$second")
printf '%s, -O2, median of %s\n' "$("$compiler" --version | head -n 1)" "$repetitions"
printf '  %-32s %s s\n' "#include <zero/engine.hpp>" "$header" "with one engine" "$one" "each further engine" \
  "$(awk "BEGIN { printf \"%.2f\", $two - $one }")"
