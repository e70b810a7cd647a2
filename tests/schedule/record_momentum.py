#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What PyTorch's optimizers make of other betas, or another momentum, at each step, recorded for the tests.

    pip install torch numpy deepspeed==0.19.8
    python3 record_momentum.py > momentum.txt

The betas are those of DeepSpeed's OneCycle (`--deepspeed FOLDER`: as for record_schedules.py). Four parameters, in double
precision; a line is an optimizer, and the parameters after each of 20 steps.
"""
import argparse
import platform

import torch

from record_schedules import deepspeed_schedules

STEPS = 20


def train(ds, make, of_group):
    """The parameters after each step."""
    parameter = torch.nn.Parameter(torch.arange(4, dtype=torch.float64) / 8)
    optimizer = make([parameter])
    # Any optimizer with betas: the schedule's own.
    scheduled = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))])
    schedule = ds.OneCycle(scheduled, 0.01, 0.1, cycle_first_step_size=7, cycle_second_step_size=5, decay_step_size=4,
                           cycle_min_mom=0.5, cycle_max_mom=0.9, decay_mom_rate=0.01)
    values = []
    for step in range(STEPS):
        group = optimizer.param_groups[0]
        group["lr"] = scheduled.param_groups[0]["lr"]
        of_group(group, scheduled.param_groups[0]["betas"])
        parameter.grad = torch.tensor([((step * 7 + i * 3) % 11 - 5) / 8 for i in range(4)], dtype=torch.float64)
        optimizer.step()
        schedule.step()
        values += parameter.tolist()
    return values


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deepspeed", metavar="FOLDER", help="unpacked source of DeepSpeed, in place of its package")
    ds, version = deepspeed_schedules(parser.parse_args().deepspeed)
    print(f"# DeepSpeed {version}, PyTorch {torch.__version__}, Python {platform.python_version()}: "
          "by record_momentum.py")

    def betas(group, values):
        group["betas"] = values

    def momentum(group, values):
        group["momentum"] = values[0]
    for name, make, of_group in (
            ("Adam", lambda p: torch.optim.Adam(p, weight_decay=0.1), betas),
            ("AdamW", lambda p: torch.optim.AdamW(p, weight_decay=0.1), betas),
            ("SGD", lambda p: torch.optim.SGD(p, weight_decay=0.1), momentum)):
        print(name, *(f"{value:.12g}" for value in train(ds, make, of_group)))


if __name__ == "__main__":
    main()
