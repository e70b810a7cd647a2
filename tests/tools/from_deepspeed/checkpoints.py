# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Folders as DeepSpeed lays them out, of small numbers, and the weights that they hold."""
import json
import math
import os
import struct
from collections import OrderedDict

from torch_file import Call, Named, Storage, Tensor, save, tensor


def size(shape):
    return Call(Named("torch", "Size"), tuple(shape))


def counted(shape, start):
    """Values that say where they come from."""
    return [float(start + i) for i in range(math.prod(shape))]


def gpt2(width=4, layers=2, vocabulary=6, context=3, linear=True, bias=True, prefix="transformer.", head=True):
    """Names, shapes and values of a GPT-2, in order."""
    shapes = OrderedDict([("wte.weight", (vocabulary, width)), ("wpe.weight", (context, width))])
    for layer in range(layers):
        for name, inputs, outputs in (("attn.c_attn", width, 3 * width), ("attn.c_proj", width, width), ("mlp.c_fc", width, 4 * width),
                                      ("mlp.c_proj", 4 * width, width)):
            if name in ("attn.c_attn", "mlp.c_fc"):
                norm = "ln_1" if name == "attn.c_attn" else "ln_2"
                shapes[f"h.{layer}.{norm}.weight"] = (width,)
                if bias:
                    shapes[f"h.{layer}.{norm}.bias"] = (width,)
            shapes[f"h.{layer}.{name}.weight"] = (outputs, inputs) if linear else (inputs, outputs)
            if bias:
                shapes[f"h.{layer}.{name}.bias"] = (outputs,)
    shapes["ln_f.weight"] = (width,)
    if bias:
        shapes["ln_f.bias"] = (width,)
    model, start = OrderedDict(), 0
    for name, shape in shapes.items():
        model[prefix + name] = (shape, counted(shape, start))
        start += math.prod(shape)
    if head:
        model["lm_head.weight"] = model[prefix + "wte.weight"]
    return model


def tensors_of(model, kind="FloatStorage"):
    """As a file of torch.save has them; those that are the same share their storage."""
    made, found = {}, OrderedDict()
    for name, (shape, values) in model.items():
        found[name] = made.setdefault(id(values), None) or Tensor(Storage(values, kind), shape)
        made[id(values)] = found[name]
    return found


def write_deepspeed(folder, model, stage, world, frozen=(), tied=None, tag="global_step3", latest=True, says_tied=True,
                    **more):
    """A checkpoint of `world` ranks; `more` replaces what a file says: model_N={...} or optimizer_N={...}, N a rank."""
    step = os.path.join(folder, tag)
    os.makedirs(step, exist_ok=True)
    tied = dict(tied or {})
    names = [n for n in model if n not in frozen and n not in tied]
    groups = [[n for n in names if len(model[n][0]) > 1], [n for n in names if len(model[n][0]) < 2]]
    groups = [group for group in groups if group]
    for rank in range(world):
        if stage < 3 and rank > 0:
            break
        state = {
            "module": tensors_of(model, "HalfStorage") if stage < 3 else
                      {n: Tensor(Storage([0.0], "HalfStorage"), (0,)) for n in model},
            "buffer_names": [], "param_shapes": [OrderedDict((n, size(model[n][0])) for n in group) for group in groups] if stage else None,
            "frozen_param_shapes": OrderedDict((n, size(model[n][0])) for n in frozen) if stage > 1 else None,
            "frozen_param_fragments": OrderedDict((n, _frozen(model[n], stage, rank, world)) for n in frozen) if stage > 1 else None,
            "shared_params": tied if says_tied else None, "global_steps": 3, "dp_world_size": world, "mp_world_size": 1, "ds_version": "0.0.1",
            "loss_scaler": Call(Named("deepspeed.runtime.fp16.loss_scaler", "DynamicLossScaler"), 1), **more.get(f"model_{rank}", {})}
        name = "mp_rank_00_model_states.pt" if stage < 3 else f"zero_pp_rank_{rank}_mp_rank_00_model_states.pt"
        save(os.path.join(step, name), state)
    for rank in range(world if stage else 0):
        if stage < 3:
            flat = [_part_of_group(model, group, rank, world) for group in groups]
            weights, key = [tensor(values) for values in flat], "single_partition_of_fp32_groups"
        else:
            weights = [tensor(value for n in group for value in _part(model[n][1], rank, world)) for group in groups]
            key = "fp32_flat_groups"
        state = {key: weights, "zero_stage": Call(Named("deepspeed.runtime.zero.config", "ZeroStageEnum"), stage),
                 "partition_count": [world] * len(groups) if stage < 3 else world, **more.get(f"optimizer_{rank}", {})}
        save(os.path.join(step, f"zero_pp_rank_{rank}_mp_rank_00_optim_states.pt"), {"optimizer_state_dict": state})
    if latest:
        with open(os.path.join(folder, "latest"), "w", encoding="utf-8") as file:
            file.write(tag)
    return folder


def _part_of_group(model, group, rank, world):
    """Stages 1 and 2: a part of the group's vector; the padding of the last rank is not saved."""
    values = [value for n in group for value in model[n][1]]
    part = math.ceil(len(values) / (2 * world)) * 2
    return values[rank * part:(rank + 1) * part]


def _part(values, rank, world):
    """Stage 3: a part of one parameter, padded."""
    part = math.ceil(len(values) / world)
    mine = values[rank * part:(rank + 1) * part]
    return mine + [-1.0] * (part - len(mine))


def _frozen(parameter, stage, rank, world):
    shape, values = parameter
    return tensor(values, *shape, kind="HalfStorage") if stage < 3 else tensor(_part(values, rank, world), kind="HalfStorage")


def read_safetensors(path):
    """Names, shapes and values of fp32."""
    with open(path, "rb") as file:
        data = file.read()
    length = struct.unpack("<Q", data[:8])[0]
    header, found = json.loads(data[8:8 + length]), {}
    header.pop("__metadata__")
    for name, entry in header.items():
        first, last = entry["data_offsets"]
        values = data[8 + length + first:8 + length + last]
        if entry["dtype"] != "F32":
            found[name] = (tuple(entry["shape"]), entry["dtype"], values)
        else:
            found[name] = (tuple(entry["shape"]), list(struct.unpack(f"<{len(values) // 4}f", values)))
    return found


def transposed(parameter):
    (rows, columns), values = parameter
    return (columns, rows), [values[row * columns + column] for column in range(columns) for row in range(rows)]
