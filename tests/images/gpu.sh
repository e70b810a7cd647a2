#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# gpu.sh <train_images> <folder> [device]: trains on a GPU, on pictures that it makes, and holds what comes out against
# the host's. With two GPUs or more, over NCCL, too. Another device, cpu, tries the script itself.
set -euo pipefail
program=$1 folder=$2 device=${3:-cuda}

die() {
  echo "gpu.sh: $*" >&2
  exit 1
}

gpus=0
if command -v nvidia-smi >/dev/null; then gpus=$(nvidia-smi -L | grep -c '^GPU' || true); fi
if [ "$device" = cuda ] && [ "$gpus" -eq 0 ]; then
  [ -z "${ZERO_REQUIRE_GPU:-}" ] || die "there is no GPU"
  echo "skipped: there is no GPU"
  exit 77
fi

rm -rf "$folder"
mkdir -p "$folder/pictures"
cd "$folder"
python3 - pictures <<'PYTHON'
import random, sys
names = "airplane automobile bird cat deer dog frog horse ship truck".split()
open(sys.argv[1] + "/batches.meta.txt", "w").write("\n".join(names) + "\n")
draw = random.Random(1)
for part in ["data_batch_%d" % i for i in range(1, 6)] + ["test_batch"]:
    with open("%s/%s.bin" % (sys.argv[1], part), "wb") as file:
        for _ in range(24):
            c = draw.randrange(10)
            pixels = (((p // 8 + p // 256) * (c * 37 + 11) + c * 101) % 150 + draw.randrange(100) for p in range(3072))
            file.write(bytes([c]) + bytes(pixels))
PYTHON

# train <name> <device> <argument...>: a run with its text in name.txt and its log in name.jsonl.
train() {
  local name=$1 on=$2
  shift 2
  "$program" --data pictures --device "$on" --batch 16 --log "$name.jsonl" "$@" >"$name.txt" 2>&1 ||
    die "$name: $(tail -n 5 "$name.txt")"
}

# value <name> <member> <first|last>: of a line of a log that has it.
value() {
  python3 - "$1.jsonl" "$2" "$3" <<'PYTHON'
import json, sys
file, member, which = sys.argv[1:]
found = [v for v in (json.loads(line).get(member) for line in open(file)) if v is not None]
print(found[0 if which == "first" else -1])
PYTHON
}

# near <a> <b> <share>: within that share of b.
near() { awk -v a="$1" -v b="$2" -v share="$3" 'BEGIN { d = a - b; if (d < 0) d = -d; exit !(d <= share * b) }'; }
falls() { awk -v a="$(value "$1" loss first)" -v b="$(value "$1" loss last)" 'BEGIN { exit !(b < a) }' || die "$1: no lower loss"; }

# The same losses as on the host, up to rounding.
for run in host "$device"; do
  on=$run
  [ "$run" != host ] || on=cpu
  train "mlp-$run" "$on" --model mlp --epochs 2 --seed 3 --clip 1 --accumulate 2
done
for member in loss val_loss; do
  for which in first last; do
    near "$(value "mlp-$device" $member $which)" "$(value mlp-host $member $which)" 0.01 ||
      die "$member, the $which one, is $(value "mlp-$device" $member $which), and $(value mlp-host $member $which) on the host"
  done
done

resnet=(--model resnet18 --small-stem --base-width 8 --epochs 4)
for how in "fp32 --stage 0" "fp32 --stage 3" "bf16 --stage 2 --offload cpu" "fp16 --stage 1"; do
  read -r precision stage <<<"$how"
  name=resnet-${how//[^a-z0-9]/}
  # shellcheck disable=SC2086 # words
  train "$name" "$device" "${resnet[@]}" --precision "$precision" $stage --checkpoint-dir "$name"
  falls "$name"
  [ "$device" = cpu ] || grep -q "device    torch's peak" "$name.txt" || die "$name: no row of torch's memory"
  # What it has saved is what it has said, on the host, too.
  for on in cpu "$device"; do
    "$program" --data pictures --device "$on" --batch 16 --precision "$precision" --evaluate "$name" >"$name-$on.txt" ||
      die "$name: --evaluate on $on: $(tail -n 2 "$name-$on.txt")"
    near "$(sed -n 's/^validation loss \([0-9.e+-]*\),.*/\1/p' "$name-$on.txt")" "$(value "$name" val_loss last)" 0.02 ||
      die "$name: --evaluate on $on: $(grep '^validation loss' "$name-$on.txt"), not $(value "$name" val_loss last)"
  done
done

# A run that goes on from the middle.
train half "$device" "${resnet[@]}" --checkpoint-dir half --keep 8
train rest "$device" "${resnet[@]}" --checkpoint-dir rest --resume half/epoch-2
near "$(value rest val_loss last)" "$(value half val_loss last)" 0.2 || die "a run that is resumed ends elsewhere"

if [ "$gpus" -ge 2 ] && [ "$device" = cuda ]; then
  pids=()
  for rank in 0 1; do
    RANK=$rank LOCAL_RANK=$rank WORLD_SIZE=2 LOCAL_WORLD_SIZE=2 MASTER_ADDR=127.0.0.1 MASTER_PORT=29517 \
      train "ranks-$rank" cuda "${resnet[@]}" --stage 3 --deadline 120 &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do wait "$pid" || die "two ranks over NCCL: see $folder"; done
  falls ranks-0
fi
echo "passed on $device"
