// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "learner.hpp"

#include <zero/communicators/thread.hpp>

#include <cstddef>
#include <memory>
#include <span>

namespace images {

/// One rank's view of those that train together, whatever connects them: what a run asks of a communicator beside an
/// engine's collectives.
class Ranks {
 public:
  Ranks() = default;
  Ranks(Ranks const&) = delete;
  Ranks& operator=(Ranks const&) = delete;
  virtual ~Ranks() = default;

  [[nodiscard]] virtual int rank() const = 0;
  [[nodiscard]] virtual int size() const = 0;
  [[nodiscard]] virtual int local_size() const = 0;
  /// As a communicator's. Collective, blocks.
  virtual void exchange(std::span<std::byte const> mine, std::span<std::byte> all) = 0;
  /// This rank's learner. Collective. \throws as make_learner.
  [[nodiscard]] virtual std::unique_ptr<Learner> make_learner(LearnerRequest const& request) = 0;
};

/// The same over \p Communicator, which is borrowed.
template <class Communicator>
class RanksOver : public Ranks {
 public:
  explicit RanksOver(Communicator& communicator) : communicator_(communicator) {}

  [[nodiscard]] int rank() const override { return communicator_.rank(); }
  [[nodiscard]] int size() const override { return communicator_.size(); }
  [[nodiscard]] int local_size() const override { return communicator_.local_size(); }
  void exchange(std::span<std::byte const> mine, std::span<std::byte> all) override {
    communicator_.exchange(mine, all);
  }

 protected:
  Communicator& communicator_;
};

/// Ranks that are threads of this process and compute on the host.
class HostRanks final : public RanksOver<zero::ThreadCommunicator> {
 public:
  using RanksOver::RanksOver;
  [[nodiscard]] std::unique_ptr<Learner> make_learner(LearnerRequest const& request) override {
    return images::make_learner(request, communicator_);
  }
};

}  // namespace images
