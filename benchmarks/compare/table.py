#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Prints the peers' results as a table, beside those of `benchmarks/run.sh --json FILE` where that file is given."""

import argparse
import json
import re
import statistics
from pathlib import Path

# Which of our benchmarks does the work of a peer's case: (benchmark, setting or copy) -> (name, its counter).
OURS = {
    ("optimizer_step", None): ("fused_update<zero::AdamW,NoCopy,float>", "Mparam/s"),
    ("optimizer_step", "bfloat16"): ("fused_update<zero::AdamW,bfloat16,float>", "Mparam/s"),
    ("optimizer_step", "float16"): ("fused_update<zero::AdamW,float16,float>", "Mparam/s"),
    ("gpt2 step", "small"): ("train_gpt2/small/ranks:1", "items_per_second"),
    ("gpt2 step", "gpt2_124m"): ("train_gpt2/124m/ranks:1", "items_per_second"),
    ("gpt2 forward and backward", "small"): ("small_fp32", "tokens/s"),
    ("gpt2 forward and backward", "gpt2_124m"): ("gpt2_124m_fp32", "tokens/s"),
}


class Ours:
    """The results in a file of Google Benchmark, looked up by name and number of threads."""

    def __init__(self, path):
        self.entries, self.machine = [], None
        if path:
            content = json.loads(path.read_text())
            self.machine = content["context"].get("machine")
            self.entries = [entry for entry in content["benchmarks"] if entry["run_type"] == "iteration"]

    def find(self, key, threads):
        """The median over repetitions, or None."""
        if key not in OURS:
            return None
        name, counter = OURS[key]
        values = [entry[counter] for entry in self.entries if self.matches(entry["name"], name, threads)]
        return statistics.median(values) if values else None

    @staticmethod
    def matches(full_name, name, threads):
        full_name = re.sub(r"\s", "", full_name)
        return full_name.startswith(name + "/") and f"threads:{threads}" in full_name.split("/")


def number(value):
    return "-" if value is None else f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def row(work, peer, unit, measured, ours, peer_over_ours):
    """peer_over_ours: time of the peer / our time, so that more than 1 says that ours is faster, in either unit."""
    spread = f"{number(measured['min'])} - {number(measured['max'])}"
    ratio = "-" if ours is None else f"{peer_over_ours:.2f}"
    return [work, peer, unit, number(measured["median"]), spread, number(ours), ratio]


def rows_of(result, ours):
    if "skipped" in result:
        return [[result["benchmark"], result["peer"], f"skipped: {result['skipped']}"]]
    threads, peer = result["threads"], result["peer"]
    if result["benchmark"] == "optimizer_step":
        copy, measured = result.get("copy"), result["milliseconds"]
        rate = ours.find(("optimizer_step", copy), threads)
        own = None if rate is None else result["parameters"] / rate / 1e3  # Mparam/s to milliseconds
        work = f"AdamW, {result['parameters'] / 2**20:g} Mi" + (f", {copy} copy" if copy else "")
        return [row(work, f"{peer}: {result['passes']}", "ms", measured, own, own and measured["median"] / own)]
    rows = []
    for part, field in (("step", "tokens_per_second"), ("forward and backward", "forward_backward_tokens_per_second")):
        measured, own = result[field], ours.find((f"gpt2 {part}", result["setting"]), threads)
        work = f"{result['setting']}, {part}"
        rows.append(row(work, peer, "tokens/s", measured, own, own and own / measured["median"]))
    return rows


def print_table(rows):
    columns = max(len(cells) for cells in rows)
    widths = [max(len(cells[i]) for cells in rows if len(cells) == columns) for i in range(columns)]
    for cells in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peers", type=Path, help="lines of gpt2.py and optimizer_step.py")
    parser.add_argument("--json", type=Path, help="from benchmarks/run.sh --json")
    arguments = parser.parse_args()
    results = [json.loads(line) for line in arguments.peers.read_text().splitlines()]
    ours = Ours(arguments.json)
    print_table([["work", "peer", "unit", "median", "min - max", "zero", "faster by"]]
                + [cells for result in results for cells in rows_of(result, ours)])
    machines = {result["machine"] for result in results if "machine" in result}
    for machine in machines if ours.machine else ():
        if not ours.machine.startswith(machine):
            print(f"Not one machine: the peers ran on {machine}, zero on {ours.machine}.")


if __name__ == "__main__":
    main()
