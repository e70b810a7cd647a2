#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# benchmarks/run.sh [--json FILE] [--data FILE] [--benchmark_filter=REGEX or another option of Google Benchmark]
#
# Builds the benchmarks and runs them one after another, and then the GPT-2 trainer at nanoGPT's CPU setting (on the
# text of --data; default: the C++ standard library headers) and at the size of GPT-2 124M. Prints machine, compiler
# and versions first. --json writes all results into one file in Google Benchmark's format.
set -euo pipefail
repository=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
build="$repository/build/benchmarks"
source "$repository/scripts/dependencies.sh"

install_dependencies() {
  need g++ has_compiler
  need cmake has_command cmake
  need make has_build_tool
  install_missing
  need libbenchmark-dev has_header benchmark/benchmark.h
  install_missing
  choose_generator
}

describe() {
  machine=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo 2>/dev/null | head -n 1)
  machine="${machine:-$(uname -m)}, $(processors) processors, $(uname -sr)"
  compiler_version=$("$(compiler)" --version | head -n 1)
  revision=$(git -C "$repository" describe --always --dirty 2>/dev/null || echo "not under git")
  say "machine:  $machine"
  say "compiler: $compiler_version, -O3 (CMake's Release)"
  say "zero:     $revision; $(cmake --version | head -n 1)"
}

run_benchmarks() {
  local program out launcher
  for program in "$build"/benchmarks/bin/*; do
    say "$(basename "$program")"
    out="$build/$(basename "$program").json"
    launcher=()
    # As root in a container, too.
    case $(basename "$program") in mpi_*) launcher=(env OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 mpiexec -n 2) ;; esac
    ${launcher[@]+"${launcher[@]}"} "$program" --benchmark_out="$out" --benchmark_out_format=json "--benchmark_context=machine=${machine//,/;}" \
      "--benchmark_context=compiler=${compiler_version//,/;}" "--benchmark_context=revision=$revision" "$@"
    outputs+=("$out")
  done
}

# train <name> <steps> <argument of train_gpt2...>: the median of the steps after the first fifth, which warm up.
train() {
  local name=$1 steps=$2 log="$build/train.jsonl" out="$build/train_${#outputs[@]}.json"
  shift 2
  "$build/examples/gpt2/train_gpt2" --iterations "$steps" --eval-interval "$steps" --eval-batches 1 --sample 0 \
    --log "$log" "$@" >/dev/null
  sed -n 's/.*"step": \([0-9]*\),.*"tokens_per_second": \([0-9.e+]*\).*/\1 \2/p' "$log" |
    awk -v first="$((steps / 5))" '$1 > first && $1 < '"$steps"' { print $2 }' | sort -g |
    awk -v name="$name" '{ speed[NR] = $1 }
      END {
        median = speed[int((NR + 1) / 2)]
        printf "{\"context\": {}, \"benchmarks\": [{\"name\": \"%s\", \"run_name\": \"%s\", ", name, name
        printf "\"run_type\": \"iteration\", \"iterations\": %d, \"items_per_second\": %.1f, ", NR, median
        printf "\"items_per_second_min\": %.1f, \"items_per_second_max\": %.1f}]}\n", speed[1], speed[NR]
        printf "%-36s %10.0f tokens/s (%.0f to %.0f)\n", name, median, speed[1], speed[NR] >"/dev/stderr"
      }' >"$out"
  outputs+=("$out")
}

run_trainer() {
  local stage tokens="$build/tokens.bin" i
  say "train_gpt2"
  train train_gpt2/small/ranks:1/threads:2 200 --threads 2 --stage 0 "$@"
  for stage in 0 1 2 3; do
    train "train_gpt2/small/ranks:2/stage:$stage" 100 --ranks 2 --threads 1 --stage "$stage" "$@"
  done
  # Any even number of ASCII characters is a file of 16-bit tokens below 50257, whose values do not change the speed.
  for ((i = 0; i < 20; ++i)); do cat "$repository/LICENSE" "$repository/LICENSE"; done >"$tokens"
  train train_gpt2/124m/ranks:1/threads:2 12 --threads 2 --stage 0 --layers 12 --heads 12 --width 768 \
    --context 64 --batch 4 --data "$tokens" --vocab 50257
}

main() {
  local json="" data=() options=()
  outputs=()
  while [ $# -gt 0 ]; do
    case $1 in
      --json) json=${2:?--json needs a file} && shift 2 ;;
      --data) data=(--data "${2:?--data needs a file}") && shift 2 ;;
      --benchmark_*) options+=("$1") && shift ;;
      *) die "usage: benchmarks/run.sh [--json FILE] [--data FILE] [--benchmark_...]" ;;
    esac
  done
  install_dependencies
  describe
  cmake -S "$repository" -B "$build" -DCMAKE_BUILD_TYPE=Release -DZERO_BUILD_TESTS=OFF \
    -DCMAKE_REQUIRE_FIND_PACKAGE_benchmark=ON >/dev/null
  cmake --build "$build" --parallel "$(processors)"
  run_benchmarks ${options[@]+"${options[@]}"}
  run_trainer ${data[@]+"${data[@]}"}
  [ -z "$json" ] || cmake -P "$repository/benchmarks/merge.cmake" "$json" "${outputs[@]}"
}

main "$@"
