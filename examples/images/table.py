#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Memory and speed of train_images over settings, as a table in Markdown; or the largest batch of a card.

table.py [OPTION...] -- train_images --data FOLDER [OPTION...]

  --batches N,...   pictures of a micro-batch, on each rank (16,32,64)
  --ranks N,...     ranks (1,2)
  --settings S,...  of plain, fp16, offload, fp16+offload, accumulate2, accumulate4 (these), bf16, bf16+offload, which
                    processors have kernels for that have none for fp16
  --cards N,...     another table in place of that: the largest batch that stays within N GB (10^9 bytes), for each
                    setting, and what it took. Two small batches say what a picture takes; what follows is run, and
                    others, until one that stays within is at most 3 % smaller than one that does not
  --output FILE     where the table goes, too

The command behind -- is run once for each, with --batch, --ranks and what the setting adds. Each run is a process of
its own: the memory is the most that was resident, over all ranks, as the kernel counts it, or, with --device cuda, what
the engine and torch had on the device of the rank with most; the speed is that of the steps, and beside both stands
what they are of the first row of the same ranks and batch. Exit codes: 0, 2 for a wrong use, and that of the first run
that fails.
"""

import math
import os
import re
import sys

SETTINGS = {
    "plain": [],
    "fp16": ["--precision", "fp16"],
    "offload": ["--offload", "cpu"],
    "fp16+offload": ["--precision", "fp16", "--offload", "cpu"],
    "bf16": ["--precision", "bf16"],
    "bf16+offload": ["--precision", "bf16", "--offload", "cpu"],
    "accumulate2": ["--accumulate", "2"],
    "accumulate4": ["--accumulate", "4"],
}
SPEED = re.compile(r"([0-9,.]+) images/s in steps")
DEVICE_ROW = re.compile(r"^ +(\d+) +device .* ([0-9,]+)$", re.MULTILINE)


def refuse(text):
    print(f"table.py: {text}", file=sys.stderr)
    sys.exit(2)


def numbers(name, text, kind=int, expected="whole numbers from 1"):
    try:
        found = [kind(part) for part in text.split(",")]
    except ValueError:
        found = []
    if not found or not all(kind(0) < value < float("inf") for value in found):
        refuse(f"{name} {text}: give {expected}, with commas")
    return found


def parse(words):
    """The options and the command."""
    if "--" not in words:
        refuse("no command: write it behind --, such as -- train_images --data FOLDER")
    at = words.index("--")
    own, command = words[:at], words[at + 1:]
    chosen = {"--batches": "16,32,64", "--ranks": "1,2", "--settings": ",".join(s for s in SETTINGS if "bf16" not in s), "--cards": None,
              "--output": None}
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
    cards = numbers("--cards", chosen["--cards"], float, "positive numbers") if chosen["--cards"] else []
    return (numbers("--batches", chosen["--batches"]), numbers("--ranks", chosen["--ranks"]), settings, cards,
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
    return device_megabytes(text) or usage.ru_maxrss * 1024 / 1e6, float(speed.group(1).replace(",", ""))


def device_megabytes(text):
    """What the rank with most has had on its device, as the run's table of memory says; None where it is the host's."""
    if "torch's peak" not in text:
        return None
    ranks = {}
    for rank, count in DEVICE_ROW.findall(text):
        ranks[rank] = ranks.get(rank, 0) + int(count.replace(",", "")) / 1e6
    return max(ranks.values())


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


def largest(limit, batches, memory):
    """The largest batch of at most `limit` megabytes, within 3 %, and its memory.

    A line through two batches says where it is to be sought; what is measured there moves the line's end."""
    low, high = batches
    of_picture = max((memory(high) - memory(low)) / (high - low), 1e-6)
    within, beyond = 0, None  # batches
    batch = low
    while beyond is None or beyond - within > max(1, within // 32):
        found = memory(batch)
        within, beyond = (batch, beyond) if found <= limit else (within, batch)
        batch = max(within + 1, batch + math.floor((limit - found) / of_picture))
        if beyond is not None and batch >= beyond:
            batch = (within + beyond) // 2
    return (within, memory(within)) if within > 0 else None


def card_rows(cards, ranks, settings, command):
    for count in ranks:
        for setting in settings:
            known = {}

            def memory(batch):
                if batch not in known:
                    words = command + ["--batch", str(batch), "--ranks", str(count)] + SETTINGS[setting]
                    known[batch] = measure(words)[0]
                return known[batch]

            for card in cards:
                found = largest(1000.0 * card, (8, 24), memory)
                yield f"| {count} | {setting} | {card:g} GB | " + (f"{found[0]} | {found[1]:,.0f} |" if found else "none | |")


def main():
    batches, ranks, settings, cards, output, command = parse(sys.argv[1:])
    if cards:
        lines = ["| ranks | setting | card | largest batch | MB |", "| ---: | --- | ---: | ---: | ---: |"]
        made = card_rows(cards, ranks, settings, command)
    else:
        lines = ["| ranks | batch | setting | MB | of the first | images/s | of the first |",
                 "| ---: | ---: | --- | ---: | ---: | ---: | ---: |"]
        made = rows(batches, ranks, settings, command)
    print("\n".join(lines), flush=True)
    for row in made:
        lines.append(row)
        print(row, flush=True)
    if output:
        with open(output, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
