# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes files as torch.save does, without torch: a zip file of a pickle and of the tensors' data."""
import array
import io
import pickle
import struct
import zipfile
from collections import OrderedDict

LETTERS = {"FloatStorage": "f", "HalfStorage": "e", "BFloat16Storage": "H", "LongStorage": "q", "DoubleStorage": "d",
           "ByteStorage": "B"}


class Named:
    """A global name of a pickle, whatever Python here knows."""

    def __init__(self, module, name):
        self.module, self.name = module, name

    def __reduce__(self):
        raise AssertionError("a name is written by the pickler below")


class Call:
    """An object that a pickle makes by calling a name."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments


class Storage:
    def __init__(self, values, kind="FloatStorage"):
        self.kind, self.values, self.key = kind, list(values), None
        self.data = struct.pack(f"<{len(self.values)}{LETTERS[kind]}", *self.values)


class Tensor:
    def __init__(self, storage, shape, offset=0, strides=None):
        self.storage, self.shape, self.offset = storage, tuple(shape), offset
        if strides is None:
            strides, step = [], 1
            for extent in reversed(self.shape):
                strides.insert(0, step)
                step *= extent
        self.strides = tuple(strides)


def tensor(values, *shape, kind="FloatStorage"):
    values = list(values)
    return Tensor(Storage(values, kind), shape or (len(values),))


class _Pickler(pickle._Pickler):  # Python's own: its table of types takes more
    dispatch = dict(pickle._Pickler.dispatch)

    def __init__(self, stream, legacy):
        super().__init__(stream, protocol=2)
        self.legacy, self.storages = legacy, []

    def persistent_id(self, thing):
        if not isinstance(thing, Storage):
            return None
        if thing.key is None:
            thing.key = str(len(self.storages))
            self.storages.append(thing)
        words = ("storage", Named("torch", thing.kind), thing.key, "cpu", len(thing.values))
        return words + (None,) if self.legacy else words

    def save_named(self, thing):
        self.write(pickle.GLOBAL + f"{thing.module}\n{thing.name}\n".encode())

    def save_call(self, thing):
        self.save(thing.function)
        self.save(tuple(thing.arguments))
        self.write(pickle.REDUCE)

    def save_tensor(self, thing):
        self.save(Named("torch._utils", "_rebuild_tensor_v2"))
        self.save((thing.storage, thing.offset, thing.shape, thing.strides, False, OrderedDict()))
        self.write(pickle.REDUCE)


_Pickler.dispatch[Named] = _Pickler.save_named
_Pickler.dispatch[Call] = _Pickler.save_call
_Pickler.dispatch[Tensor] = _Pickler.save_tensor


def _pickled(thing, legacy=False):
    stream = io.BytesIO()
    pickler = _Pickler(stream, legacy)
    pickler.dump(thing)
    for storage in pickler.storages:
        storage.key = None  # another file may hold it, too
    return stream.getvalue(), pickler.storages


class _NoChecksums(zipfile.ZipFile):
    """As torch.serialization.set_crc32_options(False) has it."""

    def _write_end_record(self):
        for info in self.filelist:
            info.CRC = 0
        super()._write_end_record()


def save(path, thing, checksums=True):
    """As torch writes it: members are stored, and tensors begin on multiples of 64 bytes."""
    data, storages = _pickled(thing)
    with (zipfile.ZipFile if checksums else _NoChecksums)(path, "w") as archive:
        archive.writestr("archive/data.pkl", data)
        archive.writestr("archive/byteorder", "little")
        for key, storage in enumerate(storages):
            info = zipfile.ZipInfo(f"archive/data/{key}")
            start = archive.fp.tell() + 30 + len(info.filename)
            pad = -(start + 4) % 64
            info.extra = struct.pack("<HH", 0x4246, pad) + b"Z" * pad
            archive.writestr(info, storage.data)
        archive.writestr("archive/version", "3\n")
    return path


def save_legacy(path, thing):
    """As torch before 1.6 writes it."""
    data, storages = _pickled(thing, legacy=True)
    with open(path, "wb") as file:
        for head in (0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}):
            pickle.dump(head, file, protocol=2)
        file.write(data)
        pickle.dump([str(i) for i in range(len(storages))], file, protocol=2)
        for storage in storages:
            file.write(struct.pack("<q", len(storage.values)) + storage.data)
    return path


def fp32(values):
    """What these numbers are in fp32."""
    return array.array("f", values).tolist()
