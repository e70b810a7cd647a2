#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# xl_sweep.sh XL FOLDER...: examples/gpt2/xl/sweep.sh with a tiny model and the programs in the folders: its rows and their
# sums, rows that fail and rows that do not fit, going on, --best, and what is refused. No time is looked at.
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
  printf 'xl_sweep.sh: %s\n' "$1" >&2
  cat said >&2
  exit 1
}
for ((i = 0; i < 600; ++i)); do echo "the quick brown fox jumps over the lazy dog $i"; done >text.txt
zero-tokenize --train-bpe 300 --documents line --validation 0.1 --output data text.txt >said 2>&1
model=(--layers 2 --heads 2 --width 32 --context 32)

# expect CODE TEXT OPTION...
expect() {
  local expected=$1 text=$2 code=0
  shift 2
  "$xl/sweep.sh" "$@" >said 2>&1 || code=$?
  [ $code -eq "$expected" ] || die "sweep.sh $*: exit code $code instead of $expected"
  grep -qF -- "$text" said || die "sweep.sh $*: does not say: $text"
}

# A table: two settings that run, one that train_gpt2 refuses, one that is planned to take more than there is.
grid=(--data data --output "the grid" "${model[@]}" --ranks 2 --stage "0,2" --batch "2,70000" --memory 80GB --steps 3)
grid+=(--config "$xl/ds_config.json" -- --threads 1)
expect 0 "fastest of 2: --stage " "${grid[@]}"
python3 - <<'END' || die "the table is wrong"
import csv, json
rows = list(csv.DictReader(open("the grid/sweep.csv")))
assert [(row["stage"], row["batch"], row["status"]) for row in rows] == [
    ("0", "2", "measured"), ("0", "70000", "failed"), ("2", "2", "measured"), ("2", "70000", "failed")], rows
for row in rows:
    folder = "the grid/runs/" + "_".join(row[name] for name in ("stage", "offload", "recompute", "batch", "accumulate"))
    if row["status"] == "failed":
        assert row["reason"] == "--batch 70000: expected a whole number from 1 to 65536", row
        continue
    parts = [int(row[part + "_bytes"]) for part in ("parameters", "gradients", "states", "activations", "rest")]
    assert sum(parts) == int(row["rank_bytes"]) and min(parts) > 0, row
    plan = json.load(open(folder + "/plan.json"))
    memory = plan["rows"][0]["memory_bytes"]["device"]
    assert parts[0] == memory["parameters"], row
    assert parts[2] == memory["master"] + memory["states"], row
    assert parts[3] == plan["rows"][0]["activation_bytes"], row
    assert int(row["planned_bytes"]) == plan["rows"][0]["process_bytes"], row
    steps = [json.loads(line) for line in open(folder + "/log.jsonl")]
    times = sorted(step["ms"] for step in steps[1:] if "ms" in step)
    assert len(times) == 2 and abs(float(row["ms_per_step"]) - sum(times) / 2) < 1e-9, row
assert int(rows[0]["states_bytes"]) == 2 * int(rows[2]["states_bytes"]), "stage 2 halves the states of 2 ranks"
lines = [line for line in open("the grid/sweep.md") if line.startswith("| ")]
assert len(lines) == 6 and "| failed: --batch 70000: expected a whole number from 1 to 65536 |" in lines[3], lines
END

# What is done is not done again; --retry does again what has failed; another command is refused.
cp -R "the grid" before
expect 0 "fastest of 2: " "${grid[@]}"
diff -r before "the grid" >said || die "a sweep that is done was done again"
rm -rf "the grid/runs/2_none_none_2_1" # as a sweep that was stopped leaves it
expect 0 "sweep.sh: stage 2, offload none, recompute none, 2 x 1: " "${grid[@]}"
cmp before/runs/0_none_none_2_1/row.json "the grid/runs/0_none_none_2_1/row.json" || die "a row was done again"
expect 0 "2, offload none, recompute none, 70000 x 1: failed" --retry "${grid[@]}"
expect 2 "holds a sweep with other options: name another folder, or give --overwrite" "${grid[@]/#80GB/90GB}"
expect 0 "recompute none, 70000 x 1: does not fit: planned to take" --overwrite "${grid[@]/#80GB/80MB}"
grep -q '| does not fit: planned to take [0-9]* bytes of 80MB |$' "the grid/sweep.md" || die "the reason is not in the table"

# The plan's first settings.
best=(--data data "${model[@]}" --ranks 2 --global-batch 16 --steps 3 --recompute none)
expect 0 "fastest of 2: --stage " --output best --best 2 --memory 80MB "${best[@]}" -- --threads 1
zero-plan "${model[@]}" --vocab 300 --ranks 2 --precision fp16 --device cpu --global-batch 16 --memory 80MB --recompute none \
  --json plan.json >said
python3 - <<'END' || die "these are not the plan's first settings"
import csv, json
plan = [row for row in json.load(open("plan.json"))["rows"] if row["fits"]]
rows = list(csv.DictReader(open("best/sweep.csv")))
assert len(plan) > 2 and len(rows) == 2
for row, planned in zip(rows, plan):
    assert row["status"] == "measured" and int(row["planned_bytes"]) == planned["process_bytes"]
    assert (row["stage"], row["offload"], row["batch"], row["accumulate"]) == (
        str(planned["stage"]), planned["offload"], str(planned["micro_batch"]), str(planned["micro_batches"]))
    assert int(row["batch"]) * int(row["accumulate"]) * 2 == 16
END
expect 7 "no setting fits 1MB" --output none --best 2 --memory 1MB "${best[@]}"

# What is computed again takes less, as planned.
echo '{"train_micro_batch_size_per_gpu": 1, "fp16": {"enabled": true}, "activation_checkpointing": {}}' >again.json
expect 0 "fastest of 3: " --data data --config again.json --output again "${model[@]}" --stage 2 --batch 4 --recompute "none,selective,block" --steps 2
python3 - <<'END' || die "what is computed again has other activations than planned"
import csv, json
sizes = []
for row in csv.DictReader(open("again/sweep.csv")):
    plan = json.load(open("again/runs/2_none_%s_4_1/plan.json" % row["recompute"]))
    assert int(row["activations_bytes"]) == plan["rows"][0]["activation_bytes"], row
    sizes.append(int(row["activations_bytes"]))
assert sizes[0] > sizes[1] > sizes[2], sizes
END

# A signal stops it, and the run under way leaves no row.
"$xl/sweep.sh" --data data --output stopped "${model[@]}" --stage 2 --steps 999999 -- --threads 1 >said 2>&1 &
sweep=$!
while [ ! -s stopped/runs/2_none_none_1_1/output ]; do
  kill -0 $sweep 2>/dev/null || die "it ended before it was stopped"
  sleep 0.01
done
expect 2 "another sweep writes there" --data data --output stopped "${model[@]}" --stage 2 --steps 999999 -- --threads 1
kill -TERM $sweep
code=0
wait $sweep || code=$?
[ $code -eq 3 ] || die "a sweep that is stopped ends with $code instead of 3"
[ ! -e stopped/runs/2_none_none_1_1/row.json ] || die "what was stopped has a row"

# What is refused, and a sweep of which nothing runs.
expect 2 "--data: must be given" --output refused
expect 2 "--output: must be given" --data data
expect 2 "which model?" --data data --output refused
expect 2 "--no-such: unknown option" --data data --output refused --no-such 1
expect 2 "--stage 4: expected stages from 0 to 3" --data data --output refused "${model[@]}" --stage 4
expect 2 "--best: needs --global-batch" --data data --output refused "${model[@]}" --best 2
expect 2 "--best: needs --memory" --data data --output refused "${model[@]}" --best 2 --global-batch 8
expect 2 "--global-batch: needs --best" --data data --output refused "${model[@]}" --global-batch 8
expect 2 "--best: finds --batch" --data data --output refused "${model[@]}" --best 2 --global-batch 8 --memory 1GB --batch 2
expect 4 "nothing: no such file" --data nothing --output refused "${model[@]}"
expect 2 "--model gpt3: unknown" --data data --output refused --model gpt3
expect 2 "text.txt/x: the folder cannot be made" --data data --output text.txt/x "${model[@]}"
[ ! -e refused ] || die "what was refused has left a folder"
expect 1 "no setting was measured" --data data --output nothing "${model[@]}" --batch 70000
