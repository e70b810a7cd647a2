#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What DeepSpeed's and PyTorch's schedulers make of many settings, recorded for the tests.

    pip install torch numpy deepspeed==0.19.8
    python3 record_schedules.py > recorded.txt
    python3 record_schedules.py --compare build/tests/schedule/zero_print_rates

Runs each scheduler in a training loop without a model and writes down what the optimizer has when it steps. Without
DeepSpeed's package, `--deepspeed FOLDER` takes its unpacked source: the schedulers need torch alone, and of the rest a
logger that does nothing stands in.

The second form compares all of the first 10,000 steps with what the program prints, and says how far they are apart.
"""
import argparse
import contextlib
import importlib.util
import itertools
import math
import pathlib
import platform
import subprocess
import sys
import tempfile
import types
import warnings

import torch

warnings.filterwarnings("ignore")
LOOP = 10_000
# Around everything that happens below, and some in between.
STEPS = sorted(set(range(50)) | {s + d for s in (100, 1000, 2000, 3000, 4000, 5000) for d in range(-1, 3)}
               | set(range(50, 10000, 397)) | {9998, 9999})


def deepspeed_schedules(folder):
    """DeepSpeed's module and version."""
    if folder is None:
        with contextlib.redirect_stdout(sys.stderr):  # where its logger writes from then on
            import deepspeed
            from deepspeed.runtime import lr_schedules
        return lr_schedules, deepspeed.__version__
    package, utils = types.ModuleType("deepspeed"), types.ModuleType("deepspeed.utils")
    utils.logger = types.SimpleNamespace(warning=lambda *_: None, info=lambda *_: None)
    sys.modules.update({"deepspeed": package, "deepspeed.utils": utils})
    folder = pathlib.Path(folder)
    spec = importlib.util.spec_from_file_location("lr_schedules", folder / "deepspeed/runtime/lr_schedules.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module, (folder / "version.txt").read_text().strip()


def optimizer(lr=1e-3):
    return torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=lr)


def loop(make, lr=1e-3):
    """What the optimizer has at each step of a loop: learning rate, β₁, β₂."""
    adam = optimizer(lr)
    scheduler = make(adam)
    used = []
    for _ in range(LOOP):
        group = adam.param_groups[0]
        used.append((group["lr"], *group["betas"]))
        adam._opt_called = True
        scheduler.step()
    return used


def closed_form(make, lr):
    """PyTorch's closed form at each step."""
    scheduler = make(optimizer(lr))
    used = []
    for step in range(LOOP):
        scheduler.last_epoch = step
        used.append((scheduler._get_closed_form_lr()[0],))
    return used


def plain(rate):
    """A function of the step by LambdaLR."""
    return loop(lambda adam: torch.optim.lr_scheduler.LambdaLR(adam, rate), 1.0)


# --------------------------------------------------------------------------------------------------- cases
# A case: source, our schedule, our settings, and what the optimizer had. Sources: `deepspeed` and `closed` agree to
# 4 units in the last place, `loop`, a recursion, to 1e-12.

def warmups():
    for steps, shape in itertools.product((1, 2, 7, 1000), ("log", "linear")):
        yield steps, shape


def deepspeed_cases(ds):
    for steps, shape in warmups():
        for least, most in ((0.0, 1e-3), (1e-5, 3e-4)):
            yield ("WarmupLR", {"min_lr": least, "max_lr": most, "warmup_steps": steps, "shape": shape},
                   lambda adam: ds.WarmupLR(adam, least, most, steps, shape))
        for total in (3, 5000, 20000) if steps == 1000 else (100, ):
            yield ("WarmupDecayLR", {"total_steps": total, "min_lr": 1e-6, "max_lr": 6e-4, "warmup_steps": steps,
                                     "shape": shape},
                   lambda adam: ds.WarmupDecayLR(adam, total, 1e-6, 6e-4, steps, shape))
            yield ("WarmupCosineLR", {"lr": 1e-3, "total_steps": total, "warmup_min_ratio": 0.01, "warmup_steps": steps,
                                      "cosine_min_ratio": 1e-4, "shape": shape},
                   lambda adam: ds.WarmupCosineLR(adam, total, 0.01, steps, 1e-4, shape))
    yield ("WarmupDecayLR", {"total_steps": 9999}, lambda adam: ds.WarmupDecayLR(adam, 9999))
    yield ("WarmupCosineLR", {"total_steps": 9999}, lambda adam: ds.WarmupCosineLR(adam, 9999))
    yield ("WarmupCosineLR", {"total_steps": 3000, "cosine_min_ratio": 0.0, "warmup_steps": 100},
           lambda adam: ds.WarmupCosineLR(adam, 3000, cos_min_ratio=0.0, warmup_num_steps=100))

    def cycle(**settings):
        names = {"decay_lr_rate": "decay_lr_rate", "first_steps": "cycle_first_step_size",
                 "second_steps": "cycle_second_step_size", "first_stairs": "cycle_first_stair_count",
                 "second_stairs": "cycle_second_stair_count", "decay_steps": "decay_step_size",
                 "cycles_momentum": "cycle_momentum", "min_momentum": "cycle_min_mom",
                 "max_momentum": "cycle_max_mom", "decay_momentum_rate": "decay_mom_rate"}
        theirs = {names[key]: value for key, value in settings.items()}
        return ("OneCycle", {"min_lr": 1e-4, "max_lr": 3e-3, **settings},
                lambda adam: ds.OneCycle(adam, 1e-4, 3e-3, **theirs))
    yield cycle()
    yield cycle(first_steps=100, second_steps=3000, decay_lr_rate=0.5, decay_steps=100)
    yield cycle(first_steps=1, second_steps=0)
    yield cycle(first_steps=7, second_steps=3, decay_steps=1000, decay_momentum_rate=0.005)
    yield cycle(first_steps=1000, first_stairs=5, decay_lr_rate=1.0, decay_steps=7, min_momentum=0.85,
                max_momentum=0.95)
    yield cycle(first_steps=1000, second_steps=2000, first_stairs=4, second_stairs=7, decay_steps=10,
                decay_momentum_rate=-0.0001)
    yield cycle(first_steps=2000, second_stairs=3, cycles_momentum=0, decay_lr_rate=0.1, decay_steps=500)
    yield cycle(first_steps=1000, second_steps=0, first_stairs=3, decay_momentum_rate=0.1)
    for stairs, size, rate in itertools.product((0, 1), (1, 7, 2000), (0.5, 1.0)):
        yield ("LRRangeTest", {"min_lr": 1e-4, "interval": size, "rate": rate, "staircase": stairs},
               lambda adam: ds.LRRangeTest(adam, 1e-4, size, rate, bool(stairs)))


def torch_cases():
    schedulers = torch.optim.lr_scheduler
    for size, gamma in ((1, 0.999), (30, 0.9), (1000, 0.1)):
        yield ("StepLR", {"lr": 0.3, "interval": size, "gamma": gamma},
               lambda adam: schedulers.StepLR(adam, size, gamma))
    yield ("MultiStepLR", {"lr": 0.3, "milestones": "5,5,100,1000,5000", "gamma": 0.3},
           lambda adam: schedulers.MultiStepLR(adam, [5, 5, 100, 1000, 5000], 0.3))
    for gamma in (0.9999, 0.97, 1.0):
        yield ("ExponentialLR", {"lr": 3e-3, "gamma": gamma}, lambda adam: schedulers.ExponentialLR(adam, gamma))
    for first, last, total in ((1 / 3, 1.0, 5), (1.0, 0.0, 5000), (0.01, 0.5, 1000)):
        yield ("LinearLR", {"lr": 0.3, "start_factor": first, "end_factor": last, "total_steps": total},
               lambda adam: schedulers.LinearLR(adam, first, last, total))
    for factor, total in ((1 / 3, 5), (0.1, 1000)):
        yield ("ConstantLR", {"lr": 0.3, "factor": factor, "total_steps": total},
               lambda adam: schedulers.ConstantLR(adam, factor, total))
    for total, least in ((1000, 1e-5), (7, 0.0), (20000, 0.0)):
        yield ("CosineAnnealingLR", {"lr": 0.3, "min_lr": least, "half_period": total},
               lambda adam: schedulers.CosineAnnealingLR(adam, total, least))


def plain_cases():
    """The formulas of docs/schedules.md; the first is nanoGPT's."""
    lr, least = 6e-4, 6e-5
    for warmup, total in ((0, 100), (100, 5000), (1000, 9999), (100, 100)):
        def rising(step):
            return lr * (step + 1) / (warmup + 1)

        def cosine(step):
            if step < warmup:
                return rising(step)
            if step >= total:
                return least
            return least + 0.5 * (1.0 + math.cos(math.pi * ((step - warmup) / (total - warmup)))) * (lr - least)

        def linear(step):
            if step < warmup:
                return rising(step)
            return least + (lr - least) * ((total - step) / (total - warmup)) if step < total else least
        both = {"lr": lr, "min_lr": least, "warmup_steps": warmup, "total_steps": total}
        yield "cosine", both, cosine
        yield "linear", both, linear
        yield ("constant", {"lr": lr, "warmup_steps": warmup}, lambda step: rising(step) if step < warmup else lr)
        for shape in ("linear", "sqrt"):
            decay = (total - warmup) // 5

            def stable(step):
                if step < warmup:
                    return rising(step)
                if step >= total:
                    return least
                if step <= total - decay:
                    return lr
                done = (step - (total - decay)) / decay
                return least + (lr - least) * (1 - (done if shape == "linear" else math.sqrt(done)))
            yield "warmup-stable-decay", {**both, "decay_steps": decay, "shape": shape}, stable


def cases(ds):
    for kind, settings, make in deepspeed_cases(ds):
        used = loop(make)
        if kind != "OneCycle" or settings.get("cycles_momentum") == 0:
            used = [rates[:1] for rates in used]
        yield "deepspeed", kind, settings, used
    for kind, settings, make in torch_cases():
        yield "closed", kind, settings, closed_form(make, settings["lr"])
        # Not that of short cosines, which divides by what is left of 1 + cosine in each period, and drifts.
        if settings.get("half_period", LOOP) >= 1000:
            yield "loop", kind, settings, [rates[:1] for rates in loop(make, settings["lr"])]
    for kind, settings, rate in plain_cases():
        yield "closed", kind, settings, [rates[:1] for rates in plain(rate)]


def text(value):
    return value.hex() if isinstance(value, float) else str(value)


def head(source, kind, settings):
    return " ".join([source, kind] + [f"{key}={text(value)}" for key, value in settings.items()])


def record(ds, version):
    print(f"# DeepSpeed {version}, PyTorch {torch.__version__}, Python {platform.python_version()}, "
          f"{' '.join(platform.libc_ver())}: by record_schedules.py")
    print("steps", *STEPS)
    for source, kind, settings, used in cases(ds):
        print(head(source, kind, settings))
        for column in range(len(used[0])):
            values = [float(used[step][column]) for step in STEPS]
            runs = [(value.hex(), len(list(same))) for value, same in itertools.groupby(values)]
            print(" ", *(value if count == 1 else f"{value}*{count}" for value, count in runs))  # value*times in a row


def compare(ds, program):
    """\\return whether all agree."""
    everything = list(cases(ds))
    with tempfile.NamedTemporaryFile("w") as file:
        for source, kind, settings, _ in everything:
            print(head(source, kind, settings), file=file)
        file.flush()
        lines = subprocess.run([program, file.name, str(LOOP)], check=True, capture_output=True, text=True).stdout
    ours = [[float.fromhex(x) for x in line.split()] for line in lines.splitlines()]
    good = True
    for (source, kind, settings, used), first in zip(everything, range(0, len(ours), LOOP), strict=True):
        largest, beyond, cancelled = 0.0, 0, 0
        for theirs, mine in zip(used, ours[first:first + LOOP], strict=True):
            for a, b in zip(theirs, mine, strict=True):
                limit = 1e-12 * settings["lr"] if source == "loop" else 4 * math.ulp(a)
                difference = abs(a - b)
                largest = max(largest, difference / math.ulp(a))
                if difference <= limit:
                    continue
                # One bit of libm's cosine near -1, of which 1 + cosine leaves little else.
                if "osine" in kind and difference <= settings.get("lr", 1e-3) * 2.0**-53:
                    cancelled += 1
                else:
                    beyond += 1
        good = good and beyond == 0 and cancelled <= LOOP // 1000
        print(f"{largest:9.1f} ulp, {beyond} steps differ, {cancelled} by a bit of cosine:", head(source, kind, settings))
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deepspeed", metavar="FOLDER", help="unpacked source of DeepSpeed, in place of its package")
    parser.add_argument("--compare", metavar="PROGRAM", help="compare with what this prints, in place of recording")
    arguments = parser.parse_args()
    ds, version = deepspeed_schedules(arguments.deepspeed)
    if arguments.compare:
        sys.exit(0 if compare(ds, arguments.compare) else 1)
    record(ds, version)


if __name__ == "__main__":
    main()
