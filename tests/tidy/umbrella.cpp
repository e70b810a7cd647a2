// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What scripts/tidy.sh looks at first: every public header, and four engines. A template's code is judged where it is
// instantiated. public_headers.hpp is written by public_headers.cmake.

#include <public_headers.hpp>

using Partitioner = zero::Partitioner<zero::Stage::parameters>;
using OnDevice = zero::Optimizer<zero::AdamW, zero::NoOffload>;
using Offloaded = zero::Optimizer<zero::AdamW, zero::CpuOffload>;
using Precision = zero::Precision<zero::FP16, zero::DynamicScale>;
using Simulated = zero::SimulationBackend;

template class zero::Engine<Partitioner, OnDevice, Precision, zero::HostBackend, zero::ThreadCommunicator>;
template class zero::Engine<Partitioner, Offloaded, Precision, zero::HostBackend, zero::ThreadCommunicator>;
template class zero::Engine<Partitioner, OnDevice, Precision, Simulated, zero::SimulationCommunicator>;
template class zero::Engine<Partitioner, Offloaded, Precision, Simulated, zero::SimulationCommunicator>;
