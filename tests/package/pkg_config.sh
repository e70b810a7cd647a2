#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# pkg_config.sh <compiler> <prefix> <main.cpp> <program> [<MPI's wrapper> <main.cpp>]: builds and runs a consumer with
# what pkg-config says alone, and one more by MPI's compiler wrapper.
set -euo pipefail
compiler=$1 prefix=$2 source=$3 program=$4 mpi=${5:-} mpi_source=${6:-}

export PKG_CONFIG_PATH=$prefix/share/pkgconfig
flags=$(pkg-config --cflags --libs zero)
version=$(pkg-config --modversion zero)
eval "flags=($flags)" # pkg-config escapes spaces for the shell
set -x
"$compiler" -std=c++20 "-DZERO_PACKAGE_VERSION=\"$version\"" "$source" "${flags[@]}" -o "$program"
"$program"
if [ -n "$mpi" ]; then
  export OMPI_CXX=$compiler MPICH_CXX=$compiler OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  "$mpi" -std=c++20 "$mpi_source" "${flags[@]}" -o "$program-mpi"
  "$program-mpi"
fi
