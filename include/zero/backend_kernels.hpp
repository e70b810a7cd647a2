// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/backend.hpp>
#include <zero/kernels/decide.hpp>
#include <zero/kernels/norm_words.hpp>
#include <zero/kernels/update.hpp>
#include <zero/segment.hpp>

#include <cstddef>

namespace zero {

// The kernels that an engine asks of its backend, each a concept. All are operations of the stream that comes last:
// they may return before they have run. Addresses are device memory; those of kernels `on_host` are host memory.
// HostBackend is the reference.

/// `accumulate(into, from, n, first, stream)`: into[i] += from[i] in fp32, rounded to Sum; into[i] = from[i] where
/// first.
template <class Backend, class Sum, class Value>
concept accumulating_backend = requires(Backend& b, Sum* into, Value const* from, typename Backend::Stream stream) {
  b.accumulate(into, from, std::size_t{1}, true, stream);
};

/// `squares(norm, segments, slice, stream)`: adds the squares of the segments of a slice to the words of \p norm, and
/// enters the first registered parameter among them that has an element that is not finite. Bits as kernels/norm.hpp.
template <class Backend, class Sum>
concept norm_backend = requires(Backend& b, NormWords norm, SegmentView const& segments, Sum const* slice,
                                typename Backend::Stream stream) {
  b.squares(norm, segments, slice, stream);
};

/// `decide(arguments, stream)`: runs zero::decide once.
template <class Backend, class Rule, class Scaler>
concept deciding_backend = requires(Backend& b, DecisionArguments<Rule, Scaler> const& arguments,
                                    typename Backend::Stream stream) {
  b.decide(arguments, stream);
};

/// `update<Rule, Value, Sum>(segments, arguments, decision, stream)`: the fused update of segments whose offsets count
/// from the start of every array of the arguments. Does nothing where the decision is not to apply.
template <class Backend, class Rule, class Value, class Sum>
concept updating_backend = requires(Backend& b, SegmentView const& segments,
                                    UpdateArguments<Rule, Value, Sum> const& arguments, Decision<Rule> const* decision,
                                    typename Backend::Stream stream) {
  b.template update<Rule, Value, Sum>(segments, arguments, decision, stream);
};

/// With offload: `update_on_host`, the same in host memory, and `cast_on_host(to, from, n, stream)`, fp32 masters to
/// the compute type, rounded to nearest even.
template <class Backend, class Rule, class Value, class Sum>
concept offloading_backend = requires(Backend& b, SegmentView const& segments,
                                      UpdateArguments<Rule, Value, Sum> const& arguments,
                                      Decision<Rule> const* decision, Value* to, float const* from,
                                      typename Backend::Stream stream) {
  b.template update_on_host<Rule, Value, Sum>(segments, arguments, decision, stream);
  b.cast_on_host(to, from, std::size_t{1}, stream);
};

/// All kernels of an engine with these types.
template <class Backend, class Rule, class Scaler, class Value, class Sum>
concept kernel_backend =
    backend_policy<Backend> && accumulating_backend<Backend, Sum, Value> && norm_backend<Backend, Sum> &&
    deciding_backend<Backend, Rule, Scaler> && updating_backend<Backend, Rule, Value, Sum>;

}  // namespace zero
