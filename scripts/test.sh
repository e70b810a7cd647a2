#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# scripts/test.sh [--quick | --full]: everything that CI runs. --quick leaves the builds with Clang and sanitizers out,
# and fuzzing. --full does more than CI: it kills and fails a save at every system call instead of a sample of them, and
# fuzzes for ten minutes instead of half a one.
#
# Builds live in build/ci, build/clang, build/asan and build/tsan. Installs what is missing, as root on Debian or
# Ubuntu.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
source scripts/dependencies.sh

install_dependencies() {
  need g++ has_compiler
  need cmake has_command cmake
  need ninja-build has_command ninja
  need pkg-config has_command pkg-config
  install_missing # a compiler comes first: the header checks ask it
  need doctest-dev has_header doctest/doctest.h
  need libbenchmark-dev has_header benchmark/benchmark.h
  need libopenblas-dev has_header cblas.h
  install_missing
  export CMAKE_GENERATOR=${CMAKE_GENERATOR:-Ninja}
}

# build <preset>
build() {
  say "$1: configure and build"
  cmake --preset "$1"
  cmake --build --preset "$1" --parallel "$(processors)"
}

# GCC 12's thread sanitizer does not start where the kernel spreads mappings widely; without randomization it does.
without_randomization() {
  if setarch --addr-no-randomize true 2>/dev/null; then setarch --addr-no-randomize "$@"; else "$@"; fi
}

sanitizers() {
  build asan
  ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1 \
    UBSAN_OPTIONS=print_stacktrace=1 ctest --preset asan
  build tsan
  TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1 without_randomization ctest --preset tsan
}

# The headers under Clang, with our warnings as errors.
clang_headers() {
  if ! has_command clang++; then
    say "leaving out the header checks with Clang: clang++ was not found"
    return
  fi
  say "clang: every header alone"
  cmake --preset clang -DZERO_BUILD_EXAMPLES=OFF -DZERO_BUILD_BENCHMARKS=OFF \
    "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror"
  cmake --build --preset clang --target all_verify_interface_header_sets --parallel "$(processors)"
}

fuzzing() {
  if ! has_command clang++; then
    say "leaving out fuzzing: clang++ was not found"
    return
  fi
  scripts/fuzz.sh "$1"
}

main() {
  local quick=false full=false argument
  for argument in "$@"; do
    case $argument in
      --quick) quick=true ;;
      --full) full=true ;;
      *) die "usage: scripts/test.sh [--quick | --full]" ;;
    esac
  done
  if $quick && $full; then die "usage: scripts/test.sh [--quick | --full]"; fi
  if $full; then export ZERO_TEST_FULL=1; fi
  install_dependencies
  if ! $quick; then
    clang_headers
    fuzzing "$($full && echo 600 || echo 30)"
    sanitizers
  fi
  build ci
  if has_command nvcc && ! has_gpu; then
    say "no GPU (nvidia-smi -L shows none): tests with the label gpu are built, and skip themselves"
  fi
  ctest --preset ci # last, so that its verdict on all tests closes the output
}

main "$@"
