#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# pkg_config.sh <compiler> <prefix> <main.cpp> <program>: builds and runs a consumer with what pkg-config says alone.
set -euo pipefail
compiler=$1 prefix=$2 source=$3 program=$4

export PKG_CONFIG_PATH=$prefix/share/pkgconfig
flags=$(pkg-config --cflags --libs zero)
version=$(pkg-config --modversion zero)
eval "flags=($flags)" # pkg-config escapes spaces for the shell
set -x
"$compiler" -std=c++20 "-DZERO_PACKAGE_VERSION=\"$version\"" "$source" "${flags[@]}" -o "$program"
"$program"
