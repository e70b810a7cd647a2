# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What sweep.sh reads and writes as JSON, CSV and Markdown. Python 3.8, its standard library alone.

    settings PLAN COUNT           the first settings of a zero-plan --global-batch that fit, one a line
    row FOLDER STATUS PLANNED TEXT    FOLDER/row.json of the run whose output and log lie in FOLDER
    tables FOLDER HEADING         FOLDER/sweep.csv and FOLDER/sweep.md of all rows, in the order of FOLDER/settings
    fastest FOLDER                the row with the most tokens/s, as a sentence
"""
import csv
import json
import os
import re
import statistics
import sys

SETTING = ("stage", "offload", "recompute", "batch", "accumulate")
COMPONENTS = ("parameters", "gradients", "states", "activations", "rest")
MEASURED = ("ms_per_step", "tokens_per_second", "rank_bytes", *(name + "_bytes" for name in COMPONENTS), "process_bytes")
COLUMNS = (*SETTING, "status", *MEASURED, "planned_bytes", "reason")

# What the purposes of the trainer's table of memory are for, as guides count it. All others are "rest".
PURPOSES = {
    "parameters": "parameters", "gathered": "parameters",
    "gradients": "gradients", "gradient slots": "gradients", "gradient sums": "gradients", "local sums": "gradients",
    "master": "states", "states": "states",
    "activations": "activations",
}


def settings(plan, count):
    with open(plan, encoding="utf-8") as file:
        rows = json.load(file)["rows"]
    for row in [row for row in rows if row["fits"]][:count]:
        print(row["stage"], row["offload"], row["recompute"], row["micro_batch"], row["micro_batches"])


def memory_of(output):
    """Bytes of the rank that has most, by component, and of the process; nothing where the run did not say it."""
    ranks = {}
    for rank, purpose, size in re.findall(r"^ +(\d+)  (?:device|pinned|pageable|model) +(\S.*?) +([\d,]+)$", output, re.M):
        of_rank = ranks.setdefault(int(rank), dict.fromkeys(COMPONENTS, 0))
        of_rank[PURPOSES.get(purpose, "rest")] += int(size.replace(",", ""))
    if not ranks:
        return {}
    largest = max(ranks.values(), key=lambda components: sum(components.values()))
    found = {name + "_bytes": size for name, size in largest.items()}
    found["rank_bytes"] = sum(largest.values())
    process = re.search(r"a process has had ([\d,]+) bytes", output)
    if process:
        found["process_bytes"] = int(process.group(1).replace(",", ""))
    return found


def times_of(log):
    """Medians over the steps but the first, which warms up; of the only one, where there is one."""
    steps = [json.loads(line) for line in log if line.strip()]
    steps = [step for step in steps if step.get("ms") is not None]
    steps = steps[1:] or steps
    if not steps:
        return {}
    return {"ms_per_step": statistics.median(step["ms"] for step in steps),
            "tokens_per_second": statistics.median(step["tokens_per_second"] for step in steps)}


def row(folder, status, planned, reason):
    made = dict(zip(SETTING, os.path.basename(folder).split("_")))
    made["status"] = status
    made["reason"] = reason
    if planned:
        made["planned_bytes"] = int(planned)
    if status == "measured":
        with open(os.path.join(folder, "output"), encoding="utf-8", errors="replace") as file:
            made.update(memory_of(file.read()))
        with open(os.path.join(folder, "log.jsonl"), encoding="utf-8") as file:
            made.update(times_of(file))
        missing = [name for name in MEASURED if name not in made]
        if missing:
            made["status"] = "failed"
            made["reason"] = "the run does not say " + ", ".join(missing)
    path = os.path.join(folder, "row.json")
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(made, file)
    os.replace(path + ".new", path)
    print(line_of(made))


def rows_of(folder):
    """Those that are done, in the order of the settings."""
    rows = []
    with open(os.path.join(folder, "settings"), encoding="utf-8") as file:
        for line in file:
            path = os.path.join(folder, "runs", "_".join(line.split()), "row.json")
            if os.path.exists(path):
                with open(path, encoding="utf-8") as found:
                    rows.append(json.load(found))
    return rows


def in_unit(size, unit):
    return "" if size is None else f"{size / unit:.4g}"


MEMORY = ("rank_bytes", *(name + "_bytes" for name in COMPONENTS), "process_bytes", "planned_bytes")


def cells_of(made, unit):
    """A row of the Markdown table."""
    times = ["", ""]
    if made["status"] == "measured":
        times = [f"{made['ms_per_step']:.4g}", f"{made['tokens_per_second']:,.0f}"]
    why = "" if made["status"] == "measured" else made["status"] + ": " + made["reason"].replace("|", "\\|")
    return [*(str(made[name]) for name in SETTING), *times, *(in_unit(made.get(name), unit) for name in MEMORY), why]


def line_of(made):
    text = "sweep.sh: stage {stage}, offload {offload}, recompute {recompute}, {batch} x {accumulate}: ".format(**made)
    if made["status"] != "measured":
        return text + made["status"] + ": " + made["reason"]
    return text + "{:.4g} ms a step, {:,.0f} tokens/s, {:,} bytes of a rank".format(
        made["ms_per_step"], made["tokens_per_second"], made["rank_bytes"])


def replace(path, write):
    with open(path + ".new", "w", encoding="utf-8", newline="") as file:
        write(file)
    os.replace(path + ".new", path)


def tables(folder, heading):
    rows = rows_of(folder)

    def write_csv(file):
        writer = csv.DictWriter(file, COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)

    def write_markdown(file):
        largest = max((made.get("rank_bytes", 0) for made in rows), default=0)
        unit, name = (1e9, "GB (1e9 bytes)") if largest >= 1e9 else (1e6, "MB (1e6 bytes)")
        titles = [*SETTING, "ms per step", "tokens/s", "a rank", *COMPONENTS, "process", "planned", "why not"]
        file.write(heading + "\n\nTimes are medians of the steps but the first. Memory in " + name + ": of the rank that "
                   "has most, and what of it is for what;\n*process*, the peak of a process on the host; *planned*, what "
                   "zero-plan predicts, of a rank on a GPU and of all ranks on the CPU.\n\n")
        file.write("| " + " | ".join(titles) + " |\n|" + " --- |" * 3 + " ---: |" * (len(titles) - 4) + " --- |\n")
        for made in rows:
            file.write("| " + " | ".join(cells_of(made, unit)) + " |\n")

    replace(os.path.join(folder, "sweep.csv"), write_csv)
    replace(os.path.join(folder, "sweep.md"), write_markdown)


def fastest(folder):
    """Exit code 1 where no setting was measured."""
    measured = [made for made in rows_of(folder) if made["status"] == "measured"]
    if not measured:
        print("sweep.sh: no setting was measured: " + os.path.join(folder, "sweep.md") + " says why", file=sys.stderr)
        return 1
    best = max(measured, key=lambda made: made["tokens_per_second"])
    options = "--stage {stage} --offload {offload} --batch {batch} --accumulate {accumulate}".format(**best)
    if best["recompute"] != "none":
        options += " --recompute " + best["recompute"]
    print(f"fastest of {len(measured)}: {options}: {best['ms_per_step']:.4g} ms a step, "
          f"{best['tokens_per_second']:,.0f} tokens/s")
    return 0


def main(words):
    if words[0] == "settings":
        settings(words[1], int(words[2]))
    elif words[0] == "row":
        row(*words[1:5])
    elif words[0] == "tables":
        tables(words[1], words[2])
    elif words[0] == "fastest":
        return fastest(words[1])
    else:
        raise SystemExit("sweep_tables.py: what is asked for? settings, row, tables, fastest")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
