# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Sourced by the other scripts: finds what a build needs, and installs what is missing where it may.
# shellcheck shell=bash

say() { printf '==> %s\n' "$*"; }

die() {
  printf '%s\n' "$*" >&2
  exit 1
}

has_command() { command -v "$1" >/dev/null 2>&1; }

# The compiler that CMake will take: CXX where it is set, else the first of these.
compiler() {
  local candidate
  for candidate in ${CXX:-} c++ g++ clang++; do
    has_command "$candidate" && printf '%s\n' "$candidate" && return
  done
  return 1
}

has_compiler() { compiler >/dev/null; }

has_build_tool() { has_command ninja || has_command make; }

has_gpu() { has_command nvidia-smi && nvidia-smi -L 2>/dev/null | grep -q '^GPU '; }

# Where the CUDA compiler is: CUDACXX where it is set, else in PATH, else where NVIDIA's packages put it.
nvcc_path() {
  local candidate
  for candidate in ${CUDACXX:-} nvcc /usr/local/cuda/bin/nvcc; do
    has_command "$candidate" && command -v "$candidate" && return
  done
  return 1
}

# A CUDA toolkit with cuBLAS, as its compiler sees it: the command may be a wrapper that lies elsewhere.
has_cublas() {
  local nvcc source found=0
  nvcc=$(nvcc_path) || return 1
  source=$(mktemp --suffix=.cu)
  echo '#include <cublas_v2.h>' >"$source"
  "$nvcc" -E "$source" >/dev/null 2>&1 || found=1
  rm -f "$source"
  return $found
}

has_header() { printf '#include <%s>\n' "$1" | "$(compiler)" -x c++ -fsyntax-only - >/dev/null 2>&1; }

# need <Debian package> <check...>: notes the package as missing unless the check passes.
missing=()
need() {
  local package=$1
  shift
  "$@" || missing+=("$package")
}

# Installs what `need` has noted, as root on Debian or Ubuntu; elsewhere ends with one line that says what to install.
install_missing() {
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" -ne 0 ] || ! has_command apt-get; then
    die "Missing. Please install these, under the names that Debian gives them: ${missing[*]}"
  fi
  say "installing with apt-get: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null 2>&1 ||
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null; } ||
    die "apt-get could not install: ${missing[*]}"
  missing=()
}

# Whichever MPI is there.
need_mpi() {
  need libopenmpi-dev has_command mpicxx
  need openmpi-bin has_command mpiexec
}

# Torch for the tests of its adapter: that of LIBTORCH_ROOT, or a pinned one in build/libtorch, which is downloaded once.
need_libtorch() {
  [ -z "${LIBTORCH_ROOT:-}" ] || return 0
  need python3-pip has_pip
  install_missing
  say "libtorch: unpacking the pinned package into build/libtorch, unless it is there"
  LIBTORCH_ROOT=$(scripts/libtorch.sh) || die "torch could not be had: set LIBTORCH_ROOT to a folder that holds its include and lib"
  export LIBTORCH_ROOT
}
has_pip() { python3 -m pip --version >/dev/null 2>&1; }

# Ninja where there is no make: CMake's own default is make. An existing build folder keeps its generator.
choose_generator() {
  if ! has_command make; then export CMAKE_GENERATOR=${CMAKE_GENERATOR:-Ninja}; fi
}

processors() { getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2; }
