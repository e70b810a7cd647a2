// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Compiled once, beside the trainer.
#include "engine_maker.hpp"
#include "host_target.hpp"

template zero::RuntimeEngine<float, zero::HostBackend> gpt2::make_engine<gpt2::HostTarget, float>(
    EngineRequest<zero::HostBackend> const&, HostTarget::Communicator&, zero::ParameterList const&);
template zero::RuntimeEngine<zero::bfloat16, zero::HostBackend> gpt2::make_engine<gpt2::HostTarget, zero::bfloat16>(
    EngineRequest<zero::HostBackend> const&, HostTarget::Communicator&, zero::ParameterList const&);
template zero::RuntimeEngine<zero::float16, zero::HostBackend> gpt2::make_engine<gpt2::HostTarget, zero::float16>(
    EngineRequest<zero::HostBackend> const&, HostTarget::Communicator&, zero::ParameterList const&);
