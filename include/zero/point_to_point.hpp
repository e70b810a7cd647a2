// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/communicator.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace zero {

/// One message between this rank and another one, as `transfer` takes it. Borrows the memory that it names.
struct Transfer {
  /// Which way it goes.
  enum class Direction : std::uint8_t { send, receive };

  Direction direction = Direction::send;  ///< from this rank, or to it
  void* data = nullptr;                   ///< what is sent, and only read then; or where it is received
  std::size_t bytes = 0;                  ///< its size, the same on both ranks
  int peer = 0;                           ///< the other rank, as the communicator counts

  /// \p count elements at \p data go to rank \p to.
  template <class Element>
  [[nodiscard]] static Transfer send(Element const* data, std::size_t count, int to) noexcept {
    static_assert(std::is_trivially_copyable_v<Element>,
                  "zero::Transfer: messages are bytes: elements must be copyable so");
    return {Direction::send, const_cast<Element*>(data), count * sizeof(Element), to};
  }
  /// \p count elements of rank \p from come to \p data.
  template <class Element>
  [[nodiscard]] static Transfer receive(Element* data, std::size_t count, int from) noexcept {
    static_assert(std::is_trivially_copyable_v<Element>,
                  "zero::Transfer: messages are bytes: elements must be copyable so");
    return {Direction::receive, data, count * sizeof(Element), from};
  }
  /// Whether this rank sends it.
  [[nodiscard]] bool sends() const noexcept { return direction == Direction::send; }
};

/// A communicator whose ranks send each other messages. The k-th message that rank a sends to rank b is the k-th one
/// that b receives from a, whatever lists they are in, and both give it the same size. Only the two ranks take part.
///
///   transfer(list, purpose, stream)
///     list: Transfers, all of which are one operation of the stream: it ends when each of them has moved, and they
///     move in any order, so that two ranks that both list a send first do not wait for each other. A message moves
///     when the operations of both ranks have nothing before them. What is received must not overlap anything else of
///     the list. A rank may send to itself, in the list that receives the message, too. An empty list is nothing.
///   send(data, count, to, purpose, stream)
///   receive(data, count, from, purpose, stream)
///     lists of one.
///
/// As collectives, these calls may return before they have run, and the buffers stay in use until the stream has passed
/// them. Ranks that send to each other in two operations each, one after the other, wait for ever where the order does
/// not fit: `transfer` takes both at once. The purpose names a message in errors, and may differ over its two ranks.
///
/// \throws ConfigurationError, before anything has happened, for a peer that does not exist, memory that overlaps, or a
/// message to this rank itself that this list does not receive. CommunicationError within the communicator's deadline
/// where a rank fails, leaves or does not come, and, except by NcclCommunicator, where sizes differ.
template <class Communicator, class Stream>
concept point_to_point_on = requires(Communicator& c, std::span<Transfer const> list, float const* from, float* to,
                                     CollectivePurpose purpose, Stream stream) {
  { c.rank() } -> std::convertible_to<int>;
  { c.size() } -> std::convertible_to<int>;
  c.transfer(list, purpose, stream);
  c.send(from, std::size_t{1}, 0, purpose, stream);
  c.receive(to, std::size_t{1}, 0, purpose, stream);
};

/// `send` and `receive` of a communicator that has `transfer`, as lists of one: `class Mine : public
/// SingleMessages<Mine, HostStream>`.
///
/// \tparam UsualStream what a stream is of which a call says no more than {}
template <class Communicator, class UsualStream>
class SingleMessages {
 public:
  /// Sends \p count elements to rank \p to; see point_to_point_on.
  template <class Element, class Stream = UsualStream>
  void send(Element const* data, std::size_t count, int to, CollectivePurpose purpose, Stream stream) {
    Transfer const one = Transfer::send(data, count, to);
    static_cast<Communicator&>(*this).transfer(std::span<Transfer const>(&one, 1), purpose, stream);
  }
  /// Receives \p count elements of rank \p from; see point_to_point_on.
  template <class Element, class Stream = UsualStream>
  void receive(Element* data, std::size_t count, int from, CollectivePurpose purpose, Stream stream) {
    Transfer const one = Transfer::receive(data, count, from);
    static_cast<Communicator&>(*this).transfer(std::span<Transfer const>(&one, 1), purpose, stream);
  }
};

/// A communicator with a collective in which every rank sends something else to each rank:
///
///   all_to_all(send, receive, count, purpose, stream)
///     send: size x count elements, of which slice q goes to rank q; receive: as many, of which slice q comes from rank
///     q. The two must not overlap. Every rank calls it with the same count, in the order of its collectives.
///
/// \throws ConfigurationError for buffers that overlap; else as a collective of communicator_on.
template <class Communicator, class Stream>
concept all_to_all_on = requires(Communicator& c, float const* send, float* receive, CollectivePurpose purpose,
                                 Stream stream) {
  { c.rank() } -> std::convertible_to<int>;
  { c.size() } -> std::convertible_to<int>;
  c.all_to_all(send, receive, std::size_t{1}, purpose, stream);
};

}  // namespace zero
