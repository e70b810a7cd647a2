#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# misfortunes.sh MPIEXEC PROGRAM: what the other ranks of a real run say where one is killed, throws, is stopped or hangs,
# on one host and on two; and that nothing of theirs is left. With ZERO_TEST_FULL=1 every combination, and 200 kills at
# random times. Says how long the slowest survivor of each took to know, which is no condition.
set -euo pipefail
mpiexec=$1 program=$2
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
export TMPDIR=$work/tmp
mkdir -p "$TMPDIR"
: >"$work/begin"
failed=0 runs=0

launch=("$mpiexec")
# MPICH's ends all ranks at once where one dies, unless it is asked not to.
if "$mpiexec" --version 2>/dev/null | grep -q HYDRA; then launch+=(-disable-auto-cleanup); fi

left_behind() { # processes, and with them their sockets; files, also of shared memory
  pgrep -af -- "$work/run" || true
  find /dev/shm -newer "$work/begin" -name '*zero*' 2>/dev/null || true
  find "$TMPDIR" -name 'zero*' || true
}

# run PLACE KIND VICTIM HOSTS
run() {
  local place=$1 kind=$2 victim=$3 hosts=$4 output=$work/output expected names
  rm -rf -- "$work/run"
  mkdir -p "$work/run"
  timeout --kill-after=5 60 "${launch[@]}" -n ${#hosts} "$program" "$place" "$kind" "$victim" "$hosts" "$work/run" >"$output" 2>&1 ||
    true
  case $kind in
    kill | throw) expected=peer_failed ;;
    *) expected=deadline ;;
  esac
  names="$expected of rank $victim,"
  # Before there is a connection nobody knows who is missing.
  if [ "$place" = meeting ]; then names="deadline of rank -1,"; fi
  # A rank that was stopped may go on when the others have ended.
  local said
  said=$(grep -v "^rank $victim:" "$output" | grep -c "$names" || true)
  local after
  after=$(sed -n "/^rank $victim:/d; s/.*$names \([0-9]*\) ms later.*/\1/p" "$output" | sort -n | tail -1)
  runs=$((runs + 1))
  printf '%-8s %-6s rank %d on %s: %d of %d survivors know, the last after %s ms\n' "$place" "$kind" "$victim" "$hosts" \
    "$said" $((${#hosts} - 1)) "${after:-?}"
  if [ "$said" -ne $((${#hosts} - 1)) ]; then
    if grep -q "nothing has happened" "$output" && [[ $place =~ ^[0-9]+$ ]]; then return; fi # too late
    sed 's/^/    /' "$output"
    failed=1
  fi
  local rest
  rest=$(left_behind)
  if [ -n "$rest" ]; then
    printf '    left behind:\n%s\n' "$rest"
    failed=1
  fi
}

if [ -n "${ZERO_TEST_FULL:-}" ]; then
  for hosts in aaaa aabb abbb; do
    for victim in 0 3; do
      for place in gather reduce step save; do
        for kind in kill throw stop hang; do
          if [ "$place" != save ] || [ "$kind" = kill ] || [ "$kind" = stop ]; then run $place $kind $victim $hosts; fi
        done
      done
    done
    run meeting hang 1 $hosts
  done
  for _ in $(seq 200); do
    hosts=(aaaa aabb abbb abcd)
    run $((RANDOM * 30 % 200000)) kill $((RANDOM % 4)) "${hosts[RANDOM % 4]}"
  done
else
  run gather kill 2 aaaa
  run reduce kill 0 aabb
  run step kill 3 aabb
  run save kill 1 aaaa
  run 1000 kill 1 abbb
  run gather throw 0 aabb
  run step throw 1 aaaa
  run reduce stop 2 aaaa
  run gather stop 3 aabb
  run step hang 0 aabb
  run meeting hang 1 aaaa
fi
if [ $failed -ne 0 ]; then exit 1; fi
echo "$runs runs: every survivor knows"
