#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""exchange.py LIBRARY numpy|torch|nothing: tensors go out of LIBRARY and into it, through capsules as Python's packages make them.

Exits with 0 and prints "all passed", or with 1 at the first check that fails."""

import ctypes
import gc
import sys
import threading

VERSIONED, UNVERSIONED = b"dltensor_versioned", b"dltensor"
USED = {VERSIONED: b"used_dltensor_versioned", UNVERSIONED: b"used_dltensor"}

library = ctypes.CDLL(sys.argv[1])
pointer, number = ctypes.c_void_p, ctypes.c_uint32
for name, result, arguments in (
    ("last_message", ctypes.c_char_p, []),
    ("trainer_new", pointer, [ctypes.c_int]),
    ("trainer_free", None, [pointer]),
    ("trainer_parameter", pointer, [pointer, number, ctypes.c_int]),
    ("trainer_unversioned", pointer, [pointer, number, ctypes.c_int]),
    ("trainer_begin", ctypes.c_int, [pointer]),
    ("trainer_gradient", pointer, [pointer, number]),
    ("trainer_step", ctypes.c_int, [pointer]),
    ("adopter_new", pointer, [pointer, pointer]),
    ("adopter_update", ctypes.c_int, [pointer]),
    ("adopter_free", None, [pointer]),
    ("sum_unversioned", ctypes.c_double, [pointer]),
    ("type_of", ctypes.c_int, [pointer]),
):
    function = getattr(library, name)
    function.restype, function.argtypes = result, arguments

new_capsule = ctypes.pythonapi.PyCapsule_New
new_capsule.restype, new_capsule.argtypes = ctypes.py_object, [pointer, ctypes.c_char_p, pointer]
capsule_pointer = ctypes.pythonapi.PyCapsule_GetPointer
capsule_pointer.restype, capsule_pointer.argtypes = pointer, [ctypes.py_object, ctypes.c_char_p]
set_name = ctypes.pythonapi.PyCapsule_SetName
set_name.argtypes = [ctypes.py_object, ctypes.c_char_p]


class Lent:
    """A tensor of the library's, for from_dlpack. Each is consumed once."""

    def __init__(self, tensor, name=VERSIONED):
        assert tensor, library.last_message().decode()
        self.tensor, self.name = tensor, name

    def __dlpack__(self, **_):
        return new_capsule(self.tensor, self.name, None)

    def __dlpack_device__(self):
        return (1, 0)


def take(capsule, name):
    """The tensor in a capsule, which is the library's to end from here on."""
    tensor = capsule_pointer(capsule, name)
    set_name(capsule, USED[name])
    return tensor


def message():
    return library.last_message().decode()


class Package:
    """What numpy and torch call differently."""

    def __init__(self, name):
        self.name = name
        self.module = __import__(name)

    def lent(self, tensor, name=VERSIONED):
        return self.module.from_dlpack(Lent(tensor, name))

    def versioned(self, array, **options):
        return take(array.__dlpack__(max_version=(1, 0), **options), VERSIONED)

    def unversioned(self, array):
        return take(array.__dlpack__(), UNVERSIONED)

    def address(self, array):
        return array.ctypes.data if self.name == "numpy" else array.data_ptr()


def parameters_go_out(package):
    trainer = library.trainer_new(3)
    weight = package.lent(library.trainer_parameter(trainer, 0, 1))
    assert tuple(weight.shape) == (2, 3) and weight.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert weight.dtype == package.module.float32
    if package.name == "numpy":
        assert weight.flags.writeable
        fixed = package.lent(library.trainer_parameter(trainer, 0, 0))
        assert not fixed.flags.writeable and fixed.tolist() == weight.tolist()
        try:
            fixed[0, 0] = 9
            raise SystemExit("numpy has written to a read-only tensor")
        except ValueError:
            pass
        del fixed
    assert library.trainer_unversioned(trainer, 0, 0) is None and "read-only" in message()
    old = package.lent(library.trainer_unversioned(trainer, 0, 1), UNVERSIONED)
    assert old.tolist() == weight.tolist()
    library.trainer_free(trainer)  # before its tensors, which keep the memory
    assert weight.tolist() == [[1, 2, 3], [4, 5, 6]] and old[1, 2] == 6
    del weight, old
    gc.collect()


def gradients_go_in(package):
    for stage in range(4):
        trainer = library.trainer_new(stage)
        for _ in range(2):
            assert library.trainer_begin(trainer) == 0, message()
            for parameter in (1, 0):
                gradient = package.lent(library.trainer_gradient(trainer, parameter))
                assert float(gradient.sum()) == 0
                gradient += 2
                held = [gradient]
                del gradient
                if parameter == 0:
                    assert library.trainer_step(trainer) == 1 and "1 of the tensors alive" in message()
                thread = threading.Thread(target=held.clear)  # ends there
                thread.start()
                thread.join()
            assert library.trainer_step(trainer) == 0, message()
        weight = package.lent(library.trainer_parameter(trainer, 0, 1))
        assert weight.tolist() == [[-1, 0, 1], [2, 3, 4]], weight
        del weight
        library.trainer_free(trainer)


def arrays_are_adopted(package):
    module = package.module
    values, gradients = module.zeros((2, 3), dtype=module.float32), module.ones((2, 3), dtype=module.float32)
    values += 1
    references = sys.getrefcount(values)
    adopter = library.adopter_new(package.versioned(values), package.versioned(gradients))
    assert adopter, message()
    address = package.address(values)
    assert library.adopter_update(adopter) == 0
    assert values.tolist() == [[0.5] * 3] * 2 and package.address(values) == address
    if package.name == "numpy":
        assert sys.getrefcount(values) == references + 1
    library.adopter_free(adopter)
    assert sys.getrefcount(values) == references  # the deleter has run
    assert library.sum_unversioned(package.unversioned(gradients)) == 6
    assert library.sum_unversioned(package.unversioned(gradients[0])) == 3
    assert library.type_of(package.versioned(module.zeros(3, dtype=module.float16))) == 1


def arrays_are_refused(package):
    module = package.module

    def refused(array, why, **options):
        one = module.ones((2, 3), dtype=module.float32)
        assert library.adopter_new(package.versioned(array, **options), package.versioned(one)) is None
        assert why in message(), message()

    values = module.zeros((2, 3), dtype=module.float32)
    refused(module.zeros((2, 3), dtype=module.float64), "type code 2, 64 bits")
    refused(module.zeros((2, 3), dtype=module.int32), "type code 0, 32 bits")
    refused(values.T, "stride")
    refused(values[:, :2], "stride")
    refused(module.zeros((0, 3), dtype=module.float32), "no elements")
    if package.name == "numpy":  # torch marks neither
        refused(values, "is a copy", copy=True)
        fixed = values.copy()
        fixed.flags.writeable = False
        refused(fixed, "read-only")


def refusals():
    """What needs no package."""
    trainer = library.trainer_new(3)
    assert library.trainer_unversioned(trainer, 0, 0) is None and "read-only" in message()
    assert library.trainer_step(trainer) == 1  # before trainer_begin
    library.trainer_free(trainer)
    assert library.trainer_new(4) is None and "stages are 0 to 3" in message()
    assert library.adopter_new(None, None) is None and "null pointer" in message()


def main():
    if sys.argv[2] == "nothing":
        refusals()
        print("all passed")
        return
    package = Package(sys.argv[2])
    for check in (parameters_go_out, gradients_go_in, arrays_are_adopted, arrays_are_refused):
        check(package)
    if package.name == "torch":
        bfloat = package.module.zeros(3, dtype=package.module.bfloat16)
        assert library.type_of(package.versioned(bfloat)) == 2
        from torch.utils import dlpack

        trainer = library.trainer_new(0)
        capsule = new_capsule(library.trainer_unversioned(trainer, 1, 1), UNVERSIONED, None)
        assert dlpack.from_dlpack(capsule).tolist() == [1, 2, 3]
        library.trainer_free(trainer)
        assert library.sum_unversioned(take(dlpack.to_dlpack(package.module.ones(5)), UNVERSIONED)) == 5
    print("all passed")


main()
