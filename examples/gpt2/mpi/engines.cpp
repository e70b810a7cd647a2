// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "../engine_maker.hpp"
#include "target.hpp"

template zero::RuntimeEngine<float, zero::HostBackend> gpt2::make_engine<gpt2::MpiTarget, float>(
    EngineRequest<zero::HostBackend> const&, MpiTarget::Communicator&, zero::ParameterList const&);
template zero::RuntimeEngine<zero::bfloat16, zero::HostBackend> gpt2::make_engine<gpt2::MpiTarget, zero::bfloat16>(
    EngineRequest<zero::HostBackend> const&, MpiTarget::Communicator&, zero::ParameterList const&);
template zero::RuntimeEngine<zero::float16, zero::HostBackend> gpt2::make_engine<gpt2::MpiTarget, zero::float16>(
    EngineRequest<zero::HostBackend> const&, MpiTarget::Communicator&, zero::ParameterList const&);
