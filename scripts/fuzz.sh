#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# scripts/fuzz.sh [SECONDS]: feeds every parser of files with what libFuzzer finds, under the address and
# undefined-behaviour sanitizers, for so many seconds each (default: 600). Needs clang++. What breaks one is left in
# build/fuzz.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
source scripts/dependencies.sh

main() {
  local seconds=${1:-600} target
  [[ $seconds =~ ^[1-9][0-9]*$ ]] || die "usage: scripts/fuzz.sh [SECONDS]"
  has_command clang++ || die "fuzzing needs clang++ with libFuzzer (Debian, Ubuntu: clang)"
  for target in header manifest; do
    say "fuzzing: $target, $seconds s"
    mkdir -p "build/fuzz/$target"
    clang++ -std=c++20 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -Iinclude \
      "tests/checkpoint/fuzz/$target.cpp" -o "build/fuzz/fuzz_$target"
    # New inputs go into the first folder; the corpus that is checked in stays as it is.
    "build/fuzz/fuzz_$target" -max_total_time="$seconds" -max_len=16384 -print_final_stats=1 -verbosity=0 \
      -artifact_prefix=build/fuzz/ "build/fuzz/$target" "tests/checkpoint/fuzz/corpus/$target"
  done
}

main "$@"
