# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Reads runs from files: logs in JSON Lines, monitors' JSON Lines and CSV, and JSON files of lists."""
import csv
import json
import math
import os

from .errors import DataError
from .quantities import OF_A_SET, axis_of, name_of, name_of_tag, over_samples
from .run import Curve, Run, Table, add_table

METRICS = "metrics.jsonl"
LARGEST = 1e100  # differences and ratios of what is drawn are to be finite
OF_EVALUATIONS = ("step", "val_loss", "train_loss", "eval_seconds")


def number(value):
    """A float, NaN where it is not finite, or no axis could hold it; None where it is no number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        value = float(value)
    except OverflowError:  # an integer of hundreds of digits
        return math.nan
    if not abs(value) < LARGEST:
        return math.nan
    return value if abs(value) > 1.0 / LARGEST else 0.0


def _text_of(path):
    try:
        with open(path, encoding="utf-8", errors="strict", newline="") as file:
            return file.read()
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is no log: byte {error.start} is not UTF-8; give what --log, --csv or --json-lines "
                        "writes, or a JSON file of lists") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None


def read_file(path):
    """A run from one file. Raises DataError where it is none."""
    text = _text_of(path)
    run = Run(path)
    if path.lower().endswith(".csv"):
        _read_csv(run, path, text)
    elif not _read_whole_json(run, path, text):
        _read_lines(run, path, text)
    return run


def read_csv_folder(path, names):
    """A run from a folder of a CSV monitor, with one file for each curve."""
    run = Run(path)
    for name in sorted(names):
        _read_csv(run, os.path.join(path, name), _text_of(os.path.join(path, name)))
    _derive_axes(run)
    return run


# ------------------------------------------------------------------------------------------------------ JSON Lines


def _loads(text):
    """A JSON value, or None. A number of thousands of digits and a nesting of thousands of brackets are no log."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _lines(text):
    return text.replace("\r\n", "\n").split("\n")


def _read_lines(run, path, text):
    lines = _lines(text)
    tables = {"step": Table(), "samples": Table()}
    broken, objects = [], 0
    has_loss = False
    for at, line in enumerate(lines, 1):
        if not line.strip("\0 \t"):  # a file system that lost its last writes leaves zeros
            continue
        record = _loads(line)
        if not isinstance(record, dict):
            if at < len(lines):  # the last line may be one that is being written
                broken.append(at)
            continue
        objects += 1
        if "tag" in record:
            _add_event(tables, record)
        else:
            has_loss = has_loss or "loss" in record
            _add_record(tables["step"], record, has_loss, objects)
    if not objects and broken:
        raise DataError(f"{path}: is no log: line {broken[0]} is no JSON object; give what --log, --csv or --json-lines "
                        "writes, or a JSON file of lists")
    if broken:
        run.notes.append(f"{path}: line {broken[0]} is no JSON object" + (f", nor are {len(broken) - 1} more"
                                                                         if broken[1:] else "") + ": left out")
    for native in ("samples", "step"):
        add_table(run, tables[native], native)


def _add_event(tables, record):
    """A line of a monitor. A null stands for what is not finite."""
    x, tag = number(record.get("step")), record["tag"]
    if x is None or math.isnan(x) or not isinstance(tag, str) or "value" not in record:
        return
    value = math.nan if record["value"] is None else number(record["value"])
    if value is not None:
        tables["samples" if over_samples(tag) else "step"].add(x, {name_of_tag(tag): value})


def _add_record(table, record, has_loss, ordinal):
    """A line of a log. A null is a value that there is none of, but a step always has a loss: it was not finite."""
    x, values = None, {}
    is_start = record.get("step") == 0 and record.get("loss") is None  # an evaluation before the first step
    for key, value in record.items():
        if key == "val_losses" and isinstance(value, dict):  # of a mixture's data sets
            values.update((OF_A_SET + name, number(loss)) for name, loss in value.items() if number(loss) is not None)
            continue
        if is_start and key not in OF_EVALUATIONS:
            continue
        found = number(value)
        if value is None and key == "loss":
            found = math.nan
        if found is None:
            continue
        axis = axis_of(key)
        if axis == "step":
            x = found
        else:
            values[axis or name_of(key, has_loss)] = found
    if not values:
        return
    if x is None:
        x = values.get("epoch", ordinal)
    if not math.isnan(x):
        table.add(x, values)


# -------------------------------------------------------------------------------------------------- one JSON value


def _read_whole_json(run, path, text):
    """Whether the file is one JSON value: an object of lists, or a list of records."""
    head = text.lstrip()[:1]
    if head not in ("{", "["):
        return False
    value = _loads(text)
    if value is None:
        first = text.strip().split("\n", 1)[0]
        if _loads(first) is None and "\n" in text.strip():
            _refuse_broken_json(path, text)
        return False
    records = value.get("log_history") if isinstance(value, dict) else value  # trainer_state.json of transformers
    if isinstance(records, list):
        table = Table()
        if records and not any(isinstance(record, dict) for record in records):
            raise DataError(f"{path}: is no log: its list holds no objects; give what --log, --csv or --json-lines writes, "
                            "or a JSON file of lists")
        has_loss = any(isinstance(record, dict) and "loss" in record for record in records)
        for at, record in enumerate(records, 1):
            if isinstance(record, dict):
                _add_record(table, record, has_loss, at)
        add_table(run, table, "step")
        return True
    lists = {key: member for key, member in value.items() if isinstance(member, list)}
    if not lists:
        return False  # one line of a log
    _add_lists(run, path, lists)
    return True


def _refuse_broken_json(path, text):
    """A file of several lines whose first one is no whole value, and neither is the file."""
    if any(isinstance(_loads(line), dict) for line in _lines(text)):
        return  # a log whose first line is damaged
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else "some place"
        raise DataError(f"{path}: is no log: it is damaged or cut off at {where}; give what --log, --csv or "
                        "--json-lines writes, or a JSON file of lists") from None


def _numbers(run, path, key, values):
    """A list of floats. A null is a value that was not finite; what else is no number is told, unless none is one."""
    found = [number(value) for value in values]
    other = sum(1 for value, y in zip(values, found) if y is None and value is not None)
    if other and any(y is not None for y in found):
        run.notes.append(f"{path}: {key} has {other} {'value that is' if other == 1 else 'values that are'} no number: left "
                         "out")
    return [math.nan if y is None else y for y in found]


def _add_lists(run, path, members):
    lists = {key: _numbers(run, path, key, member) for key, member in members.items()}
    axes = {axis_of(key): member for key, member in lists.items() if axis_of(key)}
    has_loss = "loss" in lists
    for key, ys in lists.items():
        if axis_of(key) or all(math.isnan(y) for y in ys):
            continue
        fitting = {axis: xs for axis, xs in axes.items()
                   if len(xs) == len(ys) and not any(math.isnan(x) for x in xs)}
        if axes and not fitting:
            run.notes.append(f"{path}: {key} has {len(ys)} {'value' if len(ys) == 1 else 'values'}, and no axis that many "
                             "numbers: drawn over 1, 2, 3 and so on")
        run.curves[name_of(key, has_loss)] = Curve(ys, fitting or {"epoch": [float(n + 1) for n in range(len(ys))]})


# ------------------------------------------------------------------------------------------------------------- CSV


def _read_csv(run, path, text):
    """A table whose first row names its columns. What a monitor writes has two: the step and the value."""
    try:
        rows = list(csv.reader(_lines(text.replace("\0", ""))))
    except csv.Error as error:
        raise DataError(f"{path}: is no table in CSV: {error}") from None
    rows = [row for row in rows if row]
    if not rows:
        return
    header, complete = [cell.strip() for cell in rows[0]], text.endswith(("\n", "\r"))
    xs_at = next((at for at, name in enumerate(header) if axis_of(name)), None)
    if xs_at is None or len(header) < 2:
        raise DataError(f"{path}: is no log: its first row names no step, epoch or samples; give what --log, --csv or "
                        "--json-lines writes, or a JSON file of lists")
    tag = os.path.basename(path)[:-len(".csv")]
    native = "samples" if over_samples(tag) else axis_of(header[xs_at])
    table, broken = Table(), 0
    for row in rows[1:] if complete else rows[1:-1]:
        cells = [_cell(cell) for cell in row]
        if len(cells) != len(header) or cells[xs_at] is None or math.isnan(cells[xs_at]):
            broken += 1
            continue
        table.add(cells[xs_at], {_column(header, at, tag): value for at, value in enumerate(cells)
                                 if at != xs_at and value is not None})
    if broken:
        run.notes.append(f"{path}: {broken} {'row has' if broken == 1 else 'rows have'} no step, or not as many values as "
                         "the first: left out")
    add_table(run, table, native)


def _cell(cell):
    try:
        return number(float(cell))
    except ValueError:
        return None


def _column(header, at, tag):
    if axis_of(header[at]):
        return axis_of(header[at])
    return name_of_tag(tag) if len(header) == 2 else name_of(header[at], "loss" in header)


def _derive_axes(run):
    """The curves of a folder are read from a file each; what follows from several of them follows here."""
    for native in ("samples", "step"):
        table = Table()
        for name, curve in run.curves.items():
            if curve.axes()[0] == native and set(curve.axes()) <= {native, "step"}:
                table.xs[name], table.ys[name] = curve.over(native)
        if table.xs:
            add_table(run, table, native)
