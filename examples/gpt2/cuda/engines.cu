// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <zero/engine.cuh>

#include "target.hpp"

template class zero::Engine<zero::AnyStage, gpt2::Optimizer, gpt2::PrecisionOf<float>, zero::CudaBackend,
                            zero::ThreadCommunicator>;
template class zero::Engine<zero::AnyStage, gpt2::Optimizer, gpt2::PrecisionOf<zero::bfloat16>, zero::CudaBackend,
                            zero::ThreadCommunicator>;
template class zero::Engine<zero::AnyStage, gpt2::Optimizer, gpt2::PrecisionOf<zero::float16>, zero::CudaBackend,
                            zero::ThreadCommunicator>;
