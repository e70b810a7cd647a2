#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Trains a GPT-2 with PyTorch in fp32 on the CPU and prints tokens per second.

The same model, settings and optimizer as examples/gpt2: LayerNorm before each part of a block, biases, tanh GELU,
learned positions, and an output projection that is the token embedding. `small` is the setting that nanoGPT recommends
for a CPU; `gpt2_124m` is GPT-2 124M with short sequences.
"""

import argparse
import dataclasses
import math
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from measure import emit, environment, summary


@dataclasses.dataclass(frozen=True)
class Setting:
    layers: int
    heads: int
    width: int
    context: int
    vocabulary: int
    batch: int  # sequences per step
    steps: int
    warmup: int  # first steps that are not timed: memory is touched, threads start, torch.compile compiles


SETTINGS = {
    "small": Setting(layers=4, heads=4, width=128, context=64, vocabulary=65, batch=12, steps=320, warmup=20),
    "gpt2_124m": Setting(layers=12, heads=12, width=768, context=64, vocabulary=50257, batch=4, steps=15, warmup=3),
}


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.c_attn = nn.Linear(width, 3 * width)
        self.c_proj = nn.Linear(width, width)

    def forward(self, x):  # [batch, context, width]
        query, key, value = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in self.c_attn(x).chunk(3, dim=-1)
        )
        y = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        return self.c_proj(y.transpose(1, 2).flatten(-2))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = Attention(width, heads)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential()
        self.mlp.add_module("c_fc", nn.Linear(width, 4 * width))
        self.mlp.add_module("gelu", nn.GELU(approximate="tanh"))
        self.mlp.add_module("c_proj", nn.Linear(4 * width, width))

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class Gpt2(nn.Module):
    def __init__(self, setting):
        super().__init__()
        self.wte = nn.Embedding(setting.vocabulary, setting.width)
        self.wpe = nn.Embedding(setting.context, setting.width)
        self.h = nn.Sequential(*(Block(setting.width, setting.heads) for _ in range(setting.layers)))
        self.ln_f = nn.LayerNorm(setting.width)
        self.initialize(setting.layers)

    def initialize(self, layers):
        """N(0, 0.02²); scaled by 1/sqrt(2·layers) where 2·layers projections add up in the residual stream."""
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            elif parameter.dim() > 1:
                residual = name.endswith("c_proj.weight")
                nn.init.normal_(parameter, std=0.02 / math.sqrt(2 * layers) if residual else 0.02)

    def forward(self, tokens, targets):
        """The mean cross-entropy in nats; tokens and targets are [batch, context]."""
        x = self.wte(tokens) + self.wpe.weight[: tokens.shape[1]]
        logits = functional.linear(self.ln_f(self.h(x)), self.wte.weight)
        return functional.cross_entropy(logits.flatten(0, 1), targets.flatten())


def adamw(model):
    matrices = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() <= 1]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, betas=(0.9, 0.99), fused=True)


def learning_rate(step, steps, peak=1e-3, lowest=1e-4, warmup=100):
    """nanoGPT's schedule: linear warm-up, then half a cosine down to the lowest at the last step."""
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    return lowest + 0.5 * (peak - lowest) * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup)))


def characters_of(path):
    """All characters of a text file as numbers, and how many different ones there are."""
    text = path.read_text(encoding="utf-8")
    number = {character: i for i, character in enumerate(sorted(set(text)))}
    return torch.tensor([number[character] for character in text]), len(number)


def draw_batch(data, setting):
    starts = torch.randint(len(data) - setting.context, (setting.batch, 1))
    window = data[starts + torch.arange(setting.context + 1)]
    return window[:, :-1], window[:, 1:]


def train(model, data, setting):
    """Seconds of each step as (forward and backward, all of it), and the losses."""
    optimizer, seconds, losses = adamw(model), [], []
    for step in range(setting.steps):
        start = time.perf_counter()
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, setting.steps)
        tokens, targets = draw_batch(data, setting)
        drawn = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        loss = model(tokens, targets)
        loss.backward()
        backward = time.perf_counter()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        seconds.append((backward - drawn, time.perf_counter() - start))
        losses.append(loss.item())
    return seconds, losses


@torch.no_grad()
def validation_loss(model, data, setting):
    """The mean loss over all of the data, in sequences that do not overlap."""
    count = (len(data) - 1) // setting.context
    tokens = data[: count * setting.context].view(count, setting.context)
    targets = data[1 : count * setting.context + 1].view(count, setting.context)
    chunks = zip(tokens.split(setting.batch), targets.split(setting.batch))
    return sum(model(x, y).item() * len(x) for x, y in chunks) / count


def parse_arguments():
    """The options and the setting as they change it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("setting", choices=SETTINGS)
    parser.add_argument("--compile", action="store_true", help="through torch.compile")
    parser.add_argument("--data", type=Path, help="small only: train on the characters of this text, not random tokens")
    parser.add_argument("--evaluate", action="store_true", help="hold back the last tenth of --data, print its loss")
    parser.add_argument("--steps", type=int, help="steps of training")
    parser.add_argument("--warmup", type=int, help="first steps that are not timed")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    if arguments.data and arguments.setting != "small":
        parser.error("--data is for the setting small: GPT-2 124M trains on random tokens")
    if arguments.evaluate and not arguments.data:
        parser.error("--evaluate needs --data")
    changed = {key: value for key in ("steps", "warmup") if (value := getattr(arguments, key)) is not None}
    setting = dataclasses.replace(SETTINGS[arguments.setting], **changed)
    if not 0 <= setting.warmup < setting.steps:
        parser.error(f"no step to time: {setting.steps} steps, the first {setting.warmup} of them warm-up")
    return arguments, setting


def load_data(arguments, setting):
    """The tokens to train on, those held back (or None), and the setting with the vocabulary of the data."""
    if not arguments.data:
        return torch.randint(setting.vocabulary, (1 << 20,)), None, setting
    data, vocabulary = characters_of(arguments.data)
    setting = dataclasses.replace(setting, vocabulary=vocabulary)
    if not arguments.evaluate:
        return data, None, setting
    split = len(data) * 9 // 10
    return data[:split], data[split:], setting


def main():
    arguments, setting = parse_arguments()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1337)
    data, held_back, setting = load_data(arguments, setting)
    model = Gpt2(setting)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    if arguments.compile:
        model = torch.compile(model)
    seconds, losses = train(model, data, setting)
    timed, tokens = seconds[setting.warmup :], setting.batch * setting.context
    loss = {"first": losses[0], "last": losses[-1]}
    if held_back is not None:
        loss["validation"] = validation_loss(model, held_back, setting)
    emit(
        benchmark="gpt2",
        setting=arguments.setting,
        peer="PyTorch, compiled" if arguments.compile else "PyTorch, eager",
        tokens_per_second=summary([tokens / whole for _, whole in timed]),
        forward_backward_tokens_per_second=summary([tokens / part for part, _ in timed]),
        loss=loss,
        parameters=parameters,
        threads=arguments.threads,
        shape=dataclasses.asdict(setting),
        data=str(arguments.data or "random tokens"),
        **environment("torch"),
    )


if __name__ == "__main__":
    main()
