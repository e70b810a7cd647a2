#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Memory and speed of train_images over settings, as a table in Markdown.

table.py [OPTION...] -- train_images --data FOLDER [OPTION...]

  --batches N,...   pictures of a micro-batch, on each rank (16,32,64)
  --ranks N,...     ranks (1,2)
  --settings S,...  of plain, fp16, offload, fp16+offload, accumulate2, accumulate4 (all)
  --output FILE     where the table goes, too

The command behind -- is run once for each, with --batch, --ranks and what the setting adds. Each run is a process of its
own: the memory is the most that was resident, over all ranks, as the kernel counts it; the speed is that of the steps,
and beside both stands what they are of the first row of the same ranks and batch. Exit codes: 0, 2 for a wrong use, and
that of the first run that fails.
"""

import os
import re
import sys

SETTINGS = {
    "plain": [],
    "fp16": ["--precision", "fp16"],
    "offload": ["--offload", "cpu"],
    "fp16+offload": ["--precision", "fp16", "--offload", "cpu"],
    "accumulate2": ["--accumulate", "2"],
    "accumulate4": ["--accumulate", "4"],
}
SPEED = re.compile(r"([0-9,.]+) images/s in steps")


def refuse(text):
    print(f"table.py: {text}", file=sys.stderr)
    sys.exit(2)


def numbers(name, text):
    try:
        found = [int(part) for part in text.split(",")]
    except ValueError:
        found = []
    if not found or min(found) < 1:
        refuse(f"{name} {text}: give whole numbers from 1, with commas")
    return found


def parse(words):
    """The options and the command."""
    if "--" not in words:
        refuse("no command: write it behind --, such as -- train_images --data FOLDER")
    at = words.index("--")
    own, command = words[:at], words[at + 1:]
    chosen = {"--batches": "16,32,64", "--ranks": "1,2", "--settings": ",".join(SETTINGS), "--output": None}
    while own:
        name = own.pop(0)
        if name not in chosen:
            refuse(f"{name}: is no option: use {', '.join(chosen)}")
        if not own:
            refuse(f"{name}: needs a value")
        chosen[name] = own.pop(0)
    if not command:
        refuse("no command behind --")
    settings = chosen["--settings"].split(",")
    for setting in settings:
        if setting not in SETTINGS:
            refuse(f"--settings {setting}: use {', '.join(SETTINGS)}")
    return (numbers("--batches", chosen["--batches"]), numbers("--ranks", chosen["--ranks"]), settings,
            chosen["--output"], command)


def measure(command):
    """Megabytes and pictures per second of one run."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(write, 1)
        os.dup2(write, 2)
        os.close(read)
        try:
            os.execvp(command[0], command)
        except OSError as error:
            print(f"{command[0]}: {error.strerror}", flush=True)
            os._exit(127)
    os.close(write)
    with os.fdopen(read, encoding="utf-8", errors="replace") as pipe:
        text = pipe.read()
    _, status, usage = os.wait4(child, 0)
    code = os.waitstatus_to_exitcode(status)
    speed = SPEED.search(text)
    if code != 0 or not speed:
        last = text.strip().splitlines()[-1:] or ["it said nothing"]
        print(f"table.py: {' '.join(command)}: ended with {code}: {last[0]}", file=sys.stderr)
        sys.exit(code if code > 0 else 1)
    return usage.ru_maxrss * 1024 / 1e6, float(speed.group(1).replace(",", ""))


def rows(batches, ranks, settings, command):
    for count in ranks:
        for batch in batches:
            first = None
            for setting in settings:
                words = command + ["--batch", str(batch), "--ranks", str(count)] + SETTINGS[setting]
                memory, speed = measure(words)
                first = first or (memory, speed)
                yield (f"| {count} | {batch} | {setting} | {memory:,.0f} | {100 * (memory / first[0] - 1):+.0f} % | "
                       f"{speed:,.1f} | {speed / first[1]:.2f} |")


def main():
    batches, ranks, settings, output, command = parse(sys.argv[1:])
    lines = ["| ranks | batch | setting | MB | of the first | images/s | of the first |",
             "| ---: | ---: | --- | ---: | ---: | ---: | ---: |"]
    print("\n".join(lines), flush=True)
    for row in rows(batches, ranks, settings, command):
        lines.append(row)
        print(row, flush=True)
    if output:
        with open(output, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
