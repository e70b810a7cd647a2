#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# off_cost.sh STEPS WORK: counts, with callgrind, what the values of a step cost where there is no monitor. STEPS is the
# program off_steps.cpp. Exits with 77 where there is no valgrind.
set -euo pipefail
program=$1 work=$2
most=200

if ! command -v valgrind >/dev/null; then
  echo 'skipped: valgrind was not found (Debian, Ubuntu: valgrind)'
  exit 77
fi
mkdir -p -- "$work"

# count STEPS: instructions of the whole program
count() {
  valgrind --quiet --tool=callgrind --callgrind-out-file="$work/callgrind" "$program" "$1" || return
  awk '/^(summary|totals):/ { print $2; exit }' "$work/callgrind"
}

few=$(count 100) many=$(count 1100) # by themselves, so that a failure ends the script
per_step=$(((many - few + 999) / 1000))
echo "$per_step instructions per step"
if [ "$per_step" -le 0 ] || [ "$per_step" -gt "$most" ]; then
  echo "monitors that are off may take $most instructions per step, and take some" >&2
  exit 1
fi
