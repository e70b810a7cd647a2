# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""deepspeed_test.py SCRIPT TRAIN_GPT2: checkpoints that DeepSpeed writes, read by the script and by DeepSpeed's own
zero_to_fp32, to the bit; and losses of train_gpt2 against PyTorch's. Needs torch and deepspeed; runs on the CPU."""
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile

os.environ.setdefault("DS_ACCELERATOR", "cpu")
import deepspeed  # noqa: E402
import torch  # noqa: E402
from deepspeed.utils.zero_to_fp32 import get_fp32_state_dict_from_zero_checkpoint  # noqa: E402

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from models import CONTEXT, HEADS, VOCABULARY, Gpt, Odd, batch  # noqa: E402

# Which model; `masters` is trained by DeepSpeed's other optimizer for bf16, whose files zero_to_fp32 does not read.
MODELS = {"masters": lambda: Gpt("linear", frozen=True), "gpt": lambda: Gpt("linear"), "frozen": lambda: Gpt("linear", frozen=True), "conv1d": lambda: Gpt("conv1d", frozen=True),
          "odd": Odd}
TYPES = {"masters": "bf16", "gpt": "bf16", "frozen": "fp32", "conv1d": "bf16", "odd": "bf16"}
FROZEN = {"masters": ["transformer.wpe.weight"], "gpt": [], "frozen": ["transformer.wpe.weight"],
          "conv1d": ["transformer.wpe.weight"], "odd": ["frozen.weight", "frozen.bias", "mean"]}
STAGES = {name: (1,) if name == "masters" else (0, 1, 2, 3) for name in MODELS}
BINARY32 = {"F32": torch.float32, "I64": torch.int64}


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def train(rank, world, port, folder):
    """One rank: every model in every stage, three steps, a checkpoint."""
    torch.set_num_threads(1)
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(world), MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    deepspeed.init_distributed(dist_backend="gloo", verbose=False)
    for name, make in MODELS.items():
        for stage in STAGES[name]:
            model = make()
            matrices = [p for p in model.parameters() if p.requires_grad and p.dim() > 1]
            others = [p for p in model.parameters() if p.requires_grad and p.dim() < 2]
            optimizer = torch.optim.AdamW([{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}],
                                          lr=1e-2)
            config = {"train_micro_batch_size_per_gpu": 2, "zero_allow_untested_optimizer": True, "gradient_clipping": 1.0,
                      "zero_force_ds_cpu_optimizer": False, "zero_optimization": {"stage": stage}}
            if TYPES[name] == "bf16":
                config["bf16"] = {"enabled": True}
            if name == "masters":
                config["data_types"] = {"grad_accum_dtype": "fp32"}
            if stage == 3:
                config["zero_optimization"]["sub_group_size"] = 700  # several groups, whose borders cut parameters
                config["zero_optimization"]["stage3_param_persistence_threshold"] = 30
            engine, *_ = deepspeed.initialize(model=model, optimizer=optimizer, config=config)
            for step in range(3):
                engine.backward(engine(*batch(100 * step + rank)))
                engine.step()
            engine.save_checkpoint(os.path.join(folder, f"{name}-{stage}-{world}"), client_state={"model_args": {"n_head": HEADS}})
            engine.destroy()


def read_safetensors(path):
    with open(path, "rb") as file:
        data = file.read()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    header.pop("__metadata__")
    return {name: torch.frombuffer(bytearray(data[8 + size + a:8 + size + b]), dtype=BINARY32[entry["dtype"]]).view(entry["shape"])
            if b > a else torch.empty(entry["shape"])
            for name, entry in header.items() for a, b in [entry["data_offsets"]]}


def expected_of(folder, stage, masters):
    """What zero_to_fp32 makes, or the model's file where there is no ZeRO, or where it leaves frozen parameters out."""
    tag = open(os.path.join(folder, "latest"), encoding="utf-8").read().strip()
    found = get_fp32_state_dict_from_zero_checkpoint(folder) if stage and not masters else {}
    if stage < 3:
        module = torch.load(os.path.join(folder, tag, "mp_rank_00_model_states.pt"), weights_only=False)["module"]
        for key, value in module.items():
            found.setdefault(key, value)
    return {key: value.detach().float() if value.is_floating_point() else value for key, value in found.items()}


def same_bits(a, b):
    return a.shape == b.shape and a.dtype == b.dtype and a.numpy().tobytes() == b.contiguous().numpy().tobytes()


def compare(name, got, wanted, masters):
    """`masters`: what is known of them is that they round to the model's weights."""
    checked = 0
    for key, tensor in wanted.items():
        if name != "odd" and key == "lm_head.weight":
            continue
        if name == "odd" and key == "again.weight":
            assert key not in got and same_bits(got["second.weight"], tensor), key
            continue
        if masters and tensor.is_floating_point():
            is_rounded = same_bits(got[key], got[key].bfloat16().float())
            assert is_rounded == (key in FROZEN[name]), f"{name}: {key} is no fp32 master"
            got[key] = got[key].bfloat16().float()
        if name in ("masters", "gpt", "frozen") and tensor.dim() == 2 and ".h." in key:
            tensor = tensor.t().contiguous()
        if got[key].dtype == torch.int64:  # of which older versions of zero_to_fp32 make floating-point numbers
            tensor = tensor.long()
        assert same_bits(got[key], tensor), f"{name}: {key} differs"
        checked += 1
    assert checked == len(got), f"{name}: {sorted(set(got) - set(wanted))} are more than there are"
    return checked


def losses(program, folder, model, weights):
    """PyTorch's loss of one window of tokens, and train_gpt2's."""
    draw = torch.Generator().manual_seed(7)
    tokens = torch.randint(0, VOCABULARY, (CONTEXT + 1,), generator=draw)
    path = os.path.join(folder, "tokens.bin")
    with open(path, "wb") as file:
        file.write(struct.pack(f"<{CONTEXT + 1}H", *tokens.tolist()))
    model.load_state_dict(weights)
    with torch.no_grad():
        of_torch = model.float()(tokens[None, :-1], tokens[None, 1:]).item()
    log = os.path.join(folder, "log.jsonl")
    subprocess.run([program, "--data", path, "--val-data", path, "--init-from", os.path.join(folder, "model"), "--batch", "1",
                    "--eval-batches", "1", "--iterations", "1", "--sample", "0", "--threads", "1", "--log", log], check=True,
                   stdout=subprocess.DEVNULL)
    with open(log, encoding="utf-8") as file:
        return of_torch, json.loads(file.readline())["loss"]


def main(script, program):
    print(f"deepspeed {deepspeed.__version__}, torch {torch.__version__}, Python {sys.version.split()[0]}")
    with tempfile.TemporaryDirectory() as folder:
        tensors = checkpoints = 0
        for world in (1, 2, 3):
            torch.multiprocessing.spawn(train, (world, free_port(), folder), nprocs=world)
            for name in MODELS:
                for stage in STAGES[name]:
                    source = os.path.join(folder, f"{name}-{stage}-{world}")
                    out = os.path.join(source, "model")
                    said = subprocess.run([sys.executable, script, source, out], check=True, capture_output=True, text=True).stdout
                    masters = "optimizer for bf16, laid out as stage 1" in said  # older versions at stage 0, too
                    assert masters or f"ZeRO stage {stage}, {world if stage else 1} rank" in said, said
                    assert masters or name != "masters", said
                    wanted = expected_of(source, stage, masters)
                    tensors += compare(name, read_safetensors(os.path.join(out, "model.safetensors")), wanted, masters)
                    checkpoints += 1
                    if name != "odd" and not masters:
                        of_torch, of_zero = losses(program, source, MODELS[name](), wanted)
                        assert abs(of_torch - of_zero) < 1e-4, (name, stage, world, of_torch, of_zero)
                        print(f"{name} stage {stage} world {world}: loss {of_zero:.6f}, PyTorch's {of_torch:.6f}")
        print(f"{checkpoints} checkpoints, {tensors} tensors: the same bits")


if __name__ == "__main__":
    main(*sys.argv[1:])
