#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# scripts/quickstart.sh [argument of train_gpt2...]
#
# Builds the GPT-2 trainer and trains a small model with two ranks in one process and ZeRO-2, on the text of this
# machine's C++ standard library headers, within a few minutes. Needs a compiler, CMake and a build tool; takes OpenBLAS
# where it is. The settings are only defaults: the arguments given here come last and win.
set -euo pipefail
repository=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
build="$repository/build/quickstart"
source "$repository/scripts/dependencies.sh"

need g++ has_compiler
need cmake has_command cmake
need make has_build_tool
install_missing
choose_generator

say "building train_gpt2 in $build"
cmake -S "$repository" -B "$build" -DCMAKE_BUILD_TYPE=Release -DZERO_BUILD_TESTS=OFF -DZERO_BUILD_BENCHMARKS=OFF
cmake --build "$build" --target train_gpt2 --parallel "$(processors)"

say "training with two ranks and ZeRO-2"
exec "$build/examples/gpt2/train_gpt2" --ranks 2 --stage 2 --iterations 500 --eval-interval 100 "$@"
