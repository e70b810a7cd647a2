# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The C interface by ctypes, through examples/c/zero_c.py: one result over stages and ranks, to the bit, from numpy.

python_test.py EXAMPLES WORK: exits with 77 where numpy is not installed. ZERO_C_LIBRARY names the library."""

import shutil
import sys

try:
    import numpy
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

sys.path.insert(0, sys.argv[1])
from zero_c import TYPES, Engine, ZeroError, call, run_ranks

MICRO_BATCHES, STEPS = 4, 5
SHAPES = {"w1": (24, 8), "b1": (24,), "w2": (3, 24), "b2": (3,)}


def initial():
    random = numpy.random.default_rng(7)
    return {name: random.standard_normal(shape, numpy.float32) * 0.5 for name, shape in SHAPES.items()}


def batch(step, index):
    random = numpy.random.default_rng([11, step, index])
    x = random.standard_normal((5, 8), numpy.float32)
    return x, x[:, :3] * x[:, 3:6]


def backward(weights, x, target):
    """The gradients of the mean square error, of whatever arrays."""
    h = numpy.tanh(x @ weights["w1"].T + weights["b1"])
    error = (h @ weights["w2"].T + weights["b2"] - target) / len(x)
    dh = (error @ weights["w2"]) * (1 - h * h)
    return {"w1": dh.T @ x, "b1": dh.sum(0), "w2": error.T @ h, "b2": error.sum(0)}


def train_adopted(rank, number, ranks, settings):
    weights = initial()
    gradients = {name: numpy.zeros(shape, numpy.float32) for name, shape in SHAPES.items()}
    parameters = {name: {"values": weights[name], "gradients": gradients[name]} for name in SHAPES}
    engine = Engine(rank, parameters, **settings)
    for step in range(STEPS):
        for place in range(MICRO_BATCHES // ranks):
            for name, gradient in backward(weights, *batch(step, place * ranks + number)).items():
                gradients[name][...] = gradient
            if place + 1 < MICRO_BATCHES // ranks:
                engine.accumulate()
        report = engine.update(lr=0.05 / (step + 1))
        assert report.step == step + 1 and not report.skipped and report.gradient_norm > 0
    for name in SHAPES:  # adopted buffers hold what the engine does
        assert numpy.array_equal(engine.read_parameter(name), weights[name]), name
    return weights


def train_placed(rank, number, ranks, settings):
    parameters = {name: {"shape": SHAPES[name], "initial": values, "unit": unit // 2}
                  for unit, (name, values) in enumerate(initial().items())}
    engine = Engine(rank, parameters, **settings)
    for step in range(STEPS):
        for _ in range(MICRO_BATCHES // ranks):
            index = engine.begin_micro_batch()
            with engine.gather(*SHAPES) as weights:
                found = backward({name: weights[name] for name in SHAPES}, *batch(step, index))
            for unit in (("w2", "b2"), ("w1", "b1")):
                with engine.gather(*unit), engine.gradients(*unit) as places:
                    for name in unit:
                        places[name][...] += found[name]
            engine.finish_micro_batch()
        engine.step(lr=0.05 / (step + 1))
    return {name: engine.read_parameter(name) for name in SHAPES}


def run(ranks, train, settings):
    return run_ranks(ranks, lambda rank, number: train(rank, number, ranks, settings))


def test_one_result():
    reference = None
    for stage in range(4):
        for ranks in (1, 2):
            settings = {"stage": stage, "gradient_accumulation_steps": MICRO_BATCHES // ranks, "rule": "Adam",
                        "reduce": "each_micro_batch", "max_live_elements": 1000 if stage == 3 else 0}
            for train in (train_placed,) if stage == 3 else (train_placed, train_adopted):
                for result in run(ranks, train, settings):
                    reference = reference or result
                    for name in SHAPES:
                        assert numpy.array_equal(result[name], reference[name]), (stage, ranks, train, name)
    assert not numpy.array_equal(reference["w1"], initial()["w1"])


def test_checkpoint(folder):
    def save(rank, number, ranks, settings):
        weights = initial()
        parameters = {name: {"values": weights[name]} for name in SHAPES}
        engine = Engine(rank, parameters, **settings)
        assert engine.resume(folder).found == 0
        engine.save(folder, "start", data="shard 3")
        return weights

    def load(rank, number, ranks, settings):
        engine = Engine(rank, {name: {"shape": SHAPES[name]} for name in SHAPES}, **settings)
        report = engine.resume(folder)
        assert report.found == 1 and report.tag == b"start" and report.parameters == len(SHAPES)
        assert engine.client_state("data") == "shard 3" and engine.client_state("other") is None
        return {name: engine.read_parameter(name) for name in SHAPES}

    shutil.rmtree(folder, ignore_errors=True)
    saved = run(2, save, {"stage": 1})[0]
    loaded = run(1, load, {"stage": 3})[0]
    for name in SHAPES:
        assert numpy.array_equal(saved[name], loaded[name]), name


def test_errors():
    def fails(rank, number, ranks, settings):
        Engine(rank, {"w": {"shape": (4,)}}, **settings)

    for settings, name, says in (({"beta3": 0.5}, "ZERO_ERROR_CONFIGURATION", "do you mean 'beta1'?"),
                                 ({"stage": 7}, "ZERO_ERROR_CONFIGURATION", "from 0 to 3")):
        for ranks in (1, 2):
            try:
                run(ranks, fails, settings)
            except ZeroError as error:
                assert error.name == name and says in str(error), str(error)
            else:
                raise AssertionError(f"{settings} was taken")
    try:
        call("zero_rank_free", None)
    except ZeroError as error:
        assert error.name == "ZERO_ERROR_NULL_HANDLE"
    else:
        raise AssertionError("a null handle was taken")


def main():
    assert len(TYPES) == 3
    test_one_result()
    test_checkpoint(sys.argv[2])
    test_errors()
    print("passed")


if __name__ == "__main__":
    main()
