# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Draws the curves of runs. Reading needs Python's standard library alone; matplotlib is imported by picture.py only."""
