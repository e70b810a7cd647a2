#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# quickstart_help.sh SOURCE WORK: scripts/quickstart.sh --help says what it does, and neither installs nor builds.
set -euo pipefail
rm -rf -- "$2"
mkdir -p -- "$2"
cp -R "$1/scripts" "$2"
for word in --help -h; do
  text=$("$2/scripts/quickstart.sh" --iterations 3 $word)
  grep -q '^scripts/quickstart.sh \[option of train_gpt2...\]$' <<<"$text"
  grep -q 'docs/programs.md lists the options' <<<"$text"
  if grep -q '^==>' <<<"$text"; then echo "quickstart.sh $word does more than to say its options" >&2; exit 1; fi
done
[ ! -e "$2/build" ] || { echo "quickstart.sh --help has made a build folder" >&2; exit 1; }
