#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# off_cost.sh STEPS INCLUDE WORK: counts, with callgrind, what profiling costs a step of an engine that has no profiler: the
# instructions of all lines below INCLUDE that speak of an observer, however they were inlined, and the calls that
# they make. STEPS is the program steps.cpp, with line numbers. Exits with 77 where there is no valgrind.
set -euo pipefail
program=$1 include=$2 work=$3
most=200

if ! command -v valgrind >/dev/null; then
  echo 'skipped: valgrind was not found (Debian, Ubuntu: valgrind)'
  exit 77
fi
mkdir -p -- "$work"

# The lines of the hooks, as "zero/FILE:LINE". How a compiler writes the folder above depends on how it was called:
# whole, or from the build folder, as ccache does.
(cd -- "$include" && grep -rnE 'observ' zero --include='*.hpp') | awk -F: '$3 !~ /^ *\/\// { print $1 ":" $2 }' >"$work/lines"
[ -s "$work/lines" ] || { echo "no line below $include speaks of an observer" >&2; exit 1; }

# count STAGE STEPS: instructions and calls of those lines
count() {
  valgrind --quiet --tool=callgrind --compress-pos=no --compress-strings=no --dump-line=yes \
    --callgrind-out-file="$work/callgrind" "$program" "$1" "$2" || return
  awk '
    NR == FNR { hook[$0] = 1; next }
    /^f[lie]=/ {
      file = substr($0, 4)
      gsub(/\/[^\/.][^\/]*\/\.\.\//, "/", file)
      sub(/^.*\/include\/zero\//, "zero/", file)
      next
    }
    /^calls=/ { split(substr($0, 7), parts, " "); made = parts[1]; called = 1; next }
    /^[0-9]+ [0-9]+/ {
      if (called) {
        if ((file ":" $1) in hook) calls += made
        called = 0
        next
      }
      total += $2
      if ((file ":" $1) in hook) { instructions += $2 }
    }
    END { print instructions + 0, calls + 0, total + 0 }' "$work/lines" "$work/callgrind"
}

for stage in 0 2 3; do
  counted_few=$(count "$stage" 4) counted_many=$(count "$stage" 14) # by themselves, so that a failure ends the script
  read -r few few_calls few_total <<<"$counted_few"
  read -r many many_calls many_total <<<"$counted_many"
  per_step=$(((many - few + 9) / 10)) calls=$((many_calls - few_calls))
  echo "stage $stage: $per_step instructions of $(((many_total - few_total) / 10)) per step, $calls calls"
  if [ "$many" -le "$few" ]; then
    echo "the hooks were not found in what ran: they take no instructions at all" >&2
    exit 1
  fi
  if [ "$per_step" -gt "$most" ] || [ "$calls" -gt 0 ]; then
    echo "profiling that is off may take $most instructions per step, and no call" >&2
    exit 1
  fi
done
