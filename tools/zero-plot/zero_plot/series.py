# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Values over x: what is drawn of them. Values that are not finite are NaN."""
import bisect
import math
import operator


def smoothing_weight(points):
    """The share that an average keeps where the longest curve has so many points: it looks back a fiftieth of them."""
    return max(0.0, 1.0 - 50.0 / points) if points else 0.0


def smoothed(values, weight):
    """An exponential moving average. Like Adam's, it is divided by the weight of what it has seen, so that it begins at
    the first value instead of at 0. Values that are not finite stay gaps and count nowhere else."""
    kept, average, seen, out = weight, 0.0, 0.0, []
    for value in values:
        if math.isnan(value):
            out.append(value)
            continue
        average = kept * average + (1.0 - kept) * value
        seen = kept * seen + (1.0 - kept)
        out.append(average / seen)
    return out


def in_order(xs, ys):
    """The same, ascending; of values at one x the last one."""
    if all(map(operator.lt, xs, xs[1:])):
        return xs, ys
    by_x = dict(sorted(zip(xs, ys), key=lambda pair: pair[0]))
    return list(by_x), list(by_x.values())


def thinned(xs, ys, buckets=400):
    """At most two points of each of so many equal parts of x: the lowest and the highest, so that no peak is lost, and
    the very first and last. A part without any finite value stays a gap. xs ascend."""
    if len(xs) <= 2 * buckets:
        return list(xs), list(ys)
    first, width = xs[0], (xs[-1] - xs[0]) / buckets
    chosen = {0, len(xs) - 1}
    at = 0
    while at < len(xs):
        bucket = int((xs[at] - first) / width)
        end = max(at + 1, bisect.bisect_left(xs, first + (bucket + 1) * width, at))
        part = ys[at:end]
        finite = [y for y in part if y == y]
        chosen.update((at + part.index(min(finite)), at + part.index(max(finite))) if finite else (at,))
        at = end
    indices = sorted(chosen)
    return [xs[i] for i in indices], [ys[i] for i in indices]


def segments_end(ys):
    """Whether there is a point without a neighbour, which a line would not show."""
    finite = [not math.isnan(y) for y in ys]
    before = [False] + finite[:-1]
    behind = finite[1:] + [False]
    return [here and not a and not b for here, a, b in zip(finite, before, behind)]
