# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""read_events.py [--live SEEN] FOLDER: what the tensorboard package reads from the event files of a folder.

A line for each curve, then a line for each text. --live SEEN reads the files of the folder SEEN first, as a TensorBoard
that has watched the run, and then all but the first of FOLDER: these must make it forget what was cut off since.
"""
import glob
import logging
import sys

from tensorboard.backend.event_processing import event_accumulator
from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader
from tensorboard.util import tensor_util

logging.disable(logging.CRITICAL)  # that it purges what is to be purged is no news


def accumulator(folder):
    return event_accumulator.EventAccumulator(folder, size_guidance={"scalars": 0, "tensors": 0})


def show(read):
    for tag in sorted(read.Tags()["scalars"]):
        print(tag, [(event.step, event.value) for event in read.Scalars(tag)])
    for tag in sorted(read.Tags()["tensors"]):
        metadata = read.SummaryMetadata(tag)
        for event in read.Tensors(tag):
            text = tensor_util.make_ndarray(event.tensor_proto)[0].decode()
            print(f"{tag} ({metadata.plugin_data.plugin_name}, {event.step}): {text}")


def main(arguments):
    if arguments[0] != "--live":
        read = accumulator(arguments[0])
        read.Reload()
        show(read)
        # And what is in the files, whatever is purged: each value once.
        files = sorted(glob.glob(arguments[0] + "/events.out.tfevents.*"))
        values = [event.step for file in files for event in LegacyEventFileLoader(file).Load() if event.summary.value]
        print(len(files), "files,", len(values), "values")
        return
    seen, folder = arguments[1:]
    read = accumulator(seen)
    read.Reload()
    before = len(read.Scalars("loss"))
    for file in sorted(glob.glob(folder + "/events.out.tfevents.*"))[1:]:
        for event in LegacyEventFileLoader(file).Load():
            read._ProcessEvent(event)
    print(before, "values of loss were seen before")
    show(read)


main(sys.argv[1:])
