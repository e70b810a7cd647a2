// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/parameter.hpp>

#include <cstddef>
#include <cstdint>

namespace zero::detail {

/// What leases and tickets refer to; shared with the engine, whose end they outlive.
struct EngineLifetime {
  ParameterList parameters;
  bool alive = true;
};

/// Gives addresses of gathered parameters and takes them back. Not typed by the engine's policies, so that leases and
/// the trainer's layers are not either.
template <class Stream>
class ParameterSource {
 public:
  virtual void* parameter(std::uint32_t record, ParameterId id) = 0;
  virtual std::size_t element_count(ParameterId id) const = 0;
  virtual void release(std::uint32_t record, Stream stream) noexcept = 0;

 protected:
  ~ParameterSource() = default;
};

struct GradientAddress {
  void* data = nullptr;
  std::size_t count = 0;
  bool adds = false;
};

/// Gives addresses for gradients and takes notice of their arrival.
template <class Stream>
class GradientSink {
 public:
  virtual GradientAddress target(std::uint32_t record, ParameterId id, Stream stream, bool zeroed) = 0;
  virtual void mark_written(std::uint32_t record, ParameterId id) = 0;
  virtual void ready(std::uint32_t record, Stream stream) = 0;
  virtual void abandon(std::uint32_t record, Stream stream) noexcept = 0;

 protected:
  ~GradientSink() = default;
};

}  // namespace zero::detail
