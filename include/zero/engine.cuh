// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

// zero/engine.hpp with the CUDA backend: include it in a .cu file, which instantiates the engines of a program:
//
//   #include <zero/engine.cuh>
//   #include "my_engine.hpp"                 // using MyEngine = zero::Engine<..., zero::CudaBackend, ...>;
//   template class zero::Engine<...>;        // in files for another compiler: extern template class zero::Engine<...>;

#include <zero/backends/cuda.cuh>
#include <zero/engine.hpp>
