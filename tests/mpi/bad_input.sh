#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# bad_input.sh MPIEXEC PROGRAM: MPI that is not there, or no more, or has too few threads, and memory that a host does not
# have, are refused on every rank by the error that says so.
set -euo pipefail
mpiexec=$1 program=$2
failed=0
for case in uninitialized single finalized finalized_early memory; do
  output=$(timeout --kill-after=5 60 "$mpiexec" -n 2 "$program" "$case" 2>&1) || true
  refused=$(grep -ac '^refused: ' <<<"$output") || true
  printf '%-15s %d of 2 ranks: %s\n' "$case" "$refused" "$(grep -am1 '^refused: ' <<<"$output" || true)"
  if [ "$refused" -ne 2 ]; then
    printf '    %s\n' "${output//$'\n'/$'\n    '}"
    failed=1
  fi
done
exit $failed
