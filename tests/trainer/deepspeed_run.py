# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""deepspeed_run.py SCRIPT TRAIN_GPT2: a guide's run by DeepSpeed and by train_gpt2, on the CPU, with one configuration, the same
initial weights and the same tokens in the same order: the losses of all steps, within a tolerance. Then train_gpt2 goes on from
DeepSpeed's checkpoint, as SCRIPT reads it, beside DeepSpeed itself. Ends with 77, and says why, where torch or deepspeed is not
there."""
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile

os.environ.setdefault("DS_ACCELERATOR", "cpu")
try:
    import deepspeed
    import torch
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

deepspeed.ops.__compatible_ops__.clear()  # so that none is compiled: that of ranks which share memory is not needed

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools", "from_deepspeed"))
from models import CONTEXT, HEADS, LAYERS, VOCABULARY, WIDTH, Gpt  # noqa: E402

STEPS, MORE = 20, 5
BATCH, ACCUMULATION, SEED = 2, 2, 1337
# Of a loss of 3.5: what sums in another order, and in bf16 roundings of other intermediate values, may make of it.
TOLERANCE = {"fp32": 5e-6, "bf16": 1e-2}
MASK = (1 << 64) - 1


def configuration(stage, precision):
    """That of docs/from_deepspeed.md, for one rank and fewer steps; by an AdamW that needs no compiler."""
    config = {"train_batch_size": BATCH * ACCUMULATION, "train_micro_batch_size_per_gpu": BATCH, "gradient_clipping": 1.0,
              "zero_optimization": {"stage": stage, "overlap_comm": False, "contiguous_gradients": True},
              "optimizer": {"type": "AdamW", "params": {"lr": 1e-2, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.1,
                                                         "torch_adam": True}},
              "scheduler": {"type": "WarmupDecayLR", "params": {"warmup_min_lr": 0, "warmup_max_lr": 1e-2, "warmup_num_steps": 5,
                                                                "total_num_steps": STEPS + MORE}}}
    if precision == "bf16":
        config["bf16"] = {"enabled": True}
    return config


def mix(z):
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & MASK
    return z ^ (z >> 31)


def bits(key, counter):
    """Of examples/training/counter_random.hpp, whose key is mixed already."""
    return mix((key + (counter + 1) * 0x9E3779B97F4A7C15) & MASK)


def micro_batch(tokens, step, index):
    """The sequences that train_gpt2 draws: TrainingData::sample."""
    key = mix(SEED)
    for part in (0, step, index):  # 0: of training
        key = mix(bits(key, part))
    windows = len(tokens) - CONTEXT
    starts = [bits(key, i) * windows >> 64 for i in range(BATCH)]
    rows = torch.tensor([tokens[at:at + CONTEXT + 1] for at in starts])
    return rows[:, :-1].contiguous(), rows[:, 1:].contiguous()


def save_model(folder, model):
    """As transformers saves a GPT-2, for --init-from: matrices as [inputs, outputs]."""
    os.makedirs(folder, exist_ok=True)
    header, data = {}, b""
    for name, value in model.state_dict().items():
        if name == "lm_head.weight":
            continue
        value = value.detach().float()
        if value.dim() == 2 and ".h." in name:
            value = value.t()
        raw = value.contiguous().numpy().tobytes()
        header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(os.path.join(folder, "model.safetensors"), "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)
    with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as file:
        json.dump({"model_type": "gpt2", "n_layer": LAYERS, "n_head": HEADS, "n_embd": WIDTH, "n_positions": CONTEXT,
                   "vocab_size": VOCABULARY}, file)


def by_deepspeed(engine, tokens, first, count):
    """The mean loss of each step: that of its micro-batches, before its update."""
    losses = []
    for step in range(first, first + count):
        parts = []
        for index in range(ACCUMULATION):
            loss = engine(*micro_batch(tokens, step, index))
            engine.backward(loss)
            engine.step()
            parts.append(loss.item())
        losses.append(sum(parts) / len(parts))
    return losses


def by_train_gpt2(program, folder, source, config, data, iterations, *more):
    log = os.path.join(folder, "log.jsonl")
    said = subprocess.run([program, "--config", config, "--data", data, "--val-data", data, "--init-from", source,
                           "--iterations", str(iterations), "--eval-interval", "1000", "--eval-batches", "1", "--sample", "0",
                           "--threads", "1", "--seed", str(SEED), "--log", log, *more], capture_output=True, text=True)
    assert said.returncode == 0, said.stdout + said.stderr
    with open(log, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    return [line["loss"] for line in lines if "loss" in line], [line["lr"] for line in lines if "lr" in line]


def compare(what, ours, theirs, tolerance):
    assert len(ours) == len(theirs), f"{what}: {len(ours)} steps, and {len(theirs)}"
    worst = max(abs(a - b) for a, b in zip(ours, theirs))
    print(f"{what}: loss {theirs[0]:.6f} to {theirs[-1]:.6f}, ours to {ours[-1]:.6f}; at most {worst:.2e} apart")
    assert worst <= tolerance, f"{what}: {list(zip(ours, theirs))}"


def run(script, program, folder, stage, precision, tokens, data):
    torch.manual_seed(1)
    model = Gpt("linear")
    source = os.path.join(folder, "initial")
    save_model(source, model)
    settings = configuration(stage, precision)
    config = os.path.join(folder, "ds_config.json")
    with open(config, "w", encoding="utf-8") as file:
        json.dump(settings, file)
    # Decay as train_gpt2 has it: of matrices alone, and not of biases and LayerNorm.
    groups = [{"params": [p for p in model.parameters() if p.dim() > 1]},
              {"params": [p for p in model.parameters() if p.dim() < 2], "weight_decay": 0.0}]
    engine, *_ = deepspeed.initialize(model=model, model_parameters=groups, config=settings)
    theirs = by_deepspeed(engine, tokens, 0, STEPS)
    ours, rates = by_train_gpt2(program, folder, source, config, data, STEPS)
    what = f"stage {stage}, {precision}"
    compare(what, ours, theirs, TOLERANCE[precision])
    assert theirs[-1] < theirs[0] - 0.3, f"{what}: nothing was learnt: {theirs}"
    assert len(set(rates)) > 5, rates

    # On from DeepSpeed's checkpoint: the script takes its weights, and what they are worth is what DeepSpeed says of its own.
    checkpoint = os.path.join(folder, "checkpoint")
    engine.save_checkpoint(checkpoint, client_state={"model_args": {"n_head": HEADS}})
    read = os.path.join(folder, "read")
    subprocess.run([sys.executable, script, checkpoint, read], check=True, stdout=subprocess.DEVNULL)
    next_of_theirs = by_deepspeed(engine, tokens, 0, 1)  # the tokens that a new run draws first
    on, _ = by_train_gpt2(program, folder, os.path.join(read, "model.safetensors"), config, data, MORE, "--heads", str(HEADS))
    compare(f"{what}, from the checkpoint", on[:1], next_of_theirs, TOLERANCE[precision])
    engine.destroy()


def main(script, program):
    print(f"deepspeed {deepspeed.__version__}, torch {torch.__version__}, Python {sys.version.split()[0]}")
    torch.set_num_threads(1)
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    os.environ.update(RANK="0", LOCAL_RANK="0", WORLD_SIZE="1", MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    deepspeed.init_distributed(dist_backend="gloo", verbose=False)
    draw = torch.Generator().manual_seed(7)
    tokens = [0]
    for step in torch.randint(1, 4, (1999,), generator=draw).tolist():  # of which there is something to learn
        tokens.append((tokens[-1] + step) % VOCABULARY)
    for stage in (1, 2):
        for precision in ("fp32", "bf16"):
            with tempfile.TemporaryDirectory() as folder:
                data = os.path.join(folder, "tokens.bin")
                with open(data, "wb") as file:
                    file.write(struct.pack(f"<{len(tokens)}H", *tokens))
                run(script, program, folder, stage, precision, tokens, data)
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
