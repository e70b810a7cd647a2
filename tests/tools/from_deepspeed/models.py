# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A GPT-2 in PyTorch, with matrices as nn.Linear has them or as Conv1D has them. What needs torch stands here."""
import math

import torch
from torch import nn
from torch.nn import functional

CONTEXT, WIDTH, HEADS, LAYERS, VOCABULARY = 16, 20, 2, 2, 35  # of sizes that 2 and 3 ranks do not share out evenly


class Transposed(nn.Module):
    """[inputs, outputs], as Hugging Face's Conv1D has it."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(inputs, outputs).normal_(0, 0.1))
        self.bias = nn.Parameter(torch.empty(outputs).normal_(0, 0.1))

    def forward(self, x):
        return x @ self.weight + self.bias


def linear(inputs, outputs, layout, bias):
    return Transposed(inputs, outputs) if layout == "conv1d" else nn.Linear(inputs, outputs, bias=bias)


class Norm(nn.Module):
    def __init__(self, bias):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(WIDTH).normal_(1, 0.1))
        self.bias = nn.Parameter(torch.empty(WIDTH).normal_(0, 0.1)) if bias else None

    def forward(self, x):
        return functional.layer_norm(x, (WIDTH,), self.weight, self.bias, 1e-5)


class Attention(nn.Module):
    def __init__(self, layout, bias):
        super().__init__()
        self.c_attn, self.c_proj = linear(WIDTH, 3 * WIDTH, layout, bias), linear(WIDTH, WIDTH, layout, bias)

    def forward(self, x):
        batch, length, _ = x.shape
        q, k, v = (part.view(batch, length, HEADS, -1).transpose(1, 2) for part in self.c_attn(x).split(WIDTH, 2))
        scores = q @ k.transpose(2, 3) / math.sqrt(WIDTH // HEADS)
        future = torch.ones(length, length, dtype=torch.bool).triu(1)
        mixed = scores.masked_fill(future, float("-inf")).softmax(-1) @ v
        return self.c_proj(mixed.transpose(1, 2).reshape(batch, length, WIDTH))


class Mlp(nn.Module):
    def __init__(self, layout, bias):
        super().__init__()
        self.c_fc, self.c_proj = linear(WIDTH, 4 * WIDTH, layout, bias), linear(4 * WIDTH, WIDTH, layout, bias)

    def forward(self, x):
        return self.c_proj(functional.gelu(self.c_fc(x), approximate="tanh"))


class Block(nn.Module):
    def __init__(self, layout, bias):
        super().__init__()
        self.ln_1, self.attn, self.ln_2, self.mlp = Norm(bias), Attention(layout, bias), Norm(bias), Mlp(layout, bias)

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class Gpt(nn.Module):
    """The head is the token embedding; positions may be frozen."""

    def __init__(self, layout="linear", bias=True, frozen=False, seed=1):
        super().__init__()
        torch.manual_seed(seed)
        self.transformer = nn.ModuleDict({
            "wte": nn.Embedding(VOCABULARY, WIDTH), "wpe": nn.Embedding(CONTEXT, WIDTH),
            "h": nn.ModuleList(Block(layout, bias) for _ in range(LAYERS)), "ln_f": Norm(bias)})
        self.lm_head = nn.Linear(WIDTH, VOCABULARY, bias=False)
        with torch.no_grad():
            self.transformer.wte.weight.mul_(0.2)
            self.transformer.wpe.weight.mul_(0.1)
        self.lm_head.weight = self.transformer.wte.weight
        self.transformer.wpe.weight.requires_grad_(not frozen)

    def forward(self, tokens, targets):
        x = self.transformer.wte(tokens) + self.transformer.wpe.weight[:tokens.shape[1]]
        for block in self.transformer.h:
            x = block(x)
        logits = self.lm_head(self.transformer.ln_f(x))
        return functional.cross_entropy(logits.float().view(-1, VOCABULARY), targets.view(-1))


class Odd(nn.Module):
    """No GPT-2: names and shapes of its own, a tied matrix, a frozen one, a buffer of numbers and one of integers."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.first, self.second, self.frozen = nn.Linear(7, 5), nn.Linear(5, 7, bias=False), nn.Linear(7, 7)
        self.again = nn.Linear(5, 7, bias=False)
        self.again.weight = self.second.weight
        self.frozen.requires_grad_(False)
        self.register_buffer("mean", torch.arange(3.0) / 3)
        self.register_buffer("count", torch.tensor([5, 6]))

    def forward(self, tokens, _):
        x = functional.one_hot(tokens % 7, 7).to(self.first.weight.dtype)
        y = self.second(self.first(x).tanh()) + self.again(self.first(x))
        return (self.frozen(y) + self.mean.sum().to(y.dtype)).float().pow(2).mean()


def batch(seed):
    draw = torch.Generator().manual_seed(seed)
    tokens = torch.randint(0, VOCABULARY, (2, CONTEXT + 1), generator=draw)
    return tokens[:, :-1].contiguous(), tokens[:, 1:].contiguous()
