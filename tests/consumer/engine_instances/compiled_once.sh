#!/bin/sh
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# compiled_once.sh <object>...: fails where an object has functions of the engine that it should only refer to.
for object in "$@"; do
  symbols=$(nm --demangle "$object" | grep 'zero::detail::EngineCore<zero::HostBackend>::')
  if ! echo "$symbols" | grep -q ' U '; then
    echo "$object refers to no engine of another file" && exit 1
  fi
  if echo "$symbols" | grep ' W '; then
    echo "$object: the functions above were to be compiled in another file" && exit 1
  fi
done
