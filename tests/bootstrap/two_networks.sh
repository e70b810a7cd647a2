#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# two_networks.sh PROGRAM: ranks that meet over a network: in two network namespaces that a cable joins, or, where those
# may not be made (no root), at two addresses of the loopback range.
set -euo pipefail
program=$1
work=$(mktemp -d)
a=zero-a-$$ b=zero-b-$$
cable=zero$$
in_a=(env) in_b=(env)
clean() {
  rm -rf -- "$work"
  if [ "${in_a[0]}" = ip ]; then ip netns delete "$a" && ip netns delete "$b"; fi
}
trap clean EXIT

if command -v ip >/dev/null && ip netns add "$a" 2>/dev/null; then
  in_a=(ip netns exec "$a") in_b=(ip netns exec "$b")
  ip netns add "$b"
  ip link add "${cable}a" netns "$a" type veth peer name "${cable}b" netns "$b"
  "${in_a[@]}" ip address add 10.213.7.1/24 dev "${cable}a"
  "${in_b[@]}" ip address add 10.213.7.2/24 dev "${cable}b"
  "${in_a[@]}" ip link set "${cable}a" up
  "${in_b[@]}" ip link set "${cable}b" up
  "${in_a[@]}" ip link set lo up
  address=10.213.7.1 interface=${cable}a per_machine=2
  echo "two network namespaces"
else
  address=127.0.0.2 interface=127.0.0.2 per_machine=4 # one that others do not reach serves one machine only
  echo "addresses of the loopback range: no network namespaces"
fi

# start RANK ADDRESS VARIABLE... ARGUMENT...: in its network
start() {
  local rank=$1 where=("${in_a[@]}")
  [ "$rank" -lt 2 ] || where=("${in_b[@]}")
  shift
  "${where[@]}" env "RANK=$rank" WORLD_SIZE=4 "LOCAL_RANK=$((rank % per_machine))" "LOCAL_WORLD_SIZE=$per_machine" ZERO_PORT=29731 \
    ZERO_TOKEN=test "$@" >"$work/$rank" 2>&1 &
}
expect() { # LINE RANK...
  local line=$1 rank
  shift
  for rank; do
    if ! grep -q -- "$line" "$work/$rank"; then
      echo "rank $rank should say '$line', but says:"
      cat "$work/$rank"
      exit 1
    fi
  done
}

# By the address of rank 0.
for rank in 3 2 1 0; do start $rank "MASTER_ADDR=$address" "$program"; done
wait
expect "sum 10" 0 1 2 3
# By the name of its interface, since the name of its machine says nothing.
for rank in 0 1 2 3; do start $rank "MASTER_ADDR=$address" "ZERO_INTERFACE=$interface" "$program"; done
wait
expect "sum 10" 0 1 2 3
# A rank that dies is named on both networks.
for rank in 0 1 2 3; do start $rank "MASTER_ADDR=$address" "$program" die; done
wait
expect "rank 1 has died" 0 2 3
# Who asks rank 0 to listen where other machines do not reach it hears of it at once.
per_machine=2
start 0 MASTER_ADDR=127.0.0.1 "$program"
wait
expect "which other machines cannot reach" 0
# As does who names an interface that is not there.
start 0 "MASTER_ADDR=$address" ZERO_INTERFACE=no-such-interface "$program"
wait
expect "'no-such-interface' is neither a host nor an interface" 0
echo "the ranks of two networks have met"
