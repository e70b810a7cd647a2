// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/collectives.hpp>

#include <optional>

namespace zero::detail {

/// The stream that an engine puts its collectives on: the communicator's, which all engines of a world and its groups
/// share where it has one, or one of the engine's own.
template <class Backend>
class CommunicationStream {
 public:
  using Stream = typename Backend::Stream;

  /// Both are borrowed. \throws ConfigurationError where the communicator's stream is of another device.
  CommunicationStream(Backend& backend, Collectives<Backend> const& collectives)
      : shared_(collectives.communication_stream(backend)) {
    if (!shared_) own_.emplace(backend.make_stream("communication"));
  }

  [[nodiscard]] Stream get() const noexcept { return shared_ ? *shared_ : own_->get(); }

 private:
  std::optional<Stream> shared_;
  std::optional<typename Backend::OwnedStream> own_;
};

}  // namespace zero::detail
