#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# elastic.sh [--ranks N|COMMAND] [--launcher COMMAND] [--restarts N] -- PROGRAM ARGUMENT...
#
# Runs PROGRAM (train_gpt2) in several processes to its end, whatever ranks are lost on the way: where one dies, the run
# starts again with those that are left, from its newest checkpoint. With --micro-batches the result does not depend on
# how many there were.
#
#   --ranks     how many to start: a number, from which every rank that has died is taken away; or a command that prints
#               how many there are now, asked before each start (default: the number of processors)
#   --launcher  what starts them, with -n N behind it (default: mpirun)
#   --restarts  most starts in a row that bring no new checkpoint (default: 3)
#
# ARGUMENT... must have a --checkpoint-dir. SIGTERM, SIGINT and SIGUSR1 let the run save and stop, with its exit code 3.
set -euo pipefail

die() {
  printf 'elastic.sh: %s\n' "$1" >&2
  exit 2
}

ranks=$(nproc) launcher=mpirun restarts=3
while [ $# -gt 0 ]; do
  case $1 in
    --ranks) ranks=${2:?--ranks needs a number, or a command that prints one} && shift 2 ;;
    --launcher) launcher=${2:?--launcher needs a command} && shift 2 ;;
    --restarts) restarts=${2:?--restarts needs a number} && shift 2 ;;
    --) shift && break ;;
    *) die "$1 is not known: elastic.sh [--ranks N|COMMAND] [--launcher COMMAND] [--restarts N] -- PROGRAM ARGUMENT..." ;;
  esac
done
[ $# -gt 0 ] || die "what is to run? elastic.sh [OPTION...] -- PROGRAM ARGUMENT..."
[[ $restarts =~ ^[0-9]+$ ]] || die "--restarts $restarts: must be a number"

folder="" resumes=false
arguments=("$@")
for ((i = 1; i < $#; ++i)); do
  case ${arguments[i]} in
    --checkpoint-dir) folder=${arguments[i + 1]:-} ;;
    --checkpoint-dir=*) folder=${arguments[i]#*=} ;;
    --resume | --resume=*) resumes=true ;;
  esac
done
[ -n "$folder" ] || die "a run that is to go on needs a --checkpoint-dir"
$resumes || arguments+=(--resume auto)

output=$(mktemp)
trap 'rm -f -- "$output"' EXIT
process="" stopped=false
stop() {
  stopped=true
  [ -z "$process" ] || kill -USR1 "$process" 2>/dev/null || true
}
trap stop TERM INT USR1

newest() { # checkpoint; nothing where there is none
  { find "$folder" -maxdepth 1 -name 'step-*' 2>/dev/null || true; } | sort -V | tail -n 1
}

# ranks_now: how many to start.
ranks_now() {
  if [[ $ranks =~ ^[0-9]+$ ]]; then
    echo "$ranks"
  else
    bash -c "$ranks"
  fi
}

# One start; its exit code.
run() {
  local code=0 i
  exec {screen}> >(tee "$output")
  local reader=$!
  # A launcher may have options of its own.
  # shellcheck disable=SC2086
  $launcher -n "$1" "${arguments[@]}" >&"$screen" 2>&1 {screen}>&- &
  process=$!
  wait "$process" || code=$?
  while kill -0 "$process" 2>/dev/null; do # a signal has ended the wait
    code=0
    wait "$process" || code=$?
  done
  process=""
  exec {screen}>&-
  # Until all has been read: ranks may write on for a moment.
  for ((i = 0; i < 100; ++i)); do
    kill -0 "$reader" 2>/dev/null || break
    sleep 0.1
  done
  return $code
}

idle=0
while true; do
  count=$(ranks_now)
  [[ $count =~ ^[1-9][0-9]*$ ]] || die "no ranks are left to start ('$count')"
  before=$(newest)
  code=0
  run "$count" || code=$?
  # A launcher may end with 0 although ranks have died: the run itself says when it has come to its end.
  if [ $code -eq 0 ] && grep -q '^parameter hash: ' "$output"; then exit 0; fi
  if $stopped; then exit 3; fi
  case $code in 2 | 3 | 4 | 5 | 6) exit $code ;; esac # starting again would not help
  if [ "$(newest)" = "$before" ]; then idle=$((idle + 1)); else idle=0; fi
  if [ $idle -gt "$restarts" ]; then
    printf 'elastic.sh: %d starts in a row have saved nothing new: see what they say\n' "$idle" >&2
    exit 1
  fi
  lost=$({ grep -o 'rank [0-9]* has died' "$output" || true; } | sort -u | wc -l)
  if [[ $ranks =~ ^[0-9]+$ ]]; then ranks=$((ranks - lost)); fi
  from=$(newest)
  printf 'elastic.sh: %d of %d ranks were lost; starting again from %s\n' "$lost" "$count" \
    "${from:-the beginning}" >&2
done
