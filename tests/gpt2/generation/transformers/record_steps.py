# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What transformers makes of a model, token by token, with a cache of its own.

record FOLDER    makes a small random model, writes it there, and what it generates, with the versions that did
compare FOLDER   generates again, and fails where a logit of what was recorded is another by more than 1e-4
"""

import json
import sys

import torch
import transformers

PROMPTS = [[3], [40, 0, 17], [5, 90, 2, 61, 5, 33, 5, 81, 96, 12, 40]]
CONTEXT, STEPS = 112, 100


def steps_of(model, prompt):
    """For each token: the two likeliest, the one that was taken, and every fifth logit."""
    tokens, cache, steps = list(prompt), None, []
    fed = torch.tensor([tokens])
    with torch.no_grad():
        for _ in range(STEPS):
            out = model(fed, past_key_values=cache, use_cache=True)
            cache, logits = out.past_key_values, out.logits[0, -1].double()
            best = torch.topk(logits, 16)
            # What comes next is not always the likeliest: greedy text of a random model soon repeats itself.
            token = int(best.indices[5 * len(steps) % 16])
            steps.append({"best": best.indices[:2].tolist(), "margin": round(float(best.values[0] - best.values[1]), 6),
                          "token": token, "logits": [round(x, 6) for x in logits[::5].tolist()]})
            fed = torch.tensor([[token]])
    return steps


def record(folder):
    torch.manual_seed(2)
    config = transformers.GPT2Config(vocab_size=101, n_positions=CONTEXT, n_embd=24, n_layer=3, n_head=3,
                                     bos_token_id=None, eos_token_id=None)
    model = transformers.GPT2LMHeadModel(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_(1.0 if "ln_" in name and name.endswith("weight") else 0.0, 0.3)
    model.save_pretrained(folder)
    with open(f"{folder}/steps.json", "w") as file:
        json.dump({"torch": torch.__version__, "transformers": transformers.__version__,
                   "texts": [{"prompt": p, "steps": steps_of(model, p)} for p in PROMPTS]}, file)
        file.write("\n")


def compare(folder):
    model = transformers.GPT2LMHeadModel.from_pretrained(folder).eval()
    with open(f"{folder}/steps.json") as file:
        recorded = json.load(file)
    for text in recorded["texts"]:
        for was, now in zip(text["steps"], steps_of(model, text["prompt"]), strict=True):
            differences = [abs(a - b) for a, b in zip(was["logits"], now["logits"], strict=True)]
            if was["best"][0] != now["best"][0] or max(differences) > 1e-4:
                sys.exit(f"{folder}/steps.json is not what transformers {transformers.__version__} generates")


{"record": record, "compare": compare}[sys.argv[1]](sys.argv[2])
