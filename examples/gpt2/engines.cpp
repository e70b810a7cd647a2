// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "host_target.hpp"

// What the extern templates of host_target.hpp stand for: compiled once, beside the trainer.
template class zero::Engine<zero::AnyStage, gpt2::Optimizer, gpt2::PrecisionOf<float>, zero::HostBackend,
                            zero::ThreadCommunicator>;
template class zero::Engine<zero::AnyStage, gpt2::Optimizer, gpt2::PrecisionOf<zero::bfloat16>, zero::HostBackend,
                            zero::ThreadCommunicator>;
template class zero::Engine<zero::AnyStage, gpt2::Optimizer, gpt2::PrecisionOf<zero::float16>, zero::HostBackend,
                            zero::ThreadCommunicator>;
