# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""zero's engine in Python: libzero_c (zero/c.h) by ctypes, with numpy arrays as buffers.

The library is the one that ZERO_C_LIBRARY names, or libzero_c where the loader finds it. Calls release Python's lock, so
that ranks may be threads of threading. Every function raises ZeroError where C's returns another status than ZERO_OK.
"""

import ctypes
import os
import threading
from ctypes import POINTER, byref, c_char_p, c_double, c_float, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p

import numpy

_library = ctypes.CDLL(os.environ.get("ZERO_C_LIBRARY", "libzero_c.so.0.1"))
_library.zero_last_error.restype = c_char_p
_library.zero_status_name.restype = c_char_p

TYPES = (numpy.float32, numpy.float16, numpy.uint16)  # ZERO_FP32, ZERO_FP16, and ZERO_BF16 by its bits
_STEP_LR = 1


class ZeroError(RuntimeError):
    """What a call returned in place of ZERO_OK, with its sentence."""

    def __init__(self, status):
        super().__init__(_library.zero_last_error().decode())
        self.status = status
        self.name = _library.zero_status_name(status).decode()


def call(name, *arguments):
    """Calls a function of zero/c.h that returns a zero_status."""
    status = getattr(_library, name)(*arguments)
    if status != 0:
        raise ZeroError(status)


class _Struct(ctypes.Structure):
    """A struct of zero/c.h: its first member is its size, and what is not said is 0."""

    def __init__(self, **members):
        super().__init__(size=ctypes.sizeof(type(self)), **members)


class _ParameterSpec(_Struct):
    _fields_ = [("size", c_size_t), ("name", c_char_p), ("shape", POINTER(c_size_t)), ("dimensions", c_size_t),
                ("group", c_uint32), ("contributions", c_uint32), ("unit", c_uint32), ("flags", c_uint32),
                ("type", c_int32), ("values", c_void_p), ("gradients", c_void_p), ("initial", c_void_p)]


class _Setting(ctypes.Structure):
    _fields_ = [("name", c_char_p), ("text", c_char_p), ("number", c_double)]


class _StepOptions(_Struct):
    _fields_ = [("size", c_size_t), ("set", c_uint32), ("lr", c_double), ("gradient_clipping", c_double),
                ("momentum", c_double), ("beta2", c_double)]


class StepReport(_Struct):
    """zero_step_report."""
    _fields_ = [("size", c_size_t), ("step", c_uint64), ("skipped_steps", c_uint64), ("skipped_in_row", c_uint64),
                ("zero_norm_steps", c_uint64), ("gradient_norm", c_double), ("clip_coefficient", c_double),
                ("lr", c_double), ("loss_scale", c_float), ("skipped", c_int32), ("at_minimum_scale", c_int32),
                ("bad_parameter", c_char_p)]


class _ClientText(ctypes.Structure):
    _fields_ = [("key", c_char_p), ("text", c_char_p)]


class _SaveOptions(_Struct):
    _fields_ = [("size", c_size_t), ("tag", c_char_p), ("flags", c_uint32), ("keep", c_uint32),
                ("client_state", POINTER(_ClientText)), ("client_states", c_size_t), ("aliases", POINTER(c_char_p)),
                ("alias_count", c_size_t)]


class LoadReport(_Struct):
    """zero_load_report."""
    _fields_ = [("size", c_size_t), ("found", c_int32), ("has_optimizer_state", c_int32), ("steps", c_uint64),
                ("parameters", c_uint64), ("bytes_read", c_uint64), ("tag", c_char_p), ("missing", c_char_p),
                ("extra", c_char_p), ("skipped", c_char_p)]


def _array(values):
    return (type(values[0]) * len(values))(*values) if values else None


def _setting(name, value):
    if isinstance(value, str):
        return _Setting(name.encode(), value.encode(), 0.0)
    return _Setting(name.encode(), None, float(value))


class World:
    """Ranks that train together, as threads. Frees all that was made from it at the end of a `with`."""

    def __init__(self, ranks):
        self._handle = c_void_p()
        call("zero_world_create", c_int32(ranks), None, byref(self._handle))

    def take_rank(self, number):
        """The rank of the thread that calls; freed with the world."""
        rank = c_void_p()
        call("zero_world_take_rank", self._handle, c_int32(number), byref(rank))
        return Rank(rank)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        call("zero_world_free", self._handle)


class Rank:
    """One rank of a world."""

    def __init__(self, handle):
        self.handle = handle

    def fail(self, reason):
        """Ends the collectives of the other ranks."""
        call("zero_rank_fail", self.handle, reason.encode())


def run_ranks(ranks, train):
    """What `train(rank, number)` returns on each rank, each of which is a thread; raises what the first one raised."""
    results, failures = [None] * ranks, []

    def run(world, number):
        rank = world.take_rank(number)
        try:
            results[number] = train(rank, number)
        except BaseException as error:  # the others wait for this rank
            failures.append(error)
            rank.fail(repr(error))

    with World(ranks) as world:
        threads = [threading.Thread(target=run, args=(world, number)) for number in range(ranks)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if failures:
        raise failures[0]
    return results


class Engine:
    """Sharded optimization of a model on one rank.

    parameters: a dict of dicts by name, in forward order: `values` and `gradients`, arrays to adopt; or `shape` and
    `initial`, of parameters that the engine places; `unit`. Arrays must stay as they are for as long as the engine.
    """

    def __init__(self, rank, parameters, **settings):
        self._kept = parameters  # adopted arrays
        self.shapes, self.ids = [], {}
        listed = c_void_p()
        call("zero_parameter_list_create", byref(listed))
        try:
            for name, one in parameters.items():
                self._add(listed, name, **one)
            given = _array([_setting(name, value) for name, value in settings.items()])
            self._handle = c_void_p()
            call("zero_engine_create", rank.handle, listed, given, c_size_t(len(settings)), byref(self._handle))
        finally:
            call("zero_parameter_list_free", listed)
        self._type = TYPES[{"fp32": 0, "fp16": 1, "bf16": 2}[settings.get("type", "fp32")]]

    def _add(self, listed, name, shape=None, values=None, gradients=None, initial=None, unit=0):
        shape = tuple(values.shape if shape is None else shape)
        adopted = values if values is not None else gradients
        spec = _ParameterSpec(name=name.encode(), shape=_array([c_size_t(n) for n in shape]), dimensions=len(shape),
                              unit=unit, type=0 if adopted is None else TYPES.index(adopted.dtype.type))
        for member, array in (("values", values), ("gradients", gradients), ("initial", initial)):
            if array is None:
                continue
            if not array.flags.c_contiguous or array.shape != shape:
                raise ValueError(f"{name}: {member} must be contiguous and of shape {shape}")
            setattr(spec, member, array.ctypes.data)
        number = c_uint32()
        call("zero_parameter_list_add", listed, byref(spec), byref(number))
        self.ids[name] = number.value
        self.shapes.append(shape)

    def accumulate(self):
        """One micro-batch of adopted gradients, not the last one of a step."""
        call("zero_engine_accumulate", self._handle)

    def update(self, lr=None):
        """The last micro-batch of a step, and the step."""
        return self._step("zero_engine_update", lr)

    def step(self, lr=None):
        """The step, after its micro-batches."""
        return self._step("zero_engine_step", lr)

    def _step(self, function, lr):
        options = _StepOptions() if lr is None else _StepOptions(set=_STEP_LR, lr=lr)
        report = StepReport()
        call(function, self._handle, byref(options), byref(report))
        return report

    def begin_micro_batch(self):
        """Opens the next micro-batch; returns its place in the step over all ranks."""
        index = c_int64()
        call("zero_engine_begin_micro_batch", self._handle, byref(index), None)
        return index.value

    def finish_micro_batch(self):
        """Ends it."""
        call("zero_engine_finish_micro_batch", self._handle)

    def discard_gradients(self):
        """Gives up the step's micro-batches."""
        call("zero_engine_discard_gradients", self._handle)

    def gather(self, *names):
        """Whole parameters for a `with` block: a lease, whose `[name]` is an array that is read."""
        return ParameterLease(self, names)

    def gradients(self, *names):
        """Places for gradients for a `with` block, which hands them over unless it is left by an exception."""
        return GradientLease(self, names)

    def read_parameter(self, name):
        """The whole parameter in fp32. Collective."""
        number = self.ids[name]
        whole = numpy.empty(self.shapes[number], numpy.float32)
        call("zero_engine_read_parameter", self._handle, c_uint32(number), c_void_p(whole.ctypes.data),
             c_size_t(whole.size))
        return whole

    def mean_over_ranks(self, value, weight=1.0):
        """The mean of a number over the ranks. Collective."""
        mean = c_double()
        call("zero_engine_mean_over_ranks", self._handle, c_double(value), c_double(weight), byref(mean))
        return mean.value

    def save(self, folder, tag, keep=0, **client_state):
        """Saves a checkpoint, with texts of the caller's own. Collective."""
        texts = _array([_ClientText(key.encode(), text.encode()) for key, text in client_state.items()])
        options = _SaveOptions(tag=tag.encode(), keep=keep, client_state=texts, client_states=len(client_state))
        call("zero_engine_save", self._handle, folder.encode(), byref(options), None)

    def resume(self, folder):
        """Loads the newest checkpoint, where there is one (`found`). Collective."""
        report = LoadReport()
        call("zero_engine_resume", self._handle, folder.encode(), None, byref(report))
        return report

    def client_state(self, key):
        """The caller's own text of the checkpoint that was loaded; None where there is none."""
        text = c_char_p()
        call("zero_engine_client_state", self._handle, key.encode(), byref(text))
        return None if text.value is None else text.value.decode()


class _Lease:
    def __init__(self, engine, names, function):
        self._engine = engine
        self._handle = c_void_p()
        ids = _array([c_uint32(engine.ids[name]) for name in names])
        call(function, engine._handle, ids, c_size_t(len(names)), byref(self._handle))

    def __enter__(self):
        return self

    def _view(self, function, name):
        number = self._engine.ids[name]
        place, count = c_void_p(), c_size_t()
        call(function, self._handle, c_uint32(number), byref(place), byref(count))
        size = count.value * numpy.dtype(self._engine._type).itemsize
        memory = (ctypes.c_char * size).from_address(place.value)
        return numpy.frombuffer(memory, self._engine._type).reshape(self._engine.shapes[number])


class ParameterLease(_Lease):
    """Parameters that are whole until it ends."""

    def __init__(self, engine, names):
        super().__init__(engine, names, "zero_engine_gather")

    def __getitem__(self, name):
        array = self._view("zero_parameter_lease_values", name)
        array.flags.writeable = False
        return array

    def __exit__(self, *_):
        call("zero_parameter_lease_end", self._handle)


class GradientLease(_Lease):
    """Places to add gradients to."""

    def __init__(self, engine, names):
        super().__init__(engine, names, "zero_engine_gradients")

    def __getitem__(self, name):
        return self._view("zero_gradient_lease_values", name)

    def __exit__(self, kind, *_):
        call("zero_gradient_lease_ready" if kind is None else "zero_gradient_lease_end", self._handle)
