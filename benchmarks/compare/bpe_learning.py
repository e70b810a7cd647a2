#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Whether train_gpt2 and PyTorch learn the same from tokens: nanoGPT's setting with a trained vocabulary of 512.

bpe_learning.py ZERO_TOKENIZE TRAIN_GPT2 input.txt FOLDER [--seeds 5] [--steps 2000] [--threads 2]

`zero-tokenize` trains the vocabulary on the text, and encodes the first nine tenths and, for validation, the rest. For each
seed `train_gpt2` writes the model that it begins with, and trains. PyTorch (the model of gpt2.py) starts from that file,
reads the same batches from the shards, follows the rates of train_gpt2's log, and is validated on the same sequences. The
runs of seeds that FOLDER holds already are not made again. Needs torch and numpy.
"""

import argparse
import json
import math
import statistics
import subprocess
from pathlib import Path

import numpy
import torch

from gpt2 import Gpt2, Setting, adamw
from measure import emit, environment

VOCABULARY, CONTEXT, BATCH, EVALUATED = 512, 64, 12, 200
MASK = (1 << 64) - 1
TRAIN, VALIDATION = 0, 1


class Random:
    """The trainer's counter-based generator (examples/training/counter_random.hpp)."""

    def __init__(self, key):
        self.key = self.mix(key)

    @staticmethod
    def mix(z):
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & MASK
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB & MASK
        return z ^ (z >> 31)

    def bits(self, counter):
        return self.mix(self.key + (counter + 1) * 0x9E3779B97F4A7C15 & MASK)

    def of(self, *parts):
        random = self
        for part in parts:
            random = Random(random.bits(part))
        return random

    def below(self, counter, bound):
        return self.bits(counter) * bound >> 64


class Shards:
    """The two shards of a small folder, and the batches that train_gpt2 draws of them."""

    def __init__(self, folder, seed):
        manifest = json.loads((folder / "manifest.json").read_text())
        self.tokens, self.random = {}, Random(seed)
        for shard in manifest["shards"]:
            split = VALIDATION if shard["split"] == "validation" else TRAIN
            assert split not in self.tokens, "a text of several shards"
            header = shard["bytes"] - 2 * shard["tokens"]
            tokens = numpy.fromfile(folder / shard["file"], dtype="<u2", offset=header)
            self.tokens[split] = torch.from_numpy(tokens.astype(numpy.int64))

    def batch(self, split, step, micro_batch):
        tokens, random = self.tokens[split], self.random.of(split, step, micro_batch)
        starts = [random.below(i, len(tokens) - CONTEXT) for i in range(BATCH)]
        window = torch.stack([tokens[start : start + CONTEXT + 1] for start in starts])
        return window[:, :-1], window[:, 1:]


def read_safetensors(path):
    data = path.read_bytes()
    end = 8 + int.from_bytes(data[:8], "little")
    tensors = {}
    for name, about in json.loads(data[8:end]).items():
        if name == "__metadata__":
            continue
        first, last = about["data_offsets"]
        assert about["dtype"] == "F32"
        values = numpy.frombuffer(data[end + first : end + last], dtype="<f4").reshape(about["shape"])
        tensors[name.removeprefix("transformer.")] = torch.from_numpy(values.copy())
    return tensors


def start_from(model, path):
    """Matrices of layers lie the other way round in Hugging Face's files of GPT-2."""
    tensors = read_safetensors(path)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            value = tensors.pop(name)
            is_layer = name.startswith("h.") and value.dim() == 2
            parameter.copy_(value.T if is_layer else value)
    assert set(tensors) <= {"lm_head.weight"}, tensors.keys()


def train_pytorch(folder, seed, log):
    model = Gpt2(Setting(4, 4, 128, CONTEXT, VOCABULARY, BATCH, len(log), 0))
    start_from(model, folder / f"start-{seed}" / "model.safetensors")
    shards, optimizer, first = Shards(folder / "shards", seed), adamw(model), None
    for step, record in enumerate(log):
        for group in optimizer.param_groups:
            group["lr"] = record["lr"]
        optimizer.zero_grad(set_to_none=True)
        loss = model(*shards.batch(TRAIN, step, 0))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if first is None:
            first = loss.item()
    with torch.no_grad():
        losses = [model(*shards.batch(VALIDATION, 0, i)).item() for i in range(EVALUATED)]
    return first, statistics.fmean(losses)


def train_ours(options, folder, seed):
    command = [options.train_gpt2, "--data", folder / "shards", "--seed", str(seed), "--threads", str(options.threads),
               "--sample", "0", "--log-interval", str(options.steps)]
    begin = ["--iterations", "1", "--lr", "0", "--min-lr", "0", "--eval-batches", "1"]
    subprocess.run([*command, *begin, "--save-hf", folder / f"start-{seed}"], check=True, stdout=subprocess.DEVNULL)
    path = folder / f"log-{seed}.jsonl"
    run = ["--iterations", str(options.steps), "--eval-interval", str(options.steps), "--eval-batches", str(EVALUATED)]
    subprocess.run([*command, *run, "--log", path], check=True, stdout=subprocess.DEVNULL)
    records = [json.loads(line) for line in path.read_text().splitlines()]
    return [record for record in records if "lr" in record]


def prepare(options, folder):
    if (folder / "shards" / "manifest.json").exists():
        return
    text = options.text.read_bytes()
    split = len(text) * 9 // 10
    (folder / "train.txt").write_bytes(text[:split])
    (folder / "validation.txt").write_bytes(text[split:])
    subprocess.run([options.zero_tokenize, "--train-bpe", str(VOCABULARY), "--validation-input", folder / "validation.txt",
                    "--output", folder / "shards", folder / "train.txt"], check=True, stdout=subprocess.DEVNULL)


def one_seed(options, folder, seed):
    result = folder / f"result-{seed}.json"
    if not result.exists():
        log = train_ours(options, folder, seed)
        first, validation = train_pytorch(folder, seed, log)
        result.write_text(json.dumps({"seed": seed, "first": [log[0]["loss"], first],
                                      "validation": [log[-1]["val_loss"], validation]}))
    return json.loads(result.read_text())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("zero_tokenize")
    parser.add_argument("train_gpt2")
    parser.add_argument("text", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.folder.mkdir(parents=True, exist_ok=True)
    prepare(options, options.folder)
    differences, ours = [], []
    for seed in range(1, options.seeds + 1):
        found = one_seed(options, options.folder, seed)
        mine, theirs = found["validation"]
        ours.append(mine)
        differences.append(mine - theirs)
        emit(**found, difference=mine - theirs)
    error = statistics.stdev(differences) / math.sqrt(len(differences)) if len(differences) > 1 else None
    mean = statistics.fmean(differences)
    emit(seeds=options.seeds, steps=options.steps, validation=statistics.fmean(ours), mean_difference=mean,
         relative=mean / statistics.fmean(ours), standard_error=error, **environment("torch", "numpy"))


if __name__ == "__main__":
    main()
