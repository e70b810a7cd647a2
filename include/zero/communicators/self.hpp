// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/backends/host_stream.hpp>
#include <zero/communicator.hpp>
#include <zero/communicators/collective_stream.hpp>
#include <zero/communicators/detail/collective_slice.hpp>
#include <zero/communicators/detail/transfer_list.hpp>
#include <zero/point_to_point.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

namespace zero {

/// A world of one rank.
class SelfCommunicator : public SingleMessages<SelfCommunicator, HostStream> {
 public:
  /// This rank's number, from 0.
  [[nodiscard]] int rank() const noexcept { return 0; }
  /// Number of ranks.
  [[nodiscard]] int size() const noexcept { return 1; }
  /// Number of ranks that share this machine's cores.
  [[nodiscard]] int local_size() const noexcept { return 1; }

  /// A group of this rank alone; nothing where \p color is negative.
  [[nodiscard]] std::optional<SelfCommunicator> split(int color, int /*key*/) const {
    return color < 0 ? std::nullopt : std::optional(SelfCommunicator());
  }

  /// Adds this rank's slice of all ranks' \p send to \p into; see communicator_on.
  template <class Sum, class Element, collective_stream Stream>
  void reduce_scatter_add(Element const* send, Sum* into, std::size_t count, SumRange range,
                          CollectivePurpose /*purpose*/, Stream stream) {
    detail::check_slice("zero::SelfCommunicator", {send, count * sizeof(Element), 1, 0, into, count * sizeof(Sum)});
    stream.accumulate(into, &send, static_cast<std::size_t>(range.count(1)), count, range.first);
  }

  /// Gathers all ranks' \p own into \p full; see communicator_on.
  template <class Element, collective_stream Stream>
  void all_gather(Element const* own, Element* full, std::size_t count, CollectivePurpose /*purpose*/, Stream stream) {
    detail::check_slice("zero::SelfCommunicator", {full, count * sizeof(Element), 1, 0, own, count * sizeof(Element)});
    if (own != full) (stream.copy)(full, own, count * sizeof(Element));
  }

  /// Sums unsigned integers over the ranks, in place; see communicator_on.
  template <collective_stream Stream>
  void all_reduce(std::uint64_t* /*words*/, std::size_t /*count*/, CollectivePurpose /*purpose*/,
                  Stream /*stream*/) noexcept {}

  /// Gathers bytes of all ranks on the host, and blocks; see communicator_on.
  void exchange(std::span<std::byte const> mine, std::span<std::byte> all) {
    detail::check_exchange("zero::SelfCommunicator", mine, all, 0, 1);
    if (!mine.empty()) std::memcpy(all.data(), mine.data(), mine.size());
  }

  /// Copies \p send to \p receive; see all_to_all_on.
  template <class Element, collective_stream Stream>
  void all_to_all(Element const* send, Element* receive, std::size_t count, CollectivePurpose /*purpose*/,
                  Stream stream) {
    detail::check_all_to_all("zero::SelfCommunicator", send, receive, count * sizeof(Element));
    (stream.copy)(receive, send, count * sizeof(Element));
  }

  /// A list of messages to and from other ranks, which are one operation; see point_to_point_on. All
  /// of them are this rank's own.
  template <collective_stream Stream>
  void transfer(std::span<Transfer const> list, CollectivePurpose /*purpose*/, Stream stream) {
    detail::check_transfers("zero::SelfCommunicator", list, 0, 1);
    detail::for_own(list, 0, [&](Transfer const& send, Transfer const& receive) {
      if (send.bytes > 0) (stream.copy)(receive.data, send.data, send.bytes);
    });
  }
};
static_assert(communicator_on<SelfCommunicator, HostStream>);
static_assert(point_to_point_on<SelfCommunicator, HostStream>);
static_assert(all_to_all_on<SelfCommunicator, HostStream>);

}  // namespace zero
