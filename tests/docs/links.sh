#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# links.sh SOURCE PAGE...: every relative link of the pages leads to a file or folder of the source tree, and, where it
# names a heading, to a heading of that page.
set -euo pipefail
cd -- "$1"
shift

# anchors PAGE: the headings, as GitHub names them
anchors() {
  awk '/^```/ { code = !code; next } !code && /^#+ / { sub(/^#+ +/, ""); print }' "$1" | tr '[:upper:]' '[:lower:]' |
    sed -e 's/\[\([^]]*\)\]([^)]*)/\1/g' -e "s/[^a-z0-9 _-]//g" -e 's/ /-/g'
}

# links PAGE: line and target of each link, without those of code
links() {
  awk '/^```/ { code = !code; next }
    !code {
      line = $0
      gsub(/`[^`]*`/, "code", line)
      while (match(line, /\]\([^)]*\)/)) {
        print NR, substr(line, RSTART + 2, RLENGTH - 3)
        line = substr(line, RSTART + RLENGTH)
      }
    }' "$1"
}

bad=0 count=0
report() {
  printf '%s\n' "$*" >&2
  bad=1
}
for page in "$@"; do
  [ -f "$page" ] || report "$page: is not there"
  folder=$(dirname -- "$page")
  while read -r line target; do
    case $target in http://* | https://*) continue ;; esac
    count=$((count + 1))
    file=${target%%#*} anchor=
    case $target in *"#"*) anchor=${target#*#} ;; esac
    if [ -z "$file" ]; then file=$page; else file=$folder/$file; fi
    if [ ! -e "$file" ]; then
      report "$page:$line: $target: there is no such file"
    elif [ -n "$anchor" ] && ! anchors "$file" | grep -qxF -- "$anchor"; then
      report "$page:$line: $target: there is no such heading"
    fi
  done < <(links "$page")
done
[ $count -gt 0 ] || report "no link was found"
[ $bad -eq 0 ] && echo "$count links"
