// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/backends/cuda.hpp>
#include <zero/kernels/accumulate.cuh>
#include <zero/kernels/copy_many.cuh>
#include <zero/kernels/decide.cuh>
#include <zero/kernels/fill.cuh>
#include <zero/kernels/launch.cuh>
#include <zero/kernels/norm.cuh>
#include <zero/kernels/update.cuh>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace zero {

/// Adds \p n elements of each source to \p into, source after source; see collective_stream.
template <class Sum, class Element>
void CudaStream::accumulate(Sum* into, Element const* const* sources, std::size_t source_count, std::size_t n,
                            bool first) const {
  if constexpr (std::is_same_v<Sum, Element>) {
    if (first && source_count == 1 && into == sources[0]) return;  // a sum of one addend, in its own place
  }
  if (source_count == 0) {
    if (first) zero(into, n * sizeof(Sum));
    return;
  }
  if (source_count == 1) return kernels::launch_accumulate<1>(into, sources, source_count, n, first, *this);
  if (source_count <= 8) return kernels::launch_accumulate<8>(into, sources, source_count, n, first, *this);
  for (std::size_t q = 0; q < source_count; q += kernels::max_sources) {
    std::size_t const some = (std::min)(kernels::max_sources, source_count - q);
    kernels::launch_accumulate<kernels::max_sources>(into, sources + q, some, n, first && q == 0, *this);
  }
}

/// Sets \p n elements at \p to to -0, which changes no sum.
template <class Element>
void CudaStream::fill_negative_zero(Element* to, std::size_t n) const {
  kernels::launch_fill_negative_zero(to, n, *this);
}

/// into[i] = the sum of the sources' i-th unsigned integers; see collective_stream.
template <class Word>
void CudaStream::sum_u64(Word* into, Word const* const* sources, std::size_t source_count, std::size_t n) const {
  kernels::SumU64<Word> a{into, {}, static_cast<std::uint32_t>(source_count), static_cast<std::uint32_t>(n)};
  std::copy_n(sources, source_count, a.sources);
  kernels::launch(kernels::sum_u64<Word>, kernels::divide_up(n, kernels::block_threads), a, *this,
                  "the kernel that adds words");
}

/// Adds the squares of a slice to the norm; see norm_backend.
template <class Sum>
void CudaBackend::squares(NormWords norm, SegmentView const& segments, Sum const* slice, Stream stream) {
  kernels::Squares<Sum> const a{slice, kernels::DeviceSegments(segments), norm};
  std::size_t const blocks = kernels::divide_up(a.segments.norm_blocks, kernels::squares_norm_blocks);
  constexpr std::size_t per_multiprocessor = 8;  // each block ends with additions to the same words
  kernels::launch(kernels::squares<Sum>,
                  (std::min)(blocks, per_multiprocessor * static_cast<std::size_t>(multiprocessors_)), a, stream,
                  "the norm kernel");
}

/// Runs zero::decide once; see deciding_backend.
template <class Rule, class Scaler>
void CudaBackend::decide(DecisionArguments<Rule, Scaler> const& arguments, Stream stream) {
  kernels::launch(kernels::decide<Rule, Scaler>, 1, arguments, stream, "the decision kernel", 1);
}

/// The fused update of the segments of a slice; see updating_backend.
template <class Rule, class Compute, class Sum>
void CudaBackend::update(SegmentView const& segments, UpdateArguments<Rule, Compute, Sum> const& base,
                         Decision<Rule> const* decision, Stream stream) {
  kernels::Update<Rule, Compute, Sum> a{base.master, base.value, base.gradient, {}, kernels::DeviceSegments(segments),
                                        decision};
  (std::copy)(base.states.begin(), base.states.end(), a.states);
  kernels::launch(kernels::update<Rule, Compute, Sum>, a.segments.tiles(), a, stream, "the update kernel");
}

/// One launch for all of \p ranges, in as many kernels as their number needs.
template <class Range>
void CudaBackend::launch_copies(Range const* ranges, std::size_t count, Stream stream) {
  if (count <= kernels::few_copies) return kernels::launch_copy_many<kernels::few_copies>(ranges, count, stream);
  for (std::size_t i = 0; i < count; i += kernels::most_copies) {
    kernels::launch_copy_many<kernels::most_copies>(ranges + i, (std::min)(kernels::most_copies, count - i), stream);
  }
}

}  // namespace zero
