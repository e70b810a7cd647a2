#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# packages.sh deb|tgz|conan CMAKE SOURCE WORK COMPILER CACHE: makes a package of the headers, installs it, builds and runs
# a consumer against it, and takes it away again, which must leave nothing. Exits with 77 where it may not install.
set -euo pipefail
kind=$1 cmake=$2 source=$3 work=$4 compiler=$5 cache=$6

die() {
  printf '%s\n' "$*" >&2
  exit 1
}

configure() {
  "$cmake" -S "$source" -B "$work/build" "-DCMAKE_CXX_COMPILER=$compiler" -DZERO_BUILD_TESTS=OFF \
    -DZERO_BUILD_EXAMPLES=OFF -DZERO_BUILD_TOOLS=OFF -DZERO_BUILD_BENCHMARKS=OFF -DZERO_BUILD_CUDA=OFF
}

# pack GENERATOR: makes one package, and prints its path
pack() {
  (cd "$work/build" && "$(dirname -- "$cmake")/cpack" -G "$1" >"$work/cpack.log") || die "$(cat "$work/cpack.log")"
  sed -n 's/^CPack: - package: \(.*\) generated\.$/\1/p' "$work/cpack.log"
}

# consume PREFIX
consume() {
  "$cmake" "-DSOURCE=$source/tests/consumer/find_package" "-DBINARY=$work/consumer" "-DCACHE=$cache" \
    "-DOPTION=-DZERO_PREFIX=$1" -DRUN=consumer -P "$source/tests/package/consumer.cmake"
  grep -q "^zero_DIR:PATH=$1/" "$work/consumer/CMakeCache.txt" || die "the consumer took another package than the one of $1"
}

tgz() {
  configure
  mkdir "$work/unpacked"
  tar -xzf "$(pack TGZ)" -C "$work/unpacked"
  consume "$(echo "$work"/unpacked/*)"
}

deb() {
  if [ "$(id -u)" -ne 0 ]; then
    echo "dpkg installs as root only: skipped"
    exit 77
  fi
  configure
  local root=$work/root package
  mkdir -p "$root/var/lib/dpkg/info" "$root/var/lib/dpkg/updates"
  touch "$root/var/lib/dpkg/status" "$root/var/lib/dpkg/available"
  package=$(pack DEB)
  # What lies there before and after; dpkg's own database aside.
  files() { find "$root" -path "$root/var/lib/dpkg" -prune -o -print | sort; }
  files >"$work/before"
  dpkg --root="$root" --force-depends --log=/dev/null -i "$package"
  [ "$(files | wc -l)" -gt 100 ] || die "$package: installed hardly anything"
  consume "$root/usr"
  dpkg --root="$root" --log=/dev/null --purge zero
  files | diff "$work/before" - || die "$package: left the files above behind"
}

conan_package() {
  # Conan builds beside the recipe: a copy of what the recipe names.
  mkdir "$work/source"
  cp -R "$source"/{conanfile.py,CMakeLists.txt,LICENSE,cmake,include,src,test_package} "$work/source"
  export CONAN_HOME=$work/conan CXX=$compiler
  conan profile detect
  listed() { conan list 'zero/*' 2>&1 | grep -q 'zero/[0-9]'; }
  conan create "$work/source" --no-remote
  listed || die "conan create has made no package"
  conan remove 'zero/*' --confirm
  ! listed || die "conan remove left the package behind"
}

rm -rf -- "$work"
mkdir -p -- "$work"
case $kind in
  tgz) tgz ;;
  deb) deb ;;
  conan) conan_package ;;
  *) die "packages.sh: unknown kind: $kind" ;;
esac
