#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# kill.sh TRAIN_GPT2 [COUNT [SEED]]: kills a run with SIGKILL COUNT times, each time at some moment while it saves after
# every step, and resumes it at another stage, on other ranks, with offload and without. A run that reaches its end has
# the hash and the curves of one that was never killed, however often it was; where it ends before all kills are done, the next one
# begins. When the kills come is chance; what must hold does not depend on it.
set -euo pipefail
train=$1
count=${2:-10}
RANDOM=${3:-1}
unset RANK WORLD_SIZE # a launcher's, which would start one rank of several

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
for ((i = 0; i < 400; ++i)); do echo "the quick brown fox jumps over the lazy dog $i"; done >"$work/text.txt"
options=(--data "$work/text.txt" --layers 2 --heads 2 --width 16 --context 8 --batch 2 --iterations 30 --eval-interval 7
  --eval-batches 2 --sample 0 --threads 1 --reduce each_micro_batch --precision fp16)
settings=("0 1 6 none" "1 2 3 none" "1 3 2 cpu" "2 2 3 none" "2 6 1 none" "2 3 2 cpu" "3 1 6 none" "3 2 3 none" "3 3 2 cpu")
killed=0 inside=0 ended=0 resumed=0

die() {
  printf 'kill.sh: %s\n' "$1" >&2
  cat "$work/output" >&2
  exit 1
}

hash_in() { sed -n 's/^parameter hash: //p' "$work/$1"; }

# The curves of a run that do not depend on time and place.
curves_in() {
  (cd "$work/curves/$1" && tail -n +1 Train_Samples_{lr,loss_scale,train_loss,grad_norm,skipped_steps}.csv \
    Evaluation_Samples_{val_loss,train_loss,perplexity}.csv)
}

"$train" "${options[@]}" --stage 0 --accumulate 6 --csv "$work/curves" --job-name whole >"$work/whole"
whole=$(hash_in whole)

# The next part of the run, in the background, as some setting has it.
start() {
  local stage ranks accumulate offload
  read -r stage ranks accumulate offload <<<"${settings[RANDOM % ${#settings[@]}]}"
  "$train" "${options[@]}" --stage "$stage" --ranks "$ranks" --accumulate "$accumulate" --offload "$offload" \
    --checkpoint-dir "$work/run" --save-interval 1 --keep 2 --resume auto --csv "$work/curves" --job-name parts \
    >"$work/output" 2>&1 &
  process=$!
}

# Waits for it and looks how it ended: 0 at its end, with the right hash, 1 where it was killed.
finish() {
  local code=0
  wait "$process" 2>/dev/null || code=$?
  if grep -q '^checkpoint: resumed' "$work/output"; then resumed=$((resumed + 1)); fi
  if [ $code -eq 137 ]; then return 1; fi
  [ $code -eq 0 ] || die "a run that was resumed ended with the exit code $code"
  [ "$(hash_in output)" = "$whole" ] || die "the hash is not $whole"
  diff <(curves_in whole) <(curves_in parts) || die "the curves are not those of a run that was never killed"
  ended=$((ended + 1))
  rm -rf -- "$work/run"
}

# Waits until it has saved so many times, or has ended.
wait_for_saves() {
  while kill -0 "$process" 2>/dev/null && [ "$(grep -c '^checkpoint: saved' "$work/output")" -lt "$1" ]; do
    sleep 0.005
  done
}

while [ $killed -lt "$count" ]; do
  start
  wait_for_saves $((RANDOM % 6))
  sleep "0.$(printf '%03d' $((RANDOM % 40)))"
  kill -KILL "$process" 2>/dev/null || true
  if ! finish; then
    killed=$((killed + 1))
    if compgen -G "$work/run/.tmp.*" >/dev/null; then inside=$((inside + 1)); fi
  fi
done
start
finish || die "the last run was killed"
echo "$killed kills, $inside of them inside a save; $resumed runs were resumed, $ended came to their end, all with the hash $whole"
