#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# benchmarks/data/run.sh TRAIN_GPT2 [ROUNDS]: how much of its speed the trainer keeps where each read of a shard takes 20
# ms longer, with workers that load ahead and without. Rounds are interleaved: text in memory, which needs no read; the
# same tokens in a shard, loaded ahead; and loaded by the rank itself. Prints tokens/s of each round and the medians of
# the ratios within rounds. Needs g++ and python3.
set -euo pipefail
folder=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
train_gpt2=$(realpath "${1:?usage: benchmarks/data/run.sh TRAIN_GPT2 [ROUNDS]}")
rounds=${2:-5}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

g++ -std=c++20 -O2 -shared -fPIC "$folder/slow_reads.cpp" -o "$work/slow_reads.so"
python3 - "$work" <<'END'
import array, random, string, sys
random.seed(1)
characters = sorted(string.ascii_letters + string.digits + " .\n")
tokens = array.array("H", (random.randrange(len(characters)) for _ in range(1000000)))
tokens[:len(characters)] = array.array("H", range(len(characters)))  # so that the text has all of them
if sys.byteorder == "big":
    tokens.byteswap()
tokens.tofile(open(sys.argv[1] + "/tokens.bin", "wb"))
open(sys.argv[1] + "/tokens.txt", "w", newline="").write("".join(characters[t] for t in tokens))
END

# speed MILLISECONDS ARGUMENT...: tokens/s of steps 11 to 60.
speed() {
  local delay=$1
  shift
  LD_PRELOAD="$work/slow_reads.so" SLOW_READS_MS=$delay "$train_gpt2" --iterations 60 --eval-interval 60 \
    --eval-batches 1 --eval-train-batches 0 --sample 0 --log "$work/log" "$@" >"$work/out"
  awk -F '"ms": ' '/"step"/ && ++step > 10 { split($2, field, ","); ms += field[1] }
    END { print ms }' "$work/log" >"$work/ms"
  awk -v tokens="$tokens" '{ printf "%.0f\n", 50 * tokens / $1 * 1000 }' "$work/ms"
}

# compare NAME TOKENS_OF_A_STEP WORKERS PREFETCH ARGUMENT...
compare() {
  local name=$1 tokens=$2 workers=$3 prefetch=$4 round
  shift 4
  echo "$name: $workers workers, $prefetch ahead"
  : >"$work/rounds"
  for ((round = 0; round < rounds; ++round)); do
    local memory ahead alone
    memory=$(speed 20 --data "$work/tokens.txt" "$@")
    ahead=$(speed 20 --data "$work/tokens.bin" --vocab 65 --workers "$workers" --prefetch "$prefetch" "$@")
    alone=$(speed 20 --data "$work/tokens.bin" --vocab 65 --workers 0 "$@")
    echo "$memory $ahead $alone" | tee -a "$work/rounds"
  done
  awk '{ printf "%.3f\n", $2 / $1 }' "$work/rounds" | sort -n | awk '{ v[NR] = $1 } END { print "  ahead: " v[int((NR + 1) / 2)] " of memory" }'
  awk '{ printf "%.3f\n", $3 / $1 }' "$work/rounds" | sort -n | awk '{ v[NR] = $1 } END { print "  alone: " v[int((NR + 1) / 2)] " of memory" }'
}

compare "nanoGPT's setting" 768 24 48
compare "4 sequences of 256 tokens" 1024 4 8 --batch 4 --context 256
