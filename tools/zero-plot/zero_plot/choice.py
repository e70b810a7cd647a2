# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What is drawn of what there is: curves, their axis, and how much they are smoothed."""
import difflib
import math

from .errors import DataError, UsageError
from .quantities import BY_NAME, OF_A_SET, USUAL, name_of
from .series import smoothed, smoothing_weight, thinned


class Line:
    """One curve of one run, as it is drawn: the values, and the smoothed ones where that is another curve."""

    def __init__(self, run, at, name, xs, ys):
        self.run, self.at, self.name = run, at, name
        self.xs, self.ys = xs, ys
        self.raw = thinned(xs, ys)
        self.smooth = None
        self.not_finite = [x for x, y in zip(xs, ys) if math.isnan(y)]

    def smooth_by(self, weight):
        if weight > 0.0 and len(self.xs) > 2:
            self.smooth = thinned(self.xs, smoothed(self.ys, weight))

    def extremes(self):
        finite = [y for y in self.ys if not math.isnan(y)]
        return (min(finite), max(finite)) if finite else None


def curve_names(runs, wanted):
    """The names of the curves to draw. Raises UsageError for one that no run has."""
    there = {name for run in runs for name in run.curves}
    if wanted is None:
        usual = [quantity.name for quantity in USUAL if quantity.name in there and not _is_idle(runs, quantity.name)]
        sets = sorted(name for name in there if name.startswith(OF_A_SET))
        behind = usual.index("val_loss") + 1 if "val_loss" in usual else len(usual)
        return usual[:behind] + sets + usual[behind:] or sorted(there)[:8]
    names = []
    for word in wanted:
        name = word if word in there else name_of(word)
        if name not in there:
            near = difflib.get_close_matches(word, there, 1)
            raise UsageError(f"--curves {word}: no run has it; " + (f"did you mean {near[0]}? " if near else "") +
                             "there are " + ", ".join(sorted(there, key=_order)))
        if name not in names:
            names.append(name)
    return names


def _order(name):
    return (list(BY_NAME).index(name) if name in BY_NAME else len(BY_NAME), name)


def _is_idle(runs, name):
    """A loss scale that is 1 all the time, as without fp16, is no curve."""
    return name == "loss_scale" and all(y == 1.0 for run in runs if name in run.curves for y in run.curves[name].ys)


def common_axis(runs, names, wanted):
    """The axis that all curves have, or UsageError for one that a run has not, DataError where there is none."""
    shown = [run for run in runs if any(name in run.curves for name in names)]
    if wanted is not None:
        for run in shown:
            if wanted not in run.axes(names):
                raise UsageError(f"--x {wanted}: {run.path} does not say it; it has {', '.join(run.axes(names)) or 'none'}")
        return wanted
    # Steps mean the same in all runs where one has them of its own; sequences, where a monitor wrote them all.
    choices = shown[0].axes(names)
    if len({axes[0] for axes in (run.axes(names) for run in shown) if axes}) > 1:
        choices = ["step", *choices]
    for axis in choices + ["step"]:
        if all(axis in run.axes(names) for run in shown):
            return axis
    raise DataError("the runs have no common x: " + "; ".join(f"{run.path} has {', '.join(run.axes(names))}" for run in shown))


def lines_of(runs, names, axis, weight):
    """The lines of each curve, and the weight that they are smoothed by."""
    lines = {name: [Line(run, at, name, *run.curves[name].over(axis)) for at, run in enumerate(runs) if name in run.curves]
             for name in names}
    noisy = [line for name in names if _is_noisy(name) for line in lines[name]]
    if weight is None:
        weight = smoothing_weight(max((len(line.xs) for line in noisy), default=0))
    for line in noisy:
        line.smooth_by(weight)
    return lines, weight


def _is_noisy(name):
    return name in BY_NAME and BY_NAME[name].noisy
