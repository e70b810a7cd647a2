# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""GPT-2 as Hugging Face's transformers computes it.

record FOLDER         makes a small random model and writes it there, with logits and the versions that made them
logits FOLDER TOKEN.. prints the logits after the last token, of the model in that folder
text FOLDER PROMPT N  prints the likeliest N tokens behind a text, with the folder's tokenizer, as JSON
"""

import json
import sys

import torch
import transformers


def logits_of(model, tokens):
    with torch.no_grad():
        return model(torch.tensor([tokens])).logits[0, -1].double().tolist()


def record(folder):
    torch.manual_seed(1)
    config = transformers.GPT2Config(vocab_size=29, n_positions=8, n_embd=16, n_layer=2, n_head=2,
                                     bos_token_id=None, eos_token_id=None, initializer_range=0.2)
    model = transformers.GPT2LMHeadModel(config).eval()
    with torch.no_grad():  # biases and LayerNorms start as 0 and 1, which would hide one in the place of another
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    model.save_pretrained(folder)
    prompts = [[3], [1, 28, 0], [5, 9, 2, 6, 5, 3, 5, 8]]
    for i, tokens in enumerate(prompts):
        with open(f"{folder}/logits-{i}.json", "w") as file:
            json.dump({"torch": torch.__version__, "transformers": transformers.__version__, "tokens": tokens,
                       "logits": logits_of(model, tokens)}, file)
            file.write("\n")


def continued(model, tokens, count):
    """Checked against the config that generate() reads beside the model."""
    found = model.generate(torch.tensor([tokens]), do_sample=False, max_new_tokens=count, use_cache=True,
                           attention_mask=torch.ones(1, len(tokens), dtype=torch.long), pad_token_id=0)
    return found[0].tolist()


def text(folder, prompt, count):
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder).eval()
    tokens = continued(model, tokenizer(prompt)["input_ids"], count)
    print(json.dumps({"tokens": tokens, "text": tokenizer.decode(tokens), "tokenizer": len(tokenizer),
                      "end": model.generation_config.eos_token_id, "end_of_tokenizer": tokenizer.eos_token_id,
                      "torch": torch.__version__, "transformers": transformers.__version__}))


def main():
    if sys.argv[1] == "record":
        record(sys.argv[2])
    elif sys.argv[1] == "text":
        text(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        model = transformers.GPT2LMHeadModel.from_pretrained(sys.argv[2]).eval()
        print("\n".join(repr(x) for x in logits_of(model, [int(t) for t in sys.argv[3:]])))


main()
