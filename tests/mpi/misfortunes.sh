#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# misfortunes.sh MPIEXEC PROGRAM: what the other ranks of a real run say where one is killed, throws, is stopped or hangs,
# in construction and in training, on one host and on two; and that nothing of theirs is left. With ZERO_TEST_FULL=1 every
# combination, and kills at random times: 50 of construction and 200 of training. Says how long the slowest survivor of
# each took to know, which is no condition.
set -euo pipefail
mpiexec=$1 program=$2
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
export TMPDIR=$work/tmp
mkdir -p "$TMPDIR"
: >"$work/begin"
failed=0 runs=0

launch=("$mpiexec")
# Until the deadline of those that know nothing of a death. Open MPI's ends all ranks in 2 s or less where one dies.
patient=(--enable-recovery)
kills_survivors=
# MPICH's ends all ranks at once where one dies, unless it is asked not to; that of MPICH 5 in most runs all the same.
if "$mpiexec" --version 2>/dev/null | grep -q HYDRA; then
  launch+=(-disable-auto-cleanup) patient=()
  if "$mpiexec" --version | grep -q 'Version: *[5-9]'; then kills_survivors=1; fi
fi

left_behind() { # KIND: processes, and with them their sockets; files, also of shared memory
  pgrep -af -- "$work/run" || true
  find /dev/shm -newer "$work/begin" -name '*zero*' 2>/dev/null || true
  find "$TMPDIR" -name 'zero*' || true
  # What a killed rank was saving goes with the next save: tests/trainer/elastic.sh.
  if [ "$1" = throw ]; then find "$work/run" -name '.tmp.*'; fi
}

# run PLACE KIND VICTIM HOSTS
run() {
  local place=$1 kind=$2 victim=$3 hosts=$4 output=$work/output expected names options=()
  rm -rf -- "$work/run"
  mkdir -p "$work/run"
  case $place-$kind in cards-kill | sockets-kill | +*) options=("${patient[@]}") ;; esac
  timeout --kill-after=5 60 "${launch[@]}" "${options[@]}" -n ${#hosts} \
    "$program" "$place" "$kind" "$victim" "$hosts" "$work/run" >"$output" 2>&1 || true
  case $kind in
    kill | throw) expected=peer_failed ;;
    *) expected=deadline ;;
  esac
  names="$expected of rank $victim,"
  case $place-$kind in
    # Before there is a connection the deadline says that somebody is missing, and a roll call who.
    meeting-* | cards-*) names="deadline of rank $victim," ;;
    sockets-* | +*) names="(peer_failed|deadline) of rank $victim," ;;
    # Memory that cannot be had, and a file that cannot be saved, is told to all.
    save-throw) names="error: rank $victim: " ;;
    memory-throw | segment-throw | arena-throw | shown-throw) names="error: .*rank $victim could not " ;;
  esac
  # A rank that was stopped may go on when the others have ended.
  local said
  said=$(grep -av "^rank $victim:" "$output" | grep -acE "$names" || true) # the launcher may write bytes of zero
  local after
  after=$(sed -nE "/^rank $victim:/d; s/^rank.* of rank .* ([0-9]+) ms later.*/\1/p" "$output" | sort -n | tail -1)
  local wanted=$((${#hosts} - 1))
  if [ -n "$kills_survivors" ] && [ "$kind" = kill ]; then # those that have come to say something
    wanted=$(grep -av "^rank $victim:" "$output" | grep -acE '^rank [0-9]+: ' || true)
  fi
  runs=$((runs + 1))
  printf '%-9s %-6s rank %d on %s: %d of %d survivors know, the last after %s ms\n' "$place" "$kind" "$victim" "$hosts" \
    "$said" "$wanted" "${after:-?}"
  if [ "$said" -ne "$wanted" ]; then
    # Too late; or a rank alone on its host, which takes no memory of others.
    if grep -aq "nothing has happened" "$output" && [[ $place =~ ^(\+?[0-9]+|shown)$ ]]; then return; fi
    sed 's/^/    /' "$output"
    failed=1
  fi
  local rest
  rest=$(left_behind "$kind")
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
          if [ "$place-$kind" != save-hang ]; then run $place $kind $victim $hosts; fi
        done
      done
    done
    run meeting hang 1 $hosts
    for victim in 0 1 2 3; do
      for place in cards sockets connected memory segment engine arena shown; do run $place kill $victim $hosts; done
      for place in connected memory segment engine arena shown; do
        # Who leads its host makes that memory, the others take it.
        run $place throw $victim $hosts
      done
      for kind in stop hang; do
        for place in cards sockets memory segment engine arena shown; do run $place $kind $victim $hosts; done
      done
    done
  done
  for _ in $(seq 50); do
    hosts=(aaaa aabb abbb abcd)
    run +$((RANDOM * 2)) kill $((RANDOM % 4)) "${hosts[RANDOM % 4]}"
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
  run save throw 2 aabb
  run 1000 kill 1 abbb
  run reduce kill 0 abbb
  run gather throw 0 aabb
  run step throw 1 aaaa
  run reduce stop 2 aaaa
  run gather stop 3 aabb
  run step hang 0 aabb
  run meeting hang 1 aaaa
  run sockets stop 0 aaaa
  run connected kill 2 aabb
  run connected throw 0 aaaa
  run memory throw 3 aabb
  run segment kill 0 aaaa
  run segment hang 2 aabb
  run engine throw 3 aaaa
  run arena kill 1 aabb
  run shown throw 2 aaaa
fi
if [ $failed -ne 0 ]; then exit 1; fi
echo "$runs runs: every survivor knows"
