// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/kernels.hpp>
#include <zero/kernels/update.hpp>
#include <zero/support/out_of_line.hpp>

#include <algorithm>
#include <cstddef>

namespace zero::detail {

/// The kernels of engines with these policies, whatever their stage. Out of line: see ZERO_OUT_OF_LINE.
template <class Opt, class Prec, class Backend>
class TypedKernels final : public Kernels<Backend> {
 public:
  // As in zero/engine/typed_policies.hpp: from a shared base each name would be a dependent one.
  using Rule = typename Opt::rule;
  using Offload = typename Opt::offload;
  using Scaler = typename Prec::scale;
  using Value = typename Prec::compute::type;
  using Sum = typename Prec::sum::type;
  using Stream = typename Backend::Stream;

  /// \p scale is borrowed.
  explicit TypedKernels(typename Scaler::Config const& scale) : scale_(scale) {}

  ZERO_OUT_OF_LINE void accumulate(Backend& backend, void* into, void const* from, std::size_t n, bool first,
                                   Stream stream) override {
    backend.accumulate(static_cast<Sum*>(into), static_cast<Value const*>(from), n, first, stream);
  }
  ZERO_OUT_OF_LINE void squares(Backend& backend, NormWords norm, SegmentView const& segments, void const* slice,
                                Stream stream) override {
    backend.squares(norm, segments, static_cast<Sum const*>(slice), stream);
  }
  ZERO_OUT_OF_LINE void decide(Backend& backend, DecisionBuffers const& buffers, Stream stream) override {
    backend.decide(
        DecisionArguments<Rule, Scaler>{.norm = buffers.norm,
                                        .addends = buffers.addends,
                                        .clipping = buffers.clipping,
                                        .scaler = scale_,
                                        .state = static_cast<StepState<Scaler>*>(buffers.state),
                                        .groups = static_cast<typename Rule::Config const*>(buffers.configs),
                                        .group_count = buffers.group_count,
                                        .sets = buffers.sets,
                                        .set_count = buffers.set_count,
                                        .constants = static_cast<typename Rule::Constants*>(buffers.constants),
                                        .decision = static_cast<Decision<Rule>*>(buffers.decision),
                                        .outcome = buffers.outcome,
                                        .entries = buffers.entries,
                                        .scale = buffers.scale},
        stream);
  }
  ZERO_OUT_OF_LINE void update(Backend& backend, SegmentView const& segments, UpdateBuffers const& buffers,
                               bool on_host, Stream stream) override {
    UpdateArguments<Rule, Value, Sum> arguments{};
    arguments.master = buffers.master;
    arguments.value = static_cast<Value*>(buffers.value);
    arguments.gradient = static_cast<Sum const*>(buffers.gradient);
    std::copy_n(buffers.states, arguments.states.size(), arguments.states.begin());
    auto const* const decision = static_cast<Decision<Rule> const*>(buffers.decision);
    if constexpr (Offload::offloads) {
      if (on_host) return backend.template update_on_host<Rule, Value, Sum>(segments, arguments, decision, stream);
    }
    backend.template update<Rule, Value, Sum>(segments, arguments, decision, stream);
  }
  ZERO_OUT_OF_LINE void narrow_on_host(Backend& backend, void* values, float const* masters, std::size_t n,
                                       Stream stream) override {
    if constexpr (Offload::offloads) backend.cast_on_host(static_cast<Value*>(values), masters, n, stream);
  }

 private:
  typename Scaler::Config const& scale_;
};

}  // namespace zero::detail
