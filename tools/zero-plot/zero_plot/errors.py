# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What ends the program. A number means the same in every program: docs/programs.md."""

DONE = 0
FAILED = 1
USAGE = 2
DATA = 4


class Failure(Exception):
    """Ends the program with one line on standard error."""

    code = FAILED


class UsageError(Failure):
    code = USAGE


class DataError(Failure):
    code = DATA
