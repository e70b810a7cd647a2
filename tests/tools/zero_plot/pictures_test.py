# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Pictures of zero-plot: what needs matplotlib."""
import html.parser
import itertools
import json
import math
import os
import re
import subprocess
import sys
import unittest
import xml.etree.ElementTree as xml

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from support import FolderTest, log, record, write  # noqa: E402

from zero_plot import choice, picture  # noqa: E402
from zero_plot.command_line import parse  # noqa: E402
from zero_plot.places import name_runs, read_runs  # noqa: E402
from zero_plot.style import DARK, LIGHT, value_text  # noqa: E402


def drawn(*arguments):
    """The picture as matplotlib has it, before it is bytes."""
    options = parse([*arguments, "--output", "c.svg"])
    runs, _ = read_runs(options.logs)
    name_runs(runs, options.labels)
    names = choice.curve_names(runs, options.curves)
    lines, weight = choice.lines_of(runs, names, choice.common_axis(runs, names, options.x), options.smooth)
    figures = []
    made = picture._Picture._figure
    picture._Picture._figure = lambda self: figures.append(made(self)) or figures[0]
    try:
        picture.draw(runs, lines, "step", weight, options)
    finally:
        picture._Picture._figure = made
    figures[0].canvas.draw()
    return figures[0]


def texts_of(path):
    """All texts of an SVG file, which must be XML."""
    return [element.text or "" for element in xml.parse(path).iter() if element.tag.endswith("}text")]


class Nesting(html.parser.HTMLParser):
    """Which elements of a page end where they should not. Those of SVG may end at once."""

    EMPTY = {"meta", "br", "img", "link", "hr"}

    def __init__(self):
        super().__init__()
        self.open, self.wrong, self.seen = [], [], set()

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.add(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append((tag, self.getpos()))


class Layout(FolderTest):
    def logs(self, count, steps, folder="{}"):
        return [log(f"{folder.format(at)}/log.jsonl", steps * (at + 1), at, loss_scale=2.0 ** (at + 3)) for at in range(count)]

    def assert_nothing_overlaps(self, figure):
        renderer = figure.canvas.get_renderer()
        width, height = figure.canvas.get_width_height()
        boxes = [axes.get_tightbbox(renderer) for axes in figure.axes]
        boxes += [text.get_window_extent(renderer) for text in figure.texts]
        boxes += [legend.get_window_extent(renderer) for legend in figure.legends]
        for box in boxes:
            self.assertTrue(-0.5 <= box.x0 and box.x1 <= width + 0.5 and -0.5 <= box.y0 and box.y1 <= height + 0.5,
                            (box, width, height))
        for a, b in itertools.combinations(boxes, 2):
            self.assertTrue(a.x1 <= b.x0 + 0.5 or b.x1 <= a.x0 + 0.5 or a.y1 <= b.y0 + 0.5 or b.y1 <= a.y0 + 0.5, (a, b))
        for axes in figure.axes:
            for axis in (axes.xaxis, axes.yaxis):
                labels = [tick.label1.get_window_extent(renderer) for tick in axis._update_ticks() if tick.label1.get_text()]
                self.assertGreater(len(labels), 1)
                for a, b in itertools.combinations(labels, 2):
                    self.assertFalse(a.overlaps(b), [tick.label1.get_text() for tick in axis._update_ticks()])

    def test_nothing_overlaps_for_1_to_12_runs_short_and_long(self):
        for count, steps in itertools.product((1, 2, 3, 5, 12), (1, 2, 9, 120)):
            more = ["--log-y", "--title", "A title"] if (count + steps) % 2 else []
            with self.subTest(count=count, steps=steps, more=more):
                self.assert_nothing_overlaps(drawn(*self.logs(count, steps), *more))

    def test_nothing_overlaps_with_long_names_and_titles(self):
        logs = self.logs(5, 20, "a very long name of an experiment with all of its settings in it, " * 3 + "{}")
        self.assert_nothing_overlaps(drawn(*logs, "--title", "W" * 300))

    def test_nothing_overlaps_with_one_to_nine_panels(self):
        names = ["loss", "val_loss", "lr", "grad_norm", "loss_scale", "tokens_per_second", "ms", "data_ms", "epoch_"]
        logs = [log(f"{at}.jsonl", 30, at, epoch_=0.1) for at in range(2)]
        for count in range(1, 10):
            with self.subTest(count=count):
                figure = drawn(*logs, "--curves", ",".join(names[:count]))
                self.assertEqual(len(figure.axes), count)
                self.assert_nothing_overlaps(figure)

    def test_all_panels_have_the_same_x(self):
        figure = drawn(log("a.jsonl", 100), log("b.jsonl", 50, 2))
        self.assertEqual(len({axes.get_xlim() for axes in figure.axes}), 1)

    def test_the_losses_of_a_run_that_is_alone_share_a_panel(self):
        self.assertEqual(drawn(log("a.jsonl", 100)).axes[0].get_title(loc="left"), "loss")
        self.assertEqual(drawn("a.jsonl", log("b.jsonl", 50, 2)).axes[0].get_title(loc="left"), "training loss")

    def test_data_sets_of_a_mixture_share_a_panel_of_a_run_that_is_alone(self):
        logs = [log(f"{at}.jsonl", 20, at, val_losses={"web": 2.0 + at, "code": 3.0}) for at in range(2)]
        figure = drawn(logs[0])
        self.assert_nothing_overlaps(figure)
        titles = [axes.get_title(loc="left") for axes in figure.axes]
        self.assertEqual(titles[:3], ["loss", "validation loss of each data set", "learning rate"])
        self.assertEqual(len(figure.axes[1].lines), 2)
        self.assertIn("validation loss of web", [axes.get_title(loc="left") for axes in drawn(*logs).axes])

    def test_smoothed_curves_lie_above_faint_values(self):
        smooth = drawn(log("a.jsonl", 500), "--curves", "loss", "--smooth", "0.9").axes[0].lines
        self.assertEqual(len(smooth), 2)
        self.assertLess(smooth[0].get_alpha(), 0.5)
        self.assertLess(max(smooth[1].get_ydata()[200:]), max(smooth[0].get_ydata()[200:]) - 0.1)
        self.assertEqual(len(drawn("a.jsonl", "--curves", "loss", "--smooth", "0").axes[0].lines), 1)

    def test_curves_that_are_equal_in_all_runs_show_beside_each_other(self):
        widths = [line.get_linewidth() for line in drawn(log("a.jsonl", 80), log("b.jsonl", 80, 2), "--curves", "lr").axes[0].lines]
        self.assertGreater(widths[0], widths[1] + 1.0)

    def test_values_that_are_not_finite_are_marked_and_leave_a_gap(self):
        write("log.jsonl", "".join(record(step, loss=None if 40 <= step < 60 else 2.0) for step in range(1, 101)))
        axes = drawn("log.jsonl", "--curves", "loss", "--smooth", "0.5").axes[0]
        marks = [line for line in axes.lines if line.get_marker() == "x"]
        self.assertEqual([list(line.get_xdata()) for line in marks], [list(range(40, 60))])
        self.assertEqual(sum(map(math.isnan, axes.lines[1].get_ydata())), 20)

    def test_a_value_between_two_gaps_is_seen(self):
        write("log.jsonl", "".join(record(step, loss=2.0 if step % 50 == 0 or step < 10 else None) for step in range(1, 151)))
        axes = drawn("log.jsonl", "--curves", "loss").axes[0]
        alone = [line for line in axes.lines if line.get_marker() == "o"]
        self.assertEqual([list(line.get_xdata()) for line in alone], [[50, 100, 150]])

    def test_the_loss_scale_has_powers_of_two(self):
        axes = drawn(log("a.jsonl", 10, loss_scale=65536), "--curves", "loss_scale").axes[0]
        self.assertIn("2¹⁶", [label.get_text() for label in axes.get_yticklabels()])

    def test_log_y_is_for_losses_and_norms_that_are_above_0(self):
        figure = drawn(log("a.jsonl", 30), "--log-y", "--curves", "loss,lr,grad_norm")
        self.assertEqual([axes.get_yscale() for axes in figure.axes], ["log", "linear", "log"])
        write("b.jsonl", record(1, loss=-1.0) + record(2))
        code, _, err = self.program("b.jsonl", "--log-y", "--output", "c.svg")
        self.assertEqual((code, err), (0, "zero-plot: --log-y: loss has values that are not above 0: its axis stays linear\n"))


class Colours(unittest.TestCase):
    """Two colours differ for people with each kind of colour vision. The matrices are those of Machado, Oliveira and
    Fernandes (2009) for full deficiency, in linear RGB; distances are those of CIE 1976."""

    VISIONS = {
        "usual": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
        "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
        "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
        "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
    }

    @staticmethod
    def linear(colour):
        values = [int(colour[at:at + 2], 16) / 255 for at in (1, 3, 5)]
        return [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]

    def lab(self, colour, vision):
        r, g, b = (min(1.0, max(0.0, sum(m * v for m, v in zip(row, self.linear(colour))))) for row in vision)
        x, y, z = (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505, 0.2126 * r + 0.7152 * g + 0.0722 * b, \
            (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089
        x, y, z = (v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (x, y, z))
        return 116 * y - 16, 500 * (x - y), 200 * (y - z)

    def luminance(self, colour):
        return sum(w * v for w, v in zip((0.2126, 0.7152, 0.0722), self.linear(colour)))

    def test_the_first_five_colours_and_all_seven_are_told_apart(self):
        for theme, (name, vision) in itertools.product((LIGHT, DARK), self.VISIONS.items()):
            seen = [self.lab(colour, vision) for colour in theme["colours"]]
            for (a, one), (b, other) in itertools.combinations(enumerate(seen), 2):
                least = 15 if max(a, b) < 5 else 10
                self.assertGreater(math.dist(one, other), least, (name, theme["colours"][a], theme["colours"][b]))

    def test_lines_and_texts_stand_out_from_the_ground(self):
        for theme in (LIGHT, DARK):
            ground = self.luminance(theme["ground"])
            for colour, least in [(colour, 2.0) for colour in theme["colours"]] + [(theme["text"], 7.0)]:
                low, high = sorted((self.luminance(colour), ground))
                self.assertGreater((high + 0.05) / (low + 0.05), least, colour)


class Files(FolderTest):
    def test_the_three_kinds_of_pictures(self):
        log("a.jsonl", 60)
        for ending, begin in (("png", b"\x89PNG"), ("svg", b"<?xml"), ("html", b"<!DOCTYPE html>")):
            code, out, err = self.program("a.jsonl", "--output", "c." + ending)
            self.assertEqual((code, err), (0, ""))
            self.assertEqual(out, f"wrote c.{ending}: loss, val_loss, lr, grad_norm, tokens_per_second of 1 run\n")
            with open("c." + ending, "rb") as file:
                self.assertTrue(file.read().startswith(begin))

    def test_names_are_shown_as_they_are(self):
        log("$x_1$_a<b>&c.jsonl", 3)
        log("_hidden.jsonl", 3)
        for more in ([], ["--dark"]):
            self.assertEqual(self.program("$x_1$_a<b>&c.jsonl", "_hidden.jsonl", "--title", "$\\frac$ <t>", "--output", "c.svg", *more)[0], 0)
            self.assertLessEqual({"$x_1$_a<b>&c", "_hidden", "$\\frac$ <t>", "training loss"}, set(texts_of("c.svg")))

    def test_a_long_log_becomes_a_small_picture_with_its_peak(self):
        write("a.jsonl", "".join(record(step, grad_norm=77.0 if step == 12345 else 1.0 + step % 7 / 10) for step in range(1, 40001)))
        self.assertEqual(self.program("a.jsonl", "--output", "c.svg")[0], 0)
        self.assertLess(os.path.getsize("c.svg"), 200_000)
        self.assertEqual(self.program("a.jsonl", "--curves", "grad_norm", "--smooth", "0", "--output", "c.svg")[0], 0)
        self.assertIn("60", texts_of("c.svg"))  # a tick that only the peak needs

    def test_numbers_of_all_sizes_are_drawn(self):
        write("a.jsonl", record(1, loss=1e308, lr=5e-324, grad_norm=-9e99, loss_scale=1e-99) +
              record(2, loss=-9e99, lr=1e-320, grad_norm=9e99, loss_scale=9e99) + record(9e99, loss=1.0 + 1e-15))
        write("b.jsonl", record(-9e99, loss=1.0) + record(9e99, loss=1.0 + 1e-15))
        for more in ([], ["--log-y"], ["--smooth", "0.9999999999999999"], ["--x", "time"]):
            for logs in (["a.jsonl"], ["b.jsonl"], ["a.jsonl", "b.jsonl"]):
                code, _, err = self.program(*logs, "--output", "c.html", *more)
                self.assertEqual((code, err.count("Traceback")), (0, 0), err)

    def test_the_same_log_gives_the_same_bytes(self):
        log("a.jsonl", 200)
        for ending in ("svg", "png", "html"):
            contents = []
            for _ in range(2):
                self.program("a.jsonl", "--output", "c." + ending)
                with open("c." + ending, "rb") as file:
                    contents.append(file.read())
            self.assertEqual(*contents)

    def test_a_page_needs_nothing_else_and_says_values_under_the_pointer(self):
        log("<a>.jsonl", 60)
        log("b.jsonl", 30, 2)
        self.assertEqual(self.program("<a>.jsonl", "b.jsonl", "--smooth", "0", "--output", "c.html")[0], 0)
        with open("c.html", encoding="utf-8") as file:
            page = file.read()
        self.assertNotRegex(page, r"<script|@import|<link|\bsrc=")
        self.assertEqual(re.findall(r'href="(?!#)[^"]*"', page), [])
        self.assertEqual(re.findall(r"url\((?!#)[^)]*\)", page), [])
        nesting = Nesting()
        nesting.feed(page)
        nesting.close()
        self.assertEqual((nesting.open, nesting.wrong), ([], []))
        self.assertLessEqual({"html", "head", "title", "style", "body", "svg", "table"}, nesting.seen)
        self.assertRegex(page, r"<circle [^>]*><title>&lt;a&gt;: learning rate [0-9.e-]+ at step 60</title></circle>")
        self.assertRegex(page, r"<tr><td>b</td><td>30</td>")
        svg = xml.fromstring(page[page.index("<svg"):page.index("</svg>") + 6])
        box = [float(part) for part in svg.get("viewBox").split()]
        circles = [element for element in svg.iter() if element.tag.endswith("circle")]
        self.assertGreater(len(circles), 100)
        for circle in circles:
            self.assertTrue(0 < float(circle.get("cx")) < box[2] and 0 < float(circle.get("cy")) < box[3])

    def test_whole_numbers_of_the_page_are_not_rounded(self):
        self.assertEqual([value_text(v) for v in (65536.0, 123456, -20.0, 0.0)], ["65,536", "123,456", "-20", "0"])
        self.assertEqual([value_text(v) for v in (1.23456, 2.0**31, math.nan)], ["1.2346", "2.1475G", "not finite"])

    def test_circles_lie_on_their_curves(self):
        write("h.json", json.dumps({"loss": [1.0, 2.0, 4.0], "epoch": [1, 2, 3]}))
        self.assertEqual(self.program("h.json", "--output", "c.html")[0], 0)
        with open("c.html", encoding="utf-8") as file:
            page = file.read()
        circles = [(float(x), float(y)) for x, y in re.findall(r'<circle cx="([0-9.]+)" cy="([0-9.]+)"', page)]
        marks = [(float(x), float(y)) for x, y in re.findall(r'<use xlink:href="#m\w+" x="([0-9.]+)" y="([0-9.]+)" style="fill: #0072b2', page)]
        self.assertEqual(len(circles), 3)
        for (x, y), (u, v) in zip(circles, marks[-3:]):
            self.assertAlmostEqual(x, u, delta=0.1)
            self.assertAlmostEqual(y, v, delta=0.1)

    def test_the_users_own_style_changes_nothing(self):
        log("a.jsonl", 60)
        write("matplotlibrc", "font.size: 30\naxes.grid: False\nsvg.fonttype: path\ntext.usetex: True\n")
        self.assertEqual(self.program("a.jsonl", "--output", "c.svg")[0], 0)
        script = "import sys; from zero_plot.program import main; sys.exit(main(['a.jsonl', '--output', 'd.svg'], '1'))"
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        with open("c.svg", "rb") as one, open("d.svg", "rb") as other:
            self.assertEqual(one.read(), other.read())


if __name__ == "__main__":
    unittest.main()
