#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# planned_memory.sh TRAIN_GPT2 ZERO_PLAN [--full]: what zero-plan --device cpu says that a process of train_gpt2 takes, beside
# what it has taken: its peak resident memory. A difference of more than 5 % and 64 MB is an error. --full: all settings of
# three models, which need 8 GB of memory, as with ZERO_TEST_FULL; otherwise some small ones of them. Configurations that
# zero-plan writes are trained by, too.
set -euo pipefail
train=$1 plan=$2 full=${3:-}
if [ -n "${ZERO_TEST_FULL:-}" ]; then full=--full; fi
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
head -c 400000 /dev/urandom >"$work/tokens.bin" # of 16 bits
failures=0
own=0 # bytes that the program takes by itself, beyond what is planned of it: libraries of CUDA's, where it has them

# figure NAME FILE: a whole number of the only row of a plan.
figure() { sed -n "s/.*\"$1\": *\([0-9]*\).*/\1/p" "$2" | head -n 1; }

# measure OPTION...: runs and plans; sets taken and planned. What only one of the two is given: of_run, of_plan.
of_run=() of_plan=()
measure() {
  "$train" "$@" ${of_run[@]+"${of_run[@]}"} --data "$work/tokens.bin" --iterations 2 --eval-batches 1 --sample 0 >"$work/run"
  "$plan" "$@" ${of_plan[@]+"${of_plan[@]}"} --device cpu --json - >"$work/plan.json"
  taken=$(sed -n 's/.*a process has had \([0-9,]*\) bytes.*/\1/p' "$work/run" | tr -d ,)
  planned=$(figure process_bytes "$work/plan.json")
}

# setting STAGE OFFLOAD PRECISION RANKS BATCH ACCUMULATION RECOMPUTE CONTEXT MODEL...: RECOMPUTE is none, selective, block,
# or block:N from N kept inputs, which a run is told by its configuration. MODEL... may end with --dropout P.
setting() {
  local stage=$1 offload=$2 precision=$3 ranks=$4 batch=$5 accumulation=$6 recompute=$7 context=$8
  shift 8
  local common=("$@" --context "$context" --vocab 65536 --stage "$stage" --offload "$offload" --precision "$precision"
    --ranks "$ranks" --batch "$batch" --accumulate "$accumulation")
  if [ "$recompute" != none ]; then common+=(--recompute "${recompute%:*}"); fi
  of_run=() of_plan=()
  if [ "$recompute" != "${recompute#*:}" ]; then
    printf '{"train_micro_batch_size_per_gpu": %s, "gradient_accumulation_steps": %s, "activation_checkpointing": {"number_checkpoints": %s}}\n' \
      "$batch" "$accumulation" "${recompute#*:}" >"$work/kept.json"
    of_run=(--config "$work/kept.json") of_plan=(--kept-inputs "${recompute#*:}")
  fi
  local taken planned
  measure "${common[@]}"
  of_run=() of_plan=()
  taken=$((taken - own))
  local difference=$((planned - taken))
  local most=$((taken / 20 + 64000000)) verdict=ok
  if [ $difference -gt $most ] || [ $((-difference)) -gt $most ]; then verdict="OUTSIDE" failures=$((failures + 1)); fi
  printf '%-34s stage %s, offload %-4s, %s, %s ranks x %s x %s, context %4s, recompute %s: planned %11s, taken %11s: %+5.1f %%: %s\n' \
    "$*" "$stage" "$offload" "$precision" "$ranks" "$accumulation" "$batch" "$context" "$recompute" "$planned" "$taken" \
    "$(awk "BEGIN{print 100 * $difference / $taken}")" "$verdict"
  # The model's own figures are exact.
  local of_model
  of_model=$(sed -n 's/^ *0  model *activations *//p' "$work/run" | tr -d ,)
  if [ "$of_model" != "$(figure activation_bytes "$work/plan.json")" ]; then
    echo "  activations: planned $(figure activation_bytes "$work/plan.json"), taken $of_model"
    failures=$((failures + 1))
  fi
}

# A model of a few kilobytes shows what is the program's own.
measure --layers 1 --heads 1 --width 16 --context 16 --vocab 65536 --stage 0 --offload none --precision fp32 --ranks 1 \
  --batch 1 --accumulate 1
if [ "$taken" -gt "$planned" ]; then own=$((taken - planned)); fi
echo "the program itself takes $own bytes beyond its plan"
# follows RECOMPUTE WHAT: the configuration that a search writes, with the command beside it, trains as it was found.
follows() {
  "$plan" --layers 4 --heads 4 --width 64 --context 64 --vocab 65536 --memory 2GB --global-batch 8 --ranks 2 --device cpu \
    --recompute "$1" --write-config "$work/found.json" >"$work/plan.txt"
  local command
  command=$(sed -n "s|^Written: .*, for: train_gpt2 --config [^ ]*||p" "$work/plan.txt")
  # shellcheck disable=SC2086 # options, word by word
  "$train" --config "$work/found.json" $command --data "$work/tokens.bin" --vocab 65536 --iterations 2 --eval-batches 1 \
    --sample 0 >"$work/run"
  if ! grep -q "^activations: the backward pass computes $2 again" "$work/run"; then
    echo "  recompute $1: the run of the configuration that was found does not say so"
    failures=$((failures + 1))
  fi
}
follows selective attention
follows block blocks

small=(--layers 4 --heads 4 --width 256)
setting 3 cpu fp16 2 4 1 none 256 "${small[@]}"
setting 1 none bf16 4 2 2 none 128 "${small[@]}"
setting 2 none fp32 2 8 1 block:1 256 "${small[@]}"
setting 2 none bf16 2 8 1 selective 256 "${small[@]}" --dropout 0.1
if [ "$full" = --full ]; then
  setting 0 none fp32 1 4 1 none 256 "${small[@]}"
  setting 2 none bf16 2 8 2 none 256 "${small[@]}"
  setting 2 none bf16 2 4 1 selective 256 "${small[@]}"
  setting 3 none fp32 1 4 1 block 256 "${small[@]}"
  setting 0 none fp32 1 1 1 none 64 --model gpt2-124m
  setting 2 none bf16 2 2 2 none 256 --model gpt2-124m
  setting 2 cpu fp16 2 1 1 none 128 --model gpt2-124m
  setting 3 none bf16 2 4 1 none 128 --model gpt2-124m
  setting 1 none fp32 2 1 2 none 64 --model gpt2-124m
  setting 2 none bf16 2 1 1 selective 256 --model gpt2-124m
  setting 2 none bf16 2 2 1 block 256 --model gpt2-124m
  setting 3 none bf16 2 2 1 block 256 --model gpt2-124m
  setting 2 none bf16 2 2 1 block:3 256 --model gpt2-124m
  setting 3 none fp32 1 2 1 block:1 256 --model gpt2-124m
  setting 2 cpu fp16 2 1 1 block:3 256 --model gpt2-124m --dropout 0.1
  setting 2 none bf16 2 1 1 none 256 --model gpt2-124m --dropout 0.1
  setting 2 none fp16 1 1 2 none 64 --model gpt2-355m
  setting 2 none fp16 1 1 1 selective 256 --model gpt2-355m
  setting 3 cpu bf16 2 1 1 none 64 --model gpt2-355m
  setting 3 cpu bf16 2 1 1 block:5 128 --model gpt2-355m --dropout 0.1
fi
if [ $failures -gt 0 ]; then
  echo "planned_memory.sh: $failures differences" >&2
  exit 1
fi
