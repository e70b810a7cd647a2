#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""scripts/unicode_tables.py > tools/text/unicode_tables.inc: what the `tokenizers` package takes for a letter, a number
and white space, and how it composes characters (NFC), measured of the package itself, so that its version of Unicode is
matched whatever Python's is. Needs tokenizers (tests/requirements.txt)."""
import unicodedata

import tokenizers
from tokenizers import Regex, normalizers

CODES = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
TEXT = "".join(map(chr, CODES))
nfd = normalizers.NFD().normalize_str
nfc = normalizers.NFC().normalize_str


def matched(pattern):
    """The code points that a pattern of one character matches."""
    rest = normalizers.Replace(Regex(pattern), "").normalize_str(TEXT)
    return sorted(set(CODES) - set(map(ord, rest)))


def ranges(codes):
    found = []
    for code in codes:
        if found and code == found[-1][1] + 1:
            found[-1][1] = code
        else:
            found.append([code, code])
    return found


def rows(items):
    """Lines of at most 120 columns."""
    line = ""
    for item in items:
        if len(line) + len(item) + 3 > 120:
            print(" " + line)
            line = ""
        line += " " + item + ","
    if line:
        print(" " + line)


def print_ranges(name, codes):
    print(f"\nconstexpr CodeRange {name}[] = {{")
    rows(f"{{0x{a:X}, 0x{b:X}}}" for a, b in ranges(codes))
    print("};")


def combining_classes():
    """Of the characters that change places with others. A class never changes once there is one (Unicode's stability
    policy), so Python's table says which it is."""
    found = {}
    for code in CODES:
        c = chr(code)
        if nfd(c) != c or 0xAC00 <= code < 0xD7A4:
            continue
        low, high = "\u0334", "\u0301"  # of classes 1 and 230
        if nfd("a" + c + low) == "a" + low + c != "a" + c + low or nfd("a" + high + c) == "a" + c + high != "a" + high + c:
            found[code] = unicodedata.combining(c)
            assert found[code], f"Python's Unicode is older than that of tokenizers: {code:X}"
    for code in (0x334, 0x301):
        found[code] = unicodedata.combining(chr(code))
    return found


def main():
    letters, numbers, spaces = matched(r"\p{L}"), matched(r"\p{N}"), matched(r"\s")
    print("// SPDX-FileCopyrightText: 2026 The zero authors")
    print("// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception")
    print(f"// Measured by scripts/unicode_tables.py of version {tokenizers.__version__} of the tokenizers package.")
    print("// clang-format off")
    print_ranges("letters", letters)
    print_ranges("numbers", numbers)
    print_ranges("spaces", spaces)
    print("\n// What letters of contractions match where case does not count, beside a letter and its capital.")
    print("constexpr LetterFold folds[] = {")
    folds = []
    for letter in "stremvld":
        for code in matched(f"(?i:{letter})"):
            if chr(code) not in letter + letter.upper():
                folds.append(f"{{0x{code:X}, '{letter}'}}")
    rows(folds)
    print("};\n\n// First, last, canonical combining class.")
    print("constexpr CombiningRange combining[] = {")
    classes = combining_classes()
    merged = []
    for code in sorted(classes):
        if merged and code == merged[-1][1] + 1 and classes[code] == merged[-1][2]:
            merged[-1][1] = code
        else:
            merged.append([code, code, classes[code]])
    rows(f"{{0x{a:X}, 0x{b:X}, {k}}}" for a, b, k in merged)
    print("};\n\n// A character and the one or two (or 0) that it is made of, one step; then whether they compose to it again.")
    print("constexpr Decomposition decompositions[] = {")
    pairs = []
    for code in CODES:
        c, parts = chr(code), nfd(chr(code))
        if parts == c or 0xAC00 <= code < 0xD7A4:
            continue
        composes = nfc(parts) == c and len(parts) > 1
        if composes:
            first, second = nfc(parts[:-1]), parts[-1]
            assert len(first) == 1, hex(code)
            pairs.append(f"{{0x{code:X}, 0x{ord(first):X}, 0x{ord(second):X}, true}}")
        else:  # at most four characters, of which the first may be one that composes
            step = unicodedata.decomposition(c).split()
            step = [chr(int(s, 16)) for s in step] if step and not step[0].startswith("<") else []
            if not step or nfd("".join(step)) != parts:
                step = list(parts)
            assert len(step) <= 2, hex(code)
            second = f"0x{ord(step[1]):X}" if len(step) == 2 else "0"
            pairs.append(f"{{0x{code:X}, 0x{ord(step[0]):X}, {second}, false}}")
    rows(pairs)
    print("};\n// clang-format on")


main()
