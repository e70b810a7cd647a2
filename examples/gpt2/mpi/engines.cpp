// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "target.hpp"

template class zero::Engine<zero::AnyStage, gpt2::Optimizer, gpt2::PrecisionOf<float>, zero::HostBackend,
                            zero::MpiCommunicator>;
template class zero::Engine<zero::AnyStage, gpt2::Optimizer, gpt2::PrecisionOf<zero::bfloat16>, zero::HostBackend,
                            zero::MpiCommunicator>;
template class zero::Engine<zero::AnyStage, gpt2::Optimizer, gpt2::PrecisionOf<zero::float16>, zero::HostBackend,
                            zero::MpiCommunicator>;
