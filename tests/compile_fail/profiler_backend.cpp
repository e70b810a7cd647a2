// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expected-error: zero::profile::Profiler: this backend does not time its streams: use zero::HostBackend
#include <zero/backends/host.hpp>
#include <zero/backends/simulation.hpp>
#include <zero/profile/profiler.hpp>

#ifdef ZERO_COMPILES
using Backend = zero::HostBackend;
#else
using Backend = zero::SimulationBackend;
#endif

int main() { zero::profile::Profiler<Backend> const profiler; }
