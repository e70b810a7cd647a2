#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# table.sh TABLE TRAIN_IMAGES WORK: the table of memory and speed, of a small model on pictures in CIFAR's layout.
set -euo pipefail
table=$1 trainer=$2 work=$3
python=${ZERO_TEST_PYTHON:-python3}
rm -rf "$work" && mkdir -p "$work/cifar" && cd "$work"
seq -f "class %g" 10 >cifar/batches.meta.txt
for part in data_batch_1 data_batch_2 data_batch_3 data_batch_4 data_batch_5 test_batch; do
  for label in 0 1 2 3; do
    printf '%b' "\\x0$label" && head -c 3072 /dev/zero
  done >"cifar/$part.bin"
done

die() {
  printf '%s\n' "$*" >&2
  exit 1
}
"$python" "$table" --batches 2,4 --ranks 1,2 --settings plain,offload,accumulate2 --output table.md -- \
  "$trainer" --data cifar --model mlp --hidden 8 --epochs 1 --threads 1 >said.md
cmp said.md table.md || die "the file is not what was said"
[ "$(wc -l <table.md)" = 14 ] || die "a row for each of 2 x 2 x 3 settings was expected: $(cat table.md)"
row='^\| [12] \| [24] \| (plain|offload|accumulate2) \| [0-9,]+ \| [+-][0-9]+ % \| [0-9.,]+ \| [0-9.]+ \|$'
[ "$(grep -cE "$row" table.md)" = 12 ] || die "rows of another form: $(cat table.md)"
[ "$(grep -cE '\| plain \|.*\| \+0 % \|.*\| 1\.00 \|$' table.md)" = 4 ] || die "first rows are not the measure"


# The largest batch of a card: more memory has room for more, and what was taken stays within. A small run says what the
# program takes by itself.
pictures=(--data synthetic:8 --image-size 224 --model mlp --hidden 8 --epochs 1 --val-share 0 --threads 1)
"$python" "$table" --batches 2 --ranks 1 --settings plain -- "$trainer" "${pictures[@]}" >base.md
base=$(awk -F'|' 'NR == 3 { gsub(",", "", $5); print $5 + 0 }' base.md)
cards=$(awk -v base="$base" 'BEGIN { printf "%.3f,%.3f", (base + 100) / 1000, (base + 300) / 1000 }')
"$python" "$table" --cards "$cards" --ranks 1 --settings plain,bf16 --output cards.md -- "$trainer" "${pictures[@]}" >said.md
cmp said.md cards.md || die "the file is not what was said"
awk -F'|' 'NR > 2 { card = $4 + 0; gsub(",", "", $6); if ($6 + 0 > 1000 * card || $5 + 0 <= 0) exit 1
  if (NR % 2 == 0 && $5 + 0 <= before) exit 1
  before = $5 + 0; rows++ } END { if (rows != 4) exit 1 }' cards.md || die "the largest batches are not: $(cat cards.md)"

# refused CODE TEXT ARGUMENT...: the table ends so, with one line.
refused() {
  local expected=$1 text=$2 code=0 said
  shift 2
  said=$("$python" "$table" "$@" 2>&1 >/dev/null) || code=$?
  [ $code = "$expected" ] || die "$*: ended with $code, and not $expected: $said"
  case $said in *"$text"*) ;; *) die "$*: says '$said', and not '$text'" ;; esac
  [ "$(wc -l <<<"$said")" = 1 ] || die "$*: says more than a line: $said"
}
refused 2 "no command" --batches 2
refused 2 "--batches x: give whole numbers" --batches x -- "$trainer"
refused 2 "--cards 0: give positive numbers" --cards 0 -- "$trainer"
refused 2 "--settings fp8: use plain" --settings fp8 -- "$trainer"
refused 2 "--batch: is no option" --batch 3 -- "$trainer"
refused 4 "nowhere" --batches 2 --ranks 1 -- "$trainer" --data nowhere --model mlp
refused 127 "No such file" --batches 2 --ranks 1 -- ./no_such_program
echo "the table has its rows"
