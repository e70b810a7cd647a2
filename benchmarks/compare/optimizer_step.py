#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Milliseconds of an AdamW step on the host: DeepSpeed's CPUAdam and PyTorch's fused AdamW.

What ZeRO-Offload does on the host for each shard is three passes: scale the fp32 gradient in place (`mul_`: unscaling
and clipping in one factor), step, and cast the parameters to 16 bits (`copy_`), which is what goes to the device.
PyTorch's fused step can take the scale in (`grad_scale`), so that two passes are left. The step alone is measured
beside both. All cases take turns in one process and share parameters and gradient; a neighbour on the machine slows
all alike.
"""

import os

# Both are read when torch and deepspeed are imported. 2 MB pages, which our benchmark has, too:
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
os.environ.setdefault("DS_ACCELERATOR", "cpu")  # CPUAdam needs no device, whatever this machine has

import argparse
import functools
import itertools
import re
import sys
import time
from pathlib import Path

import torch

from measure import emit, environment, summary

SETTINGS = {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.1}
PEERS = {"deepspeed": "DeepSpeed CPUAdam", "torch": "PyTorch AdamW, fused"}


def make_optimizer(peer, parameter):
    if peer == "torch":
        return torch.optim.AdamW([parameter], fused=True, **SETTINGS)
    from deepspeed.ops.adam import DeepSpeedCPUAdam  # compiles its C++ when it is made for the first time

    return DeepSpeedCPUAdam([parameter], adamw_mode=True, **SETTINGS)


def step_only(optimizer, parameter, scale):
    optimizer.step()


def three_passes(optimizer, parameter, scale, copy):
    parameter.grad.mul_(scale)
    optimizer.step()
    copy.copy_(parameter.data)


def two_passes(optimizer, parameter, scale, copy):
    optimizer.grad_scale = torch.tensor(1.0 / scale)  # the kernel divides by it, and stores the quotient
    optimizer.step()
    optimizer.grad_scale = None  # else the step alone would scale, too
    copy.copy_(parameter.data)


OFFLOAD_STEPS = {"deepspeed": ("mul_, step, copy_", three_passes), "torch": ("step with grad_scale, copy_", two_passes)}


def make_parameter(elements):
    """A parameter and its gradient, both random in (0, 1) and so without subnormal numbers."""
    parameter = torch.nn.Parameter(torch.rand(elements))
    parameter.grad = torch.rand(elements)
    return parameter


def available_peers():
    """The peers that work here, in order; a line of the output says why one does not."""
    peers = []
    for peer in PEERS:
        try:
            make_optimizer(peer, make_parameter(64))
            peers.append(peer)
        except Exception as error:  # a missing package, a failed build, a missing instruction set: each its own type
            emit(benchmark="optimizer_step", peer=PEERS[peer], skipped=f"{error.__cause__ or error}".splitlines()[0])
    return peers


def require_same_update(peers):
    """Ends the program unless all peers compute the same step: otherwise their times would not compare."""
    results = []
    for peer in peers:
        torch.manual_seed(1)
        parameter = make_parameter(1000)
        optimizer, copy = make_optimizer(peer, parameter), torch.empty(1000, dtype=torch.bfloat16)
        for _ in range(3):
            OFFLOAD_STEPS[peer][1](optimizer, parameter, scale=0.5, copy=copy)
        results.append(torch.stack([parameter.data, parameter.grad]))
    for other in results[1:]:
        if not torch.allclose(results[0], other, rtol=1e-6, atol=1e-7):
            sys.exit(f"optimizer_step: {' and '.join(peers)} disagree after three steps")


def make_cases(peers, parameter):
    """(description, function of the scale) of each case."""
    copies = {name: torch.empty(parameter.shape, dtype=getattr(torch, name)) for name in ("bfloat16", "float16")}
    cases = []
    for peer in peers:
        optimizer = make_optimizer(peer, parameter)
        case = {"benchmark": "optimizer_step", "peer": PEERS[peer]}
        cases.append(({**case, "passes": "step"}, functools.partial(step_only, optimizer, parameter)))
        passes, run = OFFLOAD_STEPS[peer]
        for dtype, copy in copies.items():
            bound = functools.partial(run, optimizer, parameter, copy=copy)
            cases.append(({**case, "passes": passes, "copy": dtype}, bound))
    return cases


def measure(cases, rounds):
    """Seconds of each case, one list per case. The first round, which touches new memory, does not count."""
    seconds = [[] for _ in cases]
    scales = itertools.cycle((0.5, 2.0))  # powers of two that cancel: the gradient keeps its size, whatever the rounds
    for _ in range(rounds + 1):
        scale = next(scales)
        for (_, run), times in zip(cases, seconds):
            start = time.perf_counter()
            run(scale=scale)
            times.append(time.perf_counter() - start)
    return [times[1:] for times in seconds]


def huge_page_bytes():
    """How much of this process lies in huge pages; null where the system does not say."""
    try:
        match = re.search(r"AnonHugePages:\s+(\d+) kB", Path("/proc/self/smaps_rollup").read_text())
    except OSError:
        match = None
    return int(match.group(1)) * 1024 if match else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--elements", type=int, default=1 << 26, help="parameters (64 Mi: far more than any cache)")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    peers = available_peers()
    require_same_update(peers)
    cases = make_cases(peers, make_parameter(arguments.elements))
    shared = {"parameters": arguments.elements, "threads": arguments.threads, **environment("torch", "deepspeed")}
    for (case, _), times in zip(cases, measure(cases, arguments.rounds)):
        emit(**case, milliseconds=summary([1e3 * t for t in times]), **shared, huge_page_bytes=huge_page_bytes())


if __name__ == "__main__":
    main()
