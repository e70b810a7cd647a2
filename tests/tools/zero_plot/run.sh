#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# run.sh FILE MODULES [PACKAGE]: the tests of a Python file, for the modules of zero-plot in the folder MODULES, with the
# Python that ZERO_TEST_PYTHON names. Ends with 77, which ctest shows as skipped, where that Python has not got PACKAGE.
set -euo pipefail
python=${ZERO_TEST_PYTHON:-python3}
if [ $# -gt 2 ] && ! "$python" -c "import $3" 2>/dev/null; then
  echo "skipped: $python has no $3, which tests/requirements.txt lists"
  exit 77
fi
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$2 exec "$python" "$1" --verbose
