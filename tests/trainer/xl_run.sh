#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# xl_run.sh XL FOLDER...: the run of examples/gpt2/xl from text to generated text, with its small model and the programs in
# the folders. What is stopped and goes on ends with the bits of what nobody stopped; nothing depends on when it is stopped.
set -euo pipefail
xl=$1
shift
PATH=$(IFS=: && echo "$*"):$PATH
export PATH
work="$(mktemp -d)/with spaces"
trap 'rm -rf -- "${work%/*}"' EXIT
mkdir -p "$work"
cd "$work"

die() {
  printf 'xl_run.sh: %s\n' "$1" >&2
  [ ! -f said ] || tail -n 40 said >&2
  exit 1
}

# launch CODE OUTPUT OPTION...: on 4 ranks; what it says is in the file said.
launch() {
  local expected=$1 output=$2 code=0
  shift 2
  "$xl/launch.sh" --data data --output "$output" --run "$xl/small.options" --device cpu --ranks 4 -- --threads 1 "$@" \
    >said 2>&1 || code=$?
  [ $code -eq "$expected" ] || die "launch.sh into $output $*: exit code $code instead of $expected"
}
says() { grep -qF -- "$1" said || die "does not say: $1"; }
hash_said() { sed -n 's/^parameter hash: //p' said; }

# Data: a vocabulary and shards of a text.
for ((i = 0; i < 2000; ++i)); do echo "the quick brown fox jumps over the lazy dog $i"; done >text.txt
zero-tokenize --train-bpe 300 --documents line --validation 0.1 --output data text.txt >said 2>&1 || die "no data"

# Training: the file's settings, a validation each 5 steps, checkpoints with the words of the client.
launch 0 whole
says "run: 4 ranks, ZeRO-2, fp16, offload none, 1 sequence x 32 micro-batches per rank and step"
says "step: G = 128 micro-batches of all ranks"
says '"gradient_clipping": 1.0'
says "step 1/20 "
grep -q '^step 1/20 .* lr 3.00e-05 .* scale 65,536$' said || die "the first step has another rate or scale"
[ "$(grep -c '"val_loss": [0-9]' whole/log.jsonl)" -eq 4 ] || die "there are not 4 validations in 20 steps"
[ "$(cat whole/checkpoints/final)" = step-20 ] || die "the last checkpoint is not that of step 20"
zero-inspect whole/checkpoints/final >said
says "GPT-2 XL, ZeRO-2, fp16"
[ -f whole/curves/train_gpt2/Evaluation_Samples_val_loss.csv ] || die "there is no curve of the validation"

# Evaluation of the best checkpoint, by itself.
train_gpt2 --evaluate whole/checkpoints/best --data data --ranks 1 --threads 1 >said 2>&1 || die "no evaluation"
says "validation"

# A second launch of what is done has nothing to do.
launch 0 whole
says "run: nothing to train: 20 of 20 steps are done"

# Stop: wherever the signal comes. The launch becomes the run, so the signal is for its process.
"$xl/launch.sh" --data data --output stopped --run "$xl/small.options" --device cpu --ranks 4 -- --threads 1 --patience 0 \
  --iterations 1000000 >said 2>&1 &
run=$!
while [ ! -f stopped/checkpoints/latest ]; do
  kill -0 $run 2>/dev/null || die "it ended before it was stopped"
  sleep 0.01
done
kill -TERM $run
code=0
wait $run || code=$?
[ $code -eq 3 ] || die "a run that is stopped ends with $code instead of 3"
at=$(cat stopped/checkpoints/latest)
last=$((${at#step-} + 7)) # the rest has a few steps
# Resume: the same command goes on.
launch 0 stopped --patience 0 --iterations $last
says "checkpoint: resumed from stopped/checkpoints/$at"
resumed=$(hash_said)
launch 0 undisturbed --patience 0 --iterations $last
if [ -z "$resumed" ] || [ "$(hash_said)" != "$resumed" ]; then
  die "what was stopped after $at has another hash at step $last"
fi

# Early stopping: nothing improves by 10, and so the first validation is the only improvement.
launch 0 early --iterations 1000 --min-delta 10
says "run: stops early after step 20: no improvement in 3 validations"

# Curves and text.
if "${ZERO_TEST_PYTHON:-python3}" -c 'import matplotlib' 2>/dev/null; then
  mkdir bin
  printf '#!/bin/sh\nexec "%s" "$@"\n' "${ZERO_TEST_PYTHON:-$(command -v python3)}" >bin/python3
  chmod +x bin/python3
  PATH=$PWD/bin:$PATH zero-plot whole/log.jsonl --output curves.svg >said 2>&1 || die "no picture"
  grep -q '<svg' curves.svg || die "the picture is none"
else
  [ -z "${ZERO_TEST_PYTHON:-}" ] || die "$ZERO_TEST_PYTHON has no matplotlib: tests/requirements.txt"
  echo "not drawn: python3 has no matplotlib"
fi
generate_gpt2 --model whole/checkpoints --prompt "the quick" --tokens 8 --json --stats off >said 2>&1 || die "no text"
says '"prompt":"the quick"'

# The same files with the model that they are for. It is looked at, and no step is done.
if [ "$(awk '/^MemTotal:/ { print int($2 / 1e6) }' /proc/meminfo)" -ge 8 ]; then
  "$xl/launch.sh" --data data --output xl --device cpu --ranks 4 --memory 1TB --check >said 2>&1 || true
  grep -q 'configuration ok: .*4 ranks, ZeRO-2, fp16, offload none, 1 sequence x 32 micro-batches per rank' said ||
    die "the configuration of GPT-2 XL is not taken"
  says "all ranks take 5"
  [ ! -e xl ] || die "a check has made the output"
else
  echo "not looked at: GPT-2 XL, which this machine cannot hold"
fi
echo "stopped after $at, and the same bits after step $last: $resumed"
