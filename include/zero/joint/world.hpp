// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/communicator.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace zero::detail {

/// The communicator of all ranks of a joint step, without its type. Contracts and errors are those of the
/// communicator's function of the same name.
template <class Backend>
class JointWorld {
 public:
  using Stream = typename Backend::Stream;

  [[nodiscard]] virtual int rank() const = 0;
  [[nodiscard]] virtual int size() const = 0;
  virtual void exchange(std::span<std::byte const> mine, std::span<std::byte> all) = 0;
  virtual void all_reduce(std::uint64_t* words, std::size_t count, CollectivePurpose purpose, Stream stream) = 0;
  /// As Collectives has them.
  [[nodiscard]] virtual bool can_be_captured() const = 0;
  virtual void watch(Stream stream) = 0;
  [[nodiscard]] virtual std::uint64_t* calls() noexcept = 0;

 protected:
  ~JointWorld() = default;
};

/// The same with it, which is borrowed.
template <class Backend, class Communicator>
class TypedJointWorld final : public JointWorld<Backend> {
 public:
  using Stream = typename Backend::Stream;

  explicit TypedJointWorld(Communicator& communicator) : communicator_(communicator) {}
  [[nodiscard]] int rank() const override { return communicator_.rank(); }
  [[nodiscard]] int size() const override { return communicator_.size(); }
  void exchange(std::span<std::byte const> mine, std::span<std::byte> all) override {
    communicator_.exchange(mine, all);
  }
  void all_reduce(std::uint64_t* words, std::size_t count, CollectivePurpose purpose, Stream stream) override {
    communicator_.all_reduce(words, count, purpose, stream);
  }
  [[nodiscard]] bool can_be_captured() const override { return facts.can_be_captured || communicator_.size() == 1; }
  void watch(Stream stream) override {
    if constexpr (facts.watches_replays) communicator_.watch({.what = "joint step"}, stream);
  }
  [[nodiscard]] std::uint64_t* calls() noexcept override {
    if constexpr (facts.counts_calls) return &communicator_.calls();
    return nullptr;
  }

 private:
  static constexpr CommunicatorFacts facts = communicator_facts<Communicator>();

  Communicator& communicator_;
};

}  // namespace zero::detail
