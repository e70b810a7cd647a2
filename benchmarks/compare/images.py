#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Training of ResNet-18 on JPEG files: what reading them costs `train_images`, and the usual loop of torchvision beside.

    python3 images.py TRAIN_IMAGES [--pictures N] [--batch N] [--rounds N] [--delay MS]

Makes a folder of JPEG files of 500 x 375 pixels, as many of ImageNet are. Each round runs, in turn, on two threads:

  synthetic   train_images with pictures of noise: no reading at all
  inline      with --workers 0: the step waits for each picture; its summary says how long they take
  workers     with --workers 2
  distant     with --workers 2, and 20 ms more for each file that is opened
  distant0    the same with --workers 0
  torchvision ImageFolder, RandomResizedCrop, flip and a DataLoader of 2 processes, torchvision's ResNet-18, fused AdamW

`hidden` is images/s of `workers` and of `distant`, over what synthetic pictures reach on the processor time that decoding
leaves of two cores. The delay comes from a library that is put before libc's, and is compiled here. Needs torch,
torchvision, Pillow and numpy.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import emit, environment, summary

DELAY = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>
static void wait_for(char const* path) {
  size_t const n = path ? strlen(path) : 0;
  if (n > 4 && strcmp(path + n - 4, ".jpg") == 0) usleep(DELAY_MS * 1000);
}
#define OPEN(name) \
  int name(char const* path, int flags, ...) { \
    static int (*next)(char const*, int, ...); \
    va_list rest; va_start(rest, flags); int const mode = va_arg(rest, int); va_end(rest); \
    if (!next) next = dlsym(RTLD_NEXT, #name); \
    wait_for(path); return next(path, flags, mode); }
OPEN(open)
OPEN(open64)
#include <stdio.h>
#undef fopen64
#define FOPEN(name) \
  FILE* name(char const* path, char const* mode) { \
    static FILE* (*next)(char const*, char const*); \
    if (!next) next = dlsym(RTLD_NEXT, #name); \
    wait_for(path); return next(path, mode); }
FOPEN(fopen)
FOPEN(fopen64)
"""
SPEED = re.compile(r"([0-9,.]+) images/s in steps")
TIMES = re.compile(r"training ([0-9.]+), data ([0-9.]+)")


def make_pictures(folder, count):
    import numpy as np
    from PIL import Image

    draw = np.random.default_rng(0)
    for c in range(2):
        (folder / str(c)).mkdir(parents=True)
        for n in range(count // 2):
            blurred = Image.fromarray(draw.integers(0, 256, (24, 32, 3), dtype=np.uint8)).resize((500, 375), Image.BICUBIC)
            grain = np.asarray(blurred).astype(np.int16) + draw.normal(0, 12, (375, 500, 1)).astype(np.int16)
            Image.fromarray(np.clip(grain, 0, 255).astype(np.uint8)).save(folder / str(c) / f"{n}.jpg", quality=85)


def delay_library(folder, milliseconds):
    source, made = folder / "delay.c", folder / "delay.so"
    source.write_text(DELAY)
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", f"-DDELAY_MS={milliseconds}", str(source), "-o", str(made), "-ldl"],
                   check=True)
    return made


def ours(command, preload=None):
    """Images per second, and seconds for data of a run."""
    surrounding = dict(os.environ, **({"LD_PRELOAD": str(preload)} if preload else {}))
    done = subprocess.run(command, env=surrounding, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: ended with {done.returncode}: {done.stderr or done.stdout}")
    training, data = (float(part) for part in TIMES.search(done.stdout).groups())
    return training, data


def torchvision(folder, batch):
    import torch
    from torchvision import datasets, models, transforms

    torch.set_num_threads(2)
    change = transforms.Compose([transforms.RandomResizedCrop(224), transforms.RandomHorizontalFlip(), transforms.ToTensor(),
                                 transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])
    loader = torch.utils.data.DataLoader(datasets.ImageFolder(folder, change), batch, shuffle=True, num_workers=2,
                                         drop_last=True)
    model = models.resnet18(num_classes=2).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-4, fused=True)
    start, pictures = time.perf_counter(), 0
    for picture, label in loader:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(picture), label).backward()
        optimizer.step()
        pictures += len(label)
    print(pictures / (time.perf_counter() - start))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--pictures", type=int, default=400)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--delay", type=int, default=20)
    parser.add_argument("--torchvision", help=argparse.SUPPRESS)  # the peer, in a process of its own
    arguments = parser.parse_args()
    if arguments.torchvision:
        return torchvision(arguments.torchvision, arguments.batch)
    with tempfile.TemporaryDirectory() as place:
        place = Path(place)
        folder = place / "pictures"
        make_pictures(folder, arguments.pictures)
        measure(arguments, folder, delay_library(place, arguments.delay))


def measure(arguments, folder, delay):
    common = [arguments.program, "--model", "resnet18", "--batch", str(arguments.batch), "--epochs", "1", "--val-share", "0",
              "--threads", "2"]
    cases = {
        "synthetic": lambda: ours(common + ["--data", f"synthetic:{arguments.pictures}", "--classes", "2"]),
        "inline": lambda: ours(common + ["--data", str(folder), "--workers", "0"]),
        "workers": lambda: ours(common + ["--data", str(folder), "--workers", "2"]),
        "distant": lambda: ours(common + ["--data", str(folder), "--workers", "2"], delay),
        "distant0": lambda: ours(common + ["--data", str(folder), "--workers", "0"], delay),
    }
    rates = {name: [] for name in [*cases, "torchvision"]}
    hidden = {name: [] for name in ("workers", "distant")}
    decoding = []
    for _ in range(arguments.rounds):
        for name, run in cases.items():
            training, data = run()
            rates[name].append(arguments.pictures / (training + data))
            if name == "inline":
                decoding.append(data / arguments.pictures)
        for name, values in hidden.items():
            values.append(rates[name][-1] / reachable(rates["synthetic"][-1], decoding[-1]))
        done = subprocess.run([sys.executable, __file__, arguments.program, "--batch", str(arguments.batch), "--torchvision",
                               str(folder)], capture_output=True, text=True, check=True)
        rates["torchvision"].append(float(done.stdout))
    for name, values in rates.items():
        emit(name=name, images_per_second=summary(values))
    emit(name="decoding", milliseconds=summary([1e3 * seconds for seconds in decoding]))
    for name, values in hidden.items():
        emit(name=name, hidden=summary(values))
    emit(name="beside torchvision", ratio=summary([a / b for a, b in zip(rates["workers"], rates["torchvision"])]),
         batch=arguments.batch, **environment("torch", "torchvision", "Pillow"))


def reachable(synthetic, decoding):
    """What two cores reach where each picture takes `decoding` seconds of one beside its 2 / `synthetic`."""
    return 2 / (2 / synthetic + decoding)


if __name__ == "__main__":
    main()
