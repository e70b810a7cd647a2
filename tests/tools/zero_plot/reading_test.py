# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Command line, files, names, smoothing and thinning of zero-plot: what needs Python's standard library alone."""
import json
import math
import os
import random
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from support import FolderTest, log, record, write  # noqa: E402

from zero_plot import output  # noqa: E402
from zero_plot.choice import common_axis, curve_names  # noqa: E402
from zero_plot.command_line import help_text, parse  # noqa: E402
from zero_plot.errors import DataError, Failure, UsageError  # noqa: E402
from zero_plot.places import name_runs, read_runs  # noqa: E402
from zero_plot.series import smoothed, smoothing_weight, thinned  # noqa: E402
from zero_plot.style import power_text, tick_texts, weight_text  # noqa: E402


def run_of(path):
    return read_runs([path])[0][0]


def points(run, name, axis="step"):
    return list(zip(*run.curves[name].over(axis)))


class CommandLine(FolderTest):
    def test_values_follow_or_stand_behind_an_equals_sign(self):
        options = parse(["a", "--output=c.SVG", "b", "--smooth", "0.5", "--dark", "--log-y", "off", "--", "--x"])
        self.assertEqual(options.logs, ["a", "b", "--x"])
        self.assertEqual((options.format, options.smooth, options.dark, options.log_y), ("svg", 0.5, True, False))

    def test_what_cannot_be_run_is_refused_in_one_line(self):
        good = ["a", "--output", "c.svg"]
        for what, words in (
                ("names no log", ["--output", "c.svg"]),
                ("--output: is missing", ["a"]),
                ("end the name in .png, .svg or .html", ["a", "--output", "c.pdf"]),
                ("end the name in .png, .svg or .html", ["a", "--output", "curves"]),
                ("is given twice", good + ["--dark", "--dark"]),
                ("did you mean --smooth?", good + ["--smoothing", "0.9"]),
                ("did you mean --log-y?", good + ["--log_y"]),
                ("did you mean --output?", ["a", "-o", "c.svg"]),
                ("--help lists them all", good + ["--qqqqqq"]),
                ("--smooth 1:", good + ["--smooth", "1"]),
                ("--smooth nan:", good + ["--smooth", "nan"]),
                ("--x steps: give one of", good + ["--x", "steps"]),
                ("--title: needs a value", good + ["--title"]),
                ("--title: needs a value", good + ["--title", "--dark"]),
                ("--curves ,a: one of the names is empty", good + ["--curves", ",a"]),
                ("--dark yes: give on or off", good + ["--dark=yes"])):
            self.refused(2, what, *words)

    def test_the_help_has_all_options_in_80_columns(self):
        code, out, err = self.program("--help", "--nonsense")
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(out, help_text())
        for option in ("--curves", "--x", "--smooth", "--labels", "--output", "--title", "--dark", "--log-y"):
            self.assertIn(f"  {option} ", out)
        self.assertLessEqual(max(map(len, out.splitlines())), 80)

    def test_the_version_names_what_it_runs_with(self):
        code, out, _ = self.program("--version")
        self.assertEqual(code, 0)
        self.assertTrue(out.startswith("zero-plot of zero 1.2.3\nPython: "), out)

    def test_a_place_that_cannot_be_written_is_refused_before_anything_is_read(self):
        os.mkdir("c.svg")
        self.refused(2, "is a folder", "missing", "--output", "c.svg")
        self.refused(2, "its folder does not exist", "missing", "--output", "nowhere/c.svg")


class Logs(FolderTest):
    def test_values_are_those_of_the_log(self):
        run = run_of(write("log.jsonl", record(1, loss=4.5) + record(2, loss=4.25, val_loss=4.4, train_loss=4.3) +
                           '{"parameter_hash": "00ff"}\n'))
        self.assertEqual(points(run, "loss"), [(1, 4.5), (2, 4.25)])
        self.assertEqual(points(run, "val_loss"), [(2, 4.4)])
        self.assertEqual(points(run, "eval_train_loss"), [(2, 4.3)])
        self.assertNotIn("skipped", run.curves)

    def test_tokens_time_and_epochs_follow_from_the_lines(self):
        run = run_of(write("log.jsonl", record(1) + record(2, eval_seconds=1.0, val_loss=3.0) + record(3)))
        self.assertEqual([x for x, _ in points(run, "loss", "tokens")], [64, 128, 192])
        self.assertEqual([round(x, 6) for x, _ in points(run, "loss", "time")], [0.032, 1.064, 1.096])
        self.assertEqual(points(run, "val_loss", "epoch"), [(0.02, 3.0)])

    def test_a_log_that_begins_in_the_middle_of_a_run_counts_the_tokens_before(self):
        run = run_of(write("log.jsonl", record(101) + record(102)))
        self.assertEqual([x for x, _ in points(run, "loss", "tokens")], [101 * 64, 102 * 64])

    def test_steps_that_a_resumed_run_repeats_count_once_and_those_after_them_go(self):
        text = "".join(record(step, loss=1.0, val_loss=1.0 if step % 10 == 1 else None) for step in range(1, 51))
        text += "".join(record(step, loss=2.0) for step in range(21, 31))
        run = run_of(write("log.jsonl", text))
        self.assertEqual(points(run, "loss"), [(s, 1.0) for s in range(1, 21)] + [(s, 2.0) for s in range(21, 31)])
        self.assertEqual([x for x, _ in points(run, "val_loss")], [1, 11])

    def test_a_line_for_a_step_that_has_one_adds_to_it(self):
        run = run_of(write("log.jsonl", '{"iter": 1, "loss": 3}\n{"iter": 2, "loss": 2}\n{"iter": 1, "val_loss": 4}\n'))
        self.assertEqual(points(run, "loss"), [(1, 3), (2, 2)])
        self.assertEqual(points(run, "val_loss"), [(1, 4)])

    def test_a_line_that_is_being_written_is_left_out_without_a_word(self):
        for cut in ('{"step": 3, "loss": 1', '{"step": 3', '{'):
            runs, notes = read_runs([write("log.jsonl", record(1) + record(2) + cut)])
            self.assertEqual((len(points(runs[0], "loss")), notes), (2, []))

    def test_a_broken_line_in_between_is_left_out_and_said(self):
        for broken in ("garbage", "[1, 2]", '{"step": 2, "lo', "\0\0\0x", "[" * 100000):
            runs, notes = read_runs([write("log.jsonl", record(1) + broken + "\n" + record(3))])
            self.assertEqual([x for x, _ in points(runs[0], "loss")], [1, 3])
            self.assertEqual(notes, ["log.jsonl: line 2 is no JSON object: left out"])

    def test_a_loss_that_is_null_or_nan_is_not_finite_and_a_norm_that_is_null_is_none(self):
        text = record(1) + record(2, loss=None, grad_norm=None) + record(3, loss=math.nan) + record(4, loss=-math.inf)
        text += record(5) + '{"step": 6, "loss": 1' + "0" * 400 + "}\n"
        run = run_of(write("log.jsonl", text))
        self.assertEqual([math.isnan(y) for _, y in points(run, "loss")], [False, True, True, True, False, True])
        self.assertEqual([x for x, _ in points(run, "grad_norm")], [1, 3, 4, 5])

    def test_what_no_axis_could_hold_is_as_good_as_not_finite(self):
        run = run_of(write("log.jsonl", record(1, loss=1e308) + record(2, loss=1e99, lr=1e-320) + record(1e300, loss=1.0)))
        self.assertTrue(math.isnan(points(run, "loss")[0][1]))
        self.assertEqual(points(run, "loss")[1:], [(2, 1e99)])
        self.assertEqual(points(run, "lr")[1], (2, 0.0))

    def test_a_log_without_values_is_an_error_alone_and_left_out_beside_others(self):
        for text in ("", "\n\n", '{"step": 1, "lo', '{"step": 1}\n', '{"parameter_hash": "0"}\n'):
            write("empty.jsonl", text)
            self.refused(4, "holds no value yet", "empty.jsonl", "--output", "c.svg")
            runs, notes = read_runs(["empty.jsonl", log("full.jsonl", 3)])
            self.assertEqual([run.path for run in runs], ["full.jsonl"])
            self.assertEqual(notes, ["empty.jsonl: holds no value yet: left out"])

    def test_what_is_no_log_is_refused(self):
        for text, what in (("step 1 loss 3\n", "line 1 is no JSON object"), ("{\n  \"loss\": [1, 2,\n", "cut off"),
                           ("[1, 2", "no JSON object|no value yet"), ("\ufeff<html>\n", "no JSON object")):
            write("log", text)
            with self.assertRaisesRegex(DataError, what):
                read_runs(["log"])
        with open("log", "wb") as file:
            file.write(b"{\"step\": 1}\n\xff\xfe")
        self.refused(4, "byte 12 is not UTF-8", "log", "--output", "c.svg")
        self.refused(4, "no such file", "missing", "--output", "c.svg")

    def test_an_evaluation_before_the_first_step_has_no_more_than_its_losses(self):
        run = run_of(write("log.jsonl", record(0, loss=None, val_loss=9.0, train_loss=8.0, lr=0, grad_norm=None,
                                               tokens_per_second=0, ms=0) + record(1)))
        self.assertEqual(points(run, "val_loss"), [(0, 9.0)])
        self.assertEqual(points(run, "eval_train_loss"), [(0, 8.0)])
        for name in ("loss", "lr", "tokens_per_second"):
            self.assertEqual([x for x, _ in points(run, name)], [1], name)

    def test_a_mixture_has_a_curve_for_each_data_set(self):
        run = run_of(write("log.jsonl", record(1, val_loss=2.5, val_losses={"web": 2.0, "a/b": None, "code": 3.0})))
        self.assertEqual(points(run, "val_loss/code"), [(1, 3.0)])
        self.assertEqual(curve_names([run], None)[:4], ["loss", "val_loss", "val_loss/code", "val_loss/web"])
        for folder, text in (("a/metrics.jsonl", '{"step":4,"tag":"Evaluation/Samples/val_loss/web","value":2,"wall_time":1}\n'),
                             ("b/Evaluation_Samples_val_loss_web.csv", "step,web\r\n4,2\r\n")):
            write(folder, text)
            self.assertEqual(points(run_of(folder[0]), "val_loss/web", "samples"), [(4, 2)])

    def test_names_of_others_are_understood(self):
        run = run_of(write("log.jsonl", '{"global_step": 5, "train_loss": 2, "learning_rate": 0.1, "eval_loss": 3}\n'))
        self.assertEqual(sorted(run.curves), ["loss", "lr", "val_loss"])


class Histories(FolderTest):
    def test_an_object_of_lists_is_a_run(self):
        run = run_of(write("h.json", json.dumps({"train_loss": [3, 2, 1], "val_loss": [4, 3, 2], "train_acc": [0.1, 0.2, 0.3],
                                                 "val_acc": [0.1, 0.1, None], "epoch": [1, 2, 3], "seed": 7, "name": "x"})))
        self.assertEqual(sorted(run.curves), ["accuracy", "loss", "val_accuracy", "val_loss"])
        self.assertEqual(points(run, "loss", "epoch"), [(1, 3), (2, 2), (3, 1)])
        self.assertTrue(math.isnan(points(run, "val_accuracy", "epoch")[2][1]))

    def test_each_list_takes_the_axis_of_its_length(self):
        history = {"losses": [3, 2, 1, 1], "steps": [10, 20, 30, 40], "val_losses": [3, 2], "epochs": [1, 2]}
        run = run_of(write("h.json", json.dumps(history, indent=2)))
        self.assertEqual(points(run, "loss", "step"), [(10, 3), (20, 2), (30, 1), (40, 1)])
        self.assertEqual(points(run, "val_loss", "epoch"), [(1, 3), (2, 2)])

    def test_losses_and_accuracies_of_epochs_are_drawn_without_being_asked_for(self):
        run = run_of(write("h.json", '{"epochs": [1, 2], "losses": [3, 2], "accuracies": [0.1, 0.2], "names": ["a", "b"]}'))
        self.assertEqual(curve_names([run], None), ["loss", "accuracy"])
        self.assertEqual(points(run, "accuracy", "epoch"), [(1, 0.1), (2, 0.2)])
        self.assertEqual(run.notes, [])

    def test_what_does_not_fit_in_lists_is_told(self):
        run = run_of(write("h.json", '{"epochs": [10, 20, 30], "losses": [3, 2], "lr": ["x", null, 1], "step": [1]}'))
        self.assertEqual(points(run, "loss", "epoch"), [(1, 3), (2, 2)])
        self.assertEqual(run.notes, ["h.json: lr has 1 value that is no number: left out",
                                     "h.json: losses has 2 values, and no axis that many numbers: drawn over 1, 2, 3 and so on"])
        write("list.json", "[1, 2]")
        self.refused(4, "list.json: is no log: its list holds no objects", "list.json", "--output", "c.svg")

    def test_without_an_axis_values_are_counted_as_epochs(self):
        run = run_of(write("h.json", '{"loss": [3, 2], "val_loss": [3, 3]}'))
        self.assertEqual(points(run, "val_loss", "epoch"), [(1, 3), (2, 3)])

    def test_records_in_a_list_and_those_of_transformers_are_runs(self):
        records = [{"step": 1, "loss": 3.0, "epoch": 0.5}, {"step": 2, "eval_loss": 2.0, "epoch": 1.0}]
        for value in (records, {"best_metric": None, "log_history": records}):
            run = run_of(write("trainer_state.json", json.dumps(value, indent=1)))
            self.assertEqual(points(run, "val_loss"), [(2, 2.0)])
            self.assertEqual(points(run, "val_loss", "epoch"), [(1.0, 2.0)])


class Monitors(FolderTest):
    """Files as include/zero/monitor writes them."""

    def metrics(self, path, steps, samples=4):
        text = '{"step":0,"tag":"settings","text":"x","wall_time":1}\n'
        text += '{"step":0,"tag":"Evaluation/Samples/val_loss","value":9.5,"wall_time":1}\n'
        for step in range(1, steps + 1):
            for tag, value in (("lr", 0.001), ("train_loss", 5 - step if step != 2 else None), ("tokens_per_second", 2000),
                               ("ms_per_step", 32)):
                text += json.dumps({"step": samples * step, "tag": "Train/Samples/" + tag, "value": value, "wall_time": 2}) + "\n"
        text += '{"step":8,"tag":"Evaluation/Samples/val_loss","value":3.5,"wall_time":3}\n'
        text += '{"step":8,"tag":"Evaluation/Samples/train_loss","value":3.25,"wall_time":3}\n'
        return write(path, text)

    def test_a_log_has_samples_where_it_says_them_and_no_run_is_drawn_over_them_beside_steps_unless_asked(self):
        ours = run_of(write("ours.jsonl", "".join(record(step, samples=12 * step) for step in (1, 2, 3))))
        self.assertEqual([x for x, _ in points(ours, "loss", "samples")], [12, 24, 36])
        self.assertNotIn("samples", ours.curves)
        theirs = run_of(self.metrics("runs/a/metrics.jsonl", 3))
        for runs in ([ours, theirs], [theirs, ours]):
            self.assertEqual(common_axis(runs, ["loss"], None), "step")
            self.assertEqual(common_axis(runs, ["loss"], "samples"), "samples")
        with self.assertRaisesRegex(UsageError, "--x samples: old.jsonl does not say it; it has step, tokens, time, epoch"):
            common_axis([run_of(log("old.jsonl", 3))], ["loss"], "samples")

    def test_json_lines_are_curves_over_sequences_and_steps(self):
        self.metrics("runs/a/metrics.jsonl", 3)
        run = run_of("runs/a")
        self.assertEqual(run.axes(["loss", "val_loss"])[:2], ["samples", "step"])
        self.assertEqual([x for x, _ in points(run, "loss", "samples")], [4, 8, 12])
        self.assertTrue(math.isnan(points(run, "loss", "step")[1][1]))
        self.assertEqual(points(run, "val_loss", "step"), [(0, 9.5), (2, 3.5)])
        self.assertEqual(points(run, "eval_train_loss", "tokens"), [(128, 3.25)])

    def test_a_csv_folder_is_a_run(self):
        write("runs/b/Train_Samples_lr.csv", "step,lr\r\n4,0.001\r\n8,0.002\r\n")
        write("runs/b/Train_Samples_train_loss.csv", "step,train_loss\r\n4,3.5\r\n8,nan\r\n12,2")
        write("runs/b/Evaluation_Samples_val_loss.csv", "step,val_loss\r\n8,2.5\r\n")
        run = run_of("runs/b")
        self.assertEqual([x for x, _ in points(run, "loss", "samples")], [4, 8])  # the last row is being written
        self.assertEqual(points(run, "val_loss", "step"), [(2, 2.5)])

    def test_a_folder_of_runs_is_all_of_them(self):
        self.metrics("runs/a/metrics.jsonl", 2)
        write("runs/b/Train_Samples_train_loss.csv", "step,train_loss\r\n4,3.5\r\n")
        os.makedirs("runs/nothing")
        runs, _ = read_runs(["runs"])
        name_runs(runs, None)
        self.assertEqual([run.label for run in runs], ["a", "b"])
        self.refused(2, "is named twice", "runs", "runs/a", "--output", "c.svg")

    def test_a_folder_without_curves_is_refused(self):
        write("runs/a/events.out.tfevents.1.host", "x")
        self.refused(4, "give train_gpt2 --csv or --json-lines, too", "runs", "--output", "c.svg")
        os.mkdir("other")
        self.refused(4, "name a log, or the folder of a run", "other", "--output", "c.svg")

    def test_a_table_with_several_columns_is_a_run(self):
        run = run_of(write("t.csv", "epoch,loss,val_loss\n1,3,4\n2,2,\nx,1,1\n"))
        self.assertEqual(points(run, "loss", "epoch"), [(1, 3), (2, 2)])
        self.assertEqual(points(run, "val_loss", "epoch"), [(1, 4)])
        self.assertEqual(run.notes, ["t.csv: 1 row has no step, or not as many values as the first: left out"])
        write("u.csv", "a,b\n1,2\n")
        self.refused(4, "its first row names no step", "u.csv", "--output", "c.svg")


class Choice(FolderTest):
    def test_labels_are_as_much_of_the_path_as_tells_runs_apart(self):
        for paths, labels in ((["x/a/log.jsonl", "x/b/log.jsonl"], ["a", "b"]),
                              (["x/a/log.jsonl", "y/a/log.jsonl"], ["x/a", "y/a"]),
                              (["x/one.jsonl", "y/two.json"], ["one", "two"]),
                              (["x/log.jsonl", "x/train.jsonl"], ["log.jsonl", "train.jsonl"]),
                              (["x/one.jsonl", "x/one.json"], ["one.jsonl", "one.json"])):
            runs, _ = read_runs([log(path, 2) if path.endswith("l") else write(path, '{"loss": [1]}') for path in paths])
            name_runs(runs, None)
            self.assertEqual([run.label for run in runs], labels)
        name_runs(runs, ["p", "q"])
        self.assertEqual([run.label for run in runs], ["p", "q"])
        with self.assertRaisesRegex(UsageError, "names 1, but there are 2 runs"):
            name_runs(runs, ["p"])

    def test_a_loss_scale_of_1_is_drawn_only_where_it_is_asked_for(self):
        plain, scaled = run_of(log("a.jsonl", 3)), run_of(log("b.jsonl", 3, loss_scale=1024))
        self.assertNotIn("loss_scale", curve_names([plain], None))
        self.assertIn("loss_scale", curve_names([plain, scaled], None))
        self.assertEqual(curve_names([plain], ["loss_scale", "learning_rate"]), ["loss_scale", "lr"])
        with self.assertRaisesRegex(UsageError, "did you mean grad_norm.*there are loss, "):
            curve_names([plain], ["grad_nrm"])

    def test_x_is_what_all_runs_have(self):
        ours, theirs = run_of(log("a.jsonl", 3)), run_of(write("h.json", '{"loss": [1, 2], "epoch": [1, 2]}'))
        self.assertEqual(common_axis([ours], ["loss"], None), "step")
        self.assertEqual(common_axis([theirs, ours], ["loss"], None), "epoch")
        with self.assertRaisesRegex(UsageError, "--x tokens: h.json does not say it; it has epoch"):
            common_axis([ours, theirs], ["loss"], "tokens")
        steps = run_of(write("s.json", '{"loss": [1, 2], "steps": [1, 2]}'))
        with self.assertRaisesRegex(DataError, "no common x"):
            common_axis([theirs, steps], ["loss"], None)


class Values(unittest.TestCase):
    def test_an_average_begins_at_the_first_value_and_passes_over_gaps(self):
        self.assertEqual(smoothed([3.0, 3.0], 0.9), [3.0, 3.0])
        got = smoothed([1.0, math.nan, 2.0], 0.5)
        self.assertEqual(got[0], 1.0)
        self.assertTrue(math.isnan(got[1]))
        self.assertAlmostEqual(got[2], (0.25 * 1.0 + 0.5 * 2.0) / 0.75)

    def test_the_usual_weight_looks_back_a_fiftieth_of_the_curve(self):
        self.assertEqual([smoothing_weight(n) for n in (0, 1, 50)], [0.0, 0.0, 0.0])
        self.assertAlmostEqual(smoothing_weight(500), 0.9)
        self.assertAlmostEqual(smoothing_weight(5000), 0.99)

    def test_thinning_keeps_every_peak_and_both_ends(self):
        draw = random.Random(1)
        ys = [draw.random() for _ in range(200000)]
        xs = [float(x) for x in range(len(ys))]
        for at, peak in ((777, 50.0), (123456, -40.0), (199998, 30.0), (1, 20.0)):
            ys[at] = peak
        thin_xs, thin_ys = thinned(xs, ys, 400)
        self.assertLessEqual(len(thin_xs), 2 * 400 + 4)
        kept = dict(zip(thin_xs, thin_ys))
        for at in (777, 123456, 199998, 1, 0, 199999):
            self.assertEqual(kept.get(float(at)), ys[at])
        self.assertEqual(thin_xs, sorted(thin_xs))

    def test_thinning_keeps_gaps_and_values_among_them(self):
        ys = [math.nan] * 10000
        ys[5000] = 1.0
        ys[:100] = [2.0] * 100
        _, thin = thinned([float(x) for x in range(10000)], ys, 100)
        self.assertIn(1.0, thin)
        self.assertIn(2.0, thin)
        self.assertGreater(sum(math.isnan(y) for y in thin), 90)

    def test_short_curves_are_not_thinned(self):
        self.assertEqual(thinned([1.0, 2.0], [3.0, 4.0]), ([1.0, 2.0], [3.0, 4.0]))

    def test_ticks_are_short_and_apart(self):
        self.assertEqual(tick_texts([0.0, 0.5, 1.0]), ["0", "0.5", "1.0"])
        self.assertEqual(tick_texts([0.0, 200000.0, 1000000.0]), ["0", "0.2M", "1.0M"])
        self.assertEqual(tick_texts([0.0, 2e-5, 4e-5]), ["0", "2e-5", "4e-5"])
        self.assertEqual(tick_texts([2.30001, 2.30002]), ["2.30001", "2.30002"])
        self.assertEqual(tick_texts([-1500.0, 0.0, 1500.0]), ["-1,500", "0", "1,500"])
        self.assertEqual(power_text(65536.0), "2¹⁶")
        self.assertEqual([weight_text(w) for w in (0.9, 0.875, 0.99995)], ["0.9", "0.88", "0.99995"])


class Output(FolderTest):
    def test_a_picture_takes_the_place_of_the_old_one_where_a_link_leads(self):
        write("real.svg", "old")
        os.chmod("real.svg", 0o644)
        os.symlink("real.svg", "link.svg")
        output.write("link.svg", b"new")
        self.assertTrue(os.path.islink("link.svg"))
        with open("real.svg", encoding="utf-8") as file:
            self.assertEqual(file.read(), "new")
        self.assertEqual(sorted(os.listdir(".")), ["link.svg", "real.svg"])

    def test_a_failure_leaves_the_old_one_and_nothing_beside_it(self):
        write("c.svg", "old")
        replace = os.replace

        def fails(*_):
            raise OSError(28, "No space left on device")
        os.replace = fails
        try:
            with self.assertRaisesRegex(Failure, "could not be written: No space left on device"):
                output.write("c.svg", b"new")
        finally:
            os.replace = replace
        with open("c.svg", encoding="utf-8") as file:
            self.assertEqual(file.read(), "old")
        self.assertEqual(os.listdir("."), ["c.svg"])


if __name__ == "__main__":
    unittest.main()
