# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What from_deepspeed.py reads, writes and refuses, with files that this test writes: Python's standard library alone."""
import contextlib
import io
import json
import math
import os
import random
import re
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import zipfile
from collections import OrderedDict

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import from_deepspeed  # noqa: E402
from checkpoints import gpt2, read_safetensors, size, tensors_of, transposed, write_deepspeed  # noqa: E402
from torch_file import Call, Named, Storage, Tensor, fp32, save, save_legacy, tensor  # noqa: E402

MATRICES = ("c_attn.weight", "c_proj.weight", "c_fc.weight")


def written(model):
    """What the file for train_gpt2 must hold of a model whose matrices lie as nn.Linear has them."""
    return {name: transposed(p) if name.endswith(MATRICES) else p for name, p in model.items() if name != "lm_head.weight"}


class FolderTest(unittest.TestCase):
    """Each test has a folder of its own, which it stands in."""

    def setUp(self):
        self._folder = tempfile.TemporaryDirectory()
        self.addCleanup(self._folder.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self._folder.name)

    def program(self, *arguments):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = from_deepspeed.main(list(arguments))
        return code, out.getvalue(), err.getvalue()

    def converted(self, *arguments):
        """The tensors of the model that is written, and what the program says."""
        code, out, err = self.program(*arguments)
        self.assertEqual((code, err), (0, ""))
        self.assertIn("left out: the optimizer's moments", out)
        place = arguments[1]
        return read_safetensors(place if place.endswith(".safetensors") else os.path.join(place, "model.safetensors")), out

    def refused(self, code, words, *arguments):
        """One line that has these words, the exit code, and nothing written."""
        got, out, err = self.program(*(arguments or ("ds", "out")))
        self.assertEqual((got, out, err.count("\n")), (code, "", 1), err)
        self.assertTrue(err.startswith("zero-from-deepspeed: "), err)
        self.assertIn(words, err)
        self.assertFalse(os.path.exists("out"), err)
        self.assertFalse(any(name.endswith(".part") for name in os.listdir(".")))


class Checkpoints(FolderTest):
    def test_every_stage_and_world_gives_the_weights(self):
        model = gpt2(prefix="module.transformer.", head=False)
        wanted = {name.replace("module.", ""): p for name, p in written(model).items()}
        for stage in range(4):
            for world in (1, 2, 3, 5) if stage else (1,):
                with self.subTest(stage=stage, world=world):
                    write_deepspeed(f"ds{stage}{world}", model, stage, world)
                    found, out = self.converted(f"ds{stage}{world}", f"out{stage}{world}", "--heads", "2")
                    self.assertEqual(found, wanted)
                    self.assertIn(f"ZeRO stage {stage}, {world} rank", out)
                    self.assertIn("step 3, DeepSpeed 0.0.1", out)
                    self.assertIn("without 'module.'", out)

    def test_frozen_and_tied_parameters_are_there(self):
        model = gpt2()
        for stage in (1, 2, 3):
            for world in (1, 2, 3):
                with self.subTest(stage=stage, world=world):
                    folder = write_deepspeed(f"ds{stage}{world}", model, stage, world,
                                             frozen=("transformer.wpe.weight", "transformer.h.1.ln_1.bias"),
                                             tied={"lm_head.weight": "transformer.wte.weight"})
                    found, _ = self.converted(folder, f"out{stage}{world}", "--heads", "2")
                    self.assertEqual(found, written(model))

    def test_masters_are_read_and_not_the_rounded_weights(self):
        model = OrderedDict(a=((3, 3), fp32(0.1 * i for i in range(9))))
        for stage in (1, 2, 3):
            found, _ = self.converted(write_deepspeed(f"ds{stage}", model, stage, 2), f"out{stage}.safetensors")
            self.assertEqual(found, dict(model))
        found, out = self.converted(write_deepspeed("ds0", model, 0, 1), "out0.safetensors")
        self.assertNotEqual(found, dict(model))
        self.assertIn("weights are those of 16 bits", out)

    def test_tied_parameters_of_another_model_are_written_once(self):
        model = OrderedDict([("a", ((2, 3), [1.0] * 6)), ("b", ((2, 3), [1.0] * 6)), ("c", ((3,), [2.0] * 3))])
        for stage in (1, 2, 3):
            found, out = self.converted(write_deepspeed(f"ds{stage}", model, stage, 2, tied={"b": "a"}), f"o{stage}.safetensors")
            self.assertEqual(set(found), {"a", "c"})
            self.assertIn("'b' is 'a'", out)

    def test_tied_parameters_that_share_memory_need_not_be_said(self):
        values = fp32([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
        model = OrderedDict([("a", ((2, 3), values)), ("b", ((2, 3), values))])
        found, out = self.converted(write_deepspeed("ds", model, 2, 2, tied={"b": "a"}, says_tied=False), "out.safetensors")
        self.assertEqual(found, {"a": model["a"]})
        self.assertIn("'b' is 'a'", out)

    def test_a_step_is_named_by_latest_by_tag_or_by_its_folder(self):
        first, second = (OrderedDict(a=((4, 2), [float(n)] * 8)) for n in (1, 2))
        write_deepspeed("ds", first, 2, 2, tag="global_step1")
        write_deepspeed("ds", second, 2, 2, tag="global_step2")
        for what, wanted in ((["ds"], second), (["ds", "--tag", "global_step1"], first), (["ds/global_step1"], first)):
            found, _ = self.converted(what[0], "out.safetensors", "--overwrite", *what[1:])
            self.assertEqual(found, dict(wanted))

    def test_bf16_optimizers_files_need_no_stage(self):
        model = OrderedDict(a=((4, 2), [float(n) for n in range(8)]))
        write_deepspeed("ds", model, 1, 2)
        for rank in range(2):
            name = f"zero_pp_rank_{rank}_mp_rank_00_optim_states.pt"
            save(f"ds/global_step3/bf16_{name}", {"optimizer_state_dict": {
                "single_partition_of_fp32_groups": [tensor(model["a"][1][4 * rank:4 * rank + 4])], "partition_count": [2]}})
            os.remove(f"ds/global_step3/{name}")
        found, out = self.converted("ds", "out.safetensors")
        self.assertEqual(found, dict(model))
        self.assertIn("DeepSpeed's optimizer for bf16, laid out as stage 1, 2 ranks", out)

    def test_paddings_between_parameters_are_left_out(self):
        model = OrderedDict([("a", ((3, 1), [1.0, 2.0, 3.0])), ("b", ((1, 2), [4.0, 5.0]))])
        padded = {"single_partition_of_fp32_groups": [tensor([1.0, 2.0, 3.0, 0.0, 4.0, 5.0])], "param_alignment_paddings": [[1, 0]]}
        write_deepspeed("ds", model, 2, 1, optimizer_0=padded)
        found, _ = self.converted("ds", "out.safetensors")
        self.assertEqual(found, dict(model))
        write_deepspeed("ds", model, 2, 1, optimizer_0={**padded, "param_alignment_paddings": [[1]]})
        self.refused(4, "paddings of other parameters")


class RefusedCheckpoints(FolderTest):
    def setUp(self):
        super().setUp()
        self.model = gpt2(head=False)

    def write(self, stage=2, world=2, **more):
        write_deepspeed("ds", self.model, stage, world, **more)
        return "ds/global_step3/"

    def test_without_latest_the_steps_are_named(self):
        self.write(latest=False)
        self.refused(4, "ds: has no file 'latest', which names the newest step: give the folder of a step, such as ds/global_step3")

    def test_a_latest_that_names_nothing(self):
        self.write()
        for text in ("global_step9", "", "../ds/global_step3"):
            with open("ds/latest", "w", encoding="utf-8") as file:
                file.write(text)
            self.refused(4, f"ds/latest: names '{text}', which is not there: give the folder of a step, such as ds/global_step3")
        self.refused(4, "--tag step: ds has no such step", "ds", "out", "--tag", "step")

    def test_no_checkpoint(self):
        os.mkdir("ds")
        self.refused(4, "no checkpoint of DeepSpeed")
        self.refused(4, "no such file or folder", "missing", "out")
        os.mkdir("ds/zero")
        self.refused(4, "is a universal checkpoint")

    def test_a_missing_rank(self):
        for stage in (1, 2, 3):
            step = self.write(stage, 3)
            os.remove(step + "zero_pp_rank_1_mp_rank_00_optim_states.pt")
            self.refused(4, "is of 3 ranks, says zero_pp_rank_0_mp_rank_00_optim_states.pt, but has no file *_optim_states.pt of rank 1")
            shutil.rmtree("ds")
        step = self.write(3, 3)
        os.remove(step + "zero_pp_rank_2_mp_rank_00_model_states.pt")
        self.refused(4, "but has no file *_model_states.pt of rank 2: 2 of 3 are there")

    def test_a_rank_too_many(self):
        self.write(2, 3)
        self.write(2, 2)
        self.refused(4, "but has zero_pp_rank_2_mp_rank_00_optim_states.pt: files of two runs lie in one folder")

    def test_another_world_than_the_files_say(self):
        self.write(2, 2, model_0={"dp_world_size": 4})
        self.refused(4, "mp_rank_00_model_states.pt is of 4 ranks, but zero_pp_rank_0_mp_rank_00_optim_states.pt of 2")
        self.write(2, 2, optimizer_1={"partition_count": [3, 3]})
        self.refused(4, "is of stage 2 and 3 ranks, but zero_pp_rank_0_mp_rank_00_optim_states.pt of stage 2 and 2")
        self.write(2, 2, optimizer_1={"zero_stage": 1})
        self.refused(4, "is of stage 1 and 2 ranks")
        self.write(2, 2, optimizer_0={"partition_count": [2, 1]})
        self.refused(4, "has groups of 1 and 2 ranks, as experts have")
        self.write(2, 2, optimizer_0={"partition_count": None})
        self.refused(4, "does not say how many ranks there were")
        self.write(2, 2, optimizer_0={"zero_stage": 7})
        self.refused(4, "does not say its stage")

    def test_shapes_that_are_not_those_of_the_weights(self):
        shapes = [OrderedDict((n, size(s)) for n, (s, _) in self.model.items() if (len(s) > 1) == matrices) for matrices in (True, False)]
        shapes[0]["more"] = size((50, 2))
        for stage, words in ((2, "fewer elements than the shapes"), (3, "fewer elements than the shapes")):
            self.write(stage, 2, model_0={"param_shapes": shapes})
            self.refused(4, words)
            shutil.rmtree("ds")
        for name in list(shapes[0])[-3:]:
            del shapes[0][name]
        for stage, words in ((2, "fp32 weights, but the shapes of its parameters make"), (3, "but the shapes of the parameters make")):
            self.write(stage, 2, model_0={"param_shapes": shapes})
            self.refused(4, words)
            shutil.rmtree("ds")
        self.write(2, 2, model_0={"param_shapes": shapes[:1]})
        self.refused(4, "has weights of 2 groups, and shapes of 1")
        self.write(2, 2, model_0={"param_shapes": "none"})
        self.refused(4, "does not say the shapes of its parameters")

    def test_parts_that_are_not_there(self):
        self.write(3, 2, optimizer_1={"fp32_flat_groups": None})
        self.refused(4, "the optimizer's file of rank 1 has no fp32 weights under 'fp32_flat_groups': they were offloaded to NVMe")
        self.write(3, 2, optimizer_1={"fp32_flat_groups": [tensor([1.0, 2.0])]})
        self.refused(4, "different numbers of groups")
        self.write(3, 2, frozen=("transformer.wpe.weight",), model_1={"frozen_param_fragments": {}})
        self.refused(4, "has not got its part of the frozen parameter 'transformer.wpe.weight'")
        shutil.rmtree("ds")
        step = self.write(2, 1, frozen=("transformer.wpe.weight",), model_0={"frozen_param_fragments": {}})
        self.refused(4, "has not got the frozen parameter 'transformer.wpe.weight' whole")
        os.remove(step + "zero_pp_rank_0_mp_rank_00_optim_states.pt")
        self.refused(4, "has no file *_optim_states.pt, in which ZeRO keeps the fp32 weights")
        os.rename(step + "mp_rank_00_model_states.pt", step + "zero_pp_rank_0_mp_rank_00_optim_states.pt")
        self.refused(4, "has no file mp_rank_00_model_states.pt")

    def test_what_is_of_another_type(self):
        for more in ({"frozen_param_shapes": [1]}, {"shared_params": {"a": []}}, {"param_shapes": [{"a": [1.5]}]}, {"module": 1}):
            self.write(2, 1, model_0=more)
            code, _, err = self.program("ds", "out", "--heads", "2")
            self.assertEqual((err.count("\n"), os.path.exists("out")), (1, False), err)
            self.assertIn(code, (4, 5))

    def test_files_of_two_saves(self):
        self.write(3, 2, model_1={"global_steps": 2})
        self.refused(4, "has files of the steps 2 and 3")

    def test_other_kinds_of_parallelism(self):
        step = self.write()
        save(step + "mp_rank_01_model_states.pt", {})
        self.refused(4, "of a run with tensor or model parallelism")
        os.remove(step + "mp_rank_01_model_states.pt")
        for name in ("layer_00-model_00-model_states.pt", "expert_0_mp_rank_00_model_states.pt", "expp_rank_0_mp_rank_00_optim_states.pt"):
            save(step + name, {})
            self.refused(4, f"has {name}, of a pipeline or of experts")
            os.remove(step + name)
        self.write(model_0={"mp_world_size": 2})
        self.refused(4, "is of 2 ranks of model parallelism")

    def test_a_file_that_is_cut_off_anywhere(self):
        step = self.write(2, 2)
        for name in ("mp_rank_00_model_states.pt", "zero_pp_rank_1_mp_rank_00_optim_states.pt"):
            with open(step + name, "rb") as file:
                data = file.read()
            for length in [0, 1, 4, 30, len(data) // 2, len(data) - 1]:
                with open(step + name, "wb") as file:
                    file.write(data[:length])
                code, _, err = self.program("ds", "out", "--heads", "2")
                self.assertEqual(err.count("\n"), 1, err)
                self.assertIn(name, err)
                self.assertIn(code, (4, 5) if 0 < length < 4 else (5,), f"{length}: {err}")
                self.assertFalse(os.path.exists("out"))
            with open(step + name, "wb") as file:
                file.write(data)

    def test_an_older_file_that_is_cut_off_anywhere(self):
        save_legacy("w.pt", tensors_of(gpt2()))
        with open("w.pt", "rb") as file:
            data = file.read()
        for length in (2, 14, 100, len(data) // 2, len(data) - 1):
            with open("w.pt", "wb") as file:
                file.write(data[:length])
            self.refused(5, "w.pt: is cut off", "w.pt", "out", "--heads", "2")

    def test_a_changed_bit_of_weights_is_found(self):
        step = self.write(2, 1)
        path = step + "zero_pp_rank_0_mp_rank_00_optim_states.pt"
        with open(path, "rb") as file:
            data = bytearray(file.read())
        data[data.index(struct.pack("<3f", 5.0, 6.0, 7.0))] ^= 1
        with open(path, "wb") as file:
            file.write(data)
        code, out, err = self.program("ds", "out", "--heads", "2")
        self.assertEqual((code, out), (5, ""))
        self.assertIn("is damaged: the checksum of a tensor is another one", err)
        self.assertEqual([n for n in os.listdir("out") if n.endswith((".safetensors", ".part"))], [])

    def test_no_damage_gives_more_than_a_line(self):
        step = self.write(2, 1)
        path = step + "mp_rank_00_model_states.pt"
        with open(path, "rb") as file:
            good = file.read()
        draw = random.Random(5)
        for _ in range(300):
            data = bytearray(good)
            for _ in range(draw.randint(1, 4)):
                data[draw.randrange(len(data))] = draw.randrange(256)
            with open(path, "wb") as file:
                file.write(data)
            code, _, err = self.program("ds", "o/", "--heads", "2", "--overwrite")
            self.assertIn(code, (0, 4, 5), err)
            self.assertEqual(err.count("\n"), 0 if code == 0 else 1, err)


class Pickles(FolderTest):
    def test_no_code_of_a_file_is_run(self):
        for function, arguments in ((Named("posix", "system"), ("touch ran",)), (Named("builtins", "eval"), ("open('ran', 'w')",)),
                                    (Named("subprocess", "Popen"), (["touch", "ran"],)), (Named("builtins", "getattr"), (1, "real"))):
            with self.subTest(function.name):
                full = f"{function.module}.{function.name}"
                for write in (save, save_legacy):
                    write("w.pt", {"a": tensor([1.0]), "more": Call(function, *arguments)})
                    self.refused(4, f"w.pt: holds an object of '{full}', and reading it would run code", "w.pt", "out")
                    found, _ = self.converted("w.pt", "out.safetensors", "--leave-out-objects", "--overwrite")
                    self.assertEqual(found, {"a": ((1,), [1.0])})
                    self.assertFalse(os.path.exists("ran"))

    def test_objects_that_scripts_keep_beside_weights_are_left_out(self):
        save("w.pt", {"a": tensor([1.0]), "args": Call(Named("argparse", "Namespace")), "t": [Call(Named("torch", "device"), "cpu")],
                      "l": Call(Named("deepspeed.runtime.fp16.loss_scaler", "LossScaler"), 1.0)})
        found, _ = self.converted("w.pt", "out.safetensors")
        self.assertEqual(list(found), ["a"])

    def test_a_model_in_place_of_its_weights(self):
        save("w.pt", Call(Named("torch.nn.modules.linear", "Linear")))
        self.refused(4, "w.pt: is an object of torch.nn.modules.linear.Linear, whose code is not run: save its state_dict()", "w.pt", "out")
        save("w.pt", {"model": Call(Named("mine", "Model"))})
        self.refused(4, "its 'model' is an object of mine.Model", "w.pt", "out", "--leave-out-objects")
        save("w.pt", {"a": tensor([1.0]), "b": Call(Named("torch.nn.parameter", "Buffer"))})
        self.refused(4, "'b' is an object of torch.nn.parameter.Buffer, and no tensor", "w.pt", "out")

    def test_what_a_pickle_may_not_change(self):
        for bad in (Call(Named("collections", "OrderedDict"), 5), Call(Named("torch._utils", "_rebuild_tensor_v2"), 1, 2, (3,), (4,)),
                    Call(Named("torch._tensor", "_rebuild_from_type_v2"), 1, 2, 3, 4)):
            save("w.pt", {"a": tensor([1.0]), "b": bad})
            self.refused(5, "w.pt: is cut off or damaged", "w.pt", "out")
        save("w.pt", {"a": Tensor(Storage([1.0, 2.0]), (3,))})
        self.refused(5, "a tensor is larger than its storage", "w.pt", "out")
        save("w.pt", {"a": Tensor(Storage([1.0, 2.0]), (2,), offset=1)})
        self.refused(5, "a tensor is larger than its storage", "w.pt", "out")

    def test_files_of_others(self):
        for name, data, code, words in (("a.pt", b"", 5, "is empty"), ("b.pt", b"hello", 4, "is no file of torch.save"),
                                        ("c.pt", b"\x80\x02K\x01.", 4, "is a pickle, but no file of torch.save")):
            with open(name, "wb") as file:
                file.write(data)
            self.refused(code, words, name, "out")
        with zipfile.ZipFile("d.pt", "w") as archive:
            archive.writestr("a", "b")
        self.refused(4, "is a zip file, but none of torch.save", "d.pt", "out")
        save("e.pt", {"epoch": 3})
        self.refused(4, "has no weights", "e.pt", "out")
        save("f.pt", [1])
        self.refused(4, "holds no dictionary of tensors, but list", "f.pt", "out")
        write_deepspeed("ds", OrderedDict(a=((2, 2), [1.0] * 4)), 2, 1)
        for name in ("mp_rank_00_model_states.pt", "zero_pp_rank_0_mp_rank_00_optim_states.pt"):
            code, _, err = self.program(f"ds/global_step3/{name}", "out")
            self.assertEqual(code, 4, err)


class Files(FolderTest):
    def test_nanogpts_file_gives_the_whole_folder(self):
        model = gpt2(prefix="_orig_mod.transformer.")
        model["_orig_mod.lm_head.weight"] = model.pop("lm_head.weight")
        model = {name.replace(".h.0.", ".h.0._orig_mod."): p for name, p in model.items()}  # a block that was compiled itself
        save("ckpt.pt", {"model": tensors_of(model), "optimizer": {"state": {}}, "model_args": {"n_head": 2}, "iter_num": 5})
        found, out = self.converted("ckpt.pt", "out")
        self.assertEqual(found, {n: p for n, p in written(gpt2()).items()})
        self.assertIn("they are transposed", out)
        self.assertIn("approximate='tanh'", out)
        self.assertIn("train_gpt2 --init-from out\n", out)
        with open("out/config.json", encoding="utf-8") as file:
            config = json.load(file)
        self.assertEqual([config[n] for n in ("n_layer", "n_head", "n_embd", "n_positions", "vocab_size")], [2, 2, 4, 3, 6])

    def test_hugging_faces_layout_is_written_as_it_is(self):
        model = gpt2(linear=False)
        for write in (save, save_legacy):
            os.makedirs("hf", exist_ok=True)
            write("hf/pytorch_model.bin", tensors_of(model))
            with open("hf/config.json", "w", encoding="utf-8") as file:
                file.write('{"n_head": 2, "model_type": "gpt2"}')
            found, out = self.converted("hf", "out", "--overwrite")
            self.assertEqual(found, {n: p for n, p in model.items() if n != "lm_head.weight"})
            self.assertNotIn("transposed", out)
            with open("out/config.json", encoding="utf-8") as file:
                self.assertEqual(json.load(file)["n_head"], 2)

    def test_files_of_an_index_are_one_model(self):
        model = tensors_of(gpt2(linear=False, head=False))
        names = list(model)
        os.mkdir("hf")
        index = {"weight_map": {}}
        for i, part in enumerate((names[:9], names[9:])):
            save(f"hf/p{i}.bin", OrderedDict((n, model[n]) for n in part))
            index["weight_map"].update({n: f"p{i}.bin" for n in part})
        with open("hf/pytorch_model.bin.index.json", "w", encoding="utf-8") as file:
            json.dump(index, file)
        found, _ = self.converted("hf", "made", "--heads", "2")
        self.assertEqual(set(found), set(names))
        os.remove("hf/p1.bin")
        self.refused(4, "hf/p1.bin: no such file", "hf", "out")

    def test_a_model_without_biases_has_zeros(self):
        model = gpt2(bias=False)
        save("w.pt", tensors_of(model))
        found, out = self.converted("w.pt", "out.safetensors")
        wanted = written(model)
        self.assertEqual({n: p for n, p in found.items() if n in wanted}, wanted)
        added = {n: p for n, p in found.items() if n not in wanted}
        self.assertEqual(set(added), {n for n in written(gpt2()) if n.endswith(".bias")})
        self.assertTrue(all(set(values) == {0.0} for _, values in added.values()))
        self.assertIn("it has no biases", out)
        self.assertIn("--heads N", out)

    def test_types_become_fp32(self):
        values = [1.0, -2.5, 0.0, 65504.0]
        upper = [struct.unpack("<H", struct.pack("<f", v)[2:])[0] for v in values]
        save("w.pt", OrderedDict(h=tensor(values, kind="HalfStorage"), d=tensor([0.1, math.inf], kind="DoubleStorage"),
                                 b=tensor(upper, kind="BFloat16Storage"), i=tensor([1, -2], kind="LongStorage")))
        found, out = self.converted("w.pt", "out.safetensors")
        self.assertEqual(found["h"], ((4,), values))
        self.assertEqual(found["d"], ((2,), fp32([0.1, math.inf])))
        self.assertEqual(found["b"], ((4,), [1.0, -2.5, 0.0, struct.unpack("<f", b"\0\0" + struct.pack("<f", 65504.0)[2:])[0]]))
        self.assertEqual(found["i"], ((2,), "I64", struct.pack("<2q", 1, -2)))
        self.assertIn("no GPT-2: tensors keep their names and shapes", out)

    def test_files_without_checksums_and_of_other_machines(self):
        save("w.pt", {"a": tensor([1.0])}, checksums=False)
        found, _ = self.converted("w.pt", "w.safetensors")
        self.assertEqual(found, {"a": ((1,), [1.0])})
        with zipfile.ZipFile("big.pt", "w") as archive:
            archive.writestr("archive/data.pkl", b"")
            archive.writestr("archive/byteorder", "big")
        self.refused(4, "is of a machine with the other byte order", "big.pt", "out")
        with zipfile.ZipFile("small.pt", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("archive/data.pkl", bytes(1000))
        self.refused(4, "is a zip file that is compressed", "small.pt", "out")

    def test_long_tensors_are_converted_whole(self):
        count = from_deepspeed.CHUNK // 32 + 3  # of 2 bytes: one piece, and three more
        save("w.pt", {"a": tensor((float(i % 2000) for i in range(count)), kind="HalfStorage")})
        found, _ = self.converted("w.pt", "out.safetensors")
        self.assertEqual(found["a"][1], [float(i % 2000) for i in range(count)])

    def test_views_are_read_in_the_order_of_their_indices(self):
        storage = Storage(range(24))
        save("w.pt", OrderedDict(t=Tensor(storage, (4, 6), strides=(1, 4)), p=Tensor(storage, (2, 3), offset=5),
                                 e=Tensor(storage, (2, 2, 3), offset=1, strides=(12, 0, 2)), z=Tensor(storage, (0, 3)),
                                 s=Tensor(storage, (), offset=7)))
        found, _ = self.converted("w.pt", "out.safetensors")
        self.assertEqual(found["t"], ((4, 6), [float(r + 4 * c) for r in range(4) for c in range(6)]))
        self.assertEqual(found["p"], ((2, 3), [5.0, 6.0, 7.0, 8.0, 9.0, 10.0]))
        self.assertEqual(found["e"], ((2, 2, 3), [float(1 + 12 * a + 2 * c) for a in range(2) for _ in range(2) for c in range(3)]))
        self.assertEqual((found["z"], found["s"]), (((0, 3), []), ((), [7.0])))

    def test_gpt2s_that_are_none_are_refused(self):
        def without(name):
            return {n: p for n, p in gpt2().items() if n != name}
        wide = gpt2()
        wide["transformer.h.0.attn.c_attn.weight"] = ((5, 4), [0.0] * 20)
        mixed = gpt2()
        mixed["transformer.h.1.attn.c_attn.weight"] = ((4, 12), [0.0] * 48)
        untied = {**gpt2(), "lm_head.weight": ((6, 4), [9.0] * 24)}
        for model, words in ((without("transformer.h.1.ln_2.weight"), "lacks 'h.1.ln_2.weight'"),
                             (without("transformer.h.1.ln_2.bias"), "lacks 'h.1.ln_2.bias'"),
                             ({**gpt2(), "transformer.h.0.extra": ((1,), [0.0])}, "looks like GPT-2, but has 'h.0.extra'"),
                             (wide, "neither Hugging Face's layout, [4, 12], nor nanoGPT's, [12, 4]"),
                             (mixed, "some blocks have Hugging Face's layout, and some nanoGPT's"),
                             (untied, "'lm_head.weight' is not the token embedding"),
                             ({**gpt2(), "transformer.ln_f.weight": ((5,), [0.0] * 5)}, "'ln_f.weight' is [5], but a GPT-2 of width 4"),
                             ({n.replace(".h.1.", ".h.2."): p for n, p in gpt2().items()}, "not numbered from 0 on")):
            save("w.pt", tensors_of(model))
            self.refused(4, words, "w.pt", "out", "--heads", "2")
        save("w.pt", tensors_of({"module.a": ((1,), [1.0]), "a": ((1,), [2.0])}))
        self.refused(4, "two tensors would be 'a'", "w.pt", "out")

    def test_masks_and_a_head_with_the_same_values_are_left_out(self):
        model = gpt2()
        model["lm_head.weight"] = (model["lm_head.weight"][0], list(model["lm_head.weight"][1]))
        model["transformer.h.0.attn.bias"] = ((1, 1, 3, 3), [1.0] * 9)
        save("w.pt", tensors_of(model))
        found, _ = self.converted("w.pt", "out.safetensors")
        self.assertEqual(set(found), set(written(gpt2())))


class CommandLine(FolderTest):
    def test_what_cannot_be_run_is_refused_in_one_line(self):
        save("w.pt", tensors_of(gpt2()))
        os.mkdir("full")
        with open("full/model.safetensors", "w", encoding="utf-8") as file:
            file.write("kept")
        for words, *arguments in (("names no checkpoint",), ("names no output", "w.pt"), ("one word too many", "w.pt", "out", "x"),
                                  ("--head: unknown option", "w.pt", "out", "--head", "3"),
                                  ("did you mean --leave-out-objects?", "w.pt", "out", "--leave_out_objects"),
                                  ("write no option: safetensors are what it writes", "w.pt", "out", "--safe_serialization"),
                                  ("--heads: needs a value", "w.pt", "out", "--heads"), ("--heads 0: give", "w.pt", "out", "--heads=0"),
                                  ("is given twice", "w.pt", "out", "--heads", "1", "--heads", "1"),
                                  ("--overwrite: takes no value", "w.pt", "out", "--overwrite=1"),
                                  ("does not divide the width 4", "w.pt", "out", "--heads", "3"),
                                  ("--heads: is missing: nothing in w.pt says", "w.pt", "out"),
                                  ("is a file: give the folder of all steps", "w.pt", "out", "--tag", "x"),
                                  ("its folder does not exist", "w.pt", "nowhere/a.safetensors"),
                                  ("w.pt: is a file: name a folder", "w.pt", "w.pt"),
                                  ("full/model.safetensors: is there already", "w.pt", "full", "--heads", "2")):
            with self.subTest(words):
                code, out, err = self.program(*arguments)
                self.assertEqual((code, out, err.count("\n")), (2, "", 1), err)
                self.assertIn(words, err)
        save("other.pt", {"a": tensor([1.0])})
        self.refused(2, "other.pt is no GPT-2: leave the option out", "other.pt", "out", "--heads", "2")
        with open("full/model.safetensors", encoding="utf-8") as file:
            self.assertEqual(file.read(), "kept")

    def test_help_and_version(self):
        code, out, err = self.program("--help", "--nonsense")
        self.assertEqual((code, err), (0, ""))
        self.assertLessEqual(max(map(len, out.splitlines())), 80)
        for option in ("--tag NAME", "--heads N", "--leave-out-objects", "--overwrite"):
            self.assertIn(f"  {option} ", out)
        self.assertTrue(self.program("--version")[1].startswith("zero-from-deepspeed of zero "))

    def test_a_name_with_line_feeds_makes_one_line(self):
        self.refused(4, "a?b: no such file", "a\nb", "out")


class Pages(FolderTest):
    """The commands of pages, as they stand there."""

    def test_the_commands_of_pages_do_what_they_say(self):
        docs = os.path.join(os.path.dirname(os.path.abspath(from_deepspeed.__file__)), "..", "docs")
        model = gpt2(width=12, prefix="module.transformer.", head=False)
        write_deepspeed("checkpoints", model, 2, 2, tag="global_step20")
        save("output.pt", tensors_of(gpt2(width=12)))
        save("ckpt.pt", {"model": tensors_of(gpt2(width=12)), "model_args": {"n_head": 3}})
        commands = 0
        for page in ("checkpoints.md", "from_deepspeed.md"):
            with open(os.path.join(docs, page), encoding="utf-8") as file:
                blocks = re.findall(r"<!-- shell: tested by from_deepspeed -->\n```sh\n(.*?)```", file.read(), re.DOTALL)
            self.assertEqual(len(blocks), 1, page)
            for line in blocks[0].splitlines():
                words = shlex.split(line, comments=True)
                if words[:1] == ["zero-from-deepspeed"]:
                    found, _ = self.converted(*words[1:])
                    self.assertEqual(found, written(gpt2(width=12)), line)
                    shutil.rmtree(words[2])
                    commands += 1
        self.assertGreater(commands, 4)


@unittest.skipUnless(os.environ.get("ZERO_TRAIN_GPT2"), "no train_gpt2 was built")
class Training(FolderTest):
    """What train_gpt2 makes of the files."""

    def loss(self, model, *arguments):
        log = "log.jsonl"
        subprocess.run([os.environ["ZERO_TRAIN_GPT2"], "--data", "tokens.bin", "--val-data", "tokens.bin", "--init-from", model,
                        "--batch", "1", "--eval-batches", "1", "--iterations", "1", "--sample", "0", "--threads", "1", "--log", log,
                        *arguments], check=True, stdout=subprocess.DEVNULL)
        with open(log, encoding="utf-8") as file:
            return json.loads(file.readline())["loss"]

    def test_both_layouts_and_every_stage_are_one_model(self):
        draw = random.Random(3)
        model = {n: (s, fp32(draw.gauss(1 if ".ln_" in n and n.endswith("weight") else 0, 0.3) for _ in v))
                 for n, (s, v) in gpt2(width=8, context=8, vocabulary=10).items()}
        model["lm_head.weight"] = model["transformer.wte.weight"]
        with open("tokens.bin", "wb") as file:
            file.write(struct.pack("<9H", *(draw.randrange(10) for _ in range(9))))
        conv1d = {n: transposed(p) if n.endswith(MATRICES) else p for n, p in model.items()}
        save("linear.pt", {"model": tensors_of(model), "model_args": {"n_head": 2}})
        save("conv1d.pt", {"model": tensors_of(conv1d), "model_args": {"n_head": 2}})
        losses = []
        for name in ("linear", "conv1d"):
            self.converted(f"{name}.pt", name)
            losses.append(self.loss(name))
        for stage, world in ((1, 2), (2, 3), (3, 3)):
            write_deepspeed(f"ds{stage}", model, stage, world, tied={"lm_head.weight": "transformer.wte.weight"})
            self.converted(f"ds{stage}", f"stage{stage}.safetensors")
            losses.append(self.loss(f"stage{stage}.safetensors", "--heads", "2"))
        self.assertEqual(len(set(losses)), 1, losses)
        # The square matrix alone in the other layout raises no error anywhere, and is another model.
        square = {n: transposed(p) if n.endswith("attn.c_proj.weight") else p for n, p in conv1d.items()}
        save("wrong.pt", {"model": tensors_of(square), "model_args": {"n_head": 2}})
        self.converted("wrong.pt", "wrong")
        self.assertGreater(abs(self.loss("wrong") - losses[0]), 1e-3)


if __name__ == "__main__":
    unittest.main()
