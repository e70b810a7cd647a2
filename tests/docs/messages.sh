#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# messages.sh SOURCE PAGE WORK TRAIN_GPT2 ZERO_PLAN: what a page quotes of the programs' messages, in tables behind
# <!-- messages -->, stands in the sources, piece by piece where … stands for what differs; and some of them are brought about,
# to see that the row has the exit code that the program ends with.
# Backticks are of Markdown.
# shellcheck disable=SC2016
set -euo pipefail
source=$1 page=$2 work=$3 train=$4 plan=$5
rm -rf -- "$work"
mkdir -p -- "$work"

# All sources, with literals joined that the compiler joins, and quotation marks as they are printed.
find "$source"/{include,examples,tools,scripts} \( -name '*.[hc]pp' -o -name '*.inc' -o -name '*.py' \) -print0 |
  sort -z | xargs -0 cat |
  tr '\n' ' ' | sed -E 's/" *\\?"//g; s/\\"/"/g' >"$work/sources"

rows() { sed -n '/^<!-- messages -->$/,/^<!-- end -->$/p' "$page" | grep '^| `'; }
checked=0
failed=
while IFS= read -r row; do
  message=$(sed -E 's/^\| `([^`]*)`.*/\1/' <<<"$row")
  while IFS= read -r piece; do
    piece=$(sed -E 's/^ +//; s/ +$//' <<<"$piece")
    [ ${#piece} -ge 6 ] || continue
    checked=$((checked + 1))
    grep -qF -- "$piece" "$work/sources" || { echo "$page: no program says: $piece" >&2 && failed=yes; }
  done <<<"${message//…/$'\n'}"
done < <(rows)
[ $checked -gt 30 ] || { echo "$page: only $checked pieces of messages were found" >&2 && exit 1; }

# ends CODE PROGRAM ARGUMENT...: with a line that one row quotes, whose second cell is CODE.
ends() {
  local wanted=$1 code=0 said row message pattern
  shift
  said=$("$@" 2>&1 >"$work/out" </dev/null) || code=$?
  [ -n "$said" ] || said=$(tail -n 3 "$work/out") # a plan that nothing fits is a result
  while IFS= read -r row; do
    message=$(sed -E 's/^\| `([^`]*)` \| ([^ ]*) .*/\1/' <<<"$row")
    pattern=$(sed -E 's/[][()\\.*^$+?{}|]/\\&/g; s/ *… */.*/g' <<<"$message")
    grep -qE -- "$pattern" <<<"$said" || continue
    [[ $row = *"\` | $wanted |"* ]] && [ "$code" = "$wanted" ] && return
    echo "$page: '$message' has another code than $code, with which this ends: $*" >&2
    failed=yes
    return
  done < <(rows)
  echo "$page: has no row for what this says: $*: $said" >&2
  failed=yes
}

cd "$work"
tiny=(--layers 1 --heads 2 --width 16 --context 16 --batch 1 --threads 1 --sample 0 --eval-batches 1)
"$train" "${tiny[@]}" --iterations 4 --save-interval 2 --checkpoint-dir run >log
ends 6 "$train" "${tiny[@]}" --iterations 60 --warmup 0 --lr 1e30
ends 6 "$train" "${tiny[@]}" --iterations 60 --warmup 0 --lr 1e30 --precision fp16
ends 4 "$train" --resume nowhere
ends 2 "$train" "${tiny[@]}" --checkpoint-dir run
ends 2 "$train" --resume run/step-4 --width 32
ends 4 "$train" --init-from run
ends 7 "$plan" --model gpt2-xl --memory 1GB
truncate -s -10 run/step-4/parameters-*
ends 5 "$train" --resume run/step-4
[ -z "$failed" ] || exit 1
echo "$checked pieces of messages were found"
