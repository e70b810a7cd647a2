// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/bootstrap/detail/deadline.hpp>
#include <zero/bootstrap/launch_environment.hpp>
#include <zero/bootstrap/rendezvous.hpp>
#include <zero/engine/rank_agreement.hpp>
#include <zero/error.hpp>
#include <zero/nccl/config.hpp>
#include <zero/nccl/detail/error.hpp>
#include <zero/nccl/detail/handle.hpp>
#include <zero/nccl/detail/state.hpp>
#include <zero/support/message.hpp>

#include <nccl.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace zero::detail {

/// What one rank of a world does until NCCL has a communicator for it. Borrows the settings.
class NcclStart {
 public:
  /// Of rank \p rank of \p size.
  NcclStart(NcclConfig const& config, int rank, int size) noexcept : config_(config), rank_(rank), size_(size) {}

  /// Blocks until all processes have come.
  [[nodiscard]] static Rendezvous meet(LaunchEnvironment const& launch, NcclConfig const& config) {
    enforce(config.deadline.count() > 0 && config.meeting_deadline.count() > 0,
            "zero::NcclCommunicator: the deadlines must be positive");
    return Rendezvous(launch, {.meeting_deadline = config.meeting_deadline, .deadline = config.deadline});
  }

  /// \throws ConfigurationError where the library is older than what this was compiled for.
  void check_library() const {
    int version = 0;
    expect(ncclGetVersion(&version), "ncclGetVersion");
    check_nccl_version(version);
  }
  /// \throws MismatchError on all ranks where one has other settings that decide what is exchanged. \p ranks: what
  /// they exchange through.
  template <class Ranks>
  void expect_same(Ranks& ranks) const {
    std::uint64_t const reduction = config_.reduction ? 1 + static_cast<std::uint64_t>(*config_.reduction) : 0;
    std::uint64_t const mine = 2 * reduction + (config_.register_buffers ? 1 : 0);
    auto const rank = first_different(exchange_words(ranks, mine));
    if (rank == 0) return;
    fail<MismatchError>({"zero::NcclCommunicator: rank ", rank, " has another reduction or register_buffers ",
                         "than rank 0: give every rank the same Config"});
  }
  /// The id of a new communicator, from rank 0.
  [[nodiscard]] ncclUniqueId make_id(Rendezvous& rendezvous) const {
    ncclUniqueId id{};
    if (rank_ == 0) expect(ncclGetUniqueId(&id), "ncclGetUniqueId");
    rendezvous.broadcast(std::as_writable_bytes(std::span(&id, 1)));
    return id;
  }
  /// Makes the communicator of \p id on \p device. \p meeting may be none.
  [[nodiscard]] std::shared_ptr<NcclState> open(std::optional<Rendezvous> meeting, ncclUniqueId const& id,
                                                int device) const {
    auto const initialize = [&](NcclHandle& handle, Deadline const& deadline) {
      ncclConfig_t settings = NCCL_CONFIG_INITIALIZER;
      settings.blocking = 0;
      return handle.open("ncclCommInitRankConfig", deadline, [&](ncclComm_t* communicator) {
        return ncclCommInitRankConfig(communicator, size_, id, rank_, &settings);
      });
    };
    return std::make_shared<NcclState>(NcclState::Origin{}, std::move(meeting), rank_, device, config_.deadline,
                                       initialize);
  }

 private:
  // Of a call before there is a communicator.
  void expect(ncclResult_t code, std::string_view call) const {
    if (code == ncclSuccess) return;
    throw CommunicationError(CommunicationFailure::transport, {rank_, 0, "initialization"},
                             "zero::NcclCommunicator: " + nccl_reason(code, call, nullptr));
  }

  NcclConfig const& config_;
  int rank_;
  int size_;
};

}  // namespace zero::detail
