# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Prints the logits of torchvision's residual networks that models_test.cpp holds: python torchvision_logits.py. Weights
and picture are no random numbers, but a function of a tensor's name and an element's number, as there."""
import math

import numpy
import torch
import torchvision


def numbers(name, count):
    """Numbers from -0.5 to 0.5."""
    i = numpy.arange(count, dtype=numpy.uint64)
    mixed = (i * 2654435761 + sum(name.encode()) * 40503) % 2**32
    mixed = (mixed ^ (mixed >> 15)) * 2246822519 % 2**32
    return mixed.astype(numpy.float64) / 2**32 - 0.5


def fill(name, tensor):
    values = numbers(name, tensor.numel())
    if tensor.dim() > 1:
        values = values * (2.0 * math.sqrt(6.0 / (tensor.numel() // tensor.shape[0])))
    elif name.endswith("running_var") or name.endswith("weight"):
        values = 1.0 + 0.5 * values
    else:
        values = 0.2 * values
    tensor.copy_(torch.from_numpy(values.astype(numpy.float32)).reshape(tensor.shape))


with torch.no_grad():
    for name in ("resnet18", "resnet34", "resnet50"):
        model = getattr(torchvision.models, name)().eval()
        for key, tensor in model.state_dict().items():
            if not key.endswith("num_batches_tracked"):
                fill(key, tensor)
        picture = torch.from_numpy(numbers("picture", 3 * 64 * 64).astype(numpy.float32)).reshape(1, 3, 64, 64)
        logits = model(picture)[0]
        count = sum(parameter.numel() for parameter in model.parameters())
        print(f'{{"{name}", {count}, {len(model.state_dict())}, {{{", ".join(f"{x:.9g}F" for x in logits[:6].tolist())}}}}},')
