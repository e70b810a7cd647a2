# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The curves of one run."""
import bisect
import math

from .series import in_order


class Table:
    """Values of several curves over one x, as a log has them."""

    def __init__(self):
        self.xs, self.ys = {}, {}

    def add(self, x, values):
        """Values at x, by the names of their curves. Where a curve goes back, the run was resumed from there: what all
        curves have from x on was done again, and goes."""
        for name in values:
            if name in self.xs and self.xs[name][-1] > x:
                self._cut(x)
                break
        for name, value in values.items():
            xs = self.xs.setdefault(name, [])
            ys = self.ys.setdefault(name, [])
            if xs and xs[-1] == x:
                ys[-1] = value
            else:
                xs.append(x)
                ys.append(value)

    def _cut(self, x):
        for name in list(self.xs):
            kept = bisect.bisect_left(self.xs[name], x)
            del self.xs[name][kept:], self.ys[name][kept:]
            if not kept:
                del self.xs[name], self.ys[name]


class Curve:
    """ys, and the axes that they may lie over: a list of as many values for each, or a function that makes it."""

    def __init__(self, ys, axes):
        self.ys, self._axes = ys, axes

    def axes(self):
        return list(self._axes)

    def over(self, axis):
        """Ascending x, and the values."""
        xs = self._axes[axis]
        return in_order(xs() if callable(xs) else xs, self.ys)


class Run:
    def __init__(self, path):
        self.path, self.label = path, path
        self.curves = {}
        self.notes = []  # what was left out, for a line on standard error

    def axes(self, names):
        """The axes that all of its curves of these names have, in the order in which one is chosen."""
        drawn = [self.curves[name].axes() for name in names if name in self.curves]
        return [axis for axis in (drawn[0] if drawn else []) if all(axis in axes for axes in drawn)]


class _Lookup:
    """Another axis, known at some of the xs."""

    def __init__(self, known_xs, values):
        self.known_xs, self.values = known_xs, values

    def at(self, x):
        """At the last known x that is not behind this one."""
        index = bisect.bisect_right(self.known_xs, x) - 1
        return self.values[index] if index >= 0 else 0.0


def _over(xs, lookup):
    return lambda: [lookup.at(x) for x in xs]


def add_table(run, table, native):
    """Adds the curves of a log whose x is the axis `native`, with the axes that follow from what it says."""
    lookups = {}
    rates, times = table.ys.get("tokens_per_second"), table.ys.get("ms")
    steps = max(table.xs.values(), key=len, default=[])
    if native == "samples" and "lr" in table.xs:
        lookups["step"] = _Lookup(table.xs["lr"], list(range(1, len(table.xs["lr"]) + 1)))
    if rates and times and table.xs["tokens_per_second"] == table.xs["ms"]:
        xs = table.xs["ms"]
        lookups["tokens"] = _Lookup(xs, _tokens(xs if native == "step" else None, rates, times))
        evaluations = dict(zip(table.xs.get("eval_seconds", ()), table.ys.get("eval_seconds", ())))
        lookups["time"] = _Lookup(xs, _sums([ms / 1e3 + _finite(evaluations.get(x)) for x, ms in zip(xs, times)]))
    for axis in ("epoch", "samples", "tokens"):
        if axis in table.xs and axis != native:
            lookups[axis] = _Lookup(table.xs[axis], table.ys[axis])
    for name in table.xs:
        if name in ("epoch", "samples", "tokens") or (name == "time" and steps):
            continue
        xs = table.xs[name]
        axes = {native: xs}
        axes.update({axis: _over(xs, lookup) for axis, lookup in lookups.items() if axis != native})
        run.curves[name] = Curve(table.ys[name], axes)


def _finite(value):
    return value if value is not None and math.isfinite(value) else 0.0


def _sums(values):
    total, out = 0.0, []
    for value in values:
        total += _finite(value)
        out.append(total)
    return out


def _tokens(steps, rates, times):
    """Tokens up to each step: its speed times its time. A log that begins in the middle of a run is taken to have
    drawn as many in each step before."""
    each = [round(_finite(rate * ms / 1e3)) for rate, ms in zip(rates, times)]
    before = (steps[0] - 1) * each[0] if steps and steps[0] > 1 else 0
    return [before + total for total in _sums(each)]
