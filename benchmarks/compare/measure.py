# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the comparisons share: one JSON object per line of standard output, and the versions that it holds for."""

import json
import platform
import re
import statistics
from importlib import metadata
from pathlib import Path


def summary(values):
    """Median and extremes: on a shared machine a mean would mostly tell of the neighbours."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values), "count": len(values)}


def environment(*packages):
    """The processor and the installed version of each package (null where it is missing)."""
    versions = {"python": platform.python_version()}
    for package in packages:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = None
    return {"machine": processor(), "versions": versions}


def processor():
    try:
        match = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        match = None
    return match.group(1) if match else platform.machine()


def emit(**fields):
    print(json.dumps(fields), flush=True)
