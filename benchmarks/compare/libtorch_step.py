#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Trains the models of benchmarks/libtorch_step.cpp with PyTorch's DDP and FSDP2 over gloo, on two processes of the host
with one thread each, or with neither on one process of two threads. Prints items per second and what a process has
grown by. Run by itself, beside `libtorch_step`:

    python3 libtorch_step.py resnet18|gpt124m plain|ddp|fsdp2
"""

import argparse
import os
import resource
import time

import torch
import torch.distributed as dist
from torch import nn
from torch.nn import functional

from measure import emit, environment, summary


class Residual(nn.Module):
    def __init__(self, before, after, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.down = None
        if stride != 1 or before != after:
            self.down = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))

    def forward(self, x):
        y = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)))))
        return functional.relu(y + (x if self.down is None else self.down(x)))


class ResNet18(nn.Module):
    items = 16

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU())
        widths = [64, 64, 64, 128, 128, 256, 256, 512, 512]
        strides = [1, 1, 2, 1, 2, 1, 2, 1]
        self.units = nn.ModuleList(Residual(a, b, s) for a, b, s in zip(widths, widths[1:], strides))
        self.head = nn.Linear(512, 10)

    def forward(self, x, targets):
        x = self.stem(x)
        for unit in self.units:
            x = unit(x)
        return functional.cross_entropy(self.head(x.mean((2, 3))), targets)

    def batch(self):
        return torch.randn(self.items, 3, 32, 32), torch.randint(0, 10, (self.items,))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.ln1, self.ln2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        b, t, c = x.shape
        p = self.qkv(self.ln1(x)).view(b, t, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        a = functional.scaled_dot_product_attention(p[0], p[1], p[2], is_causal=True)
        x = x + self.proj(a.transpose(1, 2).reshape(b, t, c))
        return x + self.down(functional.gelu(self.up(self.ln2(x))))


class Gpt124M(nn.Module):
    items = 128

    def __init__(self):
        super().__init__()
        self.wte = nn.Embedding(50257, 768)
        self.wpe = nn.Parameter(torch.randn(1024, 768) * 0.02)
        self.units = nn.ModuleList(Block(768, 12) for _ in range(12))
        self.ln = nn.LayerNorm(768)

    def forward(self, tokens, targets):
        x = self.wte(tokens) + self.wpe[: tokens.shape[1]]
        for unit in self.units:
            x = unit(x)
        return functional.cross_entropy(functional.linear(self.ln(x), self.wte.weight).flatten(0, 1), targets.flatten())

    def batch(self):
        tokens = torch.randint(0, 50257, (1, self.items + 1))
        return tokens[:, :-1], tokens[:, 1:]


MODELS = {"resnet18": ResNet18, "gpt124m": Gpt124M}


def prepare(model, kind):
    if kind == "ddp":
        return nn.parallel.DistributedDataParallel(model)
    if kind == "fsdp2":
        from torch.distributed.fsdp import fully_shard

        mesh = dist.device_mesh.init_device_mesh("cpu", (dist.get_world_size(),))
        for unit in model.units:
            fully_shard(unit, mesh=mesh)
        fully_shard(model, mesh=mesh)
    return model


def run(rank, ranks, arguments):
    torch.set_num_threads(2 // ranks)
    if ranks > 1:
        os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(arguments.port))
        dist.init_process_group("gloo", rank=rank, world_size=ranks)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    inner = MODELS[arguments.model]()
    model = prepare(inner, arguments.kind)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.01, fused=arguments.fused or None)
    seconds = []
    for _ in range(arguments.steps + 2):
        start = time.perf_counter()
        optimizer.zero_grad()
        model(*inner.batch()).backward()
        optimizer.step()
        seconds.append(time.perf_counter() - start)
    if rank == 0:
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        rate = summary([ranks * inner.items / s for s in seconds[2:]])
        emit(name=arguments.model, kind=arguments.kind, fused=arguments.fused, ranks=ranks, items_per_second=rate,
             megabytes_per_rank=grown, **environment("torch"))
    if ranks > 1:
        dist.destroy_process_group()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=MODELS)
    parser.add_argument("kind", choices=["plain", "ddp", "fsdp2"])
    parser.add_argument("--steps", type=int, default=7)
    parser.add_argument("--fused", action="store_true", help="AdamW in one kernel, which is not the default on the host")
    parser.add_argument("--port", type=int, default=29571)
    arguments = parser.parse_args()
    ranks = 1 if arguments.kind == "plain" else 2
    if ranks == 1:
        run(0, 1, arguments)
    else:
        torch.multiprocessing.spawn(run, (ranks, arguments), nprocs=ranks)


if __name__ == "__main__":
    main()
