// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/bootstrap/launch_environment.hpp>
#include <zero/bootstrap/rendezvous.hpp>
#include <zero/collective_memory.hpp>
#include <zero/communicator.hpp>
#include <zero/communicators/detail/collective_slice.hpp>
#include <zero/communicators/detail/split.hpp>
#include <zero/communicators/detail/transfer_list.hpp>
#include <zero/cuda/device.hpp>
#include <zero/cuda/stream.hpp>
#include <zero/error.hpp>
#include <zero/memory/buffer.hpp>
#include <zero/nccl/config.hpp>
#include <zero/nccl/detail/calls.hpp>
#include <zero/nccl/detail/exchange.hpp>
#include <zero/nccl/detail/identity.hpp>
#include <zero/nccl/detail/memory.hpp>
#include <zero/nccl/detail/slice_exchange.hpp>
#include <zero/nccl/detail/start.hpp>
#include <zero/nccl/detail/state.hpp>
#include <zero/nccl/detail/transfer_group.hpp>
#include <zero/nccl/detail/types.hpp>
#include <zero/nccl/reduction.hpp>
#include <zero/nccl/registration.hpp>
#include <zero/point_to_point.hpp>
#include <zero/support/message.hpp>

#include <cuda_runtime_api.h>
#include <nccl.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace zero {

/// One rank of a world with one process, or thread, for each GPU, over NCCL. Reports failures by watchdogs: where a
/// rank dies, fails or does not come to a collective within the deadline, all ranks abort and throw CommunicationError.
/// While an engine records a step, what a program itself would put on the communication stream, `exchange` and `split`
/// throw SequenceError; on other streams that are captured, collectives are a part of the step.
/// Used by one thread; must outlive the engines, graphs and registrations that use it. Move-only.
class NcclCommunicator : public SingleMessages<NcclCommunicator, CudaStream> {
 public:
  /// Settings; the same on every rank.
  using Config = NcclConfig;

  /// What this communicator can do besides what communicator_on asks.
  static constexpr CommunicatorFacts facts{.needs_staging = true,
                                           .reports_failures = true,
                                           .can_be_captured = true,
                                           .watches_replays = true,
                                           .registers_memory = true,
                                           .has_stream = true,
                                           .has_sum_orders = true,
                                           .counts_calls = true};

  /// The rank that a launcher has made of this process: `NcclCommunicator communicator(LaunchEnvironment::detect())`.
  /// Blocks until all ranks have come. Makes its device the calling thread's current one, which an engine takes then.
  /// \throws ConfigurationError, also for two ranks on one GPU, CudaError, CommunicationError.
  explicit NcclCommunicator(LaunchEnvironment const& launch) : NcclCommunicator(launch, Config{}) {}
  /// As the constructor above, with settings.
  NcclCommunicator(LaunchEnvironment const& launch, Config const& config)
      : NcclCommunicator(detail::NcclStart::meet(launch, config), launch.local_rank, config) {}

  /// A rank of processes that have an id of `ncclGetUniqueId` in common already, over a channel of their own. They have
  /// no failure channel then: where a rank dies, the others find out from NCCL or by their deadlines. \p local_ranks:
  /// number of ranks on this machine.
  NcclCommunicator(ncclUniqueId const& id, int rank, int size, int local_ranks, Config const& config);

  /// Tells all ranks that this one cannot go on; their collectives, and what waits for them, end. \p reason goes on
  /// after "rank N". What is destroyed by an exception does this by itself.
  void fail(std::string_view reason) { calls_.fail(reason); }

  /// This rank's number, from 0.
  [[nodiscard]] int rank() const noexcept { return rank_; }
  /// Number of ranks.
  [[nodiscard]] int size() const noexcept { return size_; }
  /// Number of ranks that share this machine's cores.
  [[nodiscard]] int local_size() const noexcept { return local_size_; }
  /// Number of this rank's GPU in this process.
  [[nodiscard]] int device() const noexcept { return state().device(); }

  /// What engines put their collectives on, the same stream in all that were split from one communicator: on one
  /// device they run in the order of the calls, so that groups whose collectives all ranks call in one order never wait
  /// for each other in a circle. \throws ConfigurationError for another \p device than this communicator's.
  [[nodiscard]] CudaStream communication_stream(int device) const {
    calls_.require_device(device);
    return state().stream();
  }

  /// \throws CommunicationError where a rank has failed. Does not wait.
  void(check)() const { calls_.throw_if_failed(); }

  /// Number of collectives that this rank has put on it. Ranks do not tell NCCL which engine a collective is of: by
  /// this number engines find at their next step that theirs came in different orders. Those of a step that an engine
  /// records count when it is replayed. What the program itself records, or puts on another communicator inside of a
  /// capture, counts once, when it is recorded: all ranks are to record it, or none.
  [[nodiscard]] std::uint64_t& calls() noexcept { return collectives_; }

  /// How elements of type \p Element are added where \p order is asked for.
  template <class Element>
  [[nodiscard]] NcclReduction reduction(SumOrder order) const noexcept {
    return reductions().of(sizeof(Element), order);
  }
  /// Whether that is in the order of ranks.
  template <class Element>
  [[nodiscard]] bool adds_by_rank(SumOrder order) const noexcept {
    return reduction<Element>(order) == NcclReduction::ordered;
  }
  /// Bytes of device memory that reductions of slices of up to \p count elements need.
  template <class Sum, class Element>
  [[nodiscard]] std::size_t staging_bytes(std::size_t count, SumOrder order) const noexcept {
    return reductions().staging_bytes(static_cast<std::size_t>(size_), count, sizeof(Element), order);
  }

  /// Ordered: each peer's slice is received into \p staging, all of them at once, and the slices are added on the
  /// stream behind that, so that \p into may be this rank's slice of \p send: that one is sent to nobody. Absent ranks
  /// send nothing. Native: absent ranks overwrite \p send with -0.
  template <class Sum, class Element>
  void reduce_scatter_add(Element* send, Sum* into, std::size_t count, SumRange range, CollectivePurpose purpose,
                          CudaStream stream, std::span<std::byte> staging = {}) {
    calls_.require_not_recorded("reduce_scatter_add", purpose, stream);
    static_assert(std::is_same_v<Element, float> || sizeof(Element) == 2,
                  "zero::NcclCommunicator adds fp32, fp16 and bf16");
    detail::check_slice("zero::NcclCommunicator",
                        {send, count * sizeof(Element), size_, rank_, into, count * sizeof(Sum)});
    bool const ordered = reduction<Element>(range.order) == NcclReduction::ordered;
    bool const direct = !ordered && range.first && std::is_same_v<Sum, Element>;  // NCCL's sum is what is wanted
    std::size_t const needed = direct ? 0 : staging_bytes<Sum, Element>(count, range.order);
    if (staging.size() < needed) throw_staging(staging.size(), needed);
    ++collectives_;
    if (ordered) return add_in_order(send, into, count, range, purpose, stream, staging);
    if (range.count(size_) == 0) return stream.accumulate(into, &send, 0, count, range.first);
    if (!range.has(rank_)) stream.fill_negative_zero(send, static_cast<std::size_t>(size_) * count);
    void* const to = direct ? static_cast<void*>(into) : staging.data();
    calls_.put("reduce_scatter_add", purpose, stream, [&](ncclComm_t communicator) {
      return ncclReduceScatter(send, to, count, detail::nccl_type<Element>(), ncclSum, communicator, stream.handle());
    });
    auto const* const sum = static_cast<Element const*>(to);
    if (!direct) stream.accumulate(into, &sum, 1, count, range.first);
  }

  /// Gathers all ranks' \p own into \p full; see communicator_on.
  template <class Element>
  void all_gather(Element const* own, Element* full, std::size_t count, CollectivePurpose purpose, CudaStream stream) {
    calls_.require_not_recorded("all_gather", purpose, stream);
    detail::check_slice("zero::NcclCommunicator",
                        {full, count * sizeof(Element), size_, rank_, own, count * sizeof(Element)});
    ++collectives_;
    calls_.put("all_gather", purpose, stream, [&](ncclComm_t communicator) {
      return ncclAllGather(own, full, count, detail::nccl_type<Element>(), communicator, stream.handle());
    });
  }

  /// Sums unsigned integers over the ranks, in place; see communicator_on.
  void all_reduce(std::uint64_t* words, std::size_t count, CollectivePurpose purpose, CudaStream stream) {
    calls_.require_not_recorded("all_reduce", purpose, stream);
    ++collectives_;
    calls_.put("all_reduce", purpose, stream, [&](ncclComm_t communicator) {
      return ncclAllReduce(words, words, count, ncclUint64, ncclSum, communicator, stream.handle());
    });
  }

  /// Sends slice q of \p send to rank q, and receives slice q of \p receive from it; see all_to_all_on. Sends and
  /// receipts of one group; this rank's own slice is copied.
  template <class Element>
  void all_to_all(Element const* send, Element* receive, std::size_t count, CollectivePurpose purpose,
                  CudaStream stream) {
    auto const mine = static_cast<std::size_t>(rank_) * count;
    detail::check_all_to_all("zero::NcclCommunicator", send, receive,
                             static_cast<std::size_t>(size_) * count * sizeof(Element));
    if (count == 0) return;
    calls_.require_not_recorded("all_to_all", purpose, stream);
    ++collectives_;
    calls_.put_transfers("all_to_all", detail::all_to_all_list(send, receive, count, rank_, size_), purpose, stream);
    (stream.copy)(receive + mine, send + mine, count * sizeof(Element));
  }

  /// A list of messages to and from other ranks, which are one group of NCCL; see point_to_point_on. They and the
  /// collectives of this communicator are in one order on each rank. Nobody compares sizes: where they differ NCCL does
  /// what it likes, or the deadline passes. Messages to this rank itself are copied, empty ones are sent to nobody.
  void transfer(std::span<Transfer const> list, CollectivePurpose purpose, CudaStream stream) {
    detail::check_transfers("zero::NcclCommunicator", list, rank_, size_);
    if (list.empty()) return;
    auto const* const name = list.size() > 1 ? "transfer" : list.front().sends() ? "send" : "receive";
    calls_.require_not_recorded(name, purpose, stream);
    calls_.put_transfers(name, list, purpose, stream);
    detail::for_own(list, rank_, [&](Transfer const& send, Transfer const& receive) {
      if (send.bytes > 0) (stream.copy)(receive.data, send.data, send.bytes);
    });
  }

  /// Between the processes, without the GPUs; through them where the ranks did not meet by a rendezvous.
  void exchange(std::span<std::byte const> mine, std::span<std::byte> all) {
    detail::check_exchange("zero::NcclCommunicator", mine, all, rank(), size());
    (check)();
    calls_.require_not_recorded("exchange");
    if (auto* const rendezvous = state().rendezvous()) return rendezvous->exchange(mine, all);
    if (mine.empty()) return;
    detail::ExchangeBuffer const buffer(device(), all.size());
    std::size_t const at = static_cast<std::size_t>(rank_) * mine.size();
    buffer.put(at, mine);
    all_gather(buffer.data() + at, buffer.data(), mine.size(), {.what = "settings"}, buffer.stream());
    buffer.get(all);
    (check)();
  }

  /// What has been put on \p stream, such as a captured step that was launched, must pass within the deadline.
  void watch(CollectivePurpose purpose, CudaStream stream) { calls_.watch("replay", purpose, stream); }

  /// Ranks with the same \p color form a communicator of their own, in the order of \p key and rank; those with a
  /// negative color take part in none. Every rank calls it, and none has anything of this communicator under way.
  /// Collectives of both must be called in the same order on all ranks. A failure in either ends the waits in both, and
  /// in all that were split from them: errors name the first rank that failed as the world counts. The group may
  /// outlive this communicator, of which it keeps alive what it needs.
  [[nodiscard]] std::optional<NcclCommunicator> split(int color, int key);

  /// Lets NCCL send from and receive into \p bytes at \p data, device memory of this rank, without copies of its own,
  /// where library, network and memory (that of `ncclMemAlloc`) allow it. Every rank calls it, for buffers that they
  /// use at the same place of the same collectives: NCCL requires all ranks or none, so where one cannot, none does,
  /// and the result is false on all. Not inside a capture. The memory must stay until the registration is gone.
  [[nodiscard]] NcclRegistration register_buffer(void* data, std::size_t bytes);

  /// What engines take memory for collectives from: `ncclMemAlloc`, or nothing of its own without `register_buffers`.
  [[nodiscard]] CollectiveMemory collective_memory() const noexcept {
    return config_.register_buffers ? detail::nccl_memory() : CollectiveMemory();
  }
  /// Registers \p blocks for as long as what is returned lives. Every rank calls it with as many. \throws
  /// ConfigurationError on all ranks where one of them cannot.
  [[nodiscard]] std::shared_ptr<void> register_buffers(std::span<MemoryBlock const> blocks);

 private:
  NcclCommunicator(Rendezvous rendezvous, int local_rank, Config const& config);
  NcclCommunicator(std::shared_ptr<detail::NcclState> state, int rank, int size, int local_size, Config const& config)
      : config_(config), rank_(rank), size_(size), local_size_(local_size), calls_(std::move(state), rank) {}

  [[nodiscard]] detail::NcclState& state() const noexcept { return *calls_.state(); }
  [[nodiscard]] NcclReductions reductions() const noexcept { return {config_.reduction}; }

  template <class Sum, class Element>
  void add_in_order(Element const* send, Sum* into, std::size_t count, SumRange range, CollectivePurpose purpose,
                    CudaStream stream, std::span<std::byte> staging) {
    int const addends = range.count(size_);
    detail::SliceExchange<Element> const slices(send, count, rank_, size_, addends, staging);
    if (range.has(rank_) && slices.own_slot() != slices.own()) {
      (stream.copy)(const_cast<Element*>(slices.own_slot()), slices.own(), count * sizeof(Element));
    }
    if (size_ > 1 && addends > 0) {
      calls_.put("reduce_scatter_add", purpose, stream,
                 [&](ncclComm_t communicator) { return slices.exchange(communicator, stream.handle()); });
    }
    stream.accumulate(into, slices.sources(), static_cast<std::size_t>(addends), count, range.first);
  }

  [[noreturn, gnu::cold]] static void throw_staging(std::size_t given, std::size_t needed) {
    detail::fail<ConfigurationError>({"zero::NcclCommunicator: ", given, " bytes of staging, but ", needed,
                                      " are needed: give what staging_bytes says"});
  }

  Config config_;
  int rank_;
  int size_;
  int local_size_;
  std::uint64_t collectives_ = 0;
  detail::NcclCalls calls_;
};
static_assert(communicator_on<NcclCommunicator, CudaStream>);
static_assert(point_to_point_on<NcclCommunicator, CudaStream>);
static_assert(all_to_all_on<NcclCommunicator, CudaStream>);

inline NcclCommunicator::NcclCommunicator(Rendezvous rendezvous, int local_rank, Config const& config)
    : config_(config), rank_(rendezvous.rank()), size_(rendezvous.size()), local_size_(1) {
  detail::NcclStart const start(config_, rank_, size_);
  try {
    start.check_library();  // once all have met, so that they hear of one whose library is too old
    int const device = detail::device_of(config.device, local_rank);
    check_cuda(cudaSetDevice(device), "cudaSetDevice");
    local_size_ = detail::local_ranks(rendezvous, device);
    start.expect_same(rendezvous);
    auto const id = start.make_id(rendezvous);
    calls_ = {start.open(std::optional<Rendezvous>(std::move(rendezvous)), id, device), rank_};
  } catch (Error const& error) {
    rendezvous.fail(detail::concat({"failed: ", std::string_view(error.what())}));
    throw;
  }
}

inline NcclCommunicator::NcclCommunicator(ncclUniqueId const& id, int rank, int size, int local_ranks,
                                          Config const& config)
    : config_(config), rank_(rank), size_(size), local_size_(local_ranks) {
  detail::enforce(config.deadline.count() > 0, "zero::NcclCommunicator: the deadlines must be positive");
  detail::enforce(size >= 1 && rank >= 0 && rank < size, "zero::NcclCommunicator: ranks count from 0 to size - 1");
  detail::enforce(local_ranks >= 1 && local_ranks <= size,
                  "zero::NcclCommunicator: local_ranks counts the ranks of this machine, this one included");
  detail::NcclStart const start(config_, rank, size);
  start.check_library();
  int const device = checked_device(config.device);
  check_cuda(cudaSetDevice(device), "cudaSetDevice");
  calls_ = {start.open(std::nullopt, id, device), rank};
  start.expect_same(*this);
}

inline std::optional<NcclCommunicator> NcclCommunicator::split(int color, int key) {
  (check)();
  calls_.require_not_recorded("split");
  auto members = detail::exchange_members(*this, color, key);
  auto* const rendezvous = state().rendezvous();
  auto meeting = rendezvous != nullptr ? rendezvous->split(color, key) : std::optional<Rendezvous>();
  int const local = meeting ? detail::local_ranks(*meeting, device()) : local_size_;
  auto& made = state().split_off();
  calls_.call("split", "ncclCommSplit", {.what = "the communicator"}, [&](ncclComm_t communicator) {
    return ncclCommSplit(communicator, color < 0 ? NCCL_SPLIT_NOCOLOR : color, key, &made, nullptr);
  });
  if (made == nullptr) return std::nullopt;
  int const rank = detail::place_in(members, rank_), size = static_cast<int>(members.size());
  auto const open = [&](detail::NcclHandle& handle, detail::Deadline const& deadline) {
    return handle.adopt(std::exchange(made, nullptr), deadline);
  };
  for (auto& member : members) member = state().world_rank(member);
  DeviceGuard const guard(device());
  auto group = std::make_shared<detail::NcclState>(detail::NcclState::Origin{calls_.state(), std::move(members)},
                                                   std::move(meeting), rank, device(), config_.deadline, open);
  return NcclCommunicator(std::move(group), rank, size, (std::min)(local, size), config_);
}

inline NcclRegistration NcclCommunicator::register_buffer([[maybe_unused]] void* data,
                                                          [[maybe_unused]] std::size_t bytes) {
  (check)();
  calls_.require_not_recorded("register_buffer");
  NcclRegistration registration;
#if NCCL_VERSION_CODE >= NCCL_VERSION(2, 19, 0)
  void* registered = nullptr;
  DeviceGuard const guard(device());
  auto const why = state().handle().call(
      "ncclCommRegister", detail::Deadline(state().deadline()),
      [&](ncclComm_t communicator) { return ncclCommRegister(communicator, data, bytes, &registered); });
  if (!why) registration = NcclRegistration(calls_.state(), registered);
#endif
  std::byte const mine{static_cast<unsigned char>(registration ? 1 : 0)};
  std::vector<std::byte> all(static_cast<std::size_t>(size_));
  exchange(std::span(&mine, 1), all);
  for (auto const other : all) {
    if (other == std::byte{0}) return {};
  }
  return registration;
}

inline std::shared_ptr<void> NcclCommunicator::register_buffers(std::span<MemoryBlock const> blocks) {
  auto registered = std::make_shared<std::vector<NcclRegistration>>();
  bool known = !config_.register_buffers || !blocks.empty();  // before 2.19 there is no such memory
  for (auto const& block : blocks) {
    known = known && static_cast<bool>(registered->emplace_back(register_buffer(block.data, block.bytes)));
  }
  detail::enforce(known,
                  "zero::NcclCommunicator: NCCL does not register buffers here (it takes NCCL 2.19 or newer, and "
                  "NCCL_LOCAL_REGISTER must not be 0): leave out register_buffers");
  return registered;
}

}  // namespace zero
