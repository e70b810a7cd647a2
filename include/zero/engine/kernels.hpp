// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/kernels/decide.hpp>
#include <zero/kernels/norm_words.hpp>
#include <zero/segment.hpp>

#include <cstddef>
#include <cstdint>

namespace zero::detail {

/// Arrays of one fused update. Elements have the types of their roles.
struct UpdateBuffers {
  float* master = nullptr;
  void* value = nullptr;  ///< null: the master parameters are the only ones
  void const* gradient = nullptr;
  float* const* states = nullptr;  ///< one for each of the rule's
  void const* decision = nullptr;
};

/// What a decision reads and writes; see DecisionArguments.
struct DecisionBuffers {
  NormWords norm;
  double addends = 1.0;
  double const* clipping = nullptr;
  void* state = nullptr;
  void const* configs = nullptr;
  std::uint32_t group_count = 0;
  ConstantsSet const* sets = nullptr;
  std::uint32_t set_count = 0;
  void* constants = nullptr;
  void* decision = nullptr;
  StepOutcome* outcome = nullptr;
  NormEntry const* entries = nullptr;
  float const* scale = nullptr;
};

/// The kernels of a backend that depend on rule, scaler and element types, behind one virtual call per bucket.
/// Everything else is written and compiled once for all engines of a backend: a further engine costs its kernels.
/// Streams and errors are those of the backend's function of the same name.
template <class Backend>
class Kernels {
 public:
  using Stream = typename Backend::Stream;

  virtual void accumulate(Backend& backend, void* into, void const* from, std::size_t n, bool first, Stream stream) = 0;
  virtual void squares(Backend& backend, NormWords norm, SegmentView const& segments, void const* slice,
                       Stream stream) = 0;
  virtual void decide(Backend& backend, DecisionBuffers const& buffers, Stream stream) = 0;
  /// \p on_host: of offloaded states.
  virtual void update(Backend& backend, SegmentView const& segments, UpdateBuffers const& buffers, bool on_host,
                      Stream stream) = 0;
  /// Parameters in the compute type from their masters; of offloaded states.
  virtual void narrow_on_host(Backend& backend, void* values, float const* masters, std::size_t n, Stream stream) = 0;

 protected:
  ~Kernels() = default;
};

}  // namespace zero::detail
