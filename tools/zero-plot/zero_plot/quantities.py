# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What curves are called: by this project's trainer, by its monitors, and by others."""
import functools
import re


class Quantity:
    """noisy: has a new value at each step, which smoothing is for. scale: log where --log-y asks, log2, or linear."""

    def __init__(self, name, title, noisy=False, scale="linear", others=()):
        self.name, self.title, self.noisy, self.scale, self.others = name, title, noisy, scale, others


# Those that are drawn unless --curves says others, in this order.
USUAL = (
    Quantity("loss", "training loss", True, "log", ("train_loss", "train_losses", "training_loss", "training_losses", "losses")),
    Quantity("val_loss", "validation loss", False, "log",
             ("val_losses", "valid_loss", "validation_loss", "validation_losses", "eval_loss", "test_loss", "test_losses")),
    Quantity("lr", "learning rate", False, "linear", ("learning_rate", "learning_rates", "lrs", "track_lrs")),
    Quantity("grad_norm", "norm of the gradient", True, "log", ("gradient_norm", "grad_norms", "global_grad_norm")),
    Quantity("loss_scale", "loss scale", False, "log2", ("loss_scales",)),
    Quantity("tokens_per_second", "tokens/s", True, "linear", ("tokens_per_sec", "tok_per_sec", "tokens/s")),
    Quantity("accuracy", "training accuracy", False, "linear",
             ("acc", "accs", "accuracies", "train_acc", "train_accs", "train_accuracy", "train_accuracies",
              "training_accuracy", "training_accuracies")),
    Quantity("val_accuracy", "validation accuracy", False, "linear",
             ("val_acc", "val_accs", "val_accuracies", "valid_acc", "valid_accuracy", "validation_accuracy",
              "validation_accuracies", "eval_accuracy", "test_acc", "test_accs", "test_accuracy", "test_accuracies")),
)
# Drawn where they are asked for.
OTHERS = (
    Quantity("eval_train_loss", "training loss of evaluations", False, "log"),
    Quantity("perplexity", "validation perplexity", False, "log"),
    Quantity("ms", "ms per step", True, "linear", ("ms_per_step",)),
    Quantity("mfu", "MFU", True),
    Quantity("data_ms", "ms per step for data", True),
    Quantity("skipped_steps", "steps skipped so far"),
)
OF_A_SET = "val_loss/"  # and the name of one data set of a mixture
BY_NAME = {quantity.name: quantity for quantity in USUAL + OTHERS}
_BY_OTHER = {other: quantity.name for quantity in USUAL + OTHERS for other in quantity.others}
_AXES = {
    "step": ("step", "steps", "iter", "iters", "iteration", "iterations", "global_step"),
    "epoch": ("epoch", "epochs"),
    "samples": ("samples", "examples_seen", "global_samples"),
    "tokens": ("tokens", "tokens_seen", "track_tokens_seen", "total_tokens"),
    "time": ("time", "times", "elapsed"),
}
_AXIS_OF = {name: axis for axis, names in _AXES.items() for name in names}


@functools.lru_cache(maxsize=4096)  # asked for each member of each line
def axis_of(key):
    """The axis that a member of a record or a table is; None where it is a curve."""
    return _AXIS_OF.get(key.lower())


@functools.lru_cache(maxsize=4096)  # asked for each member of each line
def name_of(key, has_loss=False):
    """The curve that a member is. has_loss: whether another one is the loss of steps, so that train_loss is that of an
    evaluation, as in the trainer's log."""
    small = re.sub(r"[\s-]+", "_", key.strip().lower())
    if small == "train_loss" and has_loss:
        return "eval_train_loss"
    if small.startswith("train/") and small[6:] in ("loss", "lr", "grad_norm", "learning_rate"):
        small = small[6:]
    return _BY_OTHER.get(small, small if small in BY_NAME else key.strip())


@functools.lru_cache(maxsize=4096)  # asked for each member of each line
def name_of_tag(tag):
    """The curve of a monitor's tag: the part behind the last slash, which the first part tells apart where two have it.
    In names of CSV files an underscore takes the place of each slash."""
    for first, rest in (("Train/Samples/", ""), ("Evaluation/Samples/", "eval_"), ("Memory/Samples/", "memory_"),
                        ("Train_Samples_", ""), ("Evaluation_Samples_", "eval_"), ("Memory_Samples_", "memory_")):
        if tag.startswith(first):
            name = tag[len(first):]
            plain = name_of(name)
            if rest == "eval_" and name.startswith(("val_loss/", "val_loss_")):
                return OF_A_SET + name[len(OF_A_SET):]
            if rest == "eval_" and plain in ("val_loss", "perplexity"):
                return plain
            return rest + name if rest else plain
    return name_of(tag)


def over_samples(tag):
    """Whether x is a number of sequences, as DeepSpeed's tags say it."""
    return "/Samples/" in tag or "_Samples_" in tag


def quantity(name):
    if name.startswith(OF_A_SET):
        return Quantity(name, "validation loss of " + name[len(OF_A_SET):], False, "log")
    return BY_NAME.get(name) or Quantity(name, name)
