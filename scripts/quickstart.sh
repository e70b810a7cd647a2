#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# scripts/quickstart.sh [argument of train_gpt2...]
#
# Builds the GPT-2 trainer and trains a small model with two ranks in one process and ZeRO-2, on the text of this
# machine's C++ standard library headers, within a few minutes. Needs a compiler, CMake and a build tool; takes OpenBLAS
# where it is, and the GPU where there are one and a CUDA toolkit. The settings are only defaults: an argument takes the
# place of the one of its name.
set -euo pipefail
repository=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
build="$repository/build/quickstart"
source "$repository/scripts/dependencies.sh"

need g++ has_compiler
need cmake has_command cmake
need make has_build_tool
install_missing
choose_generator

# Without a GPU its code is not built either, which takes longer than all the rest.
settings=(-DZERO_BUILD_CUDA=OFF)
defaults=(--ranks 2 --stage 2 --iterations 500 --eval-interval 100)
if ! has_gpu; then
  say "no GPU (nvidia-smi -L shows none): training on the CPU"
elif ! has_cublas; then
  say "a GPU, but no CUDA toolkit with cuBLAS (nvcc in PATH or in /usr/local/cuda/bin): training on the CPU"
else
  say "training on the GPU: $(nvidia-smi -L | head -n 1), with $(nvcc_path)"
  settings=(-DZERO_BUILD_CUDA=ON "-DCMAKE_CUDA_COMPILER=$(nvcc_path)" -DCMAKE_CUDA_ARCHITECTURES=native)
  defaults=(--device cuda "${defaults[@]}")
fi

say "building train_gpt2 in $build"
cmake -S "$repository" -B "$build" -DCMAKE_BUILD_TYPE=Release -DZERO_BUILD_TESTS=OFF -DZERO_BUILD_BENCHMARKS=OFF \
  "${settings[@]}"
cmake --build "$build" --target train_gpt2 --parallel "$(processors)"

# No option may be given twice.
settings=()
for ((i = 0; i < ${#defaults[@]}; i += 2)); do
  case " $* " in
    *" ${defaults[i]} "* | *" ${defaults[i]}="*) ;;
    *) settings+=("${defaults[@]:i:2}") ;;
  esac
done

say "training with two ranks and ZeRO-2"
exec "$build/examples/gpt2/train_gpt2" "${settings[@]}" "$@"
