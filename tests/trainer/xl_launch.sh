#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# xl_launch.sh XL FOLDER...: each check of examples/gpt2/xl/launch.sh with an input that is wrong, and that nothing is
# started then. GPUs, launchers and full disks are scripts that say what the real ones would; the programs in the folders
# are real.
set -euo pipefail
xl=$1
shift
programs=$(IFS=: && echo "$*")
work="$(mktemp -d)/with spaces"
trap 'rm -rf -- "${work%/*}"' EXIT
mkdir -p "$work/fake"
cd "$work"
real=$PATH
export PATH="$programs:$real"
failures=0

bash=$(command -v bash)
path="" # in place of PATH, for the script alone
# expect CODE TEXT OPTION...: its exit code, a line that it says, and that nothing is started where the code is not 0.
expect() {
  local expected=$1 text=$2 code=0
  shift 2
  PATH=${path:-$PATH} "$bash" "$xl/launch.sh" "$@" >said 2>&1 || code=$?
  if [ $code -ne "$expected" ] || ! grep -qF -- "$text" said || { [ "$expected" -ne 0 ] && [ -e output ]; }; then
    printf 'xl_launch.sh: launch.sh %s: exit code %s instead of %s, or without: %s\n' "$*" $code "$expected" "$text" >&2
    cat said >&2
    failures=$((failures + 1))
  fi
  rm -rf output
}

for ((i = 0; i < 600; ++i)); do echo "the quick brown fox jumps over the lazy dog $i"; done >text.txt
zero-tokenize --train-bpe 300 --documents line --validation 0.1 --output data text.txt >said 2>&1
usual=(--data data --output output --run "$xl/small.options" --device cpu --ranks 2)

# The command line.
expect 2 "--data: must be given" --output output
expect 2 "--output: must be given" --data data
expect 2 "--data: needs a value" --data
expect 2 "--no-such: unknown option" "${usual[@]}" --no-such
expect 2 "--device tpu: expected cuda or cpu" --data data --output output --device tpu
expect 2 "--ranks 0: expected a number" --data data --output output --ranks 0
expect 2 "--start srun: expected" "${usual[@]}" --start srun
expect 2 "--run missing: there is no such file" --data data --output output --run missing
printf '# a remark\n\nnot an option\n' >bad.options
expect 2 "bad.options:3: not an option: expected an option" --data data --output output --run bad.options
expect 2 "--checkpoint-dir: stands before --" "${usual[@]}" -- --checkpoint-dir elsewhere

# Programs.
mkdir "only shell"
for program in bash sed grep dirname; do ln -s "$(command -v $program)" "only shell/$program"; done
path="$work/only shell"
expect 1 "programs      WRONG: train_gpt2 and zero-plan: not in PATH" "${usual[@]}"
path=""
path="$work/only shell:${programs%%:*}"
expect 1 "programs      WRONG: zero-plan: not in PATH" "${usual[@]}"
path=""

# Data.
expect 4 "data          WRONG: no data: no such file" "${usual[@]/#data/no data}"
cp -R data unfinished && rm unfinished/manifest.json unfinished/*.bin
expect 4 "data          WRONG: unfinished: " "${usual[@]/#data/unfinished}"

# Configuration.
sed 's/"gradient_clipping"/"gradient_cliping"/' "$xl/ds_config.json" >wrong.json
expect 2 'did you mean "gradient_clipping"?' "${usual[@]}" --config wrong.json
expect 2 "configuration WRONG: missing.json" "${usual[@]}" --config missing.json
expect 2 "configuration WRONG: --lr -1: expected" "${usual[@]}" -- --lr=-1

# Memory and disk.
expect 7 " MB of 1MB (prediction)" "${usual[@]}" --memory 1MB
# What is computed again is planned as such: 35 MB hold it, and not all activations.
large=(--memory 35MB -- --threads 1 --iterations 1 --batch 32 --accumulate 1 --layers 8)
expect 7 "MB of 35MB (prediction)" "${usual[@]}" "${large[@]}"
expect 0 "parameter hash: " "${usual[@]}" "${large[@]}" --recompute block
checkpointing() { sed "s/\"fp16\"/\"activation_checkpointing\": {$1}, &/" "$xl/ds_config.json" >again.json; }
checkpointing ''
expect 0 "parameter hash: " --config again.json "${usual[@]}" "${large[@]}"
checkpointing '"number_checkpoints": 1' # buffers of four blocks
expect 7 "MB of 35MB (prediction)" --config again.json "${usual[@]}" "${large[@]}"
checkpointing '"number_checkpoints": 3' # of two
expect 0 "parameter hash: " --config again.json "${usual[@]}" "${large[@]}"
expect 2 "memory        WRONG: --memory much: expected bytes" "${usual[@]}" --memory much
expect 2 "configuration WRONG: --checkpoint-dir text.txt/output/checkpoints: the folder cannot be made" \
  "${usual[@]/#output/text.txt/output}"
printf '#!/bin/sh\necho Filesystem\necho disk 9 9 0 100%% /\n' >fake/df
chmod +x fake/df
path="$work/fake:$PATH"
expect 1 "disk          WRONG: . has 0.00 MB, and two checkpoints take" "${usual[@]}"
path=""
rm fake/df

# What is right: all of it is looked at, and the run is started; --check starts nothing.
expect 0 "disk          ok: two checkpoints take" "${usual[@]}" --check
expect 0 "parameter hash: " "${usual[@]}" -- --iterations 2 --eval-interval=2 --threads 1
grep -q -- '^step 2/2 ' said || { echo "xl_launch.sh: options behind -- do not win" >&2 && failures=1; }
expect 2 "--lr: is given twice" "${usual[@]}" -- --lr 1 --lr 2

# GPUs. A train_gpt2 that says it has some, and computes on the CPU; an nvidia-smi that says what the files say.
real_train=$(command -v train_gpt2)
cat >fake/train_gpt2 <<END
#!/usr/bin/env bash
if [ "\$*" = --version ]; then cat "$work/version"; exit; fi
exec "$real_train" "\${@/#cuda/cpu}"
END
cat >fake/nvidia-smi <<END
#!/bin/sh
echo "nvidia-smi \$*" >>"$work/asked"
case "\$*" in *compute-apps*) cat "$work/processes" ;; *) cat "$work/free" ;; esac
END
for launcher in torchrun mpirun; do
  cat >fake/$launcher <<END
#!/usr/bin/env bash
echo "$launcher \$*" >>"$work/started"
while [ "\$1" != train_gpt2 ]; do count=\$1; shift; done
shift
exec train_gpt2 --ranks "\$count" "\$@"
END
done
chmod +x fake/*
version() { printf '%s\n' "train_gpt2 of zero 0.1.0" "CUDA: $1" "NCCL: $2" "MPI: built without" "GPUs: $3" >version; }
export PATH="$work/fake:$PATH"
: >processes
printf '40000\n30000\n' >free
gpus=(--data data --output output --run "$xl/small.options" -- --threads 1 --iterations 1)
version "built without" "built without" "none that it can use"
expect 1 "GPUs          WRONG: this train_gpt2 was built without CUDA" --device cuda "${gpus[@]}"
version "runtime 13.0, no driver" 2.28 "none that it can use"
expect 1 "GPUs          WRONG: train_gpt2 finds none" --device cuda "${gpus[@]}"
version "runtime 13.0, driver for 13.0" 2.28 "NVIDIA Name x 2, cuBLAS 13.0.0"
expect 1 "GPUs          WRONG: 4 ranks, but 2: give --ranks 2" --ranks 4 "${gpus[@]}"
printf '77\n5\n77\n' >processes
expect 1 "GPUs          WRONG: other processes compute there (5 77)" "${gpus[@]}"
: >processes
printf '40000\n1\n' >free
expect 7 "MB of 1.05 MB (prediction): see what fits" "${gpus[@]}" --batch 64
: >free
expect 7 "memory        WRONG: nvidia-smi does not say how much is free" "${gpus[@]}"
printf '40000\n30000\n' >free
expect 0 "GPUs          ok: NVIDIA Name x 2" "${gpus[@]}" # as many ranks as GPUs, by torchrun
grep -q '^torchrun --no-python --standalone --nproc-per-node 2 train_gpt2 --device cuda .*--log ' started ||
  { echo "xl_launch.sh: torchrun was not started" >&2 && failures=$((failures + 1)); }
rm fake/torchrun started
path="$work/fake:$programs:/usr/bin:/bin"
expect 0 "parameter hash: " "${gpus[@]}"
path=""
grep -q '^mpirun -n 2 train_gpt2 .*--device cuda' started ||
  { echo "xl_launch.sh: mpirun was not started" >&2 && failures=$((failures + 1)); }
rm started
version "runtime 13.0, driver for 13.0" "built without" "NVIDIA Name x 2, cuBLAS 13.0.0"
expect 0 "run: 2 ranks" "${gpus[@]}" # without NCCL ranks are threads
expect 0 "run: 4 ranks" --ranks 4 --start threads "${gpus[@]}"
[ ! -e started ] || { echo "xl_launch.sh: a launcher was started" >&2 && failures=$((failures + 1)); }
rm asked
CUDA_VISIBLE_DEVICES=1,0 expect 0 "parameter hash: " "${gpus[@]}"
grep -q -- '-i 1,0 --query-gpu=memory.free' asked || { echo "xl_launch.sh: asks for other GPUs" >&2 && failures=1; }
[ "$failures" -eq 0 ]
