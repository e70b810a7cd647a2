// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The order in which batches come to a device, on two streams whose operations run as late, and as mixed, as events
// allow.

#include "images/ahead_upload.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <stdexcept>
#include <vector>

namespace images_ahead_upload_test {

namespace {

using Mark = std::shared_ptr<bool>;

/// Two streams of a device. Each runs its operations in their order, and a random one of the two is next. A third of
/// the seeds run nothing before the host waits, and a third are about as fast as the host.
class Streams {
 public:
  explicit Streams(unsigned seed) : random_(seed), haste_(1 + seed % 3) {}

  struct Operation {
    Mark needs;  ///< may run when this is true, or is null
    std::function<void()> run;
  };
  using Stream = std::deque<Operation>;

  void put(Stream& stream, Mark needs, std::function<void()> run) {
    stream.push_back({std::move(needs), std::move(run)});
    for (auto n = random_() % haste_; n > 0 && step(); --n) {
    }
  }
  void run_until(Mark const& mark) {
    while (mark && !*mark) REQUIRE(step());
  }
  void run_all() {
    while (step()) {
    }
    CHECK(computing.empty());
    CHECK(copying.empty());
  }

  Stream computing, copying;

 private:
  static bool is_ready(Stream const& stream) {
    return !stream.empty() && (!stream.front().needs || *stream.front().needs);
  }
  bool step() {
    bool const computes = is_ready(computing), copies = is_ready(copying);
    if (!computes && !copies) return false;
    auto& stream = computes && (!copies || random_() % 2 == 0) ? computing : copying;
    auto const run = std::move(stream.front().run);
    stream.pop_front();
    run();
    return true;
  }

  std::mt19937 random_;
  unsigned haste_;
};

struct Picture {
  int value;
  std::size_t size = 1;
};

/// A lane whose memory is an int, and which gives memory that has become free to who asks next, as torch does.
class Lane {
 public:
  struct Batch {
    std::size_t room = 0;
    std::shared_ptr<int> pinned{}, device{};
  };
  struct Event {
    Mark passed{};
  };

  Lane(Streams& streams, std::vector<std::shared_ptr<int>>& free) : streams_(streams), free_(free) {}

  bool fill(Batch& batch, Picture const& picture) const {
    bool const has_room = batch.room >= picture.size;
    if (!has_room) {
      if (batch.device) free_.push_back(batch.device);
      REQUIRE(!free_.empty());
      batch = {picture.size, std::make_shared<int>(), free_.front()};
      free_.erase(free_.begin());
    }
    *batch.pinned = picture.value;
    return has_room;
  }
  void copy(Batch const& batch) const {
    streams_.put(streams_.copying, nullptr, [from = batch.pinned, to = batch.device] { *to = *from; });
  }
  void record_copy(Event& event) const { record(event, streams_.copying); }
  void record_compute(Event& event) const { record(event, streams_.computing); }
  void compute_waits(Event const& event) const {
    streams_.put(streams_.computing, event.passed, [] {});
  }
  void copy_waits(Event const& event) const {
    streams_.put(streams_.copying, event.passed, [] {});
  }
  void host_waits(Event const& event) const { streams_.run_until(event.passed); }

 private:
  void record(Event& event, Streams::Stream& stream) const {
    auto const mark = std::make_shared<bool>(false);
    event.passed = mark;
    streams_.put(stream, nullptr, [mark] { *mark = true; });
  }

  Streams& streams_;
  std::vector<std::shared_ptr<int>>& free_;
};

/// Computes with \p memory on the device, which must hold \p expected then, and still after it.
void compute(Streams& streams, std::shared_ptr<int> const& memory, int expected, int& wrong) {
  for (int i = 0; i < 3; ++i) {
    streams.put(streams.computing, nullptr, [=, &wrong] { wrong += *memory != expected ? 1 : 0; });
  }
}

}  // namespace

TEST_CASE("ahead upload: no batch is computed with before it has come, and none is overwritten before that") {
  for (unsigned seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    Streams streams(seed);
    int wrong = 0;
    std::vector<std::shared_ptr<int>> free{std::make_shared<int>(-1), std::make_shared<int>(-1)};
    for (auto const& memory : free) compute(streams, memory, -1, wrong);  // by whom it was freed
    int loaded = 0;
    auto const load = [&] {
      auto const n = loaded++;
      return Picture{n, n == 5 ? std::size_t{2} : std::size_t{1}};  // a larger one takes other memory
    };
    std::shared_ptr<int> left;
    {
      images::AheadUpload<Lane> upload(Lane(streams, free));
      for (int n = 0; n < 12; ++n) {
        compute(streams, upload.next(load).device, n, wrong);
        CHECK(loaded == n + 1);
        upload.release();
        upload.load_ahead(load);
        CHECK(loaded == n + 2);
      }
      left = upload.next(load).device;
      upload.release();
      upload.load_ahead(load);
      CHECK(upload.next(load).device != left);
      upload.release();
      upload.load_ahead(load);  // into `left` again, and nobody takes it
    }
    // Whoever gets its memory next computes there at once.
    streams.put(streams.computing, nullptr, [memory = left] { *memory = -2; });
    compute(streams, left, -2, wrong);
    streams.run_all();
    CHECK(wrong == 0);
  }
}

TEST_CASE("ahead upload: what goes wrong with a batch is said when it is asked for") {
  Streams streams(1);
  std::vector<std::shared_ptr<int>> free{std::make_shared<int>(), std::make_shared<int>()};
  images::AheadUpload<Lane> upload(Lane(streams, free));
  auto const bad = []() -> Picture { throw std::runtime_error("is no picture"); };
  (void)upload.next([] { return Picture{1}; });
  upload.release();
  CHECK_NOTHROW(upload.load_ahead(bad));
  CHECK_THROWS_WITH_AS((void)upload.next(bad), "is no picture", std::runtime_error);
  CHECK_THROWS_WITH_AS((void)upload.next(bad), "is no picture", std::runtime_error);
  auto const& batch = upload.next([] { return Picture{2}; });
  int wrong = 0;
  compute(streams, batch.device, 2, wrong);
  streams.run_all();
  CHECK(wrong == 0);
}

}  // namespace images_ahead_upload_test
