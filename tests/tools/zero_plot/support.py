# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What both files of tests need."""
import contextlib
import io
import json
import math
import os
import random
import tempfile
import unittest

from zero_plot.program import main


class FolderTest(unittest.TestCase):
    """Each test has a folder of its own, which it stands in."""

    def setUp(self):
        self._folder = tempfile.TemporaryDirectory()
        self.addCleanup(self._folder.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self._folder.name)

    def program(self, *arguments):
        """Exit code, standard output, and standard error."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(list(arguments), "1.2.3")
        return code, out.getvalue(), err.getvalue()

    def refused(self, code, what, *arguments):
        """One line on standard error that says `what`, the exit code, and no picture."""
        before = set(os.listdir("."))
        got, out, err = self.program(*arguments)
        self.assertEqual((got, out, err.count("\n")), (code, "", 1), err)
        self.assertTrue(err.startswith("zero-plot: "), err)
        self.assertIn(what, err)
        self.assertEqual(set(os.listdir(".")), before)


def write(path, text):
    if os.path.dirname(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(text)
    return path


def record(step, **more):
    """A line of the trainer's log."""
    return json.dumps({"step": step, "loss": 5.0 - step / 1000, "val_loss": None, "grad_norm": 1.5, "lr": 1e-3,
                       "loss_scale": 1, "skipped": False, "tokens_per_second": 2000.0, "ms": 32.0, "data_ms": 0.1,
                       "epoch": step / 100, "train_loss": None, "eval_seconds": 0, **more}) + "\n"


def log(path, steps, seed=1, **more):
    """A log with noise, as a real one has it."""
    draw = random.Random(seed)
    return write(path, "".join(
        record(step, loss=1.5 + 3 * math.exp(-8 * step / steps) + draw.gauss(0, 0.1), grad_norm=draw.uniform(0.5, 2.0),
               val_loss=1.6 + 3 * math.exp(-8 * step / steps) if step % max(1, steps // 10) == 0 else None,
               lr=1e-3 * (1 - step / (steps + 1)), **more) for step in range(1, steps + 1)))
