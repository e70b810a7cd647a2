#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# kill.sh ZERO_TOKENIZE KILLS: kills a preparation that often, each time a little later and in each way of making
# shards, and starts it again; the folder ends with the bytes of one that was never killed.
set -euo pipefail
program=$1 kills=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

die() {
  printf '%s\n' "$*" >&2
  exit 1
}

# Text whose words do not repeat much: some 2 MB.
awk 'BEGIN { for (i = 0; i < 60000; ++i) printf "%s line %d of part %x, word%c\n%s", i % 7 ? "the" : "\342\202\254", i, i * 2654435761 % 1048576, 97 + i % 26, i % 11 ? "" : "\n" }' >text.txt
awk '{ gsub(/"/, ""); printf "{\"text\": \"%s\", \"n\": %d}\n", $0, NR }' text.txt >text.jsonl

# prepare_killed FOLDER OPTION...: kills it soon after it has saved its state anew, at another moment each time; then at
# its first, second, ... call of rename, where strace is there.
prepare_killed() {
  local folder=$1 killed pid before hits=0
  shift
  for ((killed = 0; killed < kills; ++killed)); do
    before=$(stat -c %i "$folder/progress.json" 2>/dev/null || true)
    "$program" --output "$folder" --save-every 8K "$@" >out.txt 2>&1 &
    pid=$!
    while kill -0 "$pid" 2>/dev/null && [ "$(stat -c %i "$folder/progress.json" 2>/dev/null || true)" = "$before" ]; do sleep 0.002; done
    sleep "0.00$((killed % 10))"
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || hits=$((hits + 1))
  done
  for ((killed = 1; killed <= kills; ++killed)); do
    if ! command -v strace >/dev/null; then break; fi
    { strace -f -o trace.txt -e trace=rename -e "inject=rename:signal=KILL:when=$killed" \
      "$program" --output "$folder" --save-every 300K "$@" >out.txt || hits=$((hits + 1)); } 2>/dev/null
  done
  "$program" --output "$folder" --save-every 8K "$@" >out.txt 2>&1 || die "not gone on with: $(cat out.txt)"
  echo "$folder: killed $hits times"
}

check() {
  local name=$1
  shift
  "$program" --output "$name.whole" --threads 1 "$@" >/dev/null
  prepare_killed "$name.killed" --threads 2 "$@"
  diff -r "$name.whole" "$name.killed" || die "$name: the bytes differ"
}

"$program" --train-bpe 300 --tokenizer-only --output bpe text.txt >/dev/null
check file --tokenizer bpe/tokenizer.json --shard-tokens 100000 text.txt
check paragraphs --tokenizer bpe/tokenizer.json --documents paragraph --validation 0.2 --shard-tokens 77777 --encoding llm.c-uint32 text.txt
check lines --tokenizer bpe/tokenizer.json --validation 0.1 --separator after --encoding uint16 text.jsonl text.txt
check characters --characters --shard-tokens 65536 text.txt
check trained --train-bpe 300 --documents line --validation 0.1 text.txt
