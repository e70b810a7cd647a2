#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tokens per second of a GPT-2 124M that generates one text, in turn: generate_gpt2, CTranslate2 and PyTorch.

generation.py GENERATE_GPT2 FOLDER [ROUNDS]    needs torch, transformers and ctranslate2; the model is put into FOLDER

Random weights, greedy, 128 tokens behind a prompt of 8. Each program runs anew in every round; the median of the rounds
is printed. PyTorch is measured with one thread and with two that sleep while they wait (OMP_WAIT_POLICY=PASSIVE).
"""

import json
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

PROMPT = [464, 3290, 318, 257, 922, 3290, 290, 340]
TOKENS = 128


def make_model(folder):
    import torch
    import transformers

    if (folder / "model.safetensors").exists():
        return
    torch.manual_seed(1)
    folder.mkdir(parents=True, exist_ok=True)
    # Twice the usual deviation: a text that is not one token all the time.
    config = transformers.GPT2Config(initializer_range=0.04, eos_token_id=50256, bos_token_id=50256)
    transformers.GPT2LMHeadModel(config).save_pretrained(folder)
    vocabulary = {f"t{i}": i for i in range(50256)} | {"<|endoftext|>": 50256}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "GPT2Tokenizer"}))


def of_ctranslate2(folder, kind, threads):
    import ctranslate2

    converted = folder.parent / f"{folder.name}-ctranslate2"
    if not converted.exists():
        ctranslate2.converters.TransformersConverter(str(folder)).convert(str(converted))
    generator = ctranslate2.Generator(str(converted), compute_type=kind, intra_threads=threads)
    prompt = [f"t{i}" for i in PROMPT]
    settings = {"max_length": TOKENS, "min_length": TOKENS, "sampling_topk": 1, "include_prompt_in_result": False}
    generator.generate_batch([prompt], **settings)  # warm
    start = time.perf_counter()
    generator.generate_batch([prompt], **settings)
    return TOKENS / (time.perf_counter() - start)


def of_pytorch(folder, threads):
    import torch
    import transformers

    torch.set_num_threads(threads)
    model = transformers.GPT2LMHeadModel.from_pretrained(folder).eval()
    settings = {"max_new_tokens": TOKENS, "min_new_tokens": TOKENS, "do_sample": False, "pad_token_id": 50256}
    with torch.no_grad():
        model.generate(torch.tensor([PROMPT]), **settings | {"max_new_tokens": 4, "min_new_tokens": 4})
        start = time.perf_counter()
        model.generate(torch.tensor([PROMPT]), **settings)
    return TOKENS / (time.perf_counter() - start)


def of_ours(program, folder, precision, threads):
    command = [program, "--model", folder, "--prompt-ids", ",".join(map(str, PROMPT)), "--tokens", str(TOKENS),
               "--temperature", "0", "--ignore-end", "--precision", precision, "--threads", str(threads)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(re.search(r"([0-9.]+) tokens/s", done.stderr).group(1))


def measured_alone(folder, name, kind, threads):
    """By a process of its own, so that no library's threads are left to the next."""
    environment = os.environ | {"OMP_WAIT_POLICY": "PASSIVE", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run([sys.executable, __file__, "--alone", folder, name, kind, str(threads)], capture_output=True,
                          text=True, check=True, env=environment)
    return float(done.stdout.split()[-1])


def main():
    if sys.argv[1] == "--alone":
        folder, name, kind, threads = Path(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5])
        print(of_ctranslate2(folder, kind, threads) if name == "CTranslate2" else of_pytorch(folder, threads))
        return
    program, folder = sys.argv[1], Path(sys.argv[2])
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    make_model(folder)
    rows = {}
    for _ in range(rounds):
        for precision in ("fp32", "bf16", "fp16", "int8"):
            rows.setdefault(f"generate_gpt2 {precision}, 2 threads", []).append(of_ours(program, folder, precision, 2))
        for kind in ("float32", "int8"):
            row = rows.setdefault(f"CTranslate2 {kind}, 2 threads", [])
            row.append(measured_alone(folder, "CTranslate2", kind, 2))
        for threads in (1, 2):
            row = rows.setdefault(f"PyTorch float32, {threads} threads", [])
            row.append(measured_alone(folder, "PyTorch", "float32", threads))
    print(f"load average {os.getloadavg()[0]:.1f}, medians of {rounds} rounds, tokens/s:")
    for name, values in rows.items():
        print(f"  {name:34} {statistics.median(values):6.1f}   ({', '.join(f'{x:.1f}' for x in values)})")


main()
