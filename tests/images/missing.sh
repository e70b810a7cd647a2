#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# tests/images/missing.sh: the test that stands for those which need train_images, where there is no torch.
echo "skipped: train_images was not built: zero's component libtorch was not found"
exit 78
