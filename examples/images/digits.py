#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes scikit-learn's handwritten digits as folders of PNG files, for train_images.

digits.py FOLDER        FOLDER/train/DIGIT/NUMBER.png and FOLDER/val/DIGIT/NUMBER.png: 1797 pictures of 8 x 8 pixels in
                        16 steps of grey, every fifth for validation

The data comes with scikit-learn: nothing is downloaded. Files are written by Python's zlib alone. FOLDER must not be
there, or be empty. Exit codes: 0, 2 for a wrong use, 4 where FOLDER is taken or cannot be written, 1 without
scikit-learn.
"""

import os
import struct
import sys
import zlib


def chunk(kind, data):
    """A part of a PNG file: its length, kind, data and sum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def grey_png(rows):
    """A PNG file of 8 bits of grey; rows are bytes objects of the same length."""
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 0, 0, 0, 0)
    lines = b"".join(b"\0" + row for row in rows)  # 0: no filter
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def write_digits(folder, pictures, digits):
    """Writes each picture, of values from 0 to 16, into the folder of its part and digit."""
    for number, (picture, digit) in enumerate(zip(pictures, digits)):
        place = os.path.join(folder, "val" if number % 5 == 0 else "train", str(digit))
        os.makedirs(place, exist_ok=True)
        rows = [bytes(min(255, round(value * 255 / 16)) for value in row) for row in picture]
        with open(os.path.join(place, f"{number:04}.png"), "wb") as file:
            file.write(grey_png(rows))


def fail(what, code):
    print(f"digits.py: {what}", file=sys.stderr)
    sys.exit(code)


def main():
    if sys.argv[1:] in (["--help"], ["-h"]):
        print(__doc__.strip())
        return
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        fail("digits.py FOLDER: one folder is to be named", 2)
    folder = sys.argv[1]
    try:
        if os.path.exists(folder) and (not os.path.isdir(folder) or os.listdir(folder)):
            fail(f"{folder}: is there already: name another folder, or empty it", 4)
    except OSError as error:
        fail(f"{folder}: {error.strerror}", 4)
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        fail("scikit-learn is not installed: pip install scikit-learn", 1)
    data = load_digits()
    try:
        write_digits(folder, data.images, data.target)
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}", 4)
    print(f"{len(data.target)} pictures in {folder}/train and {folder}/val")


if __name__ == "__main__":
    main()
