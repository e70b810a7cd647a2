#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Fails where six or more lines of code stand twice in include/, tools/ and examples/.

Comments, white space, blank lines, lone punctuation, lines that include or import, and explicit instantiations do not
count. A block may stand twice where a comment directly above one of the two says where the other is, and why:

    // As in examples/gpt2/options.cpp: each program lists its own options.
    // As above: what they share is too little for a function.     (in the same file)

    duplicates.py [ROOT]
"""

import collections
import pathlib
import re
import sys

FOLDERS = ("include", "tools", "examples")
LONGEST = 5  # a run of more lines than this is a block
CODE_OF_C = {".c", ".cpp", ".cu", ".cuh", ".h", ".hpp", ".inc"}
CODE_OF_SCRIPTS = {".cmake", ".py", ".sh"}

NOT_COUNTED = re.compile(
    r"#\s*include\b|#\s*pragma once|(import|from)\s|source\s"  # what a file needs
    r"|(extern\s+)?template\s+[^<\s]"  # explicit instantiations
    r"|\W*$"  # lone punctuation
)
REASON = re.compile(r"\bAs (?:in (\S+)|above): \S")

Line = collections.namedtuple("Line", "number text reason")


def split_c(text):
    """The code and the comment of each line of a `text` in C or C++."""
    token = re.compile(r"//[^\n]*|/\*.*?\*/|R\"(\w*)\(.*?\)\1\"|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])'", re.S)
    comments = collections.defaultdict(str)

    def keep_strings(match):
        if not match[0].startswith("/"):
            return match[0]
        first = text.count("\n", 0, match.start())
        for i, part in enumerate(match[0].split("\n")):
            comments[first + i] += part
        return "\n" * match[0].count("\n")

    code = token.sub(keep_strings, text).split("\n")
    return [(line, comments[i]) for i, line in enumerate(code)]


def split_script(text):
    """The same for Python, shell and CMake: comments that stand in lines of their own."""
    return [("", line) if line.lstrip().startswith("#") else (line, "") for line in text.split("\n")]


def lines_of(path):
    """The lines of the file `path` that count, each with the place that the comment directly above it names."""
    split = split_c if path.suffix in CODE_OF_C else split_script
    result, comment = [], ""
    for number, (code, remark) in enumerate(split(path.read_text(encoding="utf-8")), start=1):
        code = code.strip()
        if not code:
            # A sentence may go over several lines of a comment.
            comment = comment + " " + remark.strip().lstrip("/#*") if remark else ""
        elif not NOT_COUNTED.match(code):
            named = REASON.search(comment)
            result.append(Line(number, re.sub(r"\s", "", code), (named[1] or "above") if named else None))
            comment = ""
    return result


def excused(lines, other):
    """Whether a comment in `lines` names `other` before more of them have passed than may stand twice."""
    return any(line.reason and ("/" + other).endswith("/" + line.reason) for line in lines[: LONGEST + 1])


def blocks(files):
    """Every longest run of lines that stands in two places: (file, first, file, first, length)."""
    places = collections.defaultdict(list)
    for name, lines in files.items():
        for i in range(len(lines) - LONGEST):
            places[tuple(line.text for line in lines[i : i + LONGEST + 1])].append((name, i))
    for found in places.values():
        for n, (name, i) in enumerate(found):
            for other, j in found[n + 1 :]:
                a, b = files[name], files[other]
                if i > 0 and j > 0 and a[i - 1].text == b[j - 1].text:
                    continue  # the rest of a run
                length = LONGEST + 1
                while i + length < len(a) and j + length < len(b) and a[i + length].text == b[j + length].text:
                    length += 1
                yield name, i, other, j, length


def main():
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2]
    files = {}
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in CODE_OF_C | CODE_OF_SCRIPTS:
                files[path.relative_to(root).as_posix()] = lines_of(path)
    if not files:
        sys.exit(f"{root} has no file to look at")
    wrong = []
    for name, i, other, j, length in blocks(files):
        a, b = files[name][i : i + length], files[other][j : j + length]
        if not excused(a, other) and not excused(b, "above" if other == name else name):
            wrong.append(f"  {name}:{a[0].number}-{a[-1].number} and {other}:{b[0].number}-{b[-1].number} ({length} lines)")
    if wrong:
        sys.exit("Blocks that stand twice: share them, or say above one of the two: As in <the other file>: <reason>\n"
                 + "\n".join(wrong))


if __name__ == "__main__":
    main()
