#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# tests/libtorch/missing.sh <reason>: the test that stands for those which need torch, where there is none.
echo "skipped: $1"
exit 78
