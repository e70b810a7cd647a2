// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <zero/engine.cuh>

#include "../engine_maker.hpp"
#include "target.hpp"

template zero::RuntimeEngine<float, zero::CudaBackend> gpt2::make_engine<gpt2::CudaTarget, float>(
    EngineRequest<zero::CudaBackend> const&, CudaTarget::Communicator&, zero::ParameterList const&);
template zero::RuntimeEngine<zero::bfloat16, zero::CudaBackend> gpt2::make_engine<gpt2::CudaTarget, zero::bfloat16>(
    EngineRequest<zero::CudaBackend> const&, CudaTarget::Communicator&, zero::ParameterList const&);
template zero::RuntimeEngine<zero::float16, zero::CudaBackend> gpt2::make_engine<gpt2::CudaTarget, zero::float16>(
    EngineRequest<zero::CudaBackend> const&, CudaTarget::Communicator&, zero::ParameterList const&);
