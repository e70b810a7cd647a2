# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The program."""
import platform
import sys

from . import choice, output
from .command_line import help_text, parse
from .errors import DONE, FAILED, Failure
from .places import name_runs, read_runs


def main(arguments, version):
    try:
        return _run(parse(arguments), version)
    except Failure as failure:
        return _fail(str(failure), failure.code)
    except MemoryError:
        return _fail("out of memory", FAILED)
    except BrokenPipeError:
        sys.stderr.close()
        return FAILED
    except KeyboardInterrupt:
        return 130


def _fail(what, code):
    # A name of a file may hold anything.
    line = "".join(c if c.isprintable() else "?" for c in what.encode("utf-8", "replace").decode())
    print(f"zero-plot: {line}", file=sys.stderr)
    return code


def _print(text):
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError:
        sys.stdout = None  # Python would try again at its end
        raise Failure("standard output: cannot be written") from None


def _run(options, version):
    if options.help or options.version:
        _print(help_text() if options.help else f"zero-plot of zero {version}\nPython: {platform.python_version()}\n"
               f"matplotlib: {_matplotlib_version()}\n")
        return DONE
    output.check(options.output)
    runs, notes = read_runs(options.logs)
    name_runs(runs, options.labels)
    names = choice.curve_names(runs, options.curves)
    axis = choice.common_axis(runs, names, options.x)
    picture = _picture_module()
    lines, weight = choice.lines_of(runs, names, axis, options.smooth)
    content, said = picture.draw(runs, lines, axis, weight, options)
    output.write(options.output, content)
    for note in notes + said:
        _fail(note, DONE)
    _print(f"wrote {options.output}: {', '.join(names)} of {len(runs)} {'run' if len(runs) == 1 else 'runs'}\n")
    return DONE


def _matplotlib_version():
    try:
        import matplotlib
        return matplotlib.__version__
    except ImportError:
        return "not installed"


def _picture_module():
    try:
        from . import picture
        return picture
    except ImportError as error:
        if error.name and error.name.split(".")[0] == "matplotlib":
            raise Failure(f"needs matplotlib: install it with '{sys.executable} -m pip install matplotlib', or Debian's and "
                          "Ubuntu's python3-matplotlib") from None
        raise Failure(f"matplotlib cannot be used: {error}; install it anew with '{sys.executable} -m pip install "
                      "--force-reinstall matplotlib'") from None
