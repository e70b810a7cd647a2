#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes the weights of a DeepSpeed checkpoint, or of a file of torch.save, as safetensors.

One file that needs Python 3.8 alone, so that it can be copied to where the checkpoint lies. Pickles are read without
running what they name: a few names of torch stand for functions of this file, objects of known packages for nothing, and
a file with others is refused."""
import array
import collections
import errno
import io
import json
import math
import os
import pickle
import re
import secrets
import struct
import sys
import textwrap
import zipfile
import zlib

VERSION = "@PROJECT_VERSION@"
DONE, FAILED, USAGE, DATA, DAMAGED = 0, 1, 2, 4, 5  # a number means the same in every program: docs/programs.md
CHUNK = 1 << 24


class Failure(Exception):
    """Ends the program with one line on standard error."""
    code = FAILED


class UsageError(Failure):
    code = USAGE


class DataError(Failure):
    code = DATA


class Damaged(Failure):
    code = DAMAGED


# ------------------------------------------------------------------------------------------------- tensors in files

# Of torch's storages: the name in safetensors, and the bytes of an element.
STORAGES = {"FloatStorage": ("F32", 4), "HalfStorage": ("F16", 2), "BFloat16Storage": ("BF16", 2),
            "DoubleStorage": ("F64", 8), "LongStorage": ("I64", 8), "IntStorage": ("I32", 4), "ShortStorage": ("I16", 2),
            "CharStorage": ("I8", 1), "ByteStorage": ("U8", 1), "BoolStorage": ("BOOL", 1)}
FLOATS = ("F32", "F16", "BF16", "F64")


class Storage:
    """Elements of one type that lie in a file. They are read where they are asked for, and not before."""
    __slots__ = ("path", "kind", "size", "start", "count", "crc", "checked")

    def __init__(self, path, kind, size, count):
        self.path, self.kind, self.size, self.count = path, kind, size, count
        self.start = self.crc = None
        self.checked = False

    def read(self, first, count):
        """Bytes of `count` elements from the element `first` on."""
        with open(self.path, "rb") as file:
            if self.crc is not None and not self.checked:
                self._check(file)
            file.seek(self.start + first * self.size)
            found = file.read(count * self.size)
        if len(found) != count * self.size:
            raise Damaged(f"{self.path}: is cut off: {count * self.size - len(found)} bytes of a tensor are missing")
        return found

    def _check(self, file):
        file.seek(self.start)
        left, crc = self.count * self.size, 0
        while left > 0:
            piece = file.read(min(left, CHUNK))
            if not piece:
                raise Damaged(f"{self.path}: is cut off: {left} bytes of a tensor are missing")
            crc, left = zlib.crc32(piece, crc), left - len(piece)
        if crc != self.crc:
            raise Damaged(f"{self.path}: is damaged: the checksum of a tensor is another one")
        self.checked = True


class Tensor:
    """What torch pickles of a tensor: a view of a storage."""
    __slots__ = ("storage", "offset", "shape", "strides")

    def __init__(self, storage, offset, shape, strides):
        numbers = (offset, *shape, *strides)
        if not isinstance(storage, Storage) or len(shape) != len(strides) or not all(
                isinstance(n, int) and n >= 0 for n in numbers):
            raise pickle.UnpicklingError("a tensor without a storage or a shape")
        last = offset + sum((n - 1) * s for n, s in zip(shape, strides)) if 0 not in shape else -1
        if last >= storage.count:
            raise Damaged(f"{storage.path}: is damaged: a tensor is larger than its storage")
        self.storage, self.offset, self.shape, self.strides = storage, offset, tuple(shape), tuple(strides)

    def __setstate__(self, state):  # nothing that a pickle says changes one
        raise pickle.UnpicklingError("a tensor with a state")

    @property
    def kind(self):
        return self.storage.kind

    @property
    def count(self):
        return math.prod(self.shape)

    def is_same(self, other):
        return (self.storage is other.storage and self.offset == other.offset and self.shape == other.shape and
                self.count > 0)

    def is_contiguous(self):
        step = 1
        for extent, stride in zip(reversed(self.shape), reversed(self.strides)):
            if extent != 1 and stride != step:
                return False
            step *= extent
        return True

    def read(self):
        """Its bytes, in the order of its indices."""
        if self.count == 0:
            return b""
        if self.is_contiguous():
            return self.storage.read(self.offset, self.count)
        size = self.storage.size
        span = 1 + sum((n - 1) * s for n, s in zip(self.shape, self.strides))
        values, found = memoryview(self.storage.read(self.offset, span)).cast("B"), bytearray(self.count * size)
        rows, places = [0], iter(range(0, len(found), size * self.shape[-1]))
        for extent, stride in zip(self.shape[:-1], self.strides[:-1]):
            rows = [row + i * stride for row in rows for i in range(extent)]
        for row, place in zip(rows, places):
            for byte in range(size):  # one row, whose elements may lie apart
                step, extent = self.strides[-1] * size, self.shape[-1]
                first = row * size + byte
                part = values[first:first + (extent - 1) * step + 1:step] if step else bytes([values[first]]) * extent
                found[place + byte:place + extent * size:size] = part
        return bytes(found)


class Weight:
    """A tensor that is to be written: pieces that follow each other, each (tensor, first element, number of them)."""

    def __init__(self, shape, pieces):
        self.shape, self.pieces = tuple(shape), pieces
        self.transposed = False

    @staticmethod
    def of(tensor):
        return Weight(tensor.shape, [(tensor, 0, tensor.count)])

    @property
    def kind(self):
        kind = self.pieces[0][0].kind if self.pieces else "F32"
        return "F32" if kind in FLOATS else kind

    @property
    def source_kinds(self):
        return {piece[0].kind for piece in self.pieces}

    @property
    def count(self):
        return math.prod(self.shape)

    def transpose(self):
        self.shape, self.transposed = (self.shape[1], self.shape[0]), True

    def read(self):
        """Its bytes: fp32 where its values are floating-point numbers."""
        found = []
        for tensor, first, count in self.pieces:
            if first == 0 and count == tensor.count:
                values = tensor.read()
            else:  # of a flat tensor
                values = tensor.storage.read(tensor.offset + first, count)
            found.append(to_float(values, tensor.kind))
        values = found[0] if len(found) == 1 else b"".join(found)
        return transposed(values, self.shape) if self.transposed else values


def to_float(values, kind):
    """Bytes of floating-point numbers of any kind as fp32, little-endian as the file has them; others as they are."""
    if kind == "BF16":  # the upper half of an fp32
        wide = bytearray(2 * len(values))
        wide[2::4], wide[3::4] = values[0::2], values[1::2]
        return bytes(wide)
    if kind in ("F16", "F64"):
        letter, size = ("e", 2) if kind == "F16" else ("d", 8)
        floats, values = array.array("f"), memoryview(values)
        for first in range(0, len(values), CHUNK // 16):  # Python's own numbers take many times the memory
            part = values[first:first + CHUNK // 16]
            floats.extend(struct.unpack(f"<{len(part) // size}{letter}", part))
        if sys.byteorder == "big":
            floats.byteswap()
        return floats.tobytes()
    return values


def transposed(values, shape):
    """A matrix of 4-byte elements that is to have this shape."""
    words, found = array.array("I", values), array.array("I", bytes(len(values)))
    rows, columns = shape
    for row in range(rows):
        found[row * columns:(row + 1) * columns] = words[row::rows]
    return found.tobytes()


# ------------------------------------------------------------------------------------------ pickles, without their code


class Maker:
    """A function of this file under the name that a pickle has for it. Nothing that a pickle says changes it."""
    __slots__ = ("_function",)

    def __init__(self, function):
        object.__setattr__(self, "_function", function)

    def __call__(self, *arguments):
        return self._function(*arguments)

    def __setattr__(self, name, value):
        raise pickle.UnpicklingError("a function with a state")

    def __setstate__(self, state):
        raise pickle.UnpicklingError("a function with a state")


class _FixedClass(type):
    def __setattr__(cls, name, value):
        raise pickle.UnpicklingError("a class with a state")


class LeftOut(metaclass=_FixedClass):
    """Stands for an object of a class that is not read: it takes everything and keeps nothing."""
    __slots__ = ()
    name = "an object"

    def __new__(cls, *_, **__):
        return object.__new__(cls)

    def __init__(self, *_, **__):
        pass

    def __setstate__(self, state):
        pass

    def __setitem__(self, key, value):
        pass

    def append(self, value):
        pass

    def extend(self, values):
        pass

    def add(self, value):
        pass


def _rebuild_tensor(storage, offset, shape, strides, *_):
    return Tensor(storage, offset, shape, strides)


def _rebuild_from_type(function, _, arguments, *__):
    if not isinstance(function, Maker):
        raise pickle.UnpicklingError("a tensor of an unknown class")
    return function(*arguments)


MADE = {
    "collections.OrderedDict": Maker(collections.OrderedDict),
    "torch._utils._rebuild_tensor": Maker(_rebuild_tensor),
    "torch._utils._rebuild_tensor_v2": Maker(_rebuild_tensor),
    "torch._utils._rebuild_parameter": Maker(lambda data, *_: data),
    "torch._utils._rebuild_parameter_with_state": Maker(lambda data, *_: data),
    "torch._tensor._rebuild_from_type_v2": Maker(_rebuild_from_type),
    "torch.Size": Maker(lambda extents=(): tuple(extents)),
    "deepspeed.runtime.zero.config.ZeroStageEnum": Maker(lambda stage: stage),
}
# What training scripts and DeepSpeed keep beside weights. None of it is needed, and none of it is made.
LEFT_OUT = re.compile(
    r"(deepspeed|torch|numpy|omegaconf|pathlib|datetime|decimal|fractions|uuid|random|collections|transformers)\..*|"
    r"argparse\.Namespace|types\.SimpleNamespace|(_codecs|copy_reg|copyreg)\.(encode|_reconstructor)|"
    r"(__builtin__|builtins)\.(set|frozenset|bytes|bytearray|complex|slice|range|xrange|int|long|float|bool|str|unicode|list|"
    r"dict|tuple|object)")


class Unpickler(pickle.Unpickler):
    def __init__(self, stream, path, storage_of, leaves_out):
        super().__init__(stream, encoding="utf-8", errors="replace")
        self._path, self._storage_of, self._leaves_out = path, storage_of, leaves_out
        self._classes = {}

    def find_class(self, module, name):
        full = f"{module}.{name}"
        if full in MADE:
            return MADE[full]
        if module in ("torch", "torch.storage") and (name in STORAGES or name == "UntypedStorage"):
            return name
        if full not in self._classes:
            if not self._leaves_out and not LEFT_OUT.fullmatch(full):
                raise DataError(f"{self._path}: holds an object of '{full}', and reading it would run code that the file names: "
                                "save weights alone, or give --leave-out-objects to read what is beside it")
            self._classes[full] = _FixedClass("LeftOut", (LeftOut,), {"__slots__": (), "name": full})
        return self._classes[full]

    def persistent_load(self, words):
        if not isinstance(words, tuple) or len(words) < 5 or words[0] != "storage":
            raise pickle.UnpicklingError("an unknown reference")
        _, kind, key, _, count = words[:5]
        if not isinstance(kind, str) or kind not in STORAGES:
            raise DataError(f"{self._path}: has a storage of torch's '{kind}': weights are of fp32, fp16, bf16 or fp64")
        if not isinstance(key, str) or not isinstance(count, int) or count < 0:
            raise pickle.UnpicklingError("a storage without a name or a size")
        return self._storage_of(key, *STORAGES[kind], count, words[5] if len(words) > 5 else None)


LEGACY_MAGIC = 0x1950A86A20F9469CFC6C


def load(path, leaves_out=False):
    """What a file of torch.save holds: dictionaries, lists, numbers, texts, and Tensor where torch has tensors."""
    try:
        with open(path, "rb") as file:
            start = file.read(4)
            if start == b"PK\x03\x04":
                return _load_zip(path, file, leaves_out)
            if start[:1] == b"\x80":
                return _load_legacy(path, file, leaves_out)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except OSError as error:
        raise Failure(f"{path}: cannot be read: {error.strerror or error}") from None
    if not start:
        raise Damaged(f"{path}: is empty")
    raise DataError(f"{path}: is no file of torch.save")


def _guarded(path, read):
    """What a damaged pickle raises is anything."""
    try:
        return read()
    except (Failure, MemoryError):
        raise
    except OSError as error:
        if error.errno != errno.EINVAL:  # a place before the file's beginning
            raise
        raise Damaged(f"{path}: is damaged: a part of it would lie before its beginning") from None
    except RecursionError:
        raise Damaged(f"{path}: is damaged: its pickle has no end") from None
    except Exception as error:  # noqa: BLE001
        raise Damaged(f"{path}: is cut off or damaged: {type(error).__name__}: {error}") from None


def _load_zip(path, file, leaves_out):
    try:
        archive = _guarded(path, lambda: zipfile.ZipFile(file))
    except Damaged:
        raise Damaged(f"{path}: is cut off: its table of contents, which stands at the end, is missing") from None
    with archive:
        members = {info.filename: info for info in archive.infolist()}
        tops = [name[:-len("data.pkl")] for name in members if name.endswith("/data.pkl") and name.count("/") == 1]
        if len(tops) != 1:
            raise DataError(f"{path}: is a zip file, but none of torch.save: it has no data.pkl")
        top, storages = tops[0], {}
        order = members.get(top + "byteorder")
        if order is not None and _guarded(path, lambda: _member(path, file, order)) != b"little":
            raise DataError(f"{path}: is of a machine with the other byte order: load and save it there with torch")

        def storage_of(key, kind, size, count, _):
            if key not in storages:
                info = members.get(f"{top}data/{key}")
                if info is None:
                    raise Damaged(f"{path}: is damaged: the tensor data '{key}' are missing")
                if info.compress_type != zipfile.ZIP_STORED or info.file_size != count * size:
                    raise Damaged(f"{path}: is damaged: the tensor data '{key}' have another size")
                storage = Storage(path, kind, size, count)
                storage.start, storage.crc = _data_of(path, file, info), info.CRC or None
                storages[key] = storage
            if (storages[key].kind, storages[key].count) != (kind, count):
                raise Damaged(f"{path}: is damaged: the tensor data '{key}' are of two types")
            return storages[key]

        def read():
            pickled = _member(path, file, members[top + "data.pkl"])
            return Unpickler(io.BytesIO(pickled), path, storage_of, leaves_out).load()
        return _guarded(path, read)


def _member(path, file, info):
    """The bytes of a member. A checksum of 0 is none: torch can be told to take none."""
    if info.compress_type != zipfile.ZIP_STORED:
        raise DataError(f"{path}: is a zip file that is compressed, as torch writes none")
    file.seek(_data_of(path, file, info))
    found = file.read(info.file_size)
    if len(found) != info.file_size:
        raise Damaged(f"{path}: is cut off: {info.file_size - len(found)} bytes of '{info.filename}' are missing")
    if info.CRC and zlib.crc32(found) != info.CRC:
        raise Damaged(f"{path}: is damaged: the checksum of '{info.filename}' is another one")
    return found


def _data_of(path, file, info):
    """Where the bytes of a member begin: behind a header whose extra field has a length of its own."""
    here = file.tell()
    file.seek(info.header_offset)
    header = file.read(30)
    file.seek(here)
    if len(header) != 30 or header[:4] != b"PK\x03\x04":
        raise Damaged(f"{path}: is damaged: the header of '{info.filename}' is missing")
    name, extra = struct.unpack("<HH", header[26:30])
    return info.header_offset + 30 + name + extra


def _load_legacy(path, file, leaves_out):
    """The format before torch 1.6: pickles, and the data behind them."""
    file.seek(0)
    storages = {}

    def storage_of(key, kind, size, count, view):
        if view is not None:
            raise DataError(f"{path}: has views of storages, as torch before 0.4 did: load and save it with a newer torch")
        return storages.setdefault(key, Storage(path, kind, size, count))

    def read():
        def one():
            return Unpickler(file, path, storage_of, leaves_out).load()
        if one() != LEGACY_MAGIC:
            raise DataError(f"{path}: is a pickle, but no file of torch.save")
        version, system, root, keys = one(), one(), one(), one()
        if version != 1001 or not isinstance(system, dict) or system.get("little_endian") is not True:
            raise DataError(f"{path}: is of a machine with the other byte order: load and save it there with torch")
        for key in keys:
            count = file.read(8)
            if len(count) != 8 or struct.unpack("<q", count)[0] != storages[key].count:
                raise Damaged(f"{path}: is cut off or damaged: the size of a tensor's data is another one")
            storages[key].start = file.tell()
            file.seek(storages[key].count * storages[key].size, os.SEEK_CUR)
        if file.tell() > os.fstat(file.fileno()).st_size:
            raise Damaged(f"{path}: is cut off: {file.tell() - os.fstat(file.fileno()).st_size} bytes are missing")
        if any(storage.start is None for storage in storages.values()):
            raise Damaged(f"{path}: is damaged: the data of a tensor are missing")
        return root
    return _guarded(path, read)


# ------------------------------------------------------------------------------------------------ DeepSpeed's folders

OPTIMIZER_FILE = re.compile(r"(?:bf16_|fp16_)?zero_pp_rank_(\d+)_mp_rank_(\d+)_optim_states\.pt")
MODEL_FILE = re.compile(r"(?:zero_pp_rank_(\d+)_)?mp_rank_(\d+)_model_states\.pt")


class Found:
    """What was read: weights by name, where from, and what there is to say."""

    def __init__(self, text):
        self.text, self.weights, self.same, self.notes, self.heads, self.config = text, {}, {}, [], None, None

    def take_arguments(self, root):
        """nanoGPT keeps the model's arguments beside its weights."""
        for name in ("model_args", "gpt_config", "config"):
            arguments = root.get(name)
            if isinstance(arguments, dict) and isinstance(arguments.get("n_head"), int):
                self.heads = arguments["n_head"]
                return


def is_dict_of_tensors(value):
    return isinstance(value, dict) and any(isinstance(v, Tensor) for v in value.values())


def members_of(folder):
    try:
        return sorted(os.listdir(folder))
    except OSError as error:
        raise Failure(f"{folder}: cannot be read: {error.strerror}") from None


def find_step(folder, tag):
    """The folder of a step: the one that is given, of the tag, or the one that `latest` names."""
    names = members_of(folder)
    steps = [n for n in names if os.path.isdir(os.path.join(folder, n)) and
             any(MODEL_FILE.fullmatch(m) for m in members_of(os.path.join(folder, n)))]
    example = f": give the folder of a step, such as {os.path.join(folder, steps[-1])}" if steps else ""
    if tag is None and any(MODEL_FILE.fullmatch(n) or OPTIMIZER_FILE.fullmatch(n) for n in names):
        return folder
    if tag is None and "latest" not in names:
        raise DataError(f"{folder}: has no file 'latest', which names the newest step" +
                        (example or ", and no checkpoint of DeepSpeed"))
    if tag is None:
        try:
            with open(os.path.join(folder, "latest"), encoding="utf-8") as file:
                tag = file.read(4096).strip()
        except (OSError, UnicodeDecodeError):
            raise DataError(f"{folder}/latest: cannot be read{example}") from None
        what = f"{folder}/latest: names '{tag}', which is not there"
    else:
        what = f"--tag {tag}: {folder} has no such step"
    step = os.path.join(folder, tag)
    if not tag or os.path.basename(tag) != tag or not os.path.isdir(step):
        raise DataError(f"{what}{example}")
    return step


def ranked(step, pattern, what):
    """The files of a kind, in the order of their ranks, which must be 0, 1, 2, ..."""
    files = {}
    for name in members_of(step):
        match = pattern.fullmatch(name)
        if match is None:
            continue
        if int(match[2]) != 0:
            raise DataError(f"{step}: has {name}, of a run with tensor or model parallelism, whose weights are not put together "
                            "here: convert it to a whole model with the program that trained it")
        rank = int(match[1] or 0)
        if rank in files:
            raise DataError(f"{step}: has {what} of rank {rank} twice, {os.path.basename(files[rank])} and {name}: they are of "
                            "two runs")
        files[rank] = os.path.join(step, name)
    return files


def expect_ranks(step, files, world, what, said_by):
    """Refuses a folder that has other ranks than its files say."""
    for rank in range(world):
        if rank not in files:
            raise DataError(f"{step}: is of {world} ranks, says {said_by}, but has no {what} of rank {rank}: "
                            f"{len(files)} of {world} are there")
    for rank in files:
        if rank >= world:
            raise DataError(f"{step}: is of {world} ranks, says {said_by}, but has {os.path.basename(files[rank])}: files of two "
                            "runs lie in one folder")


def count_of(shape):
    return math.prod(shape)


def cut(tensors, first, count, path):
    """Pieces of `count` elements from `first` on of flat tensors that follow each other."""
    pieces = []
    for tensor in tensors:
        if first < tensor.count and count > 0:
            here = min(count, tensor.count - first)
            pieces.append((tensor, first, here))
            first, count = first + here, count - here
        first = max(0, first - tensor.count)
    if count > 0:
        raise DataError(f"{path}: has fewer elements than the shapes of its parameters say")
    return pieces


class Checkpoint:
    """A folder of a step, whose files are read and agree."""

    def __init__(self, step, leaves_out):
        self.step = step
        names = members_of(step)
        for name in names:
            if name.startswith(("layer_", "expert_", "expp_")):
                raise DataError(f"{step}: has {name}, of a pipeline or of experts, whose weights are not put together here: convert "
                                "it to a whole model with the program that trained it")
        self.model_files = ranked(step, MODEL_FILE, "the model's file")
        optimizer_files = ranked(step, OPTIMIZER_FILE, "the optimizer's file")
        if not self.model_files:
            raise DataError(f"{step}: has no file mp_rank_00_model_states.pt, or zero_pp_rank_0_mp_rank_00_model_states.pt: it is "
                            "no checkpoint of DeepSpeed, or was not saved to the end")
        if 0 not in self.model_files:
            raise DataError(f"{step}: has no model's file of rank 0")
        self.models = {rank: self._load_model(path, leaves_out) for rank, path in sorted(self.model_files.items())}
        self.model = self.models[0]
        self.stage, self.world, self.optimizers = 0, 1, {}
        self.is_bf16_optimizer = False
        if optimizer_files:
            self._take_optimizers(optimizer_files, leaves_out)
        elif self.model.get("param_shapes") is not None:
            raise DataError(f"{step}: has no file *_optim_states.pt, in which ZeRO keeps the fp32 weights: "
                            f"{os.path.basename(self.model_files[0])} says that there are some")
        self._compare_steps()

    def _load_model(self, path, leaves_out):
        root = load(path, leaves_out)
        if not isinstance(root, dict) or not isinstance(root.get("module"), dict):
            raise DataError(f"{path}: has no weights under 'module': it is none of DeepSpeed's files of a model")
        if root.get("mp_world_size", 1) not in (1, None):
            raise DataError(f"{path}: is of {root['mp_world_size']} ranks of model parallelism, whose weights are not put together "
                            "here")
        return root

    def _take_optimizers(self, files, leaves_out):
        for rank, path in sorted(files.items()):
            root = load(path, leaves_out)
            state = root.get("optimizer_state_dict") if isinstance(root, dict) else None
            if not isinstance(state, dict):
                raise DataError(f"{path}: has no 'optimizer_state_dict': it is none of ZeRO's files")
            self.optimizers[rank] = state
        first = files[min(files)]
        self.stage, self.world = self._facts(self.optimizers[min(files)], first)
        self.is_bf16_optimizer = "zero_stage" not in self.optimizers[min(files)]
        expect_ranks(self.step, files, self.world, "file *_optim_states.pt", os.path.basename(first))
        for rank, path in files.items():
            stage, world = self._facts(self.optimizers[rank], path)
            if (stage, world) != (self.stage, self.world):
                raise DataError(f"{self.step}: {os.path.basename(path)} is of stage {stage} and {world} ranks, but "
                                f"{os.path.basename(first)} of stage {self.stage} and {self.world}: files of two runs lie in one "
                                "folder")
        said = self.model.get("dp_world_size")
        if isinstance(said, int) and said != self.world:
            raise DataError(f"{self.step}: {os.path.basename(self.model_files[0])} is of {said} ranks, but "
                            f"{os.path.basename(first)} of {self.world}: files of two runs lie in one folder")
        if self.stage == 3:
            expect_ranks(self.step, self.model_files, self.world, "file *_model_states.pt", os.path.basename(first))
        elif len(self.model_files) != 1:
            raise DataError(f"{self.step}: has files *_model_states.pt of {len(self.model_files)} ranks, but stage {self.stage} "
                            "writes one: files of two runs lie in one folder")

    @staticmethod
    def _facts(state, path):
        counts = state.get("partition_count")
        counts = counts if isinstance(counts, list) else [counts]
        if not counts or not all(isinstance(n, int) and n > 0 for n in counts):
            raise DataError(f"{path}: does not say how many ranks there were")
        if len(set(counts)) != 1:
            raise DataError(f"{path}: has groups of {' and '.join(str(n) for n in sorted(set(counts)))} ranks, as experts have, "
                            "which are not put together here")
        stage = state.get("zero_stage", 1 if "single_partition_of_fp32_groups" in state else None)
        if stage not in (1, 2, 3):
            raise DataError(f"{path}: does not say its stage of ZeRO")
        return stage, counts[0]

    def _compare_steps(self):
        steps = {root.get("global_steps") for root in self.models.values() if isinstance(root.get("global_steps"), int)}
        if len(steps) > 1:
            raise DataError(f"{self.step}: has files of the steps {' and '.join(str(s) for s in sorted(steps))}: an older save was "
                            "not replaced by all ranks")

    # ---- weights

    def find(self):
        version = self.model.get("ds_version")
        steps = self.model.get("global_steps")
        by = "DeepSpeed's optimizer for bf16, laid out as stage 1" if self.is_bf16_optimizer else f"ZeRO stage {self.stage}"
        found = Found(f"{self.step}: {by}, {self.world} {'rank' if self.world == 1 else 'ranks'}" +
                      (f", step {steps}" if isinstance(steps, int) else "") +
                      (f", DeepSpeed {version}" if isinstance(version, str) else ""))
        found.take_arguments(self.model)
        module = self.model["module"]
        buffers = self.model.get("buffer_names") or []
        for name in buffers if isinstance(buffers, list) else []:
            if isinstance(module.get(name), Tensor):
                found.weights[name] = Weight.of(module[name])
        if self.stage == 0:
            self._take_whole(found, module)
            if any(kind in ("F16", "BF16") for w in found.weights.values() for kind in w.source_kinds):
                found.notes.append("weights are those of 16 bits: the fp32 ones of stage 0 have no names")
            return found
        shapes = self._shapes()
        if self.stage == 3:
            self._take_frozen_parts(found)
            self._take_parts(found, shapes)
        else:
            self._take_frozen(found)
            self._take_flat(found, shapes)
        shared = self.model.get("shared_params")
        for name, other in (shared.items() if isinstance(shared, dict) else ()):
            if other in found.weights and name not in found.weights:
                found.weights[name] = found.weights[other]
                found.same[name] = other
        if self.stage < 3:
            self._take_whole(found, module)
        return found

    def _shapes(self):
        groups = self.model.get("param_shapes")
        groups = groups if isinstance(groups, list) else [groups]
        good = all(isinstance(g, dict) and all(isinstance(s, (tuple, list)) and all(isinstance(n, int) and n >= 0 for n in s)
                                               for s in g.values()) for g in groups)
        if not groups or not good:
            raise DataError(f"{self.model_files[0]}: does not say the shapes of its parameters, without which nothing tells the flat "
                            "weights apart")
        return groups

    def _flats(self, key):
        """Of each rank, the flat fp32 weights of all groups."""
        flats = []
        for rank in range(self.world):
            groups = self.optimizers[rank].get(key)
            groups = groups if isinstance(groups, list) else [groups]
            if not groups or not all(isinstance(g, Tensor) and g.kind == "F32" and g.is_contiguous() for g in groups):
                raise DataError(f"{self.step}: the optimizer's file of rank {rank} has no fp32 weights under '{key}'" +
                                (": they were offloaded to NVMe: save with weights in memory" if groups == [None] else ""))
            flats.append(groups)
        if len({len(groups) for groups in flats}) != 1:
            raise DataError(f"{self.step}: ranks have different numbers of groups of parameters: files of two runs lie in one folder")
        return flats

    def _take_flat(self, found, shapes):
        """Stages 1 and 2: a group is one vector, of which every rank has a part; at its end there is padding."""
        flats = self._flats("single_partition_of_fp32_groups")
        if len(flats[0]) != len(shapes):
            raise DataError(f"{self.step}: has weights of {len(flats[0])} groups, and shapes of {len(shapes)}")
        paddings = self.optimizers[0].get("param_alignment_paddings")
        for group, names in enumerate(shapes):
            parts = [flats[rank][group] for rank in range(self.world)]
            behind = [0] * len(names)
            if isinstance(paddings, list):
                behind = paddings[group] if group < len(paddings) else None
                if not isinstance(behind, list) or len(behind) != len(names) or not all(isinstance(n, int) for n in behind):
                    raise DataError(f"{self.step}: has paddings of other parameters than it has shapes")
            first = 0
            for (name, shape), padding in zip(names.items(), behind):
                found.weights[name] = Weight(shape, cut(parts, first, count_of(shape), self.step))
                first += count_of(shape) + padding
            unit = 2 * self.world  # what DeepSpeed pads a group to
            there = sum(part.count for part in parts)
            if math.ceil(first / unit) != math.ceil(there / unit):
                raise DataError(f"{self.step}: group {group} has {there} fp32 weights, but the shapes of its parameters make {first}: "
                                "files of two runs lie in one folder")

    def _take_parts(self, found, shapes):
        """Stage 3: of each parameter every rank has an equal part; the last ones are padded."""
        flats = self._flats("fp32_flat_groups")
        sizes = {tuple(part.count for part in groups) for groups in flats}
        if len(sizes) != 1:
            raise DataError(f"{self.step}: ranks have different numbers of weights: files of two runs lie in one folder")
        first = 0
        for names in shapes:
            for name, shape in names.items():
                part = math.ceil(count_of(shape) / self.world)
                found.weights[name] = self._of_parts(shape, [cut(groups, first, part, self.step) for groups in flats])
                first += part
        there = sum(sizes.pop())
        if first != there:
            raise DataError(f"{self.step}: a rank has {there} fp32 weights, but the shapes of the parameters make {first}: files of two "
                            "runs lie in one folder")

    @staticmethod
    def _of_parts(shape, parts):
        """A parameter of its parts, without the padding behind it."""
        pieces, left = [], count_of(shape)
        for tensor, first, count in (piece for part in parts for piece in part):
            count = min(count, left)
            if count > 0:
                pieces.append((tensor, first, count))
            left -= count
        return Weight(shape, pieces)

    def _take_frozen(self, found):
        fragments = self.model.get("frozen_param_fragments")
        for name, shape in (self.model.get("frozen_param_shapes") or {}).items():
            fragment = fragments.get(name) if isinstance(fragments, dict) else None
            if not isinstance(fragment, Tensor) or fragment.shape != tuple(shape):
                raise DataError(f"{self.model_files[0]}: has not got the frozen parameter '{name}' whole")
            found.weights[name] = Weight.of(fragment)

    def _take_frozen_parts(self, found):
        for name, shape in (self.model.get("frozen_param_shapes") or {}).items():
            parts = []
            for rank in range(self.world):
                fragments = self.models[rank].get("frozen_param_fragments")
                fragment = fragments.get(name) if isinstance(fragments, dict) else None
                if not isinstance(fragment, Tensor) or fragment.count != math.ceil(count_of(shape) / self.world):
                    raise DataError(f"{self.model_files[rank]}: has not got its part of the frozen parameter '{name}'")
                parts.append([(fragment, 0, fragment.count)])
            found.weights[name] = self._of_parts(shape, parts)

    def _take_whole(self, found, module):
        """What the model's file has and ZeRO has not: frozen parameters of stage 1, names of tied ones, all of stage 0."""
        owners = {}
        for name, tensor in module.items():
            if isinstance(tensor, Tensor) and name in found.weights:
                owners[(id(tensor.storage), tensor.offset, tensor.shape)] = name
        for name, tensor in module.items():
            if isinstance(tensor, LeftOut):
                raise DataError(f"{self.model_files[0]}: '{name}' is an object of {tensor.name}, and no tensor")
            if not isinstance(tensor, Tensor) or name in found.weights:
                continue
            owner = owners.get((id(tensor.storage), tensor.offset, tensor.shape)) if tensor.count else None
            if owner is not None:
                found.weights[name], found.same[name] = found.weights[owner], owner
            else:
                found.weights[name] = Weight.of(tensor)
                owners[(id(tensor.storage), tensor.offset, tensor.shape)] = name


# ------------------------------------------------------------------------------------------------------ single files


def find_weights(path, root, found):
    """The dictionary of tensors in what a file holds."""
    if isinstance(root, LeftOut):
        raise DataError(f"{path}: is an object of {root.name}, whose code is not run: save its state_dict() in its place")
    if not isinstance(root, dict):
        raise DataError(f"{path}: holds no dictionary of tensors, but {type(root).__name__}: save a model's state_dict()")
    if root.get("param_shapes") is not None or isinstance(root.get("optimizer_state_dict"), dict) and "ds_version" in root:
        raise DataError(f"{path}: is one of the files of a checkpoint of DeepSpeed: give its folder")
    found.take_arguments(root)
    for name in ("model", "state_dict", "model_state_dict", "module", "weights", None):
        weights = root if name is None else root.get(name)
        if isinstance(weights, LeftOut):
            raise DataError(f"{path}: its '{name}' is an object of {weights.name}, whose code is not run: save its state_dict() in "
                            "its place")
        if is_dict_of_tensors(weights):
            break
    else:
        raise DataError(f"{path}: has no weights, neither by themselves nor under 'model', 'state_dict', 'model_state_dict' or "
                        "'module'")
    owners = {}
    for name, tensor in weights.items():
        if isinstance(tensor, LeftOut) and tensor.name.startswith("torch."):  # a weight that is not read
            raise DataError(f"{path}: '{name}' is an object of {tensor.name}, and no tensor")
        if not isinstance(tensor, Tensor):
            continue
        owner = owners.setdefault((id(tensor.storage), tensor.offset, tensor.shape), str(name)) if tensor.count else str(name)
        found.weights[str(name)] = found.weights[owner] if owner != name else Weight.of(tensor)
        if owner != name:
            found.same[str(name)] = owner


def read_bin_folder(folder):
    """pytorch_model.bin, or the files of its index, as zero_to_fp32 and transformers write them. None: there are none."""
    index = os.path.join(folder, "pytorch_model.bin.index.json")
    if os.path.isfile(index):
        try:
            with open(index, encoding="utf-8") as file:
                names = sorted(set(json.load(file)["weight_map"].values()))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise DataError(f"{index}: is no index of files of weights") from None
        for name in names:
            if not isinstance(name, str) or os.path.basename(name) != name:
                raise DataError(f"{index}: names a file that lies elsewhere")
        return [os.path.join(folder, name) for name in names]
    whole = os.path.join(folder, "pytorch_model.bin")
    return [whole] if os.path.isfile(whole) else None


def read(options):
    """All weights of what the command line names."""
    path = options.checkpoint
    if not os.path.exists(path):
        raise DataError(f"{path}: no such file or folder: give a folder of DeepSpeed's checkpoints, of one step, or a file of "
                        "torch.save")
    files = [path]
    if os.path.isdir(path):
        files = read_bin_folder(path) if options.tag is None else None
        if files is None:
            if os.path.isdir(os.path.join(path, "zero")) and "latest" not in members_of(path):
                raise DataError(f"{path}: is a universal checkpoint: give the one that it was made of")
            return Checkpoint(find_step(path, options.tag), options.leaves_out).find()
    elif options.tag is not None:
        raise UsageError(f"--tag {options.tag}: {path} is a file: give the folder of all steps")
    found = Found(f"{path}: {'a file' if os.path.isfile(path) else 'files'} of torch.save")
    for file in files:
        find_weights(file, load(file, options.leaves_out), found)
    config = os.path.join(os.path.dirname(files[0]), "config.json")
    if files != [path] and os.path.isfile(config):
        found.config = config
    return found


# ------------------------------------------------------------------------------------------------------------- GPT-2

MATRICES = ("attn.c_attn.weight", "attn.c_proj.weight", "mlp.c_fc.weight", "mlp.c_proj.weight")


def bare(name):
    """A name without what wrappers put before it."""
    while name.startswith(("module.", "_orig_mod.")):
        name = name.partition(".")[2]
    return name.replace("._orig_mod.", ".")


def remove_wrappers(found):
    weights, same = {}, {bare(k): bare(v) for k, v in found.same.items()}
    for name, weight in found.weights.items():
        if bare(name) in weights:
            raise DataError(f"{found.text}: two tensors would be '{bare(name)}'")
        weights[bare(name)] = weight
    if set(weights) != set(found.weights):
        found.notes.append("names are written without 'module.' and '_orig_mod.'")
    found.weights, found.same = weights, same


class Gpt2:
    """The weights under the names, and in the layout, that train_gpt2 reads."""

    def __init__(self, found, prefix):
        self.found = found
        self.weights, self.head = {}, None
        strangers = []
        for name, weight in found.weights.items():
            if name.startswith(prefix) and not name[len(prefix):].startswith("lm_head."):
                self.weights[name[len(prefix):]] = weight
            elif name.endswith("lm_head.weight"):
                self.head = name
            else:
                strangers.append(name)
        for name in list(self.weights):
            if name.endswith((".attn.bias", ".attn.masked_bias")):
                del self.weights[name]
        self.embedding = prefix + "wte.weight"
        width = self._shape("wte.weight", 2)[1]
        self.vocabulary, self.width, self.context = self.weights["wte.weight"].shape[0], width, self._shape("wpe.weight", 2)[0]
        layers = {int(m[1]) for m in (re.match(r"h\.(\d+)\.", name) for name in self.weights) if m}
        self.layers = len(layers)
        if layers != set(range(self.layers)):
            raise DataError(f"{found.text}: has {self.layers} blocks, but they are not numbered from 0 on")
        expected = self._expected()
        strangers += [name for name in self.weights if name not in expected]
        if strangers:
            raise DataError(f"{found.text}: looks like GPT-2, but has '{strangers[0]}'" +
                            (f" and {len(strangers) - 1} more" if len(strangers) > 1 else "") + ", which GPT-2 has not got")
        self._take_layout()
        self._add_biases(expected)
        self._drop_head()
        for name, shape in expected.items():
            if self.weights[name].shape != shape:
                raise DataError(f"{found.text}: '{name}' is {list(self.weights[name].shape)}, but a GPT-2 of width {width} has "
                                f"{list(shape)}")
        self.ordered = {"transformer." + name: self.weights[name] for name in expected}

    def _shape(self, name, dimensions):
        if name not in self.weights or len(self.weights[name].shape) != dimensions:
            raise DataError(f"{self.found.text}: has no '{name}', or none of {dimensions} dimensions")
        return self.weights[name].shape

    def _expected(self):
        w = self.width
        expected = {"wte.weight": (self.vocabulary, w), "wpe.weight": (self.context, w)}
        for layer in range(self.layers):
            for name, shape in (("ln_1.weight", (w,)), ("ln_1.bias", (w,)), ("attn.c_attn.weight", (w, 3 * w)),
                                ("attn.c_attn.bias", (3 * w,)), ("attn.c_proj.weight", (w, w)), ("attn.c_proj.bias", (w,)),
                                ("ln_2.weight", (w,)), ("ln_2.bias", (w,)), ("mlp.c_fc.weight", (w, 4 * w)),
                                ("mlp.c_fc.bias", (4 * w,)), ("mlp.c_proj.weight", (4 * w, w)), ("mlp.c_proj.bias", (w,))):
                expected[f"h.{layer}.{name}"] = shape
        return {**expected, "ln_f.weight": (w,), "ln_f.bias": (w,)}

    def _take_layout(self):
        """Conv1D keeps [inputs, outputs], nn.Linear [outputs, inputs]; attn.c_proj is square, and does not say which."""
        w, linear = self.width, set()
        for layer in range(self.layers):
            name = f"h.{layer}.attn.c_attn.weight"
            shape = self._shape(name, 2)
            if shape not in ((w, 3 * w), (3 * w, w)):
                raise DataError(f"{self.found.text}: '{name}' is {list(shape)}: neither Hugging Face's layout, {[w, 3 * w]}, nor "
                                f"nanoGPT's, {[3 * w, w]}")
            linear.add(shape == (3 * w, w))
        if len(linear) != 1:
            raise DataError(f"{self.found.text}: some blocks have Hugging Face's layout, and some nanoGPT's")
        if linear.pop():
            for layer in range(self.layers):
                for name in MATRICES:
                    if f"h.{layer}.{name}" in self.weights:
                        self._shape(f"h.{layer}.{name}", 2)
                        self.weights[f"h.{layer}.{name}"].transpose()
            self.found.notes.append("matrices lie as in nanoGPT's nn.Linear: they are transposed")
            self.found.notes.append("train_gpt2 computes GELU by tanh; nanoGPT does so where its GELU has approximate='tanh'")

    def _add_biases(self, expected):
        missing = [name for name in expected if name not in self.weights]
        biases = [name for name in expected if name.endswith(".bias")]
        if not missing:
            return
        if missing != biases:
            raise DataError(f"{self.found.text}: lacks '{missing[0]}'" +
                            (f" and {len(missing) - 1} more" if len(missing) > 1 else ""))
        for name in biases:
            self.weights[name] = Zeros(expected[name])
        self.found.notes.append("it has no biases: they are written as zeros, with which it computes the same; train_gpt2 trains "
                                "them, too")

    def _drop_head(self):
        if self.head is None or self.found.same.get(self.head) == self.embedding or (
                self.found.same.get(self.embedding) == self.head):
            return
        head = self.found.weights[self.head]
        if head.shape != self.weights["wte.weight"].shape or head.read() != self.weights["wte.weight"].read():
            raise DataError(f"{self.found.text}: '{self.head}' is not the token embedding: the head of train_gpt2's model is tied to "
                            "it")

    def config(self, heads):
        return json.dumps({"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "activation_function": "gelu_new",
                           "vocab_size": self.vocabulary, "n_positions": self.context, "n_embd": self.width,
                           "n_layer": self.layers, "n_head": heads, "layer_norm_epsilon": 1e-05,
                           "tie_word_embeddings": True, "torch_dtype": "float32"}, indent=2) + "\n"


class Zeros(Weight):
    def __init__(self, shape):
        super().__init__(shape, [])

    def read(self):
        return bytes(4 * self.count)


def gpt2_prefix(weights):
    """What stands before 'wte.weight' in the names of a GPT-2. None: it is another model."""
    for name in weights:
        if name == "wte.weight" or name.endswith(".wte.weight"):
            prefix = name[:-len("wte.weight")]
            if prefix + "wpe.weight" in weights and prefix + "h.0.attn.c_attn.weight" in weights:
                return prefix
    return None


# ------------------------------------------------------------------------------------------------------------ writing


def write_file(path, parts):
    """Takes the place of what is there once all bytes are on the disk."""
    place = os.path.realpath(path)
    beside = os.path.join(os.path.dirname(place), f".{os.path.basename(place)[:100]}.{secrets.token_hex(4)}.part")
    try:
        file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o666)
        try:
            with os.fdopen(file, "wb") as stream:
                for part in parts:
                    stream.write(part)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(beside, place)
        except BaseException:
            os.unlink(beside)
            raise
    except OSError as error:
        raise Failure(f"{path}: could not be written: {error.strerror or error}; what was there is as it was") from None


def safetensors_parts(weights):
    """The bytes of a safetensors file, one tensor after the other."""
    sizes = {"I64": 8, "I32": 4, "I16": 2, "F32": 4}
    header, place = {"__metadata__": {"format": "pt"}}, 0
    for name, weight in weights.items():
        end = place + weight.count * sizes.get(weight.kind, 1)
        header[name] = {"dtype": weight.kind, "shape": list(weight.shape), "data_offsets": [place, end]}
        place = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    yield struct.pack("<Q", len(text)) + text
    for name, weight in weights.items():
        values = weight.read()
        if len(values) != header[name]["data_offsets"][1] - header[name]["data_offsets"][0]:
            raise Damaged(f"'{name}' has another number of bytes than its shape says")
        yield values


def convert(options):
    is_file = options.output.lower().endswith(".safetensors")
    target = options.output if is_file else os.path.join(options.output, "model.safetensors")
    check_output(options, is_file, target)
    found = _guarded(options.checkpoint, lambda: read(options))
    remove_wrappers(found)
    if not found.weights:
        raise DataError(f"{found.text}: has no weights")
    prefix, config, weights = gpt2_prefix(found.weights), None, found.weights
    if prefix is not None:
        model = Gpt2(found, prefix)
        weights = model.ordered
        what = f"GPT-2 of {model.layers} layers, width {model.width}, context {model.context}, vocabulary {model.vocabulary}"
        heads = options.heads or found.heads
        if heads and model.width % heads != 0:
            raise UsageError(f"--heads {heads}: does not divide the width {model.width}") if options.heads else DataError(
                f"{found.text}: {heads} heads do not divide the width {model.width}: give --heads")
        if heads is None and found.config is None and not is_file:
            usual = f"; GPT-2's own models of this width have {model.width // 64}" if model.width % 64 == 0 else ""
            raise UsageError(f"--heads: is missing: nothing in {options.checkpoint} says how many heads share the width "
                             f"{model.width}{usual}")
        if not is_file:
            config = model.config(heads) if heads else _text_of(found.config)
    else:
        if options.heads:
            raise UsageError(f"--heads {options.heads}: {options.checkpoint} is no GPT-2: leave the option out")
        what = "no GPT-2: tensors keep their names and shapes"
        weights = {name: weight for name, weight in weights.items() if name not in found.same}
        for name, owner in sorted(found.same.items()):
            found.notes.append(f"'{name}' is '{owner}', which is written once")
    if not is_file:
        _make_folder(options.output)
    if config is not None:
        write_file(os.path.join(options.output, "config.json"), [config.encode()])
    write_file(target, safetensors_parts(weights))
    say(f"read {found.text}\nmodel: {what}\n")
    for note in found.notes:
        say(f"note: {note}\n")
    say("left out: the optimizer's moments, the learning rate's schedule, the loss scale and the step: a run starts with new ones\n")
    say(f"wrote {target}: {len(weights)} tensors, {sum(w.count for w in weights.values()):,} elements\n")
    if prefix is not None:
        say(f"start from it: train_gpt2 --init-from {options.output}" + (" --heads N" if is_file else "") + "\n")


def _text_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def _make_folder(path):
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise Failure(f"{path}: cannot be made: {error.strerror}") from None


def check_output(options, is_file, target):
    """Refuses a place that cannot be written, before anything is read."""
    if is_file and os.path.isdir(options.output):
        raise UsageError(f"{options.output}: is a folder: name a file in it")
    if not is_file and os.path.exists(options.output) and not os.path.isdir(options.output):
        raise UsageError(f"{options.output}: is a file: name a folder, or a file that ends in .safetensors")
    if is_file and not os.path.isdir(os.path.dirname(os.path.realpath(options.output))):
        raise UsageError(f"{options.output}: cannot be written: its folder does not exist")
    kept = [target] + ([] if is_file else [os.path.join(options.output, "config.json")])
    for path in kept:
        if os.path.exists(path) and not options.overwrite:
            raise UsageError(f"{path}: is there already: name another place, or give --overwrite")
    if not is_file and os.path.exists(os.path.join(options.output, "model.safetensors.index.json")):
        raise UsageError(f"{options.output}: has an index of a model in several files: name another folder")


# ------------------------------------------------------------------------------------------------------ the command line


class Options:
    checkpoint = output = tag = heads = None
    leaves_out = overwrite = help = version = False


OPTIONS = (
    ("--tag", "tag", "NAME", "the step, such as global_step20 (default: the one that the file 'latest' names)"),
    ("--heads", "heads", "N", "heads of a GPT-2, which weights do not say (default: those that nanoGPT keeps beside them, or of a "
     "config.json beside pytorch_model.bin)"),
    ("--leave-out-objects", "leaves_out", None, "read a file although it holds objects of unknown classes: they are left out, and no "
     "code is run (default: off)"),
    ("--overwrite", "overwrite", None, "replace a model of this name (default: off)"),
)
OTHER_NAMES = {"t": "--tag", "step": "--tag", "n-head": "--heads", "num-heads": "--heads", "force": "--overwrite", "checkpoint-dir":
               "the checkpoint without an option's name", "output-dir": "the output without an option's name", "safe-serialization":
               "no option: safetensors are what it writes", "max-shard-size": "no option: it writes one file"}


def help_text():
    def wrapped(head, text, column=26):
        lines = textwrap.wrap(text, 80 - column, break_long_words=False, break_on_hyphens=False)
        indent = "\n" + " " * column
        return (head.ljust(column) if len(head) < column else head + indent) + indent.join(lines) + "\n"
    text = "usage: zero-from-deepspeed CHECKPOINT OUT [OPTION...]\n\n"
    text += textwrap.fill("Writes the fp32 weights of a DeepSpeed checkpoint, of stages 0 to 3 of ZeRO and any number of ranks, or of a "
                          "file of torch.save, as safetensors, without running code that the files name. CHECKPOINT is a folder of "
                          "checkpoints, the folder of one step, a folder with pytorch_model.bin, or a .pt or .bin file. OUT is a "
                          "folder, or a file that ends in .safetensors. A GPT-2 becomes what train_gpt2 --init-from takes.", 80,
                          break_on_hyphens=False)
    text += "\n\nwhat is read and written:\n"
    for name, _, value, what in OPTIONS:
        text += wrapped(f"  {name}" + (f" {value}" if value else ""), what)
    text += "\nthis program:\n" + wrapped("  -h, --help", "say this, and end")
    text += wrapped("  --version", "say what it was built with, and end")
    return text + ("\nexit codes:\n  0 done\n  1 failed on the way: out of memory, a full disk\n  2 a command line that cannot be run\n"
                   "  4 an input that is missing, or is not what it should be\n  5 a damaged checkpoint or file of tensors\n")


def parse(arguments):
    options, words, given, places = Options(), list(arguments), set(), []
    before = words[:words.index("--")] if "--" in words else words
    options.help, options.version = "--help" in before or "-h" in before, "--version" in before
    if options.help or options.version:
        return options
    known = {name: (member, value) for name, member, value, _ in OPTIONS}
    only_places = False
    while words:
        word = words.pop(0)
        if only_places or not word.startswith("-") or word == "-":
            places.append(word)
            continue
        if word == "--":
            only_places = True
            continue
        name, equals, value = word.partition("=")
        if name not in known:
            raise UsageError(f"{name}: unknown option; {suggestion(name, known)}")
        if name in given:
            raise UsageError(f"{name}: is given twice: leave one of them out")
        given.add(name)
        member, wanted = known[name]
        if wanted is None:
            if equals:
                raise UsageError(f"{name}: takes no value")
            value = True
        elif not equals:
            value = words.pop(0) if words and not words[0].startswith("--") else ""
        if wanted and not value:
            raise UsageError(f"{name}: needs a value: {name} {wanted}")
        if name == "--heads":
            if not re.fullmatch(r"[1-9][0-9]{0,5}", value):
                raise UsageError(f"--heads {value}: give a whole number above 0")
            value = int(value)
        setattr(options, member, value)
    if len(places) != 2:
        raise UsageError(("names no checkpoint" if not places else "names no output" if len(places) == 1 else
                          f"{places[2]}: one word too many") + ": zero-from-deepspeed CHECKPOINT OUT; --help says what they may be")
    options.checkpoint, options.output = places
    return options


def suggestion(name, known):
    bare_name = name.lstrip("-").replace("_", "-").lower()
    if "--" + bare_name in known:
        return f"did you mean --{bare_name}? --help lists them"
    if bare_name in OTHER_NAMES:
        return f"write {OTHER_NAMES[bare_name]}"
    return "--help lists them all"


def say(text):
    sys.stdout.write(text)


def fail(what, code):
    # A name in a file may hold anything.
    line = "".join(c if c.isprintable() else "?" for c in what.encode("utf-8", "replace").decode())
    print(f"zero-from-deepspeed: {line}", file=sys.stderr)
    return code


def main(arguments):
    try:
        options = parse(arguments)
        if options.help or options.version:
            version = VERSION if "@" not in VERSION else "(of a source tree)"
            say(help_text() if options.help else
                f"zero-from-deepspeed of zero {version}\nPython: {'.'.join(map(str, sys.version_info[:3]))}\n")
        else:
            convert(options)
        sys.stdout.flush()
        return DONE
    except Failure as failure:
        return fail(str(failure), failure.code)
    except MemoryError:
        return fail("out of memory", FAILED)
    except BrokenPipeError:
        sys.stderr.close()
        return FAILED
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.exit(main(sys.argv[1:]))
