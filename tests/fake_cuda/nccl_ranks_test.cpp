// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// NcclCommunicator itself with several ranks, each a thread with a device of its own, over a fake NCCL.

#include "fake_cuda/nccl_ranks.hpp"
#include "communicators/overlaps.hpp"
#include "fake_cuda/device_values.hpp"
#include "fake_cuda/machine.hpp"

#include <zero/communicators/nccl.hpp>
#include <zero/kernels/accumulate.hpp>
#include <zero/point_to_point.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

// What the kernel does.
template <class Sum, class T>
void zero::CudaStream::accumulate(Sum* into, T const* const* sources, std::size_t source_count, std::size_t n,
                                  bool first) const {
  std::vector<T const*> const all(sources, sources + source_count);
  std::vector<simulation::Access> accesses{simulation::writes(into, n * sizeof(Sum))};
  for (auto const* source : all) accesses.push_back(simulation::reads(source, n * sizeof(T)));
  auto const run = [=] { zero::accumulate(InstructionSet::baseline, into, all.data(), all.size(), n, first); };
  check_cuda(fake_cuda::launch(handle_, "accumulate", std::move(accesses), run), "accumulate");
}

template <class T>
void zero::CudaStream::fill_negative_zero(T* to, std::size_t n) const {
  auto const run = [=] { std::fill_n(to, n, zero::narrow<T>(-0.0F)); };
  check_cuda(fake_cuda::launch(handle_, "fill", {simulation::writes(to, n * sizeof(T))}, run), "fill");
}

namespace fake_cuda_nccl_ranks_test {

using fake_cuda::DeviceValues;
using zero::NcclCommunicator;
using zero::NcclReduction;
using zero::Transfer;

namespace {

using namespace std::chrono_literals;
constexpr zero::CollectivePurpose purpose{"gradients", 1};

/// A stream of the rank's device. Its end waits for all that is on it: memory that it uses is declared before it.
class OwnStream {
 public:
  explicit OwnStream(NcclCommunicator const& c) : device_(c.device()) {
    zero::check_cuda(cudaStreamCreateWithFlags(&handle_, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
  }
  OwnStream(OwnStream const&) = delete;
  OwnStream& operator=(OwnStream const&) = delete;
  ~OwnStream() {
    drain();
    (void)cudaStreamDestroy(handle_);
  }
  [[nodiscard]] zero::CudaStream get() const { return {handle_, device_}; }
  void drain() const { (void)cudaStreamSynchronize(handle_); }

 private:
  int device_;
  cudaStream_t handle_ = nullptr;
};

/// Where a rank has failed, or will.
[[noreturn]] void wait_for_failure(NcclCommunicator const& c) {
  for (;;) {
    c.check();
    std::this_thread::sleep_for(1ms);
  }
}

/// What each rank has thrown, or nothing: `f(communicator)` on \p n ranks, after which nothing may be held.
template <class F>
std::vector<std::string> errors_of(int n, NcclCommunicator::Config const& config, F const& f,
                                   fake_cuda::Options options = {}) {
  options.devices = n;
  fake_cuda::start(options);
  std::vector<std::string> errors;
  for (auto const& end : fake_cuda::on_nccl_ranks(n, config, f)) {
    errors.emplace_back();
    try {
      if (end.thrown) std::rethrow_exception(end.thrown);
    } catch (zero::Error const& error) {
      errors.back() = error.what();
    } catch (std::exception const& error) {
      errors.back() = std::string("the caller's own: ") + error.what();
    }
  }
  CHECK_NOTHROW(fake_cuda::finish());
  CHECK(fake_cuda::live_handles() == fake_cuda::LiveHandles{});
  return errors;
}

constexpr std::size_t count = 133;

template <class T>
std::vector<T> addends(int rank, int world) {
  std::vector<T> all(count * static_cast<std::size_t>(world));
  for (std::size_t i = 0; i < all.size(); ++i) {  // spread so that the order of additions shows
    all[i] = zero::narrow<T>(rank == 1 ? 0x1p12F : 0.37F * static_cast<float>(i % 11) + static_cast<float>(rank));
  }
  return all;
}

template <class Sum, class T>
std::vector<Sum> expected_sum(int rank, int world, std::vector<Sum> into, zero::SumRange range) {
  std::vector<std::vector<T>> all;
  std::vector<T const*> slices;
  for (int q = 0; q < range.count(world); ++q) all.push_back(addends<T>(q, world));
  for (auto const& a : all) slices.push_back(a.data() + static_cast<std::size_t>(rank) * count);
  zero::accumulate(zero::InstructionSet::baseline, into.data(), slices.data(), slices.size(), count, range.first);
  return into;
}

template <class T>
bool same_bits(std::span<T const> a, std::span<T const> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

template <class Sum>
void check_near(std::vector<Sum> const& sums, std::vector<Sum> const& expected) {
  for (std::size_t i = 0; i < count; ++i) {
    CHECK(std::abs(zero::widen(sums[i]) - zero::widen(expected[i])) <= 1e-3F * std::abs(zero::widen(expected[i])));
  }
}

template <class Sum, class T>
void check_sums(NcclCommunicator& c, NcclReduction reduction, int present = zero::SumRange::every_rank) {
  auto mine = addends<T>(c.rank(), c.size());
  if (c.rank() >= present) std::fill(mine.begin(), mine.end(), zero::narrow<T>(NAN));  // must not enter any sum
  DeviceValues<T> const send(mine);
  DeviceValues<Sum> const into{std::vector<Sum>(count)};
  DeviceValues<std::byte> const staging(
      std::vector<std::byte>(c.template staging_bytes<Sum, T>(count, zero::SumOrder::fastest)));
  OwnStream const stream(c);
  std::vector<Sum> expected(count);
  auto const check = [&](Sum* to, bool first) {
    zero::SumRange const range{.first = first, .addends = present};
    expected = expected_sum<Sum, T>(c.rank(), c.size(), std::move(expected), range);
    c.reduce_scatter_add(send.data(), to, count, range, purpose, stream.get(), staging.span());
    stream.drain();
    auto const sums = fake_cuda::fetch(to, count);
    if (reduction == NcclReduction::native) return check_near(sums, expected);
    CHECK(same_bits<Sum>(sums, expected));
  };
  for (bool first : {true, false, true}) check(into.data(), first);
  if constexpr (sizeof(Sum) == sizeof(T)) {  // in place
    check(reinterpret_cast<Sum*>(send.data()) + static_cast<std::size_t>(c.rank()) * count, true);
  }
}

void check_all_clear(std::vector<std::string> const& errors) {
  for (auto const& error : errors) CHECK(error == "");
}

}  // namespace

TEST_CASE("nccl ranks: sums in rank order have the host's bits in worlds of 1, 2, 3 and 5") {
  for (int world : {1, 2, 3, 5}) {
    check_all_clear(errors_of(world, {.reduction = NcclReduction::ordered}, [](NcclCommunicator& c) {
      check_sums<float, float>(c, NcclReduction::ordered);
      check_sums<float, zero::float16>(c, NcclReduction::ordered);
      check_sums<float, zero::bfloat16>(c, NcclReduction::ordered);
      check_sums<zero::bfloat16, zero::bfloat16>(c, NcclReduction::ordered);
    }));
  }
}

TEST_CASE("nccl ranks: the library's own sums are near, and go on with what is there") {
  for (int world : {1, 2, 3}) {
    check_all_clear(errors_of(world, {.reduction = NcclReduction::native},
                              [](NcclCommunicator& c) { check_sums<float, float>(c, NcclReduction::native); }));
  }
}

TEST_CASE("nccl ranks: absent ranks send nothing in rank order, and change nothing of the library's own sums") {
  for (auto reduction : {NcclReduction::ordered, NcclReduction::native}) {
    for (int present : {0, 1, 2, 3}) {
      check_all_clear(errors_of(3, {.reduction = reduction}, [&](NcclCommunicator& c) {
        check_sums<float, float>(c, reduction, present);
        check_sums<zero::bfloat16, zero::bfloat16>(c, reduction, present);
        if (reduction == NcclReduction::ordered) check_sums<float, zero::float16>(c, reduction, present);
      }));
    }
  }
}

TEST_CASE("nccl ranks: gathers, sums of words, exchanges and groups reach every rank") {
  check_all_clear(errors_of(5, {}, [](NcclCommunicator& c) {
    auto const me = static_cast<std::size_t>(c.rank());
    CHECK(c.local_size() == 5);
    std::vector<float> own(15);
    for (std::size_t i = 0; i < 3; ++i) own[me * 3 + i] = static_cast<float>(me * 3 + i);
    DeviceValues<float> const full(own);
    DeviceValues<std::uint64_t> const words({1, me});
    OwnStream const stream(c);
    c.all_gather(full.data() + me * 3, full.data(), 3, {"parameters"}, stream.get());
    c.all_reduce(words.data(), 2, {"norm"}, stream.get());
    stream.drain();
    auto const gathered = fake_cuda::fetch(full.data(), 15);
    for (std::size_t i = 0; i < 15; ++i) CHECK(gathered[i] == static_cast<float>(i));
    CHECK(fake_cuda::fetch(words.data(), 2) == std::vector<std::uint64_t>{5, 10});
    communicators_test::check_overlaps(c, stream.get(), full.data());

    auto group = c.split(c.rank() == 4 ? -1 : c.rank() % 2, -c.rank());  // in reverse order
    CHECK(static_cast<bool>(group) == (c.rank() != 4));
    c.all_reduce(words.data(), 1, {"norm"}, stream.get());  // the split has ended, also where it made nothing
    stream.drain();
    CHECK(fake_cuda::fetch(words.data(), 1)[0] == 25);
    if (!group) return;
    std::byte const mine{static_cast<unsigned char>(me)};
    std::vector<std::byte> all(2);
    group->exchange({&mine, 1}, all);
    CHECK(all == std::vector<std::byte>{std::byte(me % 2 + 2), std::byte(me % 2)});
    group->all_reduce(words.data(), 1, {"norm"}, stream.get());
    stream.drain();
    CHECK(fake_cuda::fetch(words.data(), 1)[0] == 50);
    CHECK(group->communication_stream(group->device()) == c.communication_stream(c.device()));
    CHECK_THROWS_AS((void)group->communication_stream(group->device() + 1), zero::ConfigurationError);
  }));
}

TEST_CASE("nccl ranks: where one cannot register a buffer none does") {
  for (int refuses : {1, -1}) {
    auto const register_one = [&](NcclCommunicator& c) {
      DeviceValues<float> const buffer(std::vector<float>(64));
      auto const registered = c.register_buffer(buffer.data(), 256);
      CHECK(static_cast<bool>(registered) == (refuses == -1));
      c.exchange({}, {});
      CHECK(fake_cuda::live_handles().registrations == (refuses == -1 ? 3 : 0));
      c.exchange({}, {});
    };
    check_all_clear(errors_of(3, {}, register_one, {.without_registration = refuses}));
  }
}

TEST_CASE(
    "nccl ranks: a reduction or registration that one rank alone is set to is a mismatch on all, however they met") {
  auto const config_of = [](int rank, bool registers) {
    NcclCommunicator::Config config{.device = rank, .deadline = 20s};
    if (rank == 1 && registers) config.register_buffers = true;
    if (rank == 1 && !registers) config.reduction = NcclReduction::native;
    return config;
  };
  for (bool registers : {false, true}) {
    for (bool meets : {false, true}) {
      fake_cuda::start({.devices = 3});
      ncclUniqueId id{};
      if (!meets) CHECK(ncclGetUniqueId(&id) == ncclSuccess);
      auto const ends =
          meets ? fake_cuda::on_launched_ranks(3,
                                               [&](zero::LaunchEnvironment const& launch) {
                                                 NcclCommunicator(launch, config_of(launch.rank, registers));
                                               })
                : fake_cuda::on_rank_threads(
                      3, [&](int rank) { NcclCommunicator(id, rank, 3, 3, config_of(rank, registers)); });
      for (auto const& end : ends) {
        REQUIRE(end.thrown);
        CHECK_THROWS_WITH_AS(std::rethrow_exception(end.thrown), doctest::Contains("rank 1 has another reduction or "),
                             zero::MismatchError);
      }
      CHECK(fake_cuda::live_handles() == fake_cuda::LiveHandles{});
    }
  }
}

TEST_CASE("nccl ranks: two on one GPU are refused on both, in one sentence") {
  auto const errors = errors_of(2, {.device = 0}, [](NcclCommunicator&) { FAIL_CHECK("not refused"); });
  for (auto const& error : errors) CHECK(error.find("ranks 0 and 1 both use the GPU 0000:00") != std::string::npos);
}

TEST_CASE("nccl ranks: one that throws ends the collectives of all others, with its name and reason") {
  for (char const* failing : {"", "ncclCommAbort"}) {  // which gives everything back all the same
    auto const work = [](NcclCommunicator& c) {
      if (c.rank() == 1) throw std::runtime_error("out of paper");
      DeviceValues<std::uint64_t> const words({1});
      OwnStream const stream(c);
      c.all_reduce(words.data(), 1, {"norm"}, stream.get());
      stream.drain();  // the abort lets it go
      c.check();
      FAIL_CHECK("nothing was thrown");
    };
    auto const errors = errors_of(3, {}, work, {.fault = fake_cuda::Fault{.call = 1, .rank = 0, .question = failing}});
    CHECK(fake_cuda::fault_has_struck() == (failing[0] != '\0'));
    CHECK(errors[1] == "the caller's own: out of paper");
    for (int rank : {0, 2}) CHECK(errors[static_cast<std::size_t>(rank)].find("rank 1") != std::string::npos);
  }
}

TEST_CASE("nccl ranks: one that never comes makes all fail, with the collective and its bucket") {
  auto const wait = [](NcclCommunicator& c) {
    DeviceValues<std::uint64_t> const words({1});
    OwnStream const stream(c);
    if (c.rank() != 2) c.all_reduce(words.data(), 1, {"norm", 3}, stream.get());
    wait_for_failure(c);
  };
  // The deadline is the start's, too: a machine that is so slow that the ranks miss it there is given a longer one.
  auto const before_it = [](std::string const& error) { return error.find("all_reduce #") == std::string::npos; };
  std::vector<std::string> errors;
  for (std::chrono::seconds deadline = 1s; deadline < 5min; deadline *= 8) {
    errors = errors_of(3, {.deadline = deadline}, wait);
    if (std::none_of(errors.begin(), errors.end(), before_it)) break;
  }
  for (auto const& error : errors) CHECK(error.find("all_reduce #") != std::string::npos);
  for (auto const& error : errors) CHECK(error.find("bucket 3") != std::string::npos);
}

TEST_CASE("nccl ranks: what NCCL finds out by itself on one rank reaches all") {
  auto const errors = errors_of(3, {}, [](NcclCommunicator& c) {
    DeviceValues<std::uint64_t> const words({1});
    OwnStream const stream(c);
    c.all_reduce(words.data(), 1, {"norm"}, stream.get());
    stream.drain();
    if (c.rank() == 0) fake_cuda::fail_asynchronously(0);
    wait_for_failure(c);
  });
  for (auto const& error : errors) CHECK(error.find("rank 0") != std::string::npos);
}

TEST_CASE("nccl ranks: a failure in one group ends the waits in all, and names the rank as the world counts") {
  // Rank 4, the second of its group, fails; the others wait: in its group, in the other group, in a group of that, and
  // in the world. Not in a split: whose failure is told in its own words. Several times: a group may hear of the end of
  // rank 1, which rank 4's has ended, before its rank has looked at what the world says.
  for (int repeat = 0; repeat < 10; ++repeat) {
    std::atomic<int> splits{0};
    auto const errors = errors_of(5, {}, [&](NcclCommunicator& c) {
      auto group = c.split(c.rank() / 3, c.rank());
      auto inner = group->split(0, -group->rank());
      CHECK(inner->rank() == group->size() - 1 - group->rank());
      ++splits;
      while (splits.load() < 5) std::this_thread::sleep_for(1ms);
      if (c.rank() == 4) throw std::runtime_error("out of paper");
      wait_for_failure(c.rank() == 0 ? c : c.rank() == 1 ? *inner : *group);
    });
    CHECK(errors[4] == "the caller's own: out of paper");
    for (std::size_t rank = 0; rank < 4; ++rank) {
      CAPTURE(errors[rank]);
      CHECK(errors[rank].find("rank 4 has failed") != std::string::npos);
      CHECK(errors[rank].find("rank " + std::to_string(rank) + " was in") != std::string::npos);
    }
  }
}

TEST_CASE("nccl ranks: a group outlives the communicator that it was split from") {
  check_all_clear(errors_of(4, {}, [](NcclCommunicator& c) {
    std::optional<NcclCommunicator> inner;
    {
      auto group = c.split(c.rank() % 2, 0);
      inner = group->split(0, -c.rank());
    }
    DeviceValues<std::uint64_t> const words({1});
    OwnStream const stream(*inner);
    inner->all_reduce(words.data(), 1, {"norm"}, stream.get());
    stream.drain();
    CHECK(fake_cuda::fetch(words.data(), 1)[0] == 2);
  }));
}

TEST_CASE("nccl ranks: messages move between their two ranks alone, in order, and in rings that send first") {
  for (int world : {1, 2, 3, 5}) {
    check_all_clear(errors_of(world, {}, [](NcclCommunicator& c) {
      int const size = c.size(), next = (c.rank() + 1) % size, previous = (c.rank() + size - 1) % size;
      DeviceValues<float> const mine({static_cast<float>(c.rank()), 0.5F}), theirs(std::vector<float>(4));
      OwnStream const stream(c);
      c.transfer(
          std::array{Transfer::send(mine.data(), 1, next), Transfer::send(mine.data() + 1, 1, next),
                     Transfer::receive(theirs.data(), 1, previous), Transfer::receive(theirs.data() + 1, 1, previous)},
          purpose, stream.get());
      if (c.rank() == 0 && size > 1) {  // nobody else takes part
        c.send(mine.data(), 0, 1, purpose, stream.get());
        c.send(mine.data() + 1, 1, 1, purpose, stream.get());
        c.send(mine.data(), 1, 1, purpose, stream.get());
      } else if (c.rank() == 1) {
        c.receive(theirs.data(), 0, 0, purpose, stream.get());
        c.transfer(std::array{Transfer::receive(theirs.data() + 2, 1, 0), Transfer::receive(theirs.data() + 3, 1, 0)},
                   purpose, stream.get());
      }
      stream.drain();
      auto const received = fake_cuda::fetch(theirs.data(), 4);
      CHECK(received[0] == static_cast<float>(previous));
      CHECK(received[1] == 0.5F);
      CHECK(received[2] == (c.rank() == 1 ? 0.5F : 0.0F));
      CHECK(received[3] == 0.0F);
    }));
  }
}

TEST_CASE("nccl ranks: one message of a list moves before the others, so that the rank that needs it goes on") {
  check_all_clear(errors_of(3, {}, [](NcclCommunicator& c) {
    DeviceValues<float> const mine({static_cast<float>(c.rank())}), theirs(std::vector<float>(2));
    OwnStream const stream(c);
    if (c.rank() == 0) {
      c.send(mine.data(), 1, 1, purpose, stream.get());
      c.send(mine.data(), 1, 2, purpose, stream.get());
    } else if (c.rank() == 1) {
      c.transfer(std::array{Transfer::receive(theirs.data(), 1, 2), Transfer::receive(theirs.data() + 1, 1, 0)},
                 purpose, stream.get());
    } else {
      c.receive(theirs.data(), 1, 0, purpose, stream.get());
      c.send(mine.data(), 1, 1, purpose, stream.get());
    }
    stream.drain();
    CHECK(fake_cuda::fetch(theirs.data(), 1)[0] == (c.rank() == 1 ? 2.0F : 0.0F));
  }));
}

TEST_CASE("nccl ranks: in an all-to-all slice q goes to rank q, in the world and in groups") {
  check_all_clear(errors_of(5, {}, [](NcclCommunicator& c) {
    auto const check = [&](NcclCommunicator& ranks, std::vector<int> const& members) {
      std::size_t const slice = 3, size = members.size(), me = static_cast<std::size_t>(ranks.rank());
      auto const values_of = [&](int rank) {
        std::vector<std::uint64_t> values(slice * size);
        for (std::size_t i = 0; i < values.size(); ++i) values[i] = 100 * static_cast<std::uint64_t>(rank) + i;
        return values;
      };
      DeviceValues<std::uint64_t> const sent(values_of(c.rank())), received(std::vector<std::uint64_t>(slice * size));
      OwnStream const stream(c);
      ranks.all_to_all(sent.data(), received.data(), slice, {"tokens"}, stream.get());
      ranks.all_to_all(sent.data(), received.data(), 0, {"tokens"}, stream.get());
      stream.drain();
      auto const got = fake_cuda::fetch(received.data(), slice * size);
      for (std::size_t q = 0; q < size; ++q) {
        for (std::size_t i = 0; i < slice; ++i) CHECK(got[q * slice + i] == values_of(members[q])[me * slice + i]);
      }
      CHECK_THROWS_AS(ranks.all_to_all(sent.data(), sent.data(), slice, {"tokens"}, stream.get()),
                      zero::ConfigurationError);
      CHECK_THROWS_AS(ranks.send(sent.data(), 1, ranks.rank(), {"tokens"}, stream.get()), zero::ConfigurationError);
    };
    check(c, {0, 1, 2, 3, 4});
    auto group = c.split(c.rank() % 2, -c.rank());
    check(*group, c.rank() % 2 == 0 ? std::vector{4, 2, 0} : std::vector{3, 1});
  }));
}

TEST_CASE("nccl ranks: groups that ranks call in different orders end by the deadline, which names what waits") {
  auto const cross = [](bool in_one_order) {
    return [=](NcclCommunicator& c) {
      auto rows = c.split(c.rank() / 2, 0), columns = c.split(c.rank() % 2, 0);
      DeviceValues<std::uint64_t> const words({1, 1});
      auto const stream = c.communication_stream(c.device());
      bool const rows_first = in_one_order || c.rank() == 0 || c.rank() == 3;
      for (auto* group : {rows_first ? &*rows : &*columns, rows_first ? &*columns : &*rows}) {
        group->all_reduce(words.data(), 1, {group == &*rows ? "rows" : "columns"}, stream);
      }
      (void)cudaStreamSynchronize(stream.handle());  // the abort lets it go
      if (!in_one_order) wait_for_failure(c);
      CHECK(fake_cuda::fetch(words.data(), 1)[0] == 4);
      c.exchange({}, {});
    };
  };
  check_all_clear(errors_of(4, {}, cross(true)));
  auto const names_none = [](std::string const& error) {
    return error.find("of rows") == std::string::npos && error.find("of columns") == std::string::npos;
  };
  std::vector<std::string> errors;
  for (std::chrono::seconds deadline = 1s; deadline < 5min; deadline *= 8) {  // as above
    errors = errors_of(4, {.deadline = deadline}, cross(false));
    if (std::none_of(errors.begin(), errors.end(), names_none)) break;
  }
  for (auto const& error : errors) {
    CAPTURE(error);
    CHECK(error.find("all_reduce #") != std::string::npos);
    CHECK_FALSE(names_none(error));
  }
}

TEST_CASE("nccl ranks: one that throws ends the messages of all others; one that never comes, by the deadline") {
  auto const message = [](NcclCommunicator& c) {
    DeviceValues<float> const value({1});
    OwnStream const stream(c);
    if (c.rank() == 0) c.send(value.data(), 1, 1, {"activations", 3}, stream.get());
    if (c.rank() == 2) c.receive(value.data(), 1, 1, {"activations", 3}, stream.get());
    stream.drain();  // the abort lets it go
    wait_for_failure(c);
  };
  auto const thrown = errors_of(3, {}, [&](NcclCommunicator& c) {
    if (c.rank() == 1) throw std::runtime_error("out of paper");
    message(c);
  });
  for (std::size_t rank : {0U, 2U}) CHECK(thrown[rank].find("rank 1") != std::string::npos);

  auto const before_it = [](std::string const& error) { return error.find("of activations") == std::string::npos; };
  std::vector<std::string> errors;
  for (std::chrono::seconds deadline = 1s; deadline < 5min; deadline *= 8) {  // as above
    errors = errors_of(3, {.deadline = deadline}, message);
    if (std::none_of(errors.begin(), errors.end(), before_it)) break;
  }
  for (auto const& error : errors) {
    CAPTURE(error);
    CHECK((error.find("send #") != std::string::npos || error.find("receive #") != std::string::npos));
    CHECK(error.find("bucket 3") != std::string::npos);
  }
}

TEST_CASE("nccl ranks: from an id of the caller's, without a rendezvous") {
  fake_cuda::start({.devices = 3});
  ncclUniqueId id{};
  REQUIRE(ncclGetUniqueId(&id) == ncclSuccess);
  auto const ends = fake_cuda::on_rank_threads(3, [&](int rank) {
    NcclCommunicator c(id, rank, 3, 3, {.device = rank});
    std::byte const mine{static_cast<unsigned char>(rank + 1)};
    std::vector<std::byte> all(3);
    c.exchange({&mine, 1}, all);
    CHECK(all == std::vector<std::byte>{std::byte{1}, std::byte{2}, std::byte{3}});
  });
  for (auto const& end : ends) CHECK_FALSE(end.thrown);
  CHECK_NOTHROW(fake_cuda::finish());
  CHECK(fake_cuda::live_handles() == fake_cuda::LiveHandles{});
}

}  // namespace fake_cuda_nccl_ranks_test
