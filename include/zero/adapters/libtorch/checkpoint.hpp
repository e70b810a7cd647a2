// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/adapters/detail/recomputed_region.hpp>

#include <utility>

namespace zero::libtorch {

/// Calls \p f with \p arguments and keeps none of its activations: when backward comes to it, \p f is called again.
/// That is torch.utils.checkpoint; the results are those without it, to the bit. Outside of DataParallel::micro_batch,
/// and where gradients are disabled, it is a call of \p f.
///
/// \p f is copied and called once more after the function of `micro_batch` has returned: it captures by value, or what
/// lives as long as the module. It may be a module's holder. It depends on its arguments, parameters, buffers, which
/// are put back after the second call, and torch's default generators, which begin where they did the first time,
/// unless several ranks are threads, which share them. It may use units, at stage 3 one; a unit may use it. \p
/// arguments are copied; their tensors must not be changed in place before backward is over. Returns what \p f does, a
/// tensor, or a tuple, pair, vector or optional of tensors. \throws what \p f throws; ConfigurationError for a tensor
/// with a graph that is no argument, and for a parameter that has a hook; backward throws ConfigurationError where \p f
/// gives another result.
template <class Function, class... Arguments>
auto checkpoint(Function f, Arguments... arguments) {
  return detail::run_region(std::move(f), std::move(arguments)...);
}

}  // namespace zero::libtorch
