#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""benchmarks/compare/text_encoding.py ZERO_TOKENIZE [--megabytes 100] [--vocabulary 50257] [--rounds 3]: zero-tokenize, with all that it
reads and writes, beside the encoding alone of the tokenizers package by one thread, on the same documents in turns; first,
whether all ids are equal, and how training compares. The text is mixed: source code and text of this machine, and words in
twelve scripts. Needs tokenizers and numpy (tests/requirements.txt)."""
import argparse
import glob
import json
import os
import random
import subprocess
import tempfile
import time

os.environ["RAYON_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
import numpy  # noqa: E402
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers  # noqa: E402

SCRIPTS = ((0x61, 0x7A), (0x410, 0x44F), (0x3B1, 0x3C9), (0x5D0, 0x5EA), (0x627, 0x64A), (0x905, 0x939), (0xE01, 0xE30),
           (0x3041, 0x3096), (0x4E00, 0x5200), (0xAC00, 0xB000), (0x1F600, 0x1F640), (0x30, 0x39))


def documents(size):
    rng = random.Random(11)
    roots = (os.path.dirname(os.__file__), "/usr/include", "/usr/share/perl", "/usr/share/doc", "/usr/lib/python3")
    names = sorted(name for root in roots for end in ("py", "h", "pm", "txt", "md", "html")
                   for name in glob.glob(f"{root}/**/*.{end}", recursive=True) if os.path.isfile(name))
    rng.shuffle(names)
    words = {script: ["".join(chr(rng.randint(*script)) for _ in range(rng.randint(1, 9))) for _ in range(4000)]
             for script in SCRIPTS}
    while size > 0:
        for name in names:
            with open(name, encoding="utf-8", errors="replace") as file:
                text = file.read(200000)
            if rng.random() < 0.25:
                text = " ".join(rng.choice(words[rng.choice(SCRIPTS)]) for _ in range(1000)) + "\n"
            size -= len(text.encode())
            yield text
            if size <= 0:
                return


def theirs(tokenizer, texts):
    begin = time.perf_counter()
    ids = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
    return time.perf_counter() - begin, ids


def ours(program, path, tokenizer, folder, threads):
    begin = time.perf_counter()
    subprocess.run([program, "--tokenizer", tokenizer, "--separator", "none", "--threads", str(threads), "--overwrite",
                    "--output", folder, path], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def train(program, path, texts, size, folder):
    begin = time.perf_counter()
    subprocess.run([program, "--train-bpe", str(size), "--tokenizer-only", "--output", folder, path], check=True,
                   stdout=subprocess.DEVNULL)
    mine = time.perf_counter() - begin
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    begin = time.perf_counter()
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=size, special_tokens=["<|endoftext|>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False))
    other = time.perf_counter() - begin
    with open(folder + "/tokenizer.json", encoding="utf-8") as file:
        merges = json.load(file)["model"]["merges"]
    equal = merges == json.loads(tokenizer.to_str())["model"]["merges"]
    print(f"training {size} tokens: {mine:.1f} s of all threads; theirs, one thread: {other:.1f} s; equal merges: {equal}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--megabytes", type=float, default=100)
    parser.add_argument("--vocabulary", type=int, default=50257)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        texts = list(documents(options.megabytes * 1e6))
        size = sum(len(text.encode()) for text in texts) / 1e6
        path = folder + "/texts.jsonl"
        with open(path, "w", encoding="utf-8") as file:
            for text in texts:
                file.write(json.dumps({"text": text}, ensure_ascii=False) + "\n")
        train(options.program, path, texts, options.vocabulary, folder + "/bpe")
        name = folder + "/bpe/tokenizer.json"
        tokenizer = Tokenizer.from_file(name)
        tokenizer.encode_special_tokens = True
        times = {"theirs": [], "1": [], "2": []}
        for _ in range(options.rounds):
            seconds, ids = theirs(tokenizer, texts)
            times["theirs"].append(seconds)
            for threads in ("1", "2"):
                times[threads].append(ours(options.program, path, name, folder + "/shards", threads))
        wanted = numpy.concatenate([numpy.array(each, dtype=numpy.uint32) for each in ids])
        with open(folder + "/shards/manifest.json", encoding="utf-8") as file:
            shards = [shard["file"] for shard in json.load(file)["shards"]]
        made = numpy.concatenate([numpy.fromfile(f"{folder}/shards/{name}", dtype=numpy.uint16)[512:] for name in shards])
        print(f"{size:.0f} MB, {len(texts)} documents, {len(wanted)} tokens; equal ids: {numpy.array_equal(wanted, made)}")
        for who, seconds in times.items():
            median = sorted(seconds)[len(seconds) // 2]
            print(f"{who:>6}: {size / median:.1f} MB/s (rounds: {', '.join(f'{size / s:.1f}' for s in seconds)})")


main()
