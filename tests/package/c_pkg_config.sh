#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# c_pkg_config.sh <compiler> <prefix> <main.c> <program>: builds and runs a program in C with what pkg-config says of
# libzero_c alone.
set -euo pipefail
compiler=$1 prefix=$2 source=$3 program=$4

found=("$prefix"/lib*/pkgconfig/zero_c.pc "$prefix"/lib/*/pkgconfig/zero_c.pc)
for file in "${found[@]}"; do
  if [ -f "$file" ]; then PKG_CONFIG_PATH=$(dirname -- "$file"); fi
done
export PKG_CONFIG_PATH
flags=$(pkg-config --cflags --libs zero_c)
eval "flags=($flags)" # pkg-config escapes spaces for the shell
set -x
"$compiler" -std=c11 "$source" "${flags[@]}" "-Wl,-rpath,$(dirname -- "$PKG_CONFIG_PATH")" -o "$program"
"$program"
