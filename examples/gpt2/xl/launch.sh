#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# launch.sh --data DATA --output FOLDER [OPTION...] [-- OPTION OF TRAIN_GPT2...]
#
# Trains on one machine, after a look at what the run needs: programs, GPUs, data, configuration, memory, disk. Each of
# them is one line, "ok" or what is wrong and what to do. Where one is wrong nothing is started. The same command goes on
# with a run that was stopped.
#
#   --data DATA      as train_gpt2 takes it: a folder of shards, a text
#   --output FOLDER  takes checkpoints, log.jsonl and curves
#   --config FILE    DeepSpeed's configuration (default: ds_config.json beside this script)
#   --run FILE       options of train_gpt2, one a line (default: gpt2_xl.options beside this script). Those behind -- take
#                    their place. A client_state.json beside FILE goes into the checkpoints
#   --device cuda|cpu  (default: cuda where train_gpt2 finds a GPU)
#   --ranks N        (default: as many as GPUs; on the CPU 4, or the processors where they are fewer)
#   --start threads|torchrun|mpirun  what ranks are: threads of one process, or processes of a launcher (default: on GPUs
#                    torchrun or mpirun, whichever is there, if train_gpt2 has NCCL and there are several ranks; else
#                    threads)
#   --memory SIZE    of one GPU, or of the machine with --device cpu (default: what is free)
#   --check          look, and start nothing
#
# train_gpt2 and zero-plan are those of PATH. Exit codes: that of train_gpt2; and where nothing was started, of the first
# thing that is wrong: 1 a program, a GPU or room on the disk; 2 the command line or the configuration; 4 the data; 7 the
# memory.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)

die() {
  printf 'launch.sh: %s\n' "$1" >&2
  exit 2
}

code=0 # of the first thing that is wrong
fine() { printf 'launch.sh: %-13s ok: %s\n' "$1" "$2"; }
wrong() { # CODE WHAT SENTENCE
  printf 'launch.sh: %-13s WRONG: %s\n' "$2" "$3" >&2
  if [ "$code" -eq 0 ]; then code=$1; fi
}

# ------------------------------------------------------------------------------------------------ the command line

data="" output="" config=$here/ds_config.json run_file=$here/gpt2_xl.options device="" ranks="" start="" memory=""
only_check=false
more=()

read_command_line() {
  while [ $# -gt 0 ]; do
    case $1 in
      --check) only_check=true && shift && continue ;;
      --) shift && more=("$@") && break ;;
      -h | --help) sed -n '/^# launch/,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" && exit 0 ;;
      --data | --output | --config | --run | --device | --ranks | --start | --memory) ;;
      *) die "$1: unknown option; --help lists them, and those of train_gpt2 stand behind --" ;;
    esac
    if [ $# -lt 2 ] || [ -z "$2" ]; then die "$1: needs a value"; fi
    case $1 in
      --data) data=$2 ;;
      --output) output=$2 ;;
      --config) config=$2 ;;
      --run) run_file=$2 ;;
      --device) device=$2 ;;
      --ranks) ranks=$2 ;;
      --start) start=$2 ;;
      --memory) memory=$2 ;;
    esac
    shift 2
  done
  [ -n "$data" ] || die "--data: must be given: a folder that zero-tokenize has made"
  [ -n "$output" ] || die "--output: must be given: a folder for checkpoints and curves"
  case $device in "" | cuda | cpu) ;; *) die "--device $device: expected cuda or cpu" ;; esac
  case $start in "" | threads | torchrun | mpirun) ;; *) die "--start $start: expected threads, torchrun or mpirun" ;; esac
  [[ -z $ranks || $ranks =~ ^[1-9][0-9]{0,2}$ ]] || die "--ranks $ranks: expected a number from 1 on"
}

# is_given NAME: whether an option of train_gpt2 stands behind --.
is_given() {
  local word
  for word in ${more[@]+"${more[@]}"}; do
    if [ "${word%%=*}" = "$1" ]; then return 0; fi
  done
  return 1
}

options=() log=() # the log's folder is made last, and so a dry run has no log
# add NAME [VALUE]: an option for train_gpt2, unless it is given behind --.
add() { is_given "$1" || options+=("$@"); }

read_run_file() {
  local line number=0
  [ -f "$run_file" ] || die "--run $run_file: there is no such file"
  while IFS= read -r line || [ -n "$line" ]; do
    number=$((number + 1))
    line=${line%$'\r'}
    case $line in
      "" | \#*) ;;
      --*" "*) add "${line%% *}" "${line#* }" ;;
      --*) add "$line" ;;
      *) die "$run_file:$number: $line: expected an option of train_gpt2, such as --iterations 20, or # and a remark" ;;
    esac
  done <"$run_file"
  local state
  state=$(dirname -- "$run_file")/client_state.json
  if [ -f "$state" ]; then add --client-state "$state"; fi
}

gather_options() {
  local name
  for name in --config --data --device --ranks --checkpoint-dir; do
    if is_given "$name"; then die "$name: stands before --, and not behind it (--output for --checkpoint-dir)"; fi
  done
  read_run_file
  add --checkpoint-dir "$output/checkpoints"
  add --resume auto
  if ! is_given --log; then log=(--log "$output/log.jsonl"); fi
  add --csv "$output/curves"
}

# ------------------------------------------------------------------------------------------------------ the checks

check_programs() {
  local program missing=""
  for program in train_gpt2 zero-plan; do
    command -v "$program" >/dev/null || missing="${missing:+$missing and }$program"
  done
  if [ -n "$missing" ]; then
    wrong 1 programs "$missing: not in PATH: install the programs (docs/install.md), or add their folders to PATH"
    exit "$code"
  fi
  version=$(train_gpt2 --version)
  fine programs "$(command -v train_gpt2)"
}

# has WHAT: the line of --version, where the program has it.
has() { sed -n "s/^$1: //p" <<<"$version" | grep -v -e '^built without$' -e '^none'; }

gpus=0
count_gpus() {
  local found
  found=$(has GPUs) || return 0
  gpus=1
  if [[ $found =~ \ x\ ([0-9]+), ]]; then gpus=${BASH_REMATCH[1]}; fi
}

# query WHAT: a line of nvidia-smi for each GPU that this process may use.
query() {
  local chosen=()
  if [ -n "${CUDA_VISIBLE_DEVICES:-}" ]; then chosen=(-i "$CUDA_VISIBLE_DEVICES"); fi
  nvidia-smi ${chosen[@]+"${chosen[@]}"} "--query-$1" --format=csv,noheader,nounits 2>/dev/null
}

free_of_gpus="" # MiB of the one that has least
check_gpus() {
  if [ "$device" = cpu ]; then
    fine GPUs "none is asked for: --device cpu"
    return
  fi
  if ! has CUDA >/dev/null; then
    wrong 1 GPUs "this train_gpt2 was built without CUDA: build it with -DZERO_BUILD_CUDA=ON, or use --device cpu"
    return
  fi
  if [ "$gpus" -eq 0 ]; then
    wrong 1 GPUs "train_gpt2 finds none: see whether nvidia-smi does, or use --device cpu"
    return
  fi
  if [ "$ranks" -gt "$gpus" ] && [ "$start" != threads ]; then
    wrong 1 GPUs "$ranks ranks, but $gpus: give --ranks $gpus, or --start threads, where ranks share GPUs"
    return
  fi
  local busy
  busy=$(query compute-apps=pid | sort -un | paste -sd ' ') || busy=""
  if [ -n "$busy" ]; then
    wrong 1 GPUs "other processes compute there ($busy): wait for them, or choose others by CUDA_VISIBLE_DEVICES"
    return
  fi
  free_of_gpus=$(query gpu=memory.free | sort -n | head -n 1) || free_of_gpus=""
  fine GPUs "$(has GPUs)"
}

# one_line FILE: what train_gpt2 says last of what is wrong, without its name.
one_line() {
  local line
  line=$(grep '^train_gpt2: ' "$1" | tail -n 1) || line=""
  if [ -z "$line" ]; then line=$(grep -v '^[ -]*$' "$1" | tail -n 1); fi
  printf '%s\n' "${line#train_gpt2: }"
}

said="" # by the dry run, which tells data and configuration apart by its exit code
check_run() {
  local result=0
  said=$(mktemp)
  "${command[@]}" --dry-run >"$said" 2>&1 || result=$?
  case $result in
    0)
      fine data "$(sed -n '0,/^data: /s/^data: //p' "$said")"
      fine configuration "$config, $(sed -n 's/^run: //p' "$said")"
      ;;
    4 | 5) wrong 4 data "$(one_line "$said")" ;;
    2) wrong 2 configuration "$(one_line "$said")" ;;
    *) wrong 1 train_gpt2 "$(one_line "$said")" ;;
  esac
  return $result
}

# plan OPTION...: zero-plan of what the dry run has said, as JSON on one line; its exit code.
plan() {
  local model run precision settings kept shape='([0-9]+) layers?, ([0-9]+) heads?, width ([0-9]+), context ([0-9]+)'
  model=$(sed -n 's/^model: //p' "$said")
  run=$(sed -n 's/^run: //p' "$said")
  [[ $model =~ $shape ]]
  settings=(--layers "${BASH_REMATCH[1]}" --heads "${BASH_REMATCH[2]}" --width "${BASH_REMATCH[3]}" --context "${BASH_REMATCH[4]}")
  settings+=(--vocab "$(sed -n 's/^data: .* vocabulary \([0-9]*\)$/\1/p' "$said" | head -n 1)")
  [[ $run =~ ^([0-9]+)\ ranks?,\ ZeRO-([0-3]),\ (fp32|bf16|fp16),\ offload\ (none|cpu) ]]
  settings+=(--ranks "${BASH_REMATCH[1]}" --stage "${BASH_REMATCH[2]}" --offload "${BASH_REMATCH[4]}")
  precision=${BASH_REMATCH[3]}
  [[ $run =~ ([0-9]+)\ sequences?\ x\ ([0-9]+)\ micro-batch(es)?\ per\ (rank\ and\ )? ]]
  settings+=(--batch "${BASH_REMATCH[1]}")
  if [ -n "${BASH_REMATCH[4]}" ]; then
    settings+=(--accumulate "${BASH_REMATCH[2]}")
  else
    settings+=(--micro-batches "${BASH_REMATCH[2]}")
  fi
  if grep -q '^activations: .* computes attention again' "$said"; then settings+=(--recompute selective); fi
  kept=$(sed -n 's/^activations: .* computes blocks again, from \([0-9]*\) kept inputs\{0,1\}.*/\1/p' "$said")
  if [ -n "$kept" ]; then settings+=(--recompute block --kept-inputs "$kept"); fi
  if grep -q '^activations: .* in pinned host memory' "$said"; then settings+=(--inputs-on-host); fi
  if [ "$start" != threads ] && [ "$device" = cuda ]; then settings+=(--nccl auto); fi
  zero-plan "${settings[@]}" --precision "$precision" --device "$device" "$@" --json - 2>"$said.plan"
}

# figure NAME JSON: its first number of that name.
figure() { sed -n "s/.*\"$1\": *\([0-9]*\).*/\1/p" <<<"$2" | head -n 1; }

# size BYTES: in GB or MB.
size() { awk -v bytes="$1" 'BEGIN { if (bytes < 1e8) printf "%.2f MB", bytes / 1e6; else printf "%.2f GB", bytes / 1e9 }'; }

# free_memory: bytes that one rank's device has, or the machine; nothing where nobody says it.
free_memory() {
  if [ "$device" = cpu ]; then
    awk '/^MemAvailable:/ { printf "%.0f\n", $2 * 1024 }' /proc/meminfo 2>/dev/null || true
  elif [ -n "$free_of_gpus" ]; then
    echo $((free_of_gpus * 1048576 / ((ranks + gpus - 1) / gpus)))
  fi
}

planned=""
check_memory() {
  local result=0 there=${memory:-$(free_memory)} what
  if [ -z "$there" ]; then
    wrong 7 memory "nvidia-smi does not say how much is free: give --memory SIZE, such as 24GB"
    return
  fi
  planned=$(plan --memory "$there") || result=$?
  if [ $result -ne 0 ] && [ $result -ne 7 ]; then
    wrong 2 memory "$(sed 's/^zero-plan: //' "$said.plan" | tail -n 1)"
    return
  fi
  what="a rank takes $(size "$(figure device_bytes "$planned")")"
  if [ "$device" = cpu ]; then what="all ranks take $(size "$(figure process_bytes "$planned")")"; fi
  if [[ $there =~ ^[0-9]+$ ]]; then there=$(size "$there"); fi
  if [ $result -eq 0 ]; then
    fine memory "$what of $there (prediction)"
  else
    wrong 7 memory "$what of $there (prediction): see what fits by zero-plan --global-batch (docs/planner.md)"
  fi
}

# Room for the newest checkpoint and the one that is being written.
check_disk() {
  local place=$output need free
  while [ ! -e "$place" ]; do place=$(dirname -- "$place"); done
  if [ -z "$planned" ]; then return; fi # memory has said why
  need=$(($(figure checkpoint_bytes "$planned") * 2))
  free=$(($(df -Pk -- "$place" | awk 'END { print $4 }') * 1024))
  if [ "$free" -lt "$need" ]; then
    wrong 1 disk "$place has $(size "$free"), and two checkpoints take $(size "$need"): free space, or name another --output"
  else
    fine disk "two checkpoints take $(size "$need") of $(size "$free")"
  fi
}

# ------------------------------------------------------------------------------------------------------- the start

# What is not said: device, ranks, and what ranks are.
choose() {
  count_gpus
  if [ -z "$device" ]; then
    if [ "$gpus" -gt 0 ]; then device=cuda; else device=cpu; fi
  fi
  if [ -z "$ranks" ]; then
    if [ "$device" = cuda ]; then
      ranks=$((gpus > 0 ? gpus : 1))
    else
      ranks=$(nproc)
      if [ "$ranks" -gt 4 ]; then ranks=4; fi
    fi
  fi
  if [ -n "$start" ]; then return; fi
  start=threads
  if [ "$device" = cuda ] && [ "$ranks" -gt 1 ] && has NCCL >/dev/null; then
    if command -v torchrun >/dev/null; then
      start=torchrun
    elif command -v mpirun >/dev/null; then
      start=mpirun
    fi
  fi
}

command=()
make_command() {
  case $start in
    threads) command=(train_gpt2 --ranks "$ranks") ;;
    torchrun) command=(torchrun --no-python --standalone --nproc-per-node "$ranks" train_gpt2) ;;
    mpirun) command=(mpirun -n "$ranks" train_gpt2) ;;
  esac
  command+=(--device "$device" --config "$config" --data "$data" "${options[@]}" ${more[@]+"${more[@]}"})
}

read_command_line "$@"
gather_options
check_programs
choose
if [ "$start" != threads ] && ! command -v "$start" >/dev/null; then
  wrong 1 programs "$start: not in PATH: install it, or use --start threads"
  exit "$code"
fi
make_command
trap 'rm -f -- "$said" "$said.plan"' EXIT
check_gpus
if [ "$code" -ne 0 ]; then # a dry run would say it again
  printf 'launch.sh: %-13s not looked at\n' data configuration memory disk >&2
elif check_run; then
  check_memory
  check_disk
else
  printf 'launch.sh: %-13s not looked at\n' memory disk >&2
fi
if [ "$code" -ne 0 ]; then
  printf 'launch.sh: nothing was started\n' >&2
  exit "$code"
fi
if $only_check; then exit 0; fi
rm -f -- "$said" "$said.plan"
mkdir -p -- "$output"
exec "${command[@]}" ${log[@]+"${log[@]}"}
