#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# scripts/libtorch.sh [folder]: torch for the tests of its adapter, without Python's part and without CUDA's: the headers
# and host libraries of the pinned PyPI package, some 540 MB to download and 500 MB on disk, and two libraries of CUDA
# that its libtorch_cpu needs, where the machine has none. Into build/libtorch by default, once. Prints the folder to set
# LIBTORCH_ROOT to.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

version=2.15.0
cuda=13
cuda_packages=(nvidia-cuda-runtime==13.2.86 nvidia-cuda-cupti==13.2.86) # those that torch's package names
folder=${1:-$PWD/build/libtorch}
root=$folder/$version

# download <package>: into $root/wheels. The packages differ by Python's version only in what is not used here.
download() {
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --python-version 3.12 \
    --platform "manylinux_2_28_$(uname -m)" --platform "manylinux2014_$(uname -m)" --platform "manylinux_2_27_$(uname -m)" \
    --dest "$root/wheels" "$1" >&2
}

# extract <wheel> <regex of names>
extract() {
  python3 - "$1" "$2" "$root" <<'PYTHON'
import re, sys, zipfile
wheel, names, folder = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    archive.extractall(folder, [name for name in archive.namelist() if re.match(names, name)])
PYTHON
}

on_machine() { compgen -G "/usr/local/cuda*/lib*/$1.so.$cuda" >/dev/null || compgen -G "/usr/local/lib*/$1.so.$cuda" >/dev/null; }

if [ ! -f "$root/complete" ]; then
  rm -rf "$root"
  mkdir -p "$root"
  download "torch==$version"
  extract "$root"/wheels/torch-*.whl 'torch/(include/|share/cmake/|lib/(libc10|libtorch_cpu|libgomp|libgfortran|libtorch)[.]so)'
  if ! on_machine libcudart || ! on_machine libcupti; then
    for package in "${cuda_packages[@]}"; do download "$package"; done
    for wheel in "$root"/wheels/nvidia_*.whl; do extract "$wheel" 'nvidia/.*/lib/lib(cudart|cupti)[.]so'; done
  fi
  rm -r "$root/wheels"
  touch "$root/complete"
fi
echo "$root/torch"
