// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine.hpp>

/// \file
/// For programs whose files each use engines: what all engines of a backend have in common is compiled once, not in
/// each file.
///
/// ```cpp
/// // In each file, after its includes, or in a header that they share:
/// #include <zero/engine_instances.hpp>
/// ZERO_EXTERN_ENGINE(zero::HostBackend)
/// ```
/// ```cpp
/// // In one file of the program:
/// #include <zero/engine_instances.hpp>
/// ZERO_INSTANTIATE_ENGINE(zero::HostBackend)
/// ```
/// Both stand at namespace scope, outside of all namespaces, before the first engine is named; `zero::CudaBackend`
/// needs `<zero/engine.cuh>` or `<zero/backends/cuda.hpp>` before them. A program that lacks the second does not link.

/// Says that another file of the program instantiates what engines over the backend type of the argument share.
#define ZERO_EXTERN_ENGINE(...) ZERO_DETAIL_ENGINE_CLASSES(extern, __VA_ARGS__)

/// Instantiates what engines over the backend type of the argument share, for all files of the program.
#define ZERO_INSTANTIATE_ENGINE(...) ZERO_DETAIL_ENGINE_CLASSES(, __VA_ARGS__)

/// What the two macros above are made of, which is not for programs. Small classes are left out, and those that the
/// engine always inlines.
#define ZERO_DETAIL_ENGINE_CLASSES(prefix, ...)                       \
  prefix template class zero::detail::EngineCore<__VA_ARGS__>;        \
  prefix template class zero::detail::EngineStateAccess<__VA_ARGS__>; \
  prefix template class zero::detail::GatherArena<__VA_ARGS__>;       \
  prefix template class zero::detail::GradientIntake<__VA_ARGS__>;    \
  prefix template class zero::detail::GradientNorm<__VA_ARGS__>;      \
  prefix template class zero::detail::GradientReducer<__VA_ARGS__>;   \
  prefix template class zero::detail::GradientSlots<__VA_ARGS__>;     \
  prefix template class zero::detail::NamedAccess<__VA_ARGS__>;       \
  prefix template class zero::detail::OffloadedSums<__VA_ARGS__>;     \
  prefix template class zero::detail::ParameterAccess<__VA_ARGS__>;   \
  prefix template class zero::detail::ParameterGatherer<__VA_ARGS__>; \
  prefix template class zero::detail::ParameterStorage<__VA_ARGS__>;  \
  prefix template class zero::detail::ParameterUpdater<__VA_ARGS__>;  \
  prefix template class zero::detail::StepDecider<__VA_ARGS__>;       \
  prefix template class zero::detail::SumStorage<__VA_ARGS__>;
