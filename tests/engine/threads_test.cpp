// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// One thread at a time uses an engine, and it need not be the same one: a framework's backward pass often runs on
// threads of its own. What the thread sanitizer is to look at.

#include "engine/engine_under_test.hpp"

#include <zero/any_engine.hpp>
#include <zero/runtime_engine.hpp>

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace engine_threads_test {

using engine_test::contribute;
using engine_test::id;
using engine_test::parameters;
using zero::Stage;

namespace {

/// Runs tasks on a thread of its own, as autograd does, while the caller waits.
class OtherThread {
 public:
  OtherThread() : thread_([this] { work(); }) {}
  OtherThread(OtherThread const&) = delete;
  OtherThread& operator=(OtherThread const&) = delete;
  ~OtherThread() {
    run({});
    thread_.join();
  }
  /// Without a task, the thread ends.
  void run(std::function<void()> task) {
    std::unique_lock lock(mutex_);
    task_ = std::move(task);
    is_there_ = true;
    changed_.notify_all();
    changed_.wait(lock, [&] { return !is_there_; });
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    for (bool goes_on = true; goes_on;) {
      changed_.wait(lock, [&] { return is_there_; });
      goes_on = static_cast<bool>(task_);
      if (goes_on) task_();
      is_there_ = false;
      changed_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> task_;
  bool is_there_ = false;
  std::thread thread_;  // last: it uses the others
};

using Run = std::function<void(std::function<void()>)>;
constexpr std::size_t count = 3;

/// Trains with forward on the caller's thread, and what \p elsewhere does on another one.
std::vector<float> train(Stage stage, bool offload, zero::ThreadCommunicator& ranks, Run const& elsewhere) {
  std::optional<zero::RuntimeEngine<float>> engine;
  auto const settings = offload ? std::optional(zero::CpuOffload::Config{.chunk_elements = 128}) : std::nullopt;
  elsewhere([&] {
    engine.emplace(zero::make_any_engine<zero::AdamW, zero::Precision<zero::FP32>>(
        stage, ranks, parameters({300, 128, 700}), settings,
        {.bucket_elements = 256, .optimizer = {.lr = 0.25}, .backend = {.threads = 2}}));
  });
  for (int step = 0; step < 3; ++step) {
    auto micro_batch = engine->begin_micro_batch();
    for (std::size_t p = 0; p < count; ++p) (void)engine->gather(id(p));
    for (std::size_t p = count; p-- > 0;) {
      elsewhere([&] {
        auto const weights = engine->gather(id(p));
        contribute(*engine, id(p), weights[id(p)][1] + static_cast<float>(step + ranks.rank()));
      });
    }
    micro_batch.finish();
    if (step == 1) {
      elsewhere([&] { CHECK_FALSE(engine->step().get().skipped); });
    } else {
      auto ticket = engine->step();
      elsewhere([&] { CHECK_FALSE(ticket.get().skipped); });
    }
    elsewhere([&] { CHECK(engine->mean_over_ranks(1.0) == 1.0); });
  }
  std::vector<float> values;
  elsewhere([&] { values = engine->read_parameter(id(2)); });
  elsewhere([&] { engine.reset(); });
  return values;
}

}  // namespace

TEST_CASE(
    "threads: an engine goes on on another thread wherever the one before has ended its call, with the same bits") {
  for (auto stage : {Stage::none, Stage::optimizer_states, Stage::gradients, Stage::parameters}) {
    for (bool offload : {false, true}) {
      CAPTURE(static_cast<int>(stage));
      CAPTURE(offload);
      std::vector<float> alone, by_turns;
      zero::run_ranks(2, [&](zero::ThreadCommunicator& ranks) {
        auto values = train(stage, offload, ranks, [](auto const& task) { task(); });
        OtherThread other;
        auto others = train(stage, offload, ranks, [&](auto task) { other.run(std::move(task)); });
        if (ranks.rank() == 0) alone = std::move(values), by_turns = std::move(others);
      });
      CHECK(alone == by_turns);
      CHECK(alone != std::vector<float>(700, 0.0F));
    }
  }
}

}  // namespace engine_threads_test
