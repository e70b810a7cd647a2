# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes the picture: whole, or not at all."""
import os
import secrets

from .errors import Failure, UsageError


def check(path):
    """Refuses a place that cannot be written, before anything is read."""
    folder = os.path.dirname(os.path.realpath(path))
    if os.path.isdir(path):
        raise UsageError(f"--output {path}: is a folder: name a file in it")
    if not os.path.isdir(folder):
        raise UsageError(f"--output {path}: cannot be written: its folder does not exist")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"--output {path}: cannot be written: its folder takes no files")


def write(path, content):
    """Takes the place of what is there once all bytes are on the disk."""
    place = os.path.realpath(path)  # where a link leads, and not the link itself
    beside = os.path.join(os.path.dirname(place), f".{os.path.basename(place)[:100]}.{secrets.token_hex(4)}.part")
    try:
        file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o666)
        try:
            with os.fdopen(file, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(beside, place)
        except BaseException:
            os.unlink(beside)
            raise
    except OSError as error:
        raise Failure(f"--output {path}: could not be written: {error.strerror}; what was there is as it was") from None
