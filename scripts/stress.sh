#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# scripts/stress.sh [CTEST ARGUMENT...]: runs the tests of build/ci, which scripts/test.sh builds, five times in a row
# beside stress-ng --cpu 8, with ten times their time limits: whatever fails then judges by the clock, or depends on an
# order of threads that seldom happens. Arguments, such as -R fake_cuda, go to ctest.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
source scripts/dependencies.sh

runs=5
folder=build/stress # with a CTestTestfile.cmake that takes the tests of build/ci in

# Each test's own limit, which goes before that of ctest's arguments, gets a zero appended.
tests_with_long_limits() {
  local name='(\[=*\[.*\]=*\]|"[^"]*")'
  printf 'subdirs("%s/build/ci")\n' "$PWD"
  find build/ci -name CTestTestfile.cmake -exec sed -nE \
    "s/^(set_tests_properties)\($name +PROPERTIES .* TIMEOUT \"([0-9]+)\".*/\1(\2 PROPERTIES TIMEOUT \30)/p" \
    {} +
}

main() {
  local run stress
  [ -e build/ci/CTestTestfile.cmake ] || die "there are no tests in build/ci: run scripts/test.sh build first"
  need stress-ng has_command stress-ng
  install_missing
  mkdir -p $folder
  tests_with_long_limits >$folder/CTestTestfile.cmake
  stress-ng --cpu 8 --timeout 0 --quiet &
  stress=$!
  # shellcheck disable=SC2064 # this very process
  trap "kill $stress 2>/dev/null || true" EXIT
  for ((run = 1; run <= runs; ++run)); do
    say "stress: run $run of $runs"
    kill -0 "$stress" 2>/dev/null || die "stress-ng has ended"
    ctest --test-dir $folder --timeout 15000 --output-on-failure --no-tests=error --parallel "$(processors)" "$@"
  done
}

main "$@"
