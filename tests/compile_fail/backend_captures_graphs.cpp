// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expected-error: zero::Engine: the backend's facts say captures_graphs, but it is no zero::capturing_backend

#include <zero/engine.hpp>

struct Capturing : zero::HostBackend {
  using zero::HostBackend::HostBackend;
  static constexpr zero::BackendFacts facts{.captures_graphs = true, .allocates_for_collectives = true};
  struct Graph {};
  void begin_capture(Stream /*origin*/, Stream /*own*/) {}
  Graph end_capture(Stream /*origin*/, Stream /*own*/) { return {}; }
  void launch(Graph const& /*graph*/, Stream /*origin*/) {}
  void end_replay(Stream /*origin*/, Stream /*own*/) {}
  void wait_for(Stream /*waiting*/, Stream /*signalling*/) {}
  bool capturing() const { return false; }
  bool captured_by_another(Stream /*stream*/) const { return false; }
  void abandon_captures_by_others(Stream /*stream*/) {}
#ifdef ZERO_COMPILES
  void abandon_capture(Stream /*origin*/) noexcept {}
#endif
};

using Trainer = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                             zero::Precision<zero::FP32>, Capturing>;

[[maybe_unused]] constexpr auto stage = Trainer::stage;
