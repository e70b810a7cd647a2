#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# pictures.sh DRAW WORK IMAGES: the pictures that `DRAW FOLDER` draws are those in IMAGES. Write them anew with: DRAW IMAGES
set -euo pipefail
draw=$1 work=$2 images=$3
rm -rf -- "$work"
mkdir -p -- "$work"
"$draw" "$work"
for picture in "$work"/*.svg; do cmp "$picture" "$images/$(basename "$picture")"; done
