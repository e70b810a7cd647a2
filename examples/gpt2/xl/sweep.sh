#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# sweep.sh --data DATA --output FOLDER MODEL [SETTINGS] [OPTION...] [-- OPTION OF TRAIN_GPT2...]
# sweep.sh --data DATA --output FOLDER MODEL --best N --global-batch B --memory SIZE [OPTION...] [-- ...]
#
# Trains a few steps with each setting, and writes what they take as FOLDER/sweep.md and FOLDER/sweep.csv: ms of a step,
# memory of a rank, and what of it are parameters, gradients, states, activations and rest. A setting that fails, or that
# does not fit, is a row with its reason. The same command goes on where it was stopped.
#
#   --data DATA      as train_gpt2 takes it: a folder of shards, a text
#   MODEL            --model NAME, or --layers N --heads N --width N; and --context N
# the settings, each with commas between several; all combinations are tried:
#   --stage 0,1,2,3 --offload none,cpu --recompute none,selective,block --batch 1,2 --accumulate 1,8
#                    (default: stages 0 to 3, none, none, 1, 1)
# or those that the plan finds:
#   --best N         the first N settings of zero-plan --global-batch that fit
#   --global-batch B sequences of a step, over all ranks
# options:
#   --memory SIZE    of one GPU, or of the machine with --device cpu: what is planned to take more is not tried
#   --config FILE    a configuration of DeepSpeed's that leaves train_batch_size out (default: none)
#   --device cuda|cpu (default: cpu)   --ranks N (default: 1)   --precision fp32|bf16|fp16 (default: fp16)
#   --steps N        of each setting (default: 20)
#   --retry          try again what has failed
#   --overwrite      begin anew where another sweep is
#
# train_gpt2, zero-plan and python3 are those of PATH. Exit codes: 0 something was measured; 1 nothing was, or a program
# is missing; 2 a command line that cannot be run; 3 stopped by a signal; 4 the data; 7 nothing fits the memory.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)

die() { # CODE SENTENCE
  printf 'sweep.sh: %s\n' "$2" >&2
  exit "$1"
}

data="" output="" config="" device=cpu ranks=1 precision=fp16 steps=20 memory="" best="" global_batch=""
stages="" offloads="" recomputes="" batches="" accumulates="" retry=false overwrite=false
model=() more=()

read_command_line() {
  while [ $# -gt 0 ]; do
    case $1 in
      --retry) retry=true && shift && continue ;;
      --overwrite) overwrite=true && shift && continue ;;
      --) shift && more=("$@") && break ;;
      -h | --help) sed -n '/^# sweep/,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" && exit 0 ;;
      --*) if [ $# -lt 2 ] || [ -z "$2" ]; then die 2 "$1: needs a value, or is no option: --help lists them"; fi ;;
      *) die 2 "$1: is no option: --help lists them" ;;
    esac
    case $1 in
      --data) data=$2 ;;
      --output) output=$2 ;;
      --config) config=$2 ;;
      --device) device=$2 ;;
      --ranks) ranks=$2 ;;
      --precision) precision=$2 ;;
      --steps) steps=$2 ;;
      --memory) memory=$2 ;;
      --best) best=$2 ;;
      --global-batch) global_batch=$2 ;;
      --stage) stages=$2 ;;
      --offload) offloads=$2 ;;
      --recompute) recomputes=$2 ;;
      --batch) batches=$2 ;;
      --accumulate) accumulates=$2 ;;
      --model | --layers | --heads | --width | --context) model+=("$1" "$2") ;;
      *) die 2 "$1: unknown option; --help lists them, and those of train_gpt2 stand behind --" ;;
    esac
    shift 2
  done
}

# list NAME VALUE PATTERN WORDS: refuses what is no list of such values.
list() {
  [[ $2 =~ ^($3)(,($3))*$ ]] || die 2 "$1 $2: expected $4, with commas between several"
}

check_command_line() {
  [ -n "$data" ] || die 2 "--data: must be given: a folder that zero-tokenize has made"
  [ -n "$output" ] || die 2 "--output: must be given: a folder for tables and runs"
  [ ${#model[@]} -gt 0 ] || die 2 "which model? --model NAME, or --layers, --heads, --width"
  local name
  for name in "--ranks $ranks" "--steps $steps"; do
    [[ ${name#* } =~ ^[1-9][0-9]{0,5}$ ]] || die 2 "$name: expected a number from 1 on"
  done
  if [ -z "$best" ]; then
    [ -z "$global_batch" ] || die 2 "--global-batch: needs --best, which says how many settings of the plan"
    list --stage "${stages:=0,1,2,3}" '[0-3]' 'stages from 0 to 3'
    list --offload "${offloads:=none}" 'none|cpu' 'none or cpu'
    list --recompute "${recomputes:=none}" 'none|selective|block' 'none, selective or block'
    list --batch "${batches:=1}" '[1-9][0-9]{0,5}' 'numbers from 1 on'
    list --accumulate "${accumulates:=1}" '[1-9][0-9]{0,5}' 'numbers from 1 on'
    return
  fi
  [[ $best =~ ^[1-9][0-9]{0,5}$ ]] || die 2 "--best $best: expected a number from 1 on"
  [ -n "$global_batch" ] || die 2 "--best: needs --global-batch, the sequences of a step"
  [ -n "$memory" ] || die 2 "--best: needs --memory, which the settings are to fit"
  [ -z "$batches$accumulates" ] || die 2 "--best: finds --batch and --accumulate: leave them out"
}

require_programs() {
  local program
  for program in train_gpt2 zero-plan python3; do
    command -v "$program" >/dev/null ||
      die 1 "$program: not in PATH: install it (docs/install.md), or add its folder to PATH"
  done
}

tables() { python3 "$here/sweep_tables.py" "$@"; }

# What computes: the GPUs, or the processors.
machine() {
  if [ "$device" = cuda ]; then
    train_gpt2 --version | sed -n 's/^GPUs: //p'
  else
    printf '%s, %s processors\n' "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)"
  fi
}

trainer=()
# Looks at data and model by a dry run, which says the vocabulary of the plan.
look() {
  trainer=(train_gpt2 --data "$data" --device "$device" --ranks "$ranks" --precision "$precision" --iterations "$steps"
    --eval-interval "$steps" --eval-batches 1 --eval-train-batches 0 --sample 0 "${model[@]}")
  if [ -n "$config" ]; then trainer+=(--config "$config"); fi
  trainer+=(${more[@]+"${more[@]}"})
  local said result=0
  said=$("${trainer[@]}" --batch 1 --accumulate 1 --dry-run 2>&1) || result=$?
  [ $result -eq 0 ] || die $result "$(tail -n 1 <<<"$said" | sed 's/^train_gpt2: //')"
  vocabulary=$(sed -n 's/^data: .* vocabulary \([0-9]*\)$/\1/p' <<<"$said" | head -n 1)
  # A model by its name has its own context, and one by its sizes that of the trainer.
  context=$(sed -n 's/^model: .* context \([0-9]*\): .*/\1/p' <<<"$said")
}

# plan OPTION...: zero-plan of the model on the machine, as JSON.
plan() {
  local shape=("${model[@]}")
  case " ${model[*]} " in *" --context "*) ;; *) shape+=(--context "$context") ;; esac
  zero-plan "${shape[@]}" --vocab "$vocabulary" --ranks "$ranks" --precision "$precision" --device "$device" "$@" --json -
}

# write_settings: stage, offload, recompute, micro-batch and accumulation of each, one a line.
write_settings() {
  local stage offload recompute batch accumulate
  if [ -n "$best" ]; then
    local choice=() result=0
    if [ -n "$stages" ]; then choice+=(--stage "$stages"); fi
    if [ -n "$offloads" ]; then choice+=(--offload "$offloads"); fi
    if [ -n "$recomputes" ]; then choice+=(--recompute "$recomputes"); fi
    plan --global-batch "$global_batch" --memory "$memory" ${choice[@]+"${choice[@]}"} >"$output/plan.json" \
      2>"$output/plan.error" || result=$?
    [ $result -eq 0 ] || [ $result -eq 7 ] || die $result "$(sed 's/^zero-plan: //' "$output/plan.error" | tail -n 1)"
    tables settings "$output/plan.json" "$best" >"$output/settings"
    [ -s "$output/settings" ] || die 7 "no setting fits $memory: zero-plan with the same options says what the smallest takes"
    return
  fi
  for stage in ${stages//,/ }; do
    for offload in ${offloads//,/ }; do
      for recompute in ${recomputes//,/ }; do
        for batch in ${batches//,/ }; do
          for accumulate in ${accumulates//,/ }; do
            printf '%s %s %s %s %s\n' "$stage" "$offload" "$recompute" "$batch" "$accumulate"
          done
        done
      done
    done
  done >"$output/settings"
}

# Takes the folder: a sweep that was begun by the same command goes on.
begin() {
  local asked
  asked=$(printf '%q ' "${trainer[@]}" "$memory" "$best" "$global_batch" "$stages" "$offloads" "$recomputes" "$batches" "$accumulates")
  mkdir -p -- "$output/runs" 2>/dev/null || die 2 "--output $output: the folder cannot be made"
  exec 9>"$output/.lock"
  flock -n 9 || die 2 "--output $output: another sweep writes there: wait for it, or name another folder"
  if $overwrite; then rm -rf -- "$output/asked" "$output/runs" && mkdir -- "$output/runs"; fi
  if [ -f "$output/asked" ]; then
    [ "$(cat -- "$output/asked")" = "$asked" ] ||
      die 2 "--output $output: holds a sweep with other options: name another folder, or give --overwrite"
    return
  fi
  write_settings
  printf '%s\n' "$asked" >"$output/asked"
}

child=""
stop() {
  trap '' TERM INT
  if [ -n "$child" ]; then
    kill -TERM "$child" 2>/dev/null || true
    wait "$child" || true
  fi
  printf 'sweep.sh: stopped; the same command goes on from here\n' >&2
  exit 3
}
trap stop TERM INT

# reason FILE CODE: why a run has ended, in a line.
reason() {
  local line
  line=$(grep '^train_gpt2: ' "$1" | tail -n 1) || line=""
  line=${line#train_gpt2: }
  if [ -z "$line" ] && [ "$2" -gt 128 ]; then line="ended by the signal $(($2 - 128)), as where memory is short"; fi
  printf '%s\n' "${line:-exit code $2}"
}

# measure STAGE OFFLOAD RECOMPUTE BATCH ACCUMULATE
measure() {
  local folder result=0 planned="" bytes=device_bytes limit=()
  folder=$output/runs/$(IFS=_ && echo "$*")
  if [ -f "$folder/row.json" ]; then
    if ! $retry || grep -q '"status": "measured"' "$folder/row.json"; then return; fi
  fi
  rm -rf -- "$folder"
  mkdir -- "$folder"
  if [ "$device" = cpu ]; then bytes=process_bytes; fi
  if [ -n "$memory" ]; then limit=(--memory "$memory"); fi
  plan --stage "$1" --offload "$2" --recompute "$3" --batch "$4" --accumulate "$5" ${limit[@]+"${limit[@]}"} \
    >"$folder/plan.json" 2>"$folder/plan.error" || result=$?
  if [ $result -ne 0 ] && [ $result -ne 7 ]; then
    tables row "$folder" failed "" "$(sed 's/^zero-plan: //' "$folder/plan.error" | tail -n 1)"
    return
  fi
  planned=$(sed -n "s/.*\"$bytes\": *\([0-9]*\).*/\1/p" "$folder/plan.json" | head -n 1)
  if [ $result -eq 7 ]; then
    tables row "$folder" "does not fit" "$planned" "planned to take $planned bytes of $memory"
    return
  fi
  # All of it is said, so that a configuration beside it says none.
  local setting=(--stage "$1" --offload "$2" --recompute "$3" --batch "$4" --accumulate "$5")
  "${trainer[@]}" "${setting[@]}" --log "$folder/log.jsonl" >"$folder/output" 2>&1 9>&- &
  child=$!
  wait "$child" || result=$?
  child=""
  if [ $result -eq 0 ]; then
    tables row "$folder" measured "$planned" ""
  else
    tables row "$folder" failed "$planned" "$(reason "$folder/output" $result)"
  fi
}

read_command_line "$@"
check_command_line
require_programs
look
begin
while read -r stage offload recompute batch accumulate; do
  measure "$stage" "$offload" "$recompute" "$batch" "$accumulate"
done <"$output/settings"
tables tables "$output" "# ${model[*]}: ranks: $ranks, $precision, $steps steps of each setting

On: $(machine)."
tables fastest "$output"
