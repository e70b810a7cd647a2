# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The command line, with the rules and the help of this project's other programs."""
import difflib
import textwrap

from .errors import UsageError

AXES = ("step", "samples", "tokens", "time", "epoch")
FORMATS = ("png", "svg", "html")


class Options:
    """What the command line says."""

    def __init__(self):
        self.logs = []
        self.output = None
        self.format = None
        self.curves = None
        self.x = None
        self.smooth = None
        self.log_y = False
        self.dark = False
        self.title = None
        self.labels = None
        self.help = False
        self.version = False


def _text(name, value):
    return value


def _words(name, value):
    words = [word.strip() for word in value.split(",")]
    if not all(words):
        raise UsageError(f"{name} {value}: one of the names is empty: separate them by single commas")
    return words


def _axis(name, value):
    if value not in AXES:
        raise UsageError(f"{name} {value}: give one of {', '.join(AXES)}")
    return value


def _smooth(name, value):
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0.0 <= number < 1.0:
        raise UsageError(f"{name} {value}: give a number from 0, which is none, to below 1, such as 0.9")
    return number


def _flag(name, value):
    if value not in ("on", "off"):
        raise UsageError(f"{name} {value}: give on or off")
    return value == "on"


class Option:
    def __init__(self, name, member, value, read, text, usual="none"):
        self.name, self.member, self.value, self.read, self.text, self.usual = name, member, value, read, text, usual


GROUPS = (
    ("what is drawn", (
        Option("--curves", "curves", "NAME[,NAME]", _words,
               "curves to draw, such as loss,val_loss,mfu; an unknown one lists all that the runs have",
               "losses, learning rate, norm, loss scale, tokens/s and accuracies, as far as the runs have them"),
        Option("--x", "x", "|".join(AXES), _axis, "what the curves lie over; time is that of training, in seconds",
               "the first that all runs have"),
        Option("--smooth", "smooth", "X", _smooth,
               "share of the average that each value keeps: 0 smooths nothing; the values lie behind, faint",
               "by the longest run: 0 up to 50 values, 0.9 at 500, 0.99 at 5000"),
        Option("--labels", "labels", "NAME[,NAME]", _words, "what the runs are called, in their order",
               "their files or folders, with as much of the path as tells them apart"),
    )),
    ("how it looks", (
        Option("--output", "output", "FILE", _text, "the picture: .png, .svg, or .html, which is one page that says "
               "values under the pointer; it is replaced once the new one is complete"),
        Option("--title", "title", "TEXT", _text, "a line above the curves", "the name of a run that is alone"),
        Option("--dark", "dark", "[on|off]", _flag, "light curves on a dark ground", "off"),
        Option("--log-y", "log_y", "[on|off]", _flag, "logarithmic losses and norms, where all are above 0", "off"),
    )),
)
EXIT_CODES = (
    (0, "done"),
    (1, "failed on the way: out of memory, a full disk, matplotlib is missing"),
    (2, "a command line that cannot be run"),
    (4, "an input that is missing, or is not what it should be"),
)
OTHER_NAMES = {"out": "--output", "o": "--output", "save": "--output", "smoothing": "--smooth", "ema": "--smooth",
               "logy": "--log-y", "yscale": "--log-y", "log": "--log-y", "names": "--labels", "legend": "--labels",
               "label": "--labels", "metrics": "--curves", "tags": "--curves", "keys": "--curves", "xaxis": "--x",
               "x-axis": "--x", "theme": "--dark", "name": "--title"}


def options_by_name():
    return {option.name: option for _, options in GROUPS for option in options}


def _wrapped(head, text, column=26, width=80):
    lines = textwrap.wrap(text, width - column, break_long_words=False, break_on_hyphens=False)
    indent = " " * column
    if len(head) < column:
        return head.ljust(column) + ("\n" + indent).join(lines) + "\n"
    return head + "\n" + indent + ("\n" + indent).join(lines) + "\n"


def help_text():
    text = "usage: zero-plot LOG... --output FILE [OPTION...]\n\n"
    text += textwrap.fill("Draws the curves of one or several runs. LOG is what train_gpt2 writes with --log, "
                          "--csv DIR or --json-lines DIR, a table in CSV, or a JSON file of lists of values; of a folder of "
                          "runs, all are drawn.", 80, break_on_hyphens=False) + "\n"
    for title, options in GROUPS:
        text += f"\n{title}:\n"
        for option in options:
            text += _wrapped(f"  {option.name} {option.value}", f"{option.text} (default: {option.usual})")
    text += "\nthis program:\n" + _wrapped("  -h, --help", "say this, and end")
    text += _wrapped("  --version", "say what it was built with, and end")
    return text + "\nexit codes:\n" + "".join(f"  {code} {meaning}\n" for code, meaning in EXIT_CODES)


def _suggestion(name):
    bare = name.lstrip("-").replace("_", "-").lower()
    known = [*options_by_name(), "--help", "--version"]
    if "--" + bare in known:
        return "--" + bare
    if bare in OTHER_NAMES:
        return OTHER_NAMES[bare]
    near = difflib.get_close_matches("--" + bare, known, 1, 0.7) if len(bare) > 2 else []
    return near[0] if near else None


def _unknown(name):
    meant = _suggestion(name)
    raise UsageError(f"{name}: unknown option; " + (f"did you mean {meant}? --help lists them" if meant
                                                   else "--help lists them all"))


def _value_of(option, name, words):
    """The next word, where that is the option's value."""
    following = words[0] if words else ""
    if option.value.startswith("["):
        return words.pop(0) if following in ("on", "off") else "on"
    if not following or following.split("=")[0] in options_by_name():
        raise UsageError(f"{name}: needs a value: {name} {option.value}, {option.text}")
    return words.pop(0)


def parse(arguments):
    """Reads the words behind the program's name. Raises UsageError."""
    options, words, given = Options(), list(arguments), set()
    before = words[:words.index("--")] if "--" in words else words
    options.help = "--help" in before or "-h" in before
    options.version = "--version" in before
    if options.help or options.version:
        return options
    only_words = False
    while words:
        word = words.pop(0)
        if word == "--" and not only_words:
            only_words = True
        elif only_words or not word.startswith("-") or word == "-":
            options.logs.append(word)
        else:
            name, equals, value = word.partition("=")
            option = options_by_name().get(name) or _unknown(name)
            if name in given:
                raise UsageError(f"{name}: is given twice: leave one of them out")
            given.add(name)
            if equals and not value:
                raise UsageError(f"{name}: needs a value: {name} {option.value}, {option.text}")
            setattr(options, option.member, option.read(name, value if equals else _value_of(option, name, words)))
    _check(options)
    return options


def _check(options):
    if not options.logs:
        raise UsageError("names no log: zero-plot LOG... --output curves.svg; --help says what a log may be")
    if options.output is None:
        raise UsageError("--output: is missing: name a picture, such as --output curves.svg")
    ending = options.output.rpartition(".")[2].lower() if "." in options.output else ""
    if ending not in FORMATS:
        raise UsageError(f"--output {options.output}: end the name in .png, .svg or .html")
    options.format = ending
