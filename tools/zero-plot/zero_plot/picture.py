# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Draws with matplotlib. Positions are in inches, so that nothing overlaps whatever is drawn; any matplotlib from 3.6 on."""
import io
import logging
import math
import os
import re
import warnings

logging.getLogger("matplotlib").setLevel(logging.ERROR)  # that fonts are listed once is no news

import matplotlib  # noqa: E402
from matplotlib import ticker  # noqa: E402
from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.lines import Line2D  # noqa: E402

from .page import page  # noqa: E402
from .quantities import OF_A_SET, quantity  # noqa: E402
from .series import segments_end  # noqa: E402
from .style import DARK, DASHES, LIGHT, power_text, shortened, tick_texts, weight_text  # noqa: E402

X_TITLES = {"step": "step", "samples": "sequences", "tokens": "tokens", "time": "seconds of training", "epoch": "epoch"}
LEFT, RIGHT, TOP, BOTTOM = 0.75, 0.2, 0.15, 0.55  # of the picture
GAP_X, GAP_Y, HEIGHT = 0.85, 0.75, 2.2            # between panels, and of one
STEPS = (1, 2, 2.5, 5, 10)                        # between ticks
FEW = 40                                          # points up to which each has a mark


def draw(runs, lines, axis, weight, options):
    """The bytes of the picture, and what there is to say of it."""
    matplotlib.rcParams.update(matplotlib.rcParamsDefault)
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "zero-plot", "font.size": 9.0,
                                "text.parse_math": False, "agg.path.chunksize": 10000})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # letters that a font lacks
        return _Picture(runs, lines, axis, weight, options).bytes()


def _rounded(tag):
    return re.sub(r"\d+\.\d{3,}", lambda number: f"{float(number.group()):.2f}", tag.group())


class _Picture:
    def __init__(self, runs, lines, axis, weight, options):
        self.runs, self.lines, self.axis, self.weight, self.options = runs, lines, axis, weight, options
        self.theme = DARK if options.dark else LIGHT
        self.said, self.hovers = [], []
        self.panels = self._panels()

    # -------------------------------------------------------------------------------------------- what is drawn

    def _panels(self):
        """The names of the curves of each panel. Both losses of a run that is alone share one, and so do those of the data
        sets of a mixture."""
        names = list(self.lines)
        if len(self.runs) > 1:
            return [[name] for name in names]
        panels = []
        for name in names:
            partner = {"val_loss": "loss", "val_accuracy": "accuracy"}.get(name)
            of_sets = name.startswith(OF_A_SET)
            together = next((panel for panel in panels if partner in panel or of_sets and panel[0].startswith(OF_A_SET)), None)
            if together:
                together.append(name)
            else:
                panels.append([name])
        return panels

    def _colour(self, line, at_panel):
        colours = self.theme["colours"]
        return colours[(at_panel if len(self.runs) == 1 else line.at) % len(colours)]

    def _dash(self, line):
        return DASHES[line.at // len(self.theme["colours"]) % len(DASHES)]

    # ---------------------------------------------------------------------------------------------------- bytes

    def bytes(self):
        figure = self._figure()
        out = io.BytesIO()
        if self.options.format == "png":
            figure.savefig(out, format="png", dpi=160, facecolor=figure.get_facecolor(), metadata={"Software": None})
            return out.getvalue(), self.said
        figure.savefig(out, format="svg", dpi=72, facecolor=figure.get_facecolor(), metadata={"Date": None, "Creator": "zero-plot"})
        # A hundredth of a point is less than anybody sees, and most of the file is paths.
        svg = re.sub(r"<[^>]*>", _rounded, out.getvalue().decode())
        if self.options.format == "svg":
            return svg.encode(), self.said
        return page(svg, self._title() or "Curves", self.theme, self._hover_points(figure), self.runs, self.lines,
                    X_TITLES[self.axis]).encode(), self.said

    # --------------------------------------------------------------------------------------------------- layout

    def _figure(self):
        count = len(self.panels)
        columns = 1 if count == 1 else 2
        rows = (count + columns - 1) // columns
        width = 7.5 if columns == 1 else 10.5
        height = HEIGHT if count > 1 else 3.6
        figure = Figure(figsize=(width, 4.0), dpi=72, facecolor=self.theme["ground"])
        FigureCanvasAgg(figure)
        head = self._head(figure, width)
        total = head + rows * height + (rows - 1) * GAP_Y + BOTTOM
        figure.set_size_inches(width, total)
        self._place_head(total)
        panel_width = (width - LEFT - RIGHT - (columns - 1) * GAP_X) / columns
        places = [(row, column) for row in range(rows) for column in range(columns)]
        wide = columns == 2 and count % 2 == 1  # then the first one takes a row
        if wide:
            places.remove((0, 1))
        for at, names in enumerate(self.panels):
            row, column = places[at]
            w = width - LEFT - RIGHT if wide and at == 0 else panel_width
            x, y = LEFT + column * (panel_width + GAP_X), total - head - (row + 1) * height - row * GAP_Y
            self._panel(figure.add_axes([x / width, y / total, w / width, height / total]), names, w)
        return figure

    def _title(self):
        if self.options.title is not None:
            return self.options.title
        return self.runs[0].label if len(self.runs) == 1 else None

    def _head(self, figure, width):
        """Title and legend above all panels, where no value can be below them. Returns the height that they need."""
        self._heads, at = [], TOP
        title = self._title()
        if title:
            text = figure.text(0.5, 1.0, shortened(title, 100), ha="center", va="top", fontsize=12, color=self.theme["text"])
            most = 100
            while text.get_window_extent().width > 72 * (width - 0.4) and most > 20:
                most -= 5
                text.set_text(shortened(title, most))
            self._heads.append((text, at))
            at += 0.3
        handles = self._handles()
        if handles:
            legend = self._legend(figure, handles, width)
            self._heads.append((legend, at))
            at += legend.get_window_extent().height / 72
        return at + 0.35  # the panels' titles

    def _place_head(self, total):
        for what, at in self._heads:
            y = 1.0 - at / total
            if isinstance(what, matplotlib.text.Text):
                what.set_y(y)
            else:
                what.set_bbox_to_anchor((0.5, y))

    def _legend(self, figure, handles, width):
        """With as many columns as fit, and shorter names where not even one does."""
        most = 60
        while True:
            for handle, _ in handles:
                handle.set_label("name")  # of the names themselves, matplotlib leaves out those that begin with "_"
            for columns in range(min(len(handles), 6), 0, -1):
                legend = figure.legend(handles=[handle for handle, _ in handles], loc="upper center",
                                       bbox_to_anchor=(0.5, 1.0), ncol=columns, frameon=False, borderpad=0.0,
                                       borderaxespad=0.0, labelcolor=self.theme["text"], handlelength=2.2)
                for text, (_, name) in zip(legend.get_texts(), handles):
                    text.set_text(shortened(name, most))
                figure.canvas.draw()
                if legend.get_window_extent().width <= 72 * (width - 0.4) or (columns == 1 and most <= 20):
                    return legend
                legend.remove()
            most -= 10

    def _handles(self):
        everything = [line for lines in self.lines.values() for line in lines]
        handles = []
        def entry(text, **look):
            handles.append((Line2D([], [], **look), text))
        if len(self.runs) > 1:
            for at, run in enumerate(self.runs):
                line = next(line for line in everything + [None] if line is None or line.at == at) or None
                if line:
                    entry(run.label, color=self._colour(line, 0), linestyle=self._dash(line), linewidth=1.8)
        else:
            for names in self.panels:
                if len(names) > 1:
                    for at, name in enumerate(names):
                        entry(quantity(name).title, color=self._colour(None, at), linewidth=1.8)
        grey = self.theme["edge"]
        if any(line.smooth for line in everything):
            entry(f"smoothed ({weight_text(self.weight)})", color=grey, linewidth=1.8)
            entry("each value", color=grey, linewidth=0.8, alpha=0.5)
        if any(line.not_finite for line in everything):
            entry("not finite", color=grey, linestyle="none", marker="x", markersize=5)
        return handles

    # --------------------------------------------------------------------------------------------------- panels

    def _panel(self, axes, names, width):
        theme, kind = self.theme, quantity(names[0])
        axes.set_facecolor(theme["ground"])
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        for side in ("left", "bottom"):
            axes.spines[side].set_color(theme["edge"])
        axes.grid(True, color=theme["grid"], linewidth=0.6)
        axes.set_axisbelow(True)
        axes.tick_params(colors=theme["text"], which="both", length=3, color=theme["edge"])
        title = kind.title
        if len(names) > 1:
            title = {"loss": "loss", "accuracy": "accuracy"}.get(names[0], "validation loss of each data set")
        axes.set_title(shortened(title, 60), fontsize=10, color=theme["text"], loc="left", pad=7)
        axes.set_xlabel(X_TITLES[self.axis], color=theme["text"], labelpad=3)
        for at, name in enumerate(names):
            for line in self.lines[name]:
                self._line(axes, line, self._colour(line, at))
        self._scale(axes, names, kind)
        for at, name in enumerate(names):
            for line in self.lines[name]:
                self._not_finite(axes, line, self._colour(line, at))
        self._ticks(axes, width)

    def _line(self, axes, line, colour):
        xs, ys = line.raw
        style = "steps-post" if line.name == "loss_scale" else "default"
        few = len(xs) <= FEW
        if line.smooth:
            several = len(self.runs) > 1
            axes.plot(xs, ys, color=colour, linewidth=0.7, alpha=0.25 if several else 0.35, zorder=2)
            axes.plot(*line.smooth, color=colour, linewidth=1.6, linestyle=self._dash(line), zorder=4,
                      solid_joinstyle="round")
        else:
            axes.plot(xs, ys, color=colour, linewidth=1.5 + 1.5 * min(self._equal_above(line), 4), linestyle=self._dash(line), drawstyle=style, zorder=4,
                      marker="o" if few else None, markersize=3.2, solid_joinstyle="round")
        if not few:  # a line would not show a point between two gaps
            alone = [(x, y) for x, y, is_alone in zip(xs, ys, segments_end(ys)) if is_alone]
            if alone:
                axes.plot(*zip(*alone), color=colour, linestyle="none", marker="o", markersize=2.5, zorder=4)
        self.hovers.append((axes, line, colour))

    def _equal_above(self, line):
        """How many lines that are drawn later hide this one, as far as both go. It is drawn wider, and shows beside them."""
        def is_equal(other):
            common = min(len(line.xs), len(other.xs))
            return line.xs[:common] == other.xs[:common] and line.ys[:common] == other.ys[:common]
        return sum(other.at > line.at and is_equal(other) for other in self.lines[line.name])

    def _not_finite(self, axes, line, colour):
        xs = line.not_finite
        if not xs:
            return
        step = max(1, len(xs) // 100)
        axes.plot(xs[::step], [0.97] * len(xs[::step]), color=colour, linestyle="none", marker="x", markersize=5,
                  transform=axes.get_xaxis_transform(), zorder=5, clip_on=False)

    # ----------------------------------------------------------------------------------------------------- axes

    def _scale(self, axes, names, kind):
        extremes = [line.extremes() for name in names for line in self.lines[name]]
        extremes = [pair for pair in extremes if pair]
        if not extremes:  # nothing is finite: marks alone
            axes.set_ylim(0.0, 1.0)
            axes.set_yticks([])
            return
        low, high = min(pair[0] for pair in extremes), max(pair[1] for pair in extremes)
        if kind.scale == "log2" and low > 0.0:
            axes.set_yscale("log", base=2)
            if low == high:
                axes.set_ylim(low / 2.0, high * 2.0)
            span = max(1, math.ceil(math.log2(high / low)) + 1)
            first = math.floor(math.log2(low))
            axes.yaxis.set_major_locator(ticker.FixedLocator([2.0 ** k for k in range(first, first + span + 1,
                                                                                      max(1, span // 5))]))
            axes.yaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: power_text(value)))
            axes.yaxis.set_minor_locator(ticker.NullLocator())
            return
        if self.options.log_y and kind.scale == "log":
            if low > 0.0:
                self._log_scale(axes, low, high)
                return
            self.said.append(f"--log-y: {names[0]} has values that are not above 0: its axis stays linear")
        if low == high:
            room = abs(low) * 0.1 or 1.0
            axes.set_ylim(low - room, high + room)
        axes.yaxis.set_major_locator(ticker.MaxNLocator(5, steps=STEPS))
        axes.yaxis.set_major_formatter(_Short())

    @staticmethod
    def _log_scale(axes, low, high):
        axes.set_yscale("log")
        if high / low < 5.0:
            axes.yaxis.set_major_locator(ticker.MaxNLocator(5, steps=STEPS))
        elif high / low < 1000.0:
            axes.yaxis.set_major_locator(ticker.LogLocator(10.0, (1.0, 2.0, 5.0)))
        else:
            axes.yaxis.set_major_locator(ticker.LogLocator(10.0, numticks=6))
        axes.yaxis.set_major_formatter(_Short(together=False))
        axes.yaxis.set_minor_formatter(ticker.NullFormatter())

    def _ticks(self, axes, width):
        """All panels have the same x."""
        xs = [x for lines in self.lines.values() for line in lines for x in (line.xs[0], line.xs[-1])]
        low, high = min(xs), max(xs)
        room = 0.02 * (high - low) or 1.0
        axes.set_xlim(low - room, high + room)
        whole = self.axis not in ("time", "epoch") or high - low >= 10
        axes.xaxis.set_major_locator(ticker.MaxNLocator(6 if width < 6 else 10, integer=whole, steps=STEPS))
        axes.xaxis.set_major_formatter(_Short())

    # ---------------------------------------------------------------------------------------------------- hover

    def _hover_points(self, figure):
        """What a page shows where the pointer rests: for each line some points in the pixels of the SVG, with texts."""
        figure.set_dpi(72)
        figure.canvas.draw()
        height = figure.get_size_inches()[1] * 72
        points = []
        for axes, line, colour in self.hovers:
            xs, ys = line.smooth or line.raw
            step = max(1, len(xs) // 100)
            for at in sorted({*range(0, len(xs), step), len(xs) - 1}):
                if not math.isnan(ys[at]):
                    x, y = axes.transData.transform((xs[at], ys[at]))
                    points.append((x, height - y, colour, line, xs[at], ys[at]))
        return points


class _Short(ticker.Formatter):
    """Ticks as short as they can be told apart; together: with as many digits each."""

    def __init__(self, together=True):
        self.together = together

    def format_ticks(self, values):
        values = [float(value) for value in values]
        if not values:
            return []
        return tick_texts(values) if self.together else [tick_texts([value])[0] for value in values]

    def __call__(self, value, position=None):
        return tick_texts([float(value)])[0]
