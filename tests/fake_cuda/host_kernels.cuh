// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "fake_cuda/machine.hpp"

#include <zero/engine.cuh>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

/// Each kernel's work on the host, by the functions that the host backend runs, and what bytes it touches.
namespace fake_cuda {

using zero::simulation::Access;
using zero::simulation::reads;
using zero::simulation::writes;
namespace kernels = zero::kernels;

// Kernels may touch whole norm blocks.
inline std::size_t elements_of(kernels::DeviceSegments const& segments) {
  return segments.norm_blocks * kernels::norm_block;
}
inline Access table_of(kernels::DeviceSegments const& segments) {
  return reads(segments.segments, segments.count * sizeof(zero::Segment));
}
inline zero::SegmentView view_of(kernels::DeviceSegments const& segments) {
  return {{segments.segments, segments.count}, segments.segments};
}
inline zero::HostBackend& host_backend() {
  static zero::HostBackend backend({.threads = 1}, 1);
  return backend;
}

template <class Rule, class Compute, class Sum>
std::vector<Access> accesses_of(kernels::Update<Rule, Compute, Sum> const& a) {
  std::size_t const n = elements_of(a.segments);
  std::vector<Access> all{table_of(a.segments), reads(a.decision, sizeof *a.decision),
                          reads(a.gradient, n * sizeof(Sum)), writes(a.master, n * sizeof(float))};
  if (a.value != nullptr) all.push_back(writes(a.value, n * sizeof(Compute)));
  for (std::size_t k = 0; k < Rule::state_count; ++k) all.push_back(writes(a.states[k], n * sizeof(float)));
  return all;
}
template <class Rule, class Compute, class Sum>
void run(kernels::Update<Rule, Compute, Sum> const& a) {
  zero::UpdateArguments<Rule, Compute, Sum> base{a.master, a.value, a.gradient, {}, 0, {}, 0.0F};
  std::copy_n(a.states, Rule::state_count, base.states.begin());
  host_backend().update(view_of(a.segments), base, a.decision, {});
}

template <class Sum>
std::vector<Access> accesses_of(kernels::Squares<Sum> const& a) {
  return {table_of(a.segments), reads(a.slice, elements_of(a.segments) * sizeof(Sum)),
          writes(a.norm.words, zero::NormWords::count(a.norm.world) * sizeof(std::uint64_t))};
}
template <class Sum>
void run(kernels::Squares<Sum> const& a) {
  host_backend().squares(a.norm, view_of(a.segments), a.slice, {});
}

template <class Rule, class Scaler>
std::vector<Access> accesses_of(zero::DecisionArguments<Rule, Scaler> const& a) {
  std::vector<Access> accesses{reads(a.norm.words, zero::NormWords::count(a.norm.world) * sizeof(std::uint64_t)),
                               reads(a.groups, a.group_count * sizeof *a.groups),
                               reads(a.clipping, sizeof *a.clipping),
                               writes(a.state, sizeof *a.state),
                               writes(a.decision, sizeof *a.decision),
                               writes(a.constants, a.set_count * sizeof *a.constants),
                               writes(a.outcome, sizeof *a.outcome)};
  if (a.sets != nullptr) accesses.push_back(reads(a.sets, a.set_count * sizeof *a.sets));
  if (a.entries != nullptr) {
    accesses.push_back(reads(a.entries, static_cast<std::size_t>(a.norm.world) * sizeof *a.entries));
  }
  if (a.scale != nullptr) accesses.push_back(reads(a.scale, sizeof *a.scale));
  return accesses;
}
template <class Rule, class Scaler>
void run(zero::DecisionArguments<Rule, Scaler> const& a) {
  zero::decide(a);
}

template <class Sum, class T, std::size_t N>
std::vector<Access> accesses_of(kernels::Accumulate<Sum, T, N> const& a) {
  std::vector<Access> all{writes(a.into, a.count * sizeof(Sum))};
  for (std::uint32_t q = 0; q < a.source_count; ++q) all.push_back(reads(a.sources[q], a.count * sizeof(T)));
  return all;
}
template <class Sum, class T, std::size_t N>
void run(kernels::Accumulate<Sum, T, N> const& a) {
  zero::accumulate(zero::best_instruction_set(), a.into, a.sources, a.source_count, a.count, a.first);
}

template <class Bits>
std::vector<Access> accesses_of(kernels::Fill<Bits> const& a) {
  return {writes(a.to, a.count * sizeof(Bits))};
}
template <class Bits>
void run(kernels::Fill<Bits> const& a) {
  for (std::uint64_t i = 0; i < a.count; ++i) a.to[i] = a.value;
}

template <class Word>
std::vector<Access> accesses_of(kernels::SumU64<Word> const& a) {
  std::vector<Access> all{writes(a.into, a.count * sizeof(Word))};
  for (std::uint32_t q = 0; q < a.source_count; ++q) all.push_back(reads(a.sources[q], a.count * sizeof(Word)));
  return all;
}
template <class Word>
void run(kernels::SumU64<Word> const& a) {
  for (std::uint32_t i = 0; i < a.count; ++i) {
    Word sum = 0;
    for (std::uint32_t q = 0; q < a.source_count; ++q) sum += a.sources[q][i];
    a.into[i] = sum;
  }
}

template <std::size_t N>
std::vector<Access> accesses_of(kernels::CopyMany<N> const& a) {
  std::vector<Access> all;
  for (std::uint32_t i = 0; i < a.count; ++i) {
    all.push_back(reads(a.copies[i].from, a.copies[i].bytes));
    all.push_back(writes(a.copies[i].to, a.copies[i].bytes));
  }
  return all;
}
template <std::size_t N>
void run(kernels::CopyMany<N> const& a) {
  for (std::uint32_t i = 0; i < a.count; ++i) std::memcpy(a.copies[i].to, a.copies[i].from, a.copies[i].bytes);
}

template <class Parameters>
HostKernel make_host_kernel(char const* name, void** arguments) {
  auto const a = *static_cast<Parameters const*>(arguments[0]);
  return {name, accesses_of(a), [a] { run(a); }};
}

#define FAKE_CUDA_HOST_KERNEL(name, ...)                                                                \
  add_host_kernel(reinterpret_cast<void const*>(+kernels::__VA_ARGS__), [](void** arguments) {          \
    return make_host_kernel<fake_cuda::ParametersOf<decltype(&kernels::__VA_ARGS__)>>(name, arguments); \
  })

template <class F>
struct Parameters;
template <class P>
struct Parameters<void (*)(P)> {
  using type = P;
};
template <class F>
using ParametersOf = typename Parameters<F>::type;

/// Adds the host_kernels of the kernels that engines of one rule, scaler and precision launch in any world.
template <class Rule, class Scaler, class Compute, class Sum>
void add_host_kernels() {
  FAKE_CUDA_HOST_KERNEL("update", update<Rule, Compute, Sum>);
  FAKE_CUDA_HOST_KERNEL("squares", squares<Sum>);
  FAKE_CUDA_HOST_KERNEL("decide", decide<Rule, Scaler>);
  FAKE_CUDA_HOST_KERNEL("accumulate", accumulate<Sum, Compute, 1>);
  FAKE_CUDA_HOST_KERNEL("accumulate", accumulate<Sum, Compute, 8>);
  FAKE_CUDA_HOST_KERNEL("accumulate sums", accumulate<Sum, Sum, 1>);
  FAKE_CUDA_HOST_KERNEL("accumulate sums", accumulate<Sum, Sum, 8>);
  FAKE_CUDA_HOST_KERNEL("add words", sum_u64<std::uint64_t>);
  FAKE_CUDA_HOST_KERNEL("fill", fill<std::uint16_t>);
  FAKE_CUDA_HOST_KERNEL("fill", fill<std::uint32_t>);
  FAKE_CUDA_HOST_KERNEL("copy many", copy_many<kernels::few_copies>);
  FAKE_CUDA_HOST_KERNEL("copy many", copy_many<kernels::most_copies>);
}

}  // namespace fake_cuda
