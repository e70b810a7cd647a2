# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import sys

from .program import main

sys.exit(main(sys.argv[1:], "(not installed)"))
