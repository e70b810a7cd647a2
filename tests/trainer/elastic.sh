#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# elastic.sh ELASTIC_SH MPIEXEC TRAIN_GPT2: one run on 8, then 5, then 7 ranks and at last one, as ranks are killed at
# some step of each; its end is that of a run that nobody disturbed. When a kill comes is chance; what must hold does not
# depend on it.
set -euo pipefail
elastic=$1 mpiexec=$2 train=$3
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
for ((i = 0; i < 400; ++i)); do echo "the quick brown fox jumps over the lazy dog $i"; done >"$work/text.txt"
options=(--data "$work/text.txt" --layers 2 --heads 2 --width 16 --context 8 --batch 2 --iterations 120 --eval-interval 40
  --eval-batches 2 --sample 0 --threads 1 --precision fp16 --micro-batches 6 --allow-idle-ranks)

die() {
  printf 'elastic.sh: %s\n' "$1" >&2
  cat "$work/output" >&2
  exit 1
}

"$train" "${options[@]}" >"$work/whole"
whole=$(sed -n 's/^parameter hash: //p' "$work/whole")

# How many ranks there are: the next of these numbers with each start.
echo "8 5 7 1" >"$work/numbers"
cat >"$work/ranks" <<'RANKS'
read -r first rest <"$1"
echo "$rest" >"$1"
echo "$first" >>"$1.started"
echo "$first"
RANKS
: >"$work/numbers.started"

# kill_one AFTER: one of the ranks of the run, once it has saved so many times more.
kill_one() {
  local target=$(($(saves) + $1)) ranks
  while [ "$(saves)" -lt "$target" ]; do
    kill -0 "$run" 2>/dev/null || return 0
    sleep 0.01
  done
  mapfile -t ranks < <(pgrep -f -- "^$train .*--checkpoint-dir $work/run")
  if [ ${#ranks[@]} -gt 0 ]; then kill -KILL "${ranks[RANDOM % ${#ranks[@]}]}" 2>/dev/null || true; fi
}
saves() { grep -c '^checkpoint: saved' "$work/output" || true; }
starts() { wc -l <"$work/numbers.started"; }

: >"$work/output"
bash "$elastic" --ranks "bash '$work/ranks' '$work/numbers'" --launcher "$mpiexec" -- "$train" "${options[@]}" \
  --checkpoint-dir "$work/run" --save-interval 2 --keep 2 >>"$work/output" 2>&1 &
run=$!
for ((start = 1; start <= 3; ++start)); do
  while [ "$(starts)" -lt $start ] && kill -0 "$run" 2>/dev/null; do sleep 0.01; done
  kill_one $((1 + RANDOM % 4))
done
code=0
wait "$run" || code=$?
[ $code -eq 0 ] || die "it ended with the exit code $code"
started=$(tr '\n' ' ' <"$work/numbers.started")
[ "$started" = "8 5 7 1 " ] || die "it started $started ranks"
[ "$(grep -c 'has died' "$work/output")" -ge 3 ] || die "nobody says who died"
[ "$(sed -n 's/^parameter hash: //p' "$work/output")" = "$whole" ] || die "the hash is not $whole"
if compgen -G "$work/run/.tmp.*" || compgen -G "$work/run/.removed.*"; then die "ranks that were killed have left the above"; fi
echo "8, 5, 7 ranks and 1 have the hash of one run: $whole"
