// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/error.hpp>
#include <zero/monitor/csv.hpp>
#include <zero/monitor/event.hpp>
#include <zero/monitor/json_lines.hpp>
#include <zero/monitor/monitor.hpp>
#include <zero/monitor/tensorboard.hpp>
#include <zero/support/message.hpp>

#include <pthread.h>
#include <signal.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

namespace zero::monitor {

/// What becomes of curves that are there when a new run begins.
enum class Existing : std::uint8_t {
  refuse,   ///< they are another run's: nothing is begun
  replace,  ///< they are removed
};

/// Several monitors at once, written by one thread in the background. A value costs its caller a short lock and a copy;
/// it never waits for a file. Where files are slower than training, what does not fit into a queue of bounded size is
/// dropped, counted and said. Its functions may be called from any thread; it does not end a run: after its constructor
/// and the beginning of a run it throws nothing.
///
/// One rank of a run has monitors. Without any, each call returns at once, and there is no thread.
class Monitors {
 public:
  /// Which monitors there are. Those that are absent are off.
  struct Config {
    std::optional<TensorBoard::Config> tensorboard{};  ///< event files
    std::optional<Csv::Config> csv{};                  ///< DeepSpeed's csv_monitor
    std::optional<JsonLines::Config> json_lines{};     ///< one object per value
    std::size_t queue_bytes = std::size_t{4} << 20U;   ///< memory for what is not written yet
    std::chrono::milliseconds interval{1000};          ///< how long a value waits before it is written, at most
    Warning warning = warn_on_standard_error;          ///< is told what cannot be written; copied to each monitor
  };

  /// None.
  Monitors() : Monitors(Config{}) {}
  /// Touches no file yet. \throws ConfigurationError where the name of a job is none for a folder.
  explicit Monitors(Config const& config)
      : queue_bytes_(config.queue_bytes), interval_(config.interval), warning_(config.warning) {
    if (config.tensorboard) add(std::make_unique<TensorBoard>(*config.tensorboard, config.warning));
    if (config.csv) add(std::make_unique<Csv>(*config.csv, config.warning));
    if (config.json_lines) add(std::make_unique<JsonLines>(*config.json_lines, config.warning));
  }
  Monitors(Monitors const&) = delete;
  Monitors& operator=(Monitors const&) = delete;
  /// Writes what is queued.
  ~Monitors() {
    {
      std::lock_guard const lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
    if (dropped_ > said_) say_dropped();
  }

  /// Adds one of a user's own, before the first value.
  void add(std::unique_ptr<Monitor> monitor) {
    std::lock_guard const writing(writing_);
    monitors_.push_back(std::move(monitor));
    claimed_ = false;
  }

  /// Whether there is any.
  [[nodiscard]] bool enabled() const noexcept { return !monitors_.empty(); }

  /// A folder that holds curves already, which another run has written; nothing where there is none.
  [[nodiscard]] std::optional<std::string> place_of_others() const {
    std::lock_guard const writing(writing_);
    for (auto const& monitor : monitors_) {
      if (monitor->holds_curves()) return monitor->place();
    }
    return std::nullopt;
  }

  /// Takes all places for this run alone, for as long as this lives. The others do so themselves: call it where the
  /// error is to come before training. \throws ConfigurationError where another run, which is alive, writes there.
  void claim() {
    std::lock_guard const writing(writing_);
    take_places();
  }

  /// A new run begins. Neither this nor `resume_at` is needed: without them curves that are there are appended to.
  /// \throws ConfigurationError for Existing::refuse where there are curves, and where another run writes there.
  /// Nothing has been touched then.
  void begin(Existing existing = Existing::refuse) {
    claim();
    if (existing == Existing::refuse) {
      if (auto const place = place_of_others()) {
        throw ConfigurationError(
            detail::concat({"zero: ", detail::quote(*place),
                            " holds the curves of another run: give this run another job name, go on "
                            "with them by resume_at, or let them be removed by Existing::replace"}));
      }
    }
    (void)flush();
    std::lock_guard const writing(writing_);
    for (auto const& monitor : monitors_) guarded([&] { monitor->replace(); });
  }

  /// The run goes on from \p step: what curves have after it is cut off, for the run repeats it.
  /// \throws ConfigurationError where another run writes there.
  void resume_at(std::uint64_t step) {
    claim();
    (void)flush();
    std::lock_guard const writing(writing_);
    for (auto const& monitor : monitors_) guarded([&] { monitor->resume_at(step); });
  }

  /// Takes a value of the curve \p tag at \p step of the x axis. Does not wait for files.
  void scalar(std::string_view tag, double value, std::uint64_t step) noexcept {
    if (enabled()) queue([&] { return Scalar{std::string(tag), value, step, wall_time_now()}; }, tag.size());
  }
  /// Takes a text. Does not wait for files.
  void text(std::string_view tag, std::string_view text, std::uint64_t step) noexcept {
    if (!enabled()) return;
    queue([&] { return Text{std::string(tag), std::string(text), step, wall_time_now()}; }, tag.size() + text.size());
  }

  /// Waits until what was taken is in the files; for \p patience at most, as a network's file system may hang. False
  /// where that was not long enough: writing goes on.
  bool flush(std::chrono::milliseconds patience = std::chrono::seconds(10)) noexcept {
    std::unique_lock lock(mutex_);
    auto const wanted = taken_;
    if (written_ >= wanted) return true;
    flushes_ = true;
    wake_.notify_all();
    return idle_.wait_for(lock, patience, [&] { return written_ >= wanted; });
  }

  /// Values and texts so far that were dropped because the queue was full.
  [[nodiscard]] std::uint64_t dropped() const noexcept {
    std::lock_guard const lock(mutex_);
    return dropped_;
  }

 private:
  using Entry = std::variant<Scalar, Text>;

  template <class Make>
  void queue(Make&& make, std::size_t characters) noexcept {
    std::unique_lock lock(mutex_);
    auto const bytes = sizeof(Entry) + characters;
    bool const was_empty = entries_.empty();
    bool const fits = !failed_ && bytes <= queue_bytes_ - used_;
    bool const taken = fits && attempt([&] {
                         start_thread();
                         entries_.emplace_back(make());
                       });
    if (!taken) {
      ++dropped_;
      return;
    }
    ++taken_;
    used_ += bytes;
    bool const is_half_full = used_ > queue_bytes_ / 2;
    lock.unlock();
    if (was_empty || is_half_full) wake_.notify_all();
  }

  /// Signals are for the threads that the program knows.
  void start_thread() {
    if (thread_.joinable()) return;
    sigset_t all, before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    bool const started = attempt([&] { thread_ = std::thread([this] { run(); }); });
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (started) return;
    failed_ = true;
    throw Error("no thread");
  }

  void run() noexcept {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [&] { return stopping_ || !entries_.empty(); });
      auto const hurries = [&] { return stopping_ || flushes_ || used_ > queue_bytes_ / 2; };
      (void)wake_.wait_for(lock, interval_, hurries);
      if (entries_.empty()) break;  // it stops
      std::vector<Entry> entries = std::exchange(entries_, {});
      auto const upto = taken_;
      bool const says = dropped_ > 0 && said_ == 0;
      flushes_ = false;
      used_ = 0;
      lock.unlock();
      write(entries);
      if (says) say_dropped();
      lock.lock();
      written_ = upto;
      idle_.notify_all();
    }
  }

  void write(std::vector<Entry> const& entries) noexcept {
    std::lock_guard const writing(writing_);
    if (!claimed_) guarded([&] { take_places(); });
    if (!claimed_) return;
    for (auto const& monitor : monitors_) {
      guarded([&] {
        for (auto const& entry : entries) {
          if (auto const* const scalar = std::get_if<Scalar>(&entry)) {
            monitor->scalar(*scalar);
          } else {
            monitor->text(std::get<Text>(entry));
          }
        }
        monitor->flush();
      });
    }
  }

  void take_places() {
    for (auto const& monitor : monitors_) {
      if (monitor->claim()) continue;
      throw ConfigurationError(
          detail::concat({"zero: another run is writing curves to ", detail::quote(monitor->place()),
                          ": give this run another job name, or end that one"}));
    }
    claimed_ = true;
  }

  /// Whether \p f threw nothing.
  template <class Function>
  static bool attempt(Function&& f) noexcept {
    try {
      f();
      return true;
    } catch (...) {
      return false;
    }
  }

  /// A monitor that throws, as without memory, loses what it was given. That is said once.
  template <class Function>
  void guarded(Function&& f) noexcept {
    try {
      f();
    } catch (std::exception const& error) {
      (void)attempt([&] { warn_once(error.what()); });
    } catch (...) {
      (void)attempt([&] { warn_once("an exception"); });
    }
  }

  void warn_once(std::string const& what) {
    if (!std::exchange(warned_, true) && warning_) warning_("zero: monitor: " + what + "; the run goes on");
  }

  void say_dropped() noexcept {
    std::uint64_t const count = dropped();
    (void)attempt([&] {
      if (!warning_) return;
      warning_(detail::concat({"zero: monitors: ", detail::counted(count, "value"), count == 1 ? " was" : " were",
                               " dropped so far, as they came faster than they "
                               "could be written"}));
    });
    std::lock_guard const lock(mutex_);
    said_ = count;
  }

  std::size_t const queue_bytes_;
  std::chrono::milliseconds const interval_;
  Warning const warning_;

  mutable std::mutex mutex_;  // of what follows
  std::condition_variable wake_, idle_;
  std::vector<Entry> entries_;
  std::size_t used_ = 0;                   // bytes of `entries_`
  std::uint64_t taken_ = 0, written_ = 0;  // entries so far
  std::uint64_t dropped_ = 0, said_ = 0;
  bool flushes_ = false, stopping_ = false, failed_ = false;
  std::thread thread_;

  mutable std::mutex writing_;  // of the monitors
  std::vector<std::unique_ptr<Monitor>> monitors_;
  bool warned_ = false, claimed_ = false;
};

}  // namespace zero::monitor
