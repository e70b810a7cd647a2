# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Which runs the words of a command line mean, and what they are called."""
import os

from .errors import DataError, UsageError
from .reading import METRICS, read_csv_folder, read_file

GENERIC = ("metrics", "log", "logs", "history", "train", "trainer_state", "losses", "train_log")


def read_runs(words):
    """All runs, with notes of those that have no value yet. Raises DataError where a word is none, or all are empty."""
    runs, seen = [], {}
    for word in words:
        for run in _runs_of(word):
            real = os.path.realpath(run.path)
            if real in seen:
                raise UsageError(f"{word}: {run.path} is named twice: leave one of them out")
            seen[real] = word
            runs.append(run)
    full = [run for run in runs if any(len(curve.ys) for curve in run.curves.values())]
    if not full:
        raise DataError(f"{runs[0].path}: holds no value yet: wait for the first step" if len(runs) == 1 else
                        f"none of {len(runs)} logs holds a value yet, the first is {runs[0].path}: wait for a first step")
    notes = [note for run in runs for note in run.notes]
    notes += [f"{run.path}: holds no value yet: left out" for run in runs if run not in full]
    return full, notes


def _runs_of(word):
    if not os.path.exists(word):
        raise DataError(f"{word}: no such file or folder; give a log, or the folder of a run")
    if not os.path.isdir(word):
        return [read_file(word)]
    own = _run_of_folder(word)
    if own:
        return [own]
    below = [_run_of_folder(os.path.join(word, name)) for name in _names(word) if os.path.isdir(os.path.join(word, name))]
    found = [run for run in below if run]
    if not found:
        raise DataError(f"{word}: is a folder without {METRICS} or CSV files, and so are those in it; " + (
            "TensorBoard's event files are not read: give train_gpt2 --csv or --json-lines, too"
            if _holds_events(word) else "name a log, or the folder of a run"))
    return found


def _names(folder):
    try:
        return sorted(os.listdir(folder))
    except OSError as error:
        raise DataError(f"{folder}: cannot be read: {error.strerror}") from None


def _run_of_folder(folder):
    """The run whose curves lie in this folder itself, or None. Both kinds of files hold the same."""
    names = _names(folder)
    if METRICS in names:
        run = read_file(os.path.join(folder, METRICS))
        run.path = folder
        return run
    tables = [name for name in names if name.endswith(".csv") and os.path.isfile(os.path.join(folder, name))]
    return read_csv_folder(folder, tables) if tables else None


def _holds_events(folder):
    return any(".tfevents." in name for _, _, names in os.walk(folder) for name in names)


def name_runs(runs, labels):
    """Gives each run its label: the shortest end of its path that no other has, or what the command line says."""
    if labels is not None:
        if len(labels) != len(runs):
            raise UsageError(f"--labels: names {len(labels)}, but there {'is 1 run' if len(runs) == 1 else f'are {len(runs)} runs'}"
                             f": {', '.join(run.path for run in runs)}")
        for run, label in zip(runs, labels):
            run.label = label
        return
    parts = [_parts(run.path) for run in runs]
    if len(set(map(tuple, parts))) < len(parts):  # several logs of one folder, or of one name and several endings
        parts = [[part for part in os.path.abspath(run.path).split(os.sep) if part] for run in runs]
    for run, own in zip(runs, parts):
        length = 1
        while length < len(own) and any(other is not own and other[-length:] == own[-length:] for other in parts):
            length += 1
        run.label = "/".join(own[-length:])


def _parts(path):
    """The folders of a path and its name, without an ending, and without a name that says nothing."""
    parts = [part for part in os.path.abspath(path).split(os.sep) if part] or ["/"]
    if os.path.isdir(path):
        return parts
    stem = os.path.splitext(parts[-1])[0] or parts[-1]
    if stem.lower() in GENERIC and len(parts) > 1:
        return parts[:-1]
    return parts[:-1] + [stem]
