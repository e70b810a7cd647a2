#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# scripts/test.sh [stage...]: everything that CI runs, or the stages that are named, in the order given; ends with the
# time and the verdict of each. A stage that fails does not keep the later ones from running.
#
#   format      clang-format and shellcheck
#   build       everything, with warnings as errors (build/ci), but for the benchmarks and the tests that the sanitizers have
#   unit        unit tests, on a GPU where there is one
#   package     compile-fail cases, public headers alone, consumers of the package, examples
#   tidy        clang-tidy over all public headers and the .cpp files that differ from the main branch; tidy --all: all
#   sanitizers  the other unit tests: under the address and undefined-behaviour sanitizers, or under the thread one
#   fuzz        half a minute of fuzzing for every parser
#   docs        the documentation
#
# Not in CI:
#
#   aarch64     unit tests for aarch64 under qemu-user, and whether kernels, schedules and engine give x86-64's bits there
#   long        the benchmarks, and every unit test in every build, where CI has most of them in one (tests/README.md); what CI
#               takes samples of: clang-tidy over every .cpp file, every header alone, every system call of a save
#               killed and failed, 600 saves beside a second writer, every combination of an engine over MPI, ranks killed
#               at 250 random times, every call of CUDA's failing once and for ever, every order of every simulated run,
#               planned memory of real models, ten minutes of fuzzing, and all tests five times beside a busy processor;
#               schedules against DeepSpeed and PyTorch, models in transformers, checkpoints and runs of DeepSpeed's, by the
#               packages of tests/peers.txt, 6 GB in build/peers; every code point's tokens against the tokenizers package
#
# scripts/test.sh --fast: builds the host's unit tests only (build/fast), and runs those that are not of whole programs.
#
# Every stage installs what it needs and does not find, as root on Debian or Ubuntu. Builds use all processors, and
# ccache where it is installed (CCACHE_DISABLE=1: not).
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
source scripts/dependencies.sh

ci_stages=(format build unit package tidy sanitizers fuzz)
if [ -f scripts/docs.sh ]; then ci_stages+=(docs); fi
other_stages=(aarch64 long)
results=build/results # what ctest says of every test
launcher=()           # of ctest

# ---------------------------------------------------------------------------------------------------------- the stages

stage_format() { scripts/format.sh; }

# stage_build [argument of cmake...]
stage_build() {
  need_build_tools
  need_picture_libraries
  need libopenblas-dev has_header cblas.h
  need_mpi
  need_package_tests
  need_libtorch
  build ci "$@"
}

stage_unit() {
  need_unit_tests
  need libopenblas-dev has_header cblas.h
  need valgrind has_command valgrind
  need_mpi
  need_libtorch
  install_missing
  configure ci
  local targets=(zero_unit_tests)
  if builds_cuda ci; then targets+=(zero_gpu_tests); fi
  cmake --build --preset ci --parallel "$(processors)" --target "${targets[@]}"
  test_jobs=$(($(processors) + 1)) # many wait for each other, or for a deadline
  run_tests unit ci --label-regex '^(unit|gpu)$'
}

stage_package() {
  stage_build
  run_tests package ci --label-exclude '^(unit|gpu)$'
}

stage_tidy() { scripts/tidy.sh ${tidy_all:+--all}; }

stage_sanitizers() {
  need_unit_tests
  need clang has_command clang++
  install_missing
  sanitize
  expect_tests_of_ci
}

# sanitize [argument of cmake...]
sanitize() {
  build asan "$@"
  ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1 \
    UBSAN_OPTIONS=print_stacktrace=1 run_tests address asan
  build tsan "$@"
  # Clang 14's does not start where the kernel spreads mappings widely; without randomization it does.
  if setarch --addr-no-randomize true 2>/dev/null; then launcher=(setarch --addr-no-randomize); fi
  TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1 run_tests thread tsan
  launcher=()
}

stage_fuzz() {
  need clang has_command clang++
  install_missing
  scripts/fuzz.sh 30
}

stage_docs() { scripts/docs.sh; }

stage_fast() {
  need_unit_tests
  need libopenblas-dev has_header cblas.h
  install_missing
  build fast
  test_jobs=$(($(processors) + 1))
  run_tests fast fast --label-exclude '^program$'
}

stage_aarch64() { scripts/aarch64.sh; }

stage_long() {
  need_unit_tests
  need clang has_command clang++
  install_missing
  need_peers
  build fast
  ZERO_TEST_FULL=1 run_tests long fast --tests-regex '^checkpoint_(system_call|two_writers)'
  cmake --preset fast -DZERO_VERIFY_INTERNAL_HEADERS=ON
  cmake --build build/fast --target all_verify_interface_header_sets --parallel "$(processors)"
  scripts/fuzz.sh 600
  compare_schedules
  compare_transformers
  compare_deepspeed
  cmake --build build/fast --target zero_encode_texts zero-tokenize
  "$ZERO_TEST_PYTHON" tests/text/compare.py build/fast/tests/text/zero_encode_texts \
    build/fast/tools/zero-tokenize/zero-tokenize build/fast/tests/text/compare --full
  scripts/tidy.sh --all
  need libbenchmark-dev has_header benchmark/benchmark.h
  stage_build -DZERO_TEST_BUILD=all -DZERO_BUILD_BENCHMARKS=ON
  ZERO_TEST_FULL=1 run_tests long_ci ci --tests-regex \
    '^(engine_ragged|fake_cuda_(nccl_)?faults|simulation_(equivalence|seeds)|train_gpt2(_planned_memory)?|train_images)$'
  run_over_mpi
  scripts/stress.sh
  sanitize -DZERO_TEST_BUILD=all
}

# By themselves: ctest's limits for the samples of CI are those of a test that hangs.
run_over_mpi() (
  export ZERO_TEST_FULL=1 OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
  mpiexec -n 8 build/ci/tests/mpi/zero_mpi_engine_test | tee "$results/mpi_engine_full.txt"
  grep -q 'all 8 ranks have passed' "$results/mpi_engine_full.txt"
  bash tests/mpi/misfortunes.sh mpiexec build/ci/tests/mpi/zero_mpi_misfortune
)

# The first 10,000 steps of every schedule against DeepSpeed and PyTorch, of which other tests read what was recorded.
compare_schedules() {
  cmake --build build/fast --target zero_print_rates
  "$ZERO_TEST_SCHEDULES_PYTHON" tests/schedule/record_schedules.py --compare build/fast/tests/schedule/zero_print_rates
}

# Models that are saved for transformers, in transformers; other tests compare with what was recorded of it.
compare_transformers() {
  ZERO_TEST_PYTHON=$ZERO_TEST_TRANSFORMERS_PYTHON ctest --preset fast --tests-regex '[.]transformers$' --no-tests=error
}

# Checkpoints that DeepSpeed writes against its own zero_to_fp32, and their losses against PyTorch's; and a guide's run by
# DeepSpeed and by train_gpt2, loss by loss.
compare_deepspeed() {
  local python=$ZERO_TEST_SCHEDULES_PYTHON
  cmake --build build/fast --target train_gpt2
  "$python" tests/tools/from_deepspeed/deepspeed_test.py scripts/from_deepspeed.py build/fast/examples/gpt2/train_gpt2
  "$python" tests/trainer/deepspeed_run.py scripts/from_deepspeed.py build/fast/examples/gpt2/train_gpt2
}

# ------------------------------------------------------------------------------------------------ what they are made of

need_build_tools() {
  need g++ has_compiler
  need cmake has_command cmake
  need git has_command git
  need ninja-build has_command ninja
  install_missing # a compiler comes first: the header checks ask it
  need doctest-dev has_header doctest/doctest.h
  export CMAKE_GENERATOR=${CMAKE_GENERATOR:-Ninja}
}

# And what unit tests run: without it they would skip themselves, which counts as a failure here.
need_unit_tests() {
  need_build_tools
  need_picture_libraries
  need strace has_command strace
  need iproute2 has_command ip
  need_test_python
  install_missing
}

# For folders of JPEG and PNG. jpeglib.h cannot be included alone.
need_picture_libraries() {
  need libjpeg-dev has_header jerror.h
  need libpng-dev has_header png.h
}

need_test_python() {
  [ -z "${ZERO_TEST_PYTHON:-}" ] || return 0
  install_requirements tests/requirements.txt build/python
  export ZERO_TEST_PYTHON=$PWD/build/python/bin/python
}

# The projects that `long` compares with. ZERO_TEST_SCHEDULES_PYTHON may name a Python that has torch and deepspeed, and
# ZERO_TEST_TRANSFORMERS_PYTHON one with torch and transformers; each that does not is that of build/peers.
need_peers() {
  if [ -z "${ZERO_TEST_SCHEDULES_PYTHON:-}" ] || [ -z "${ZERO_TEST_TRANSFORMERS_PYTHON:-}" ]; then
    DS_BUILD_OPS=0 install_requirements tests/peers.txt build/peers # DeepSpeed's kernels are not needed, on the CPU
  fi
  export ZERO_TEST_SCHEDULES_PYTHON=${ZERO_TEST_SCHEDULES_PYTHON:-$PWD/build/peers/bin/python}
  export ZERO_TEST_TRANSFORMERS_PYTHON=${ZERO_TEST_TRANSFORMERS_PYTHON:-$PWD/build/peers/bin/python}
  DS_ACCELERATOR=cpu "$ZERO_TEST_SCHEDULES_PYTHON" -c 'import deepspeed, torch' >/dev/null ||
    die "ZERO_TEST_SCHEDULES_PYTHON=$ZERO_TEST_SCHEDULES_PYTHON: cannot import deepspeed and torch"
  ZERO_TEST_PYTHON=$ZERO_TEST_TRANSFORMERS_PYTHON has_transformers ||
    die "ZERO_TEST_TRANSFORMERS_PYTHON=$ZERO_TEST_TRANSFORMERS_PYTHON: cannot import torch and transformers"
}

# And what the tests of the package run. Where CMake finds no Conan it leaves its test out, which a page names.
need_package_tests() {
  need clang has_command clang++ # the other compiler, which consumers may have
  need pkg-config has_command pkg-config
  need_test_python # the blocks of pages that draw curves
  install_missing
  if ! has_command conan; then
    [ -x build/python/bin/conan ] || install_python_packages build/python conan
    export PATH=$PATH:$PWD/build/python/bin
  fi
}

has_venv() { python3 -c 'import ensurepip, venv' 2>/dev/null; }

# install_requirements <file> <folder>: the packages that the file lists, unless the folder has these versions.
install_requirements() {
  cmp --silent "$1" "$2/requirements.txt" ||
    { install_python_packages "$2" --requirement "$1" && cp "$1" "$2/requirements.txt"; }
}

# install_python_packages <folder> <package...>: into a virtual environment.
install_python_packages() {
  local folder=$1
  shift
  need python3-venv has_venv
  install_missing
  say "installing with pip, into $folder: $*"
  [ -x "$folder/bin/python" ] || python3 -m venv "$folder"
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$@" ||
    die "pip could not install $*: name a Python that has them, in ZERO_TEST_PYTHON for what tests/requirements.txt lists, in" \
      "ZERO_TEST_SCHEDULES_PYTHON and ZERO_TEST_TRANSFORMERS_PYTHON for tests/peers.txt; conan is to be in PATH"
}

# Objects are found again in every folder that the repository is cloned into.
use_compiler_cache() {
  has_command ccache || return 0
  export CMAKE_CXX_COMPILER_LAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER-ccache}
  export CMAKE_CUDA_COMPILER_LAUNCHER=${CMAKE_CUDA_COMPILER_LAUNCHER-ccache}
  export CCACHE_BASEDIR=${CCACHE_BASEDIR-$PWD}
}

# configure <preset> [argument of cmake...]
configure() {
  say "$1: configure"
  cmake --preset "$@"
}

# build <preset> [argument of cmake...]
build() {
  configure "$@"
  say "$1: build"
  cmake --build --preset "$1" --parallel "$(processors)"
}

builds_cuda() { grep -q '^ZERO_BUILD_CUDA:BOOL=ON$' "build/$1/CMakeCache.txt"; }

# run_tests <name of the results> <preset> <argument of ctest...>
run_tests() {
  local xml="$PWD/$results/$1.xml" preset=$2 verdict=0
  mkdir -p "$results"
  say "$1: tests"
  ${launcher[@]+"${launcher[@]}"} ctest --preset "$preset" --parallel "${test_jobs:-$(processors)}" --output-junit "$xml" "${@:3}" || verdict=$?
  expect_all_ran "$preset" "$xml" || verdict=1
  return $verdict
}

# What CI promises has run: only tests that need a GPU, or packages of gigabytes, may skip themselves where they are not.
expect_all_ran() {
  local name unexpected=() gpu_tests
  gpu_tests=$(ctest --preset "$1" --show-only --label-regex '^gpu$' | sed -n 's/^ *Test *#[0-9]*: //p')
  while IFS= read -r name; do
    if grep -qxF -- "$name" <<<"$gpu_tests" && ! has_gpu; then continue; fi
    if [ "$name" = dlpack_python.torch_package ] && ! has_torch; then continue; fi
    if [[ $name = *gpt2_*.transformers ]] && ! has_transformers; then continue; fi
    if [ "$name" = libtorch ] && [ -z "${LIBTORCH_ROOT:-}" ]; then continue; fi # in the stages that do not ask for it
    unexpected+=("$name")
  done < <(sed -n 's/.*<testcase name="\([^"]*\)".*status="notrun".*/\1/p' "$2")
  [ ${#unexpected[@]} -eq 0 ] || { printf 'skipped, but must run: %s\n' "${unexpected[@]}" && return 1; }
}

# A test that CI has in a sanitizer's build, and `unit` therefore not, is one of that build: also where it is only `unit`
# that knows the test.
expect_tests_of_ci() {
  local build name missing=() lists=(build/asan/tests/tests_of_ci.txt)
  if [ -f "$results/unit.xml" ]; then lists+=(build/ci/tests/tests_of_ci.txt); fi
  while read -r build name; do
    [ "$build" = plain ] || grep -qF "<testcase name=\"$name\"" "$results/$build.xml" || missing+=("$name ($build)")
  done < <(sort -u "${lists[@]}")
  [ ${#missing[@]} -eq 0 ] || { printf 'not run: %s\n' "${missing[@]}" && return 1; }
}

has_torch() { "${ZERO_TEST_PYTHON:-python3}" -c 'import torch; torch.from_dlpack' 2>/dev/null; }
has_transformers() { "${ZERO_TEST_PYTHON:-python3}" -c 'import torch, transformers' 2>/dev/null; }

# ------------------------------------------------------------------------------------------------------ the command line

usage() { die "usage: scripts/test.sh [--fast | stage...], where a stage is one of: ${ci_stages[*]} ${other_stages[*]}"; }

# Leaves one line in `summary`, and the stage in `failed_stages` where it has failed.
run_stage() {
  local stage=$1 began=$SECONDS verdict=0
  say "stage $stage"
  set +e # in a condition, errexit would not hold inside the stage
  (
    set -e
    "stage_$stage"
  )
  verdict=$?
  set -e
  [ $verdict -eq 0 ] || failed_stages+=("$stage")
  summary+=("$(printf '%-10s  %-6s  %4d s' "$stage" "$([ $verdict -eq 0 ] && echo passed || echo FAILED)" \
    $((SECONDS - began)))")
}

# How many of the tests that ctest ran in all stages passed, failed and were skipped.
counts() {
  cat "$results"/*.xml 2>/dev/null | awk -F'"' '
    /<testcase / { status = $0; sub(/.*status="/, "", status); sub(/".*/, "", status); ++n[status] }
    END { printf "%d passed, %d failed, %d skipped\n", n["run"], n["fail"], n["notrun"] + n["disabled"] }'
}

main() {
  local stages=() argument
  summary=() failed_stages=() tidy_all=""
  for argument in "$@"; do
    case " ${ci_stages[*]} ${other_stages[*]} " in
      *" $argument "*) stages+=("$argument") ;;
      *)
        case $argument in
          --fast) stages+=(fast) ;;
          --all) tidy_all=yes ;;
          *) usage ;;
        esac
        ;;
    esac
  done
  if [ -n "$tidy_all" ] && [[ " ${stages[*]} " != *" tidy "* ]]; then usage; fi
  [ ${#stages[@]} -gt 0 ] || stages=("${ci_stages[@]}")
  use_compiler_cache
  rm -rf "$results"
  for argument in "${stages[@]}"; do run_stage "$argument"; done
  say "summary"
  printf '%s\n' "${summary[@]}"
  if [ -d "$results" ]; then counts; fi
  [ ${#failed_stages[@]} -eq 0 ] || die "failed: ${failed_stages[*]}"
}

main "$@"
