#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# scripts/aarch64.sh: builds kernels, schedules, engine and unit tests with Debian's cross compiler, runs them under
# qemu-user, and compares what the first three compute there with what they compute on this machine, bit for bit.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
source scripts/dependencies.sh
work=build/aarch64/bits

# Tests that cannot run there, by what they would need.
starts_programs='checkpoint_tools|train_gpt2|zero_plan' # of aarch64, which the kernel does not start
needs_strace='checkpoint_system_call.*'                 # strace sees qemu's system calls, not the program's
needs_packages='gpt2_hugging_face\.transformers'        # Python's, beside an emulated program

install_dependencies() {
  need g++ has_compiler
  need g++-aarch64-linux-gnu has_command aarch64-linux-gnu-g++
  need qemu-user has_command qemu-aarch64
  need cmake has_command cmake
  need ninja-build has_command ninja
  install_missing
  need doctest-dev has_header doctest/doctest.h
  install_missing
  export CMAKE_GENERATOR=${CMAKE_GENERATOR:-Ninja}
}

# same <what> <file of here> <file of aarch64>: both have the same lines, and at least one.
same() {
  [ -s "$2" ] || die "$1: nothing was computed"
  diff -u "$2" "$3" || die "$1: aarch64 (+) differs from this machine (-)"
  say "$1: the same bits in $(wc -l <"$2") of $(wc -l <"$2") lines"
}

# kernel_bits <name> <compiler> <launcher...>: what the kernels compute in builds that trade bits for speed, and not.
kernel_bits() {
  local name=$1 compiler=$2 flags
  shift 2
  for flags in -O0 -O2 -Ofast; do
    "$compiler" -std=c++20 "$flags" -Iinclude -DZERO_UNIT=first_unit tests/kernels/build_flags/main.cpp \
      tests/kernels/build_flags/unit.cpp -o "$work/kernels.$name"
    "$@" "$work/kernels.$name" | sort -u | sed "s/^/$flags: /"
  done >"$work/kernels.$name.txt"
}

compare_kernels() {
  say "kernels: build and run, here and for aarch64"
  kernel_bits here "$(compiler)"
  kernel_bits aarch64 aarch64-linux-gnu-g++ qemu-aarch64 -L /usr/aarch64-linux-gnu
  same kernels "$work/kernels.here.txt" "$work/kernels.aarch64.txt"
}

compare_schedules() {
  say "schedules: build and run, here and for aarch64"
  local name
  for name in here aarch64; do
    local compiler launcher=() flags
    compiler=$(compiler)
    if [ "$name" = aarch64 ]; then compiler=aarch64-linux-gnu-g++ launcher=(qemu-aarch64 -L /usr/aarch64-linux-gnu); fi
    for flags in -O0 -O2 -Ofast; do
      "$compiler" -std=c++20 "$flags" -Iinclude tests/schedule/build_flags.cpp -o "$work/schedules.$name"
      "${launcher[@]}" "$work/schedules.$name"
    done >"$work/schedules.$name.txt"
  done
  same schedules "$work/schedules.here.txt" "$work/schedules.aarch64.txt"
}

compare_engine() {
  say "engine: build and run, here and for aarch64"
  cmake --preset fast
  cmake --preset aarch64
  cmake --build build/fast --parallel "$(processors)" --target zero_engine_bits
  cmake --build build/aarch64 --parallel "$(processors)" --target zero_engine_bits
  build/fast/tests/aarch64/zero_engine_bits >"$work/engine.here.txt"
  qemu-aarch64 -L /usr/aarch64-linux-gnu build/aarch64/tests/aarch64/zero_engine_bits >"$work/engine.aarch64.txt"
  same engine "$work/engine.here.txt" "$work/engine.aarch64.txt"
}

run_unit_tests() {
  local left_out="^($starts_programs|$needs_strace|$needs_packages)\$"
  cmake --build --preset aarch64 --parallel "$(processors)"
  say "cannot run under qemu-user, as they start programs, trace them, or need Python's packages:"
  ctest --preset aarch64 --show-only --tests-regex "$left_out" | sed -n 's/^ *Test *#[0-9]*: /  /p'
  say "cannot run for aarch64: package tests, which compile for this machine, with flags of x86 among others"
  ctest --preset aarch64 --parallel "$(processors)" --exclude-regex "$left_out"
}

main() {
  [ $# -eq 0 ] || die "usage: scripts/aarch64.sh"
  install_dependencies
  mkdir -p "$work"
  compare_kernels
  compare_schedules
  compare_engine
  run_unit_tests
}

main "$@"
