// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Tensors of other libraries, by DLPack: what an engine holds goes out as a managed tensor (Lender, share), and what
// others hold comes in as a buffer that an engine adopts (ImportedTensor). Needs no header of DLPack; see
// docs/dlpack.md.

#include <zero/support/requirements.hpp>

#include <zero/adapters/dlpack/device.hpp>
#include <zero/adapters/dlpack/exported_tensor.hpp>
#include <zero/adapters/dlpack/imported_tensor.hpp>
#include <zero/adapters/dlpack/lender.hpp>
#include <zero/adapters/dlpack_abi.hpp>
