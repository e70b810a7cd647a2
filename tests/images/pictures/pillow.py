#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What Pillow makes of pictures, for resample_test and decode_test: the values of each as bytes, RGB, in a file.

pillow.py decode FILE...          FILE.rgb: of the file, converted as torchvision's ImageFolder does
pillow.py resize FILE CASES       for each line "LEFT TOP WIDTH HEIGHT TO_WIDTH TO_HEIGHT" of the file CASES, number n
                                  from 0 on, FILE.n.rgb: of that part, resized with BILINEAR, the columns first; and
                                  FILE.n.either.rgb: the same in the order that Pillow chooses, which not all versions
                                  do alike
Ends with 77 where there is no Pillow.
"""

import sys

try:
    from PIL import Image
except ImportError:
    print("Pillow is not installed")
    sys.exit(77)


def write(picture, path):
    with open(path, "wb") as file:
        file.write(picture.tobytes())


def decode(paths):
    for path in paths:
        with Image.open(path) as picture:
            write(picture.convert("RGB"), path + ".rgb")


def resize(path, cases):
    with Image.open(path) as picture, open(cases, encoding="ascii") as lines:
        for number, line in enumerate(lines):
            left, top, width, height, to_width, to_height = map(int, line.split())
            part = picture.crop((left, top, left + width, top + height))
            columns = part.resize((to_width, height), Image.BILINEAR)
            write(columns.resize((to_width, to_height), Image.BILINEAR), f"{path}.{number}.rgb")
            write(part.resize((to_width, to_height), Image.BILINEAR), f"{path}.{number}.either.rgb")


if sys.argv[1] == "decode":
    decode(sys.argv[2:])
else:
    resize(sys.argv[2], sys.argv[3])
