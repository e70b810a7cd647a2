#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""compare.py ENCODE_TEXTS ZERO_TOKENIZE FOLDER [--full]: trains tokenizers of every kind that is read with the `tokenizers`
package, and compares its ids and texts with those of our library: code points (--full: all), long runs, special tokens,
contractions, and random texts. Then whether both train the same vocabulary, of which the package reads our file. Ends
with 77 where the package is not there."""
import glob
import json
import os
import random
import struct
import subprocess
import sys

try:
    import tokenizers
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
except ImportError:
    print("skipped: the package tokenizers is not installed (tests/requirements.txt)")
    sys.exit(77)

LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|"
          r"\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")


def training_texts():
    """Python's own library, and characters of many scripts."""
    rng = random.Random(1)
    files = sorted(glob.glob(os.path.join(os.path.dirname(os.__file__), "*.py")))[:12]
    texts = [open(f, encoding="utf-8", errors="replace").read() for f in files]
    for first, last in ((0x400, 0x450), (0x3B1, 0x3C9), (0x5D0, 0x5EA), (0x905, 0x939), (0xE01, 0xE30), (0x3041, 0x3096),
                        (0x4E00, 0x4F00), (0xAC00, 0xAD00), (0x1F600, 0x1F640), (0x30, 0x39)):
        words = ["".join(chr(rng.randint(first, last)) for _ in range(rng.randint(1, 6))) for _ in range(300)]
        texts.append(" ".join(words))
    return texts


def byte_bpe(pre, texts, size, **settings):
    tokenizer = Tokenizer(models.BPE(**settings))
    tokenizer.pre_tokenizer = pre
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|begin|>", "<|end|>", "<|begin|>x"]
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=size, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    return tokenizer


def split_by(regex):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(regex), "isolated"),
                                    pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def make_tokenizers(size):
    texts = training_texts()
    gpt2 = byte_bpe(pre_tokenizers.ByteLevel(add_prefix_space=False), texts, size)
    gpt2.post_processor = processors.ByteLevel(trim_offsets=False)
    yield "gpt2", gpt2

    llama3 = byte_bpe(split_by(LLAMA3), texts, size, ignore_merges=True)
    content = json.loads(llama3.to_str())
    # Tokens that no merge makes any more, which only whole words are.
    content["model"]["merges"] = [m for i, m in enumerate(content["model"]["merges"]) if i < 500 or i % 3]
    llama3 = Tokenizer.from_str(json.dumps(content))
    llama3.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), processors.TemplateProcessing(
        single="<|begin|> $A", pair="<|begin|> $A <|begin|> $B:1", special_tokens=[("<|begin|>", 1)])])
    yield "llama3", llama3

    qwen2 = byte_bpe(split_by(QWEN2), texts, size)
    qwen2.normalizer = normalizers.NFC()
    qwen2.add_special_tokens(["<|im_start|>", "<|im_end|>"])
    qwen2.add_tokens(["<tool_call>", "</tool_call>"])
    qwen2.add_tokens([AddedToken("caf\u00e9", normalized=True), AddedToken("re\u0301sum\u00e9", normalized=False)])
    yield "qwen2", qwen2

    strips = byte_bpe(pre_tokenizers.ByteLevel(add_prefix_space=True), texts, size)
    strips.add_special_tokens([AddedToken("<mask>", lstrip=True), AddedToken("<sep>", rstrip=True),
                               AddedToken("<both>", lstrip=True, rstrip=True)])
    strips.add_tokens([AddedToken("\u00e9t\u00e9"), AddedToken("two words", normalized=False)])
    strips.post_processor = processors.TemplateProcessing(single="<sep> $A <mask> <sep>", special_tokens=[
        ("<sep>", strips.token_to_id("<sep>")), ("<mask>", strips.token_to_id("<mask>"))])
    yield "strips", strips

    # Lines, because without a pattern each of them is one word, of whose square the package's training takes its time.
    lines = [line for text in texts for line in text.splitlines(keepends=True)]
    yield "no_pattern", byte_bpe(pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False), lines, size)


def code_points(step):
    codes = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    for code in codes[::step]:
        yield chr(code)
    frames = ("a{}b", " {} ", "'{}", "1{}2", "\n{}", "{}\u0301a", "!{}a", "e{}\u0323", "{0}{0} {0}")
    for i in range(0, len(codes), step):
        yield frames[i // step % len(frames)].format(chr(codes[i]))
    for start in range(0, len(codes), 997 if step == 1 else 997 * 9):
        yield "".join(map(chr, codes[start:start + 997]))
        yield " ".join(map(chr, codes[start:start + 997]))
        yield "\u0301".join(map(chr, codes[start:start + 997]))


def runs(length):
    for c in ("a", " ", "\n", "\r\n", "\t", "0", "!", "'", "\u00e9", "\u4e00", "\u0301", "\U0001F600", "ab", " a", "\n ", "a ",
              "\u00a0", "'s", "<|end|>", "\u1100\u1161\u11a8", "e\u0323\u0301", "q\u0307\u0323"):
        yield c * length
        yield "x" + c * length + "y"


def special_texts():
    yield from ("", " ", "a", "<|endoftext|>", "<|begin|><|end|>", "a<|begin|>xb", " <|begin|> x ", "<|begin", "<|<|end|>|>",
                "<|begin|><|begin|>xx", "x <mask> y", "x\n\n<mask>\ty <sep>  z", " <both> <both> ", "<both>", "<mask><mask> <sep>",
                "cafe\u0301", "caf\u00e9", "re\u0301sum\u00e9", "r\u00e9sum\u00e9", "\u00e9t\u00e9", "two words", "two  words",
                "<tool_call>{}</tool_call>", "<|im_start|>user\nHi<|im_end|>\n", "<sep>\u00a0\u3000x", "a\u2003<mask>")
    for word in ("'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'T", "'RE", "'Ve", "'M", "'lL", "'D", "'\u017f", "'x", "'",
                 "''s", "'r", "'l", "'v", "'\u212a", "'\u0130", "'\ufb06"):
        yield from (word, "it" + word, "it" + word + "x", " " + word, word + word, "1" + word, word + "e", word + "\u0301")
    yield from ("1234567890", "1 2 3", "\u0661\u0662\u0663\u0664", "\u00bd\u00b2\u2166", "a1b2", " 12345 678", "3.14159e-10")
    family = "\U0001F468\u200d\U0001F469\u200d\U0001F467\u200d\U0001F466"
    yield from (family, family * 3 + " " + family, "\U0001F1E9\U0001F1EA", "\u263a\ufe0f", "1\ufe0f\u20e3", "\U0001F44D\U0001F3FD")
    yield from ("\u65e5\u672c\u8a9e\u306e\u6587\u7ae0", "\uc548\ub155\ud558\uc138\uc694", "\u1112\u1161\u11ab\u1100\u1173\u11af",
                "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35", "\u0928\u092e\u0938\u094d\u0924\u0947", "\u05e9\u05b8\u05dc\u05d5\u05b9\u05dd")
    yield from ("a\u0323\u0307", "a\u0307\u0323", "\u0958", "\u2126\u212b", "\ufb1d", "\u0344", "\u1e9b\u0323", "\u0f73\u0f71",
                "\u0301", "\u0301\u0301a\u0301", "\uac00\u11a8", "\uac01\u11a8", "\u09c7\u09be", "\u0b47\u0b56", "\u1025\u102e")


def random_texts(count):
    rng = random.Random(7)
    pieces = [" ", "  ", "\n", "\r\n", "\t", "\u00a0", "\u3000", "'", "'s", "'LL", "a", "the", "The", "\u00e9", "e\u0301",
              "\u4e2d", "\U0001F600", "\u200d", "7", "42", "1234", "!", "...", "--", "<|endoftext|>", "<|begin|>", "<mask>", "<",
              "|>", "\u0301", "\u0323", "\x00", "\x7f", "\u0085", "\u2028", "_", "\u1100", "\u1161", "\u11a8", "\uac00", "x" * 60]
    for _ in range(count):
        yield "".join(rng.choice(pieces) for _ in range(rng.randint(1, 40)))
    for _ in range(count // 4):
        yield "".join(chr(c) for c in (rng.choice((rng.randint(0, 0x2FF), rng.randint(0, 0xFFFF), rng.randint(0, 0x10FFFF)))
                                       for _ in range(rng.randint(1, 60))) if not 0xD800 <= c < 0xE000)
    for file in sorted(glob.glob(os.path.join(os.path.dirname(os.__file__), "*.py")))[12:20]:
        yield open(file, encoding="utf-8", errors="replace").read()


def encode_ours(program, path, texts, words, folder):
    source, target = os.path.join(folder, "texts"), os.path.join(folder, "output")
    with open(source, "wb") as file:
        for text in texts:
            file.write(struct.pack("<I", len(text)) + text)
    subprocess.run([program, path, source, target, *words], check=True)
    data, at = open(target, "rb").read(), 0

    def number():
        nonlocal at
        at += 4
        return struct.unpack_from("<I", data, at - 4)[0]

    def text():
        nonlocal at
        size = number()
        at += size
        return data[at - size:at].decode()

    for _ in texts:
        count = number()
        ids = list(struct.unpack_from(f"<{count}I", data, at))
        at += 4 * count
        yield ids, text(), text(), text()


def compare(program, name, tokenizer, texts, words, folder):
    path = os.path.join(folder, name + ".json")
    tokenizer.save(path)
    theirs = Tokenizer.from_file(path)
    theirs.encode_special_tokens = "ordinary" in words
    for begin in range(0, len(texts), 100000):  # so that memory does not grow with their number
        compare_some(program, name, theirs, path, texts[begin:begin + 100000], words, folder)


def compare_some(program, name, theirs, path, texts, words, folder):
    special = "special" in words
    wanted = [theirs.encode(t, add_special_tokens=special).ids for t in texts]
    for text, ids, ours in zip(texts, wanted, encode_ours(program, path, [t.encode() for t in texts], words, folder)):
        whole = theirs.decode(ids, skip_special_tokens=False)
        stripped = theirs.decode(ids, skip_special_tokens=True)
        if ours == (ids, whole, stripped, whole):
            continue
        print(f"{name} {words}: {text[:200]!a}\n  theirs: {ids[:60]}\n  ours:   {ours[0][:60]}")
        print(f"  theirs: {whole[:200]!a}\n  ours:   {ours[1][:200]!a}\n  ours:   {ours[3][:200]!a}")
        sys.exit(1)


def compare_malformed(program, tokenizer, folder):
    """Bytes that are no UTF-8 are Python's replacements."""
    rng = random.Random(3)
    texts = [bytes(rng.choice(b"a \x80\xbf\xc0\xc2\xe0\xe2\xa0\x9f\xed\xef\xf0\x90\xf4\x8f\xf5\xff") for _ in range(rng.randint(1, 12)))
             for _ in range(5000)]
    path = os.path.join(folder, "malformed.json")
    tokenizer.save(path)
    for text, ours in zip(texts, encode_ours(program, path, texts, ["replace"], folder)):
        wanted = text.decode(errors="replace")
        if ours[1] != wanted or ours[0] != tokenizer.encode(wanted, add_special_tokens=False).ids:
            sys.exit(f"malformed {text}: {wanted!a}, ours {ours[1]!a}")


def compare_ids(program, tokenizer, folder):
    """Sequences that no text has: parts of characters side by side, and ids that no token has."""
    rng = random.Random(5)
    path = os.path.join(folder, "ids.json")
    tokenizer.save(path)
    rows = [[rng.randrange(300 if i % 2 else tokenizer.get_vocab_size() + 9) for _ in range(rng.randint(1, 12))]
            for i in range(5000)]
    packed = [struct.pack(f"<{len(row)}I", *row) for row in rows]
    for row, ours in zip(rows, encode_ours(program, path, packed, ["ids"], folder)):
        whole = tokenizer.decode(row, skip_special_tokens=False)
        if ours[1:] != (whole, tokenizer.decode(row, skip_special_tokens=True), whole):
            sys.exit(f"ids {row}: {whole!a}, ours {ours[1:]!a}")


def compare_training(zero_tokenize, folder):
    """The merges of BpeTrainer, and a file that the package reads as the same tokenizer."""
    texts = training_texts()
    path = os.path.join(folder, "training.jsonl")
    with open(path, "w", encoding="utf-8") as file:
        for text in texts:
            file.write(json.dumps({"text": text}) + "\n")
    for pattern, pre in (("gpt2", pre_tokenizers.ByteLevel(add_prefix_space=False)), ("llama3", split_by(LLAMA3)),
                         ("qwen2", split_by(QWEN2))):
        output = os.path.join(folder, "trained-" + pattern)
        subprocess.run([zero_tokenize, "--train-bpe", "2000", "--pattern", pattern, "--tokenizer-only", "--overwrite",
                        "--output", output, path], check=True, stdout=subprocess.DEVNULL)
        theirs = Tokenizer(models.BPE())
        theirs.pre_tokenizer = pre
        if pattern == "qwen2":
            theirs.normalizer = normalizers.NFC()
        theirs.train_from_iterator(texts, trainers.BpeTrainer(
            vocab_size=2000, special_tokens=["<|endoftext|>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False))
        ours = Tokenizer.from_file(os.path.join(output, "tokenizer.json"))
        content, wanted = json.loads(ours.to_str()), json.loads(theirs.to_str())
        if any(content["model"][part] != wanted["model"][part] for part in ("vocab", "merges")):
            sys.exit(f"{pattern}: another vocabulary was trained than the package's")
        if ours.decode(ours.encode(texts[0]).ids) != texts[0]:
            sys.exit(f"{pattern}: our file is another tokenizer to the package")
        print(pattern, "trains", len(content["model"]["merges"]), "equal merges", flush=True)


def main():
    program, zero_tokenize, folder = sys.argv[1:4]
    full = "--full" in sys.argv
    os.makedirs(folder, exist_ok=True)
    texts = list(code_points(1 if full else 1009)) + list(special_texts()) + list(random_texts(40000 if full else 400))
    texts += list(runs(100)) + list(runs(3))
    long = list(runs(1000000 if full else 5000))
    compare_training(zero_tokenize, folder)
    for name, tokenizer in make_tokenizers(1500):
        compare(program, name, tokenizer, texts, ["special", "cached"], folder)
        for words in ([], ["ordinary", "cached"]):
            compare(program, name, tokenizer, texts[::1 if full else 3] + list(special_texts()), words, folder)
        compare(program, name, tokenizer, long, [], folder)
        print(name, "is equal on", len(texts), "texts to tokenizers", tokenizers.__version__, flush=True)
        compare_ids(program, tokenizer, folder)
        if name == "gpt2":
            compare_malformed(program, tokenizer, folder)


if __name__ == "__main__":
    main()
