# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""A trainer in Python whose parameters are sharded (ZeRO-3): numpy computes, zero gathers layer by layer, reduces
gradients and updates. Two ranks, as threads. ZERO_C_LIBRARY names libzero_c, where the loader does not find it."""

import sys

try:
    import numpy
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

from zero_c import Engine, run_ranks

RANKS, STEPS, WIDTH = 2, 1500, 32


def model():
    """y = w2 tanh(w1 x + b1) + b2, a unit for each layer."""
    random = numpy.random.default_rng(1)  # the same on every rank
    first = {"w1": (WIDTH, 1), "b1": (WIDTH,)}
    second = {"w2": (1, WIDTH), "b2": (1,)}
    return {name: {"shape": shape, "unit": unit, "initial": random.standard_normal(shape, numpy.float32) * 0.5}
            for unit, layer in enumerate((first, second)) for name, shape in layer.items()}


def micro_batch(engine, x, target):
    """Forward and backward; returns the loss."""
    engine.begin_micro_batch()
    with engine.gather("w1", "b1") as layer:
        h = numpy.tanh(x @ layer["w1"].T + layer["b1"])
    with engine.gather("w2", "b2") as layer:
        error = (h @ layer["w2"].T + layer["b2"] - target) / len(x)
        with engine.gradients("w2", "b2") as gradients:
            gradients["w2"][:] += error.T @ h
            gradients["b2"][:] += error.sum(0)
        dh = (error @ layer["w2"]) * (1 - h * h)
    with engine.gather("w1", "b1"), engine.gradients("w1", "b1") as gradients:
        gradients["w1"][:] += dh.T @ x
        gradients["b1"][:] += dh.sum(0)
    engine.finish_micro_batch()
    return 0.5 * float((error * error).sum()) * len(x)


def train(rank, number):
    engine = Engine(rank, model(), stage=3, rule="AdamW", lr=0.01, weight_decay=0)
    random = numpy.random.default_rng(100 + number)  # each rank has data of its own
    for step in range(STEPS):
        x = random.uniform(-2, 2, (16, 1)).astype(numpy.float32)
        loss = micro_batch(engine, x, x * x)
        engine.step(lr=0.01 * (1 - step / STEPS))
        mean = engine.mean_over_ranks(loss)
    return mean


def main():
    loss = run_ranks(RANKS, train)[0]
    print(f"mean loss of the last samples: {loss:.6f}")
    return 0 if loss < 0.01 else 1


if __name__ == "__main__":
    sys.exit(main())
