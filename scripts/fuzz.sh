#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# scripts/fuzz.sh [SECONDS]: feeds every parser of files and messages with what libFuzzer finds, under the address and
# undefined-behaviour sanitizers, all side by side, for so many seconds (default: 600). Needs clang++. What breaks one
# is left in build/fuzz, as is what each has printed.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
source scripts/dependencies.sh

compile=(clang++ -std=c++20 -g1 "-fsanitize=fuzzer,address,undefined" -fno-sanitize-recover=all -I. -Iinclude -Iexamples -Itools)

# What of text is not in headers, once for all targets: writes build/fuzz/text.o.
compile_text() {
  local source
  for source in tools/text/*.cpp; do printf '#include "%s"\n' "$source"; done >build/fuzz/text.cpp
  "${compile[@]}" -fsanitize=fuzzer-no-link -c build/fuzz/text.cpp -o build/fuzz/text.o
}

# fuzz <folder> <target> <seconds>: New inputs go into the first folder; the corpus that is checked in stays as it is.
fuzz() {
  local corpus="build/fuzz/$2" objects=()
  mkdir -p "$corpus"
  if [ "$1" = text ]; then objects=(build/fuzz/text.o); fi
  "${compile[@]}" "tests/$1/fuzz/$2.cpp" ${objects[@]+"${objects[@]}"} -o "build/fuzz/fuzz_$2" &&
    "build/fuzz/fuzz_$2" -max_total_time="$3" -max_len=16384 -print_final_stats=1 -verbosity=0 \
      -artifact_prefix=build/fuzz/ "$corpus" "tests/$1/fuzz/corpus/$2"
}

main() {
  local seconds=${1:-600} target broken=""
  local -A processes=()
  [[ $seconds =~ ^[1-9][0-9]*$ ]] || die "usage: scripts/fuzz.sh [SECONDS]"
  has_command clang++ || die "fuzzing needs clang++ with libFuzzer (Debian, Ubuntu: clang)"
  mkdir -p build/fuzz
  if [ "$seconds" -ge 60 ]; then compile+=(-O1); fi # which takes twice as long, and pays when inputs are tried for long
  compile_text
  for target in checkpoint/header checkpoint/manifest bootstrap/messages config/configuration gpt2/shard \
    text/tokenizer text/nanogpt_meta text/folder_manifest; do
    say "fuzzing: $target, $seconds s"
    fuzz "${target%/*}" "${target#*/}" "$seconds" >"build/fuzz/${target#*/}.log" 2>&1 &
    processes[${target#*/}]=$!
  done
  for target in "${!processes[@]}"; do
    if wait "${processes[$target]}"; then
      say "fuzzed: $target"
      grep '^stat::' "build/fuzz/$target.log"
    else
      broken+=" $target"
      tail -n 60 "build/fuzz/$target.log"
    fi
  done
  [ -z "$broken" ] || die "fuzzing has broken:$broken"
}

main "$@"
