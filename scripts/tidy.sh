#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# scripts/tidy.sh [--all]: clang-tidy 14, with Clang's own warnings as errors too. First one unit of all public headers
# and four engines (tests/tidy/umbrella.cpp), then the .cpp files of the build that differ from the merge base with the
# main branch (ZERO_BASE: with another commit), as many as begin within two minutes; the rest is named, and so are files
# that no build here compiles: torch's, where there is no torch, and those that are only read or only fail to compile.
# --all: every .cpp file of the build, with torch's, however long it takes.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
source scripts/dependencies.sh
build=build/tidy
seconds_for_changes=120
warnings=(-Wall -Wextra -Wpedantic -Wconversion -Wshadow)

# install_dependencies [--all]: without it torch is taken where the tests have unpacked it, and not downloaded.
install_dependencies() {
  need clang-tidy-14 has_command clang-tidy-14
  need clang has_command clang++
  need cmake has_command cmake
  need git has_command git
  need g++ has_compiler
  need ninja-build has_command ninja
  install_missing
  need doctest-dev has_header doctest/doctest.h
  need libbenchmark-dev has_header benchmark/benchmark.h
  need libopenblas-dev has_header cblas.h
  need libjpeg-dev has_header jerror.h
  need libpng-dev has_header png.h
  need_mpi
  install_missing
  if [ $# -gt 0 ] || [ -d build/libtorch ]; then need_libtorch; fi
}

# tidy <file> <argument of clang-tidy...>: prints what is found at once when it is done, as several run side by side.
tidy() {
  local report result=0
  report=$(clang-tidy-14 --quiet "$@" 2>&1) || result=$?
  if [ $result -eq 0 ]; then say "clang-tidy: $1"; else printf '==> clang-tidy: %s\n%s\n' "$1" "$report"; fi
  return $result
}

tidy_umbrella() {
  local headers=$build/umbrella
  mkdir -p "$headers"
  cmake "-DOUTPUT=$headers/public_headers.hpp" -P tests/tidy/public_headers.cmake
  say "clang-tidy: $(grep -c '#include' "$headers/public_headers.hpp") public headers and four engines"
  tidy tests/tidy/umbrella.cpp -- -std=c++20 "${warnings[@]}" -Iinclude "-I$headers"
}

# The .cpp files that the build compiles, relative to here, sorted.
built_files() {
  cmake --preset tidy >"$build.log" 2>&1 || { tail -n 40 "$build.log" && return 1; }
  sed -n "s|^ *\"file\": \"$PWD/\(.*\.cpp\)\".*|\1|p" "$build/compile_commands.json" | sort -u
}

# The commit that changes are counted from: on the main branch itself the one before the last.
base() {
  local branch found head
  head=$(git rev-parse HEAD)
  for branch in ${ZERO_BASE:-} origin/HEAD origin/main; do
    found=$(git merge-base HEAD "$branch" 2>/dev/null) || continue
    [ "$found" = "$head" ] || break
  done
  [ -n "${found:-}" ] && [ "$found" != "$head" ] || found=$(git rev-parse --verify --quiet HEAD^) || found=$head
  printf '%s\n' "$found"
}

# The .cpp files that differ from the commit $1 in the work tree, or are new there.
changed_files() {
  {
    git diff --name-only --diff-filter=d "$1" -- '*.cpp'
    git ls-files --others --exclude-standard -- '*.cpp'
  } | sort -u
}

# name_files <what of them>: those of the input, if any.
name_files() {
  local files
  mapfile -t files < <(grep .)
  [ ${#files[@]} -gt 0 ] || return 0
  say "$1:"
  printf '  %s\n' "${files[@]}"
}

# tidy_files <seconds, or 0 for no limit> <file...>
tidy_files() {
  local limit=$1 began=$SECONDS running=0 failed=0 file rest=()
  shift
  for file; do
    if [ "$limit" -gt 0 ] && [ $((SECONDS - began)) -ge "$limit" ]; then
      rest+=("$file")
      continue
    fi
    if [ $running -ge "$(processors)" ]; then
      wait -n || failed=1
      running=$((running - 1))
    fi
    tidy "$file" -p "$build" &
    running=$((running + 1))
  done
  for (( ; running > 0; --running)); do wait -n || failed=1; done
  name_files "not looked at within $limit s (scripts/tidy.sh --all does)" < <([ ${#rest[@]} -eq 0 ] || printf '%s\n' "${rest[@]}")
  return $failed
}

main() {
  local failed=0 since files built changed
  [ $# -eq 0 ] || [ "$*" = --all ] || die "usage: scripts/tidy.sh [--all]"
  install_dependencies "$@"
  tidy_umbrella || failed=1
  built=$(built_files) || die "cmake --preset tidy failed: $built"
  if [ $# -gt 0 ]; then
    mapfile -t files <<<"$built"
    say "clang-tidy: all ${#files[@]} .cpp files of the build"
    tidy_files 0 "${files[@]}" || failed=1
  else
    since=$(base)
    changed=$(changed_files "$since")
    mapfile -t files < <(comm -12 <(printf '%s\n' "$built") <(printf '%s\n' "$changed"))
    say "clang-tidy: ${#files[@]} .cpp files that differ from $(git log -1 --format='%h (%s)' "$since")"
    name_files "not in this build, and not looked at" < <(comm -13 <(printf '%s\n' "$built") <(printf '%s\n' "$changed"))
    tidy_files "$seconds_for_changes" "${files[@]}" || failed=1
  fi
  [ $failed -eq 0 ] || die "clang-tidy has findings"
}

main "$@"
