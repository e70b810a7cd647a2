// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "batch_source.hpp"
#include "training_data.hpp"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace gpt2 {

/// How batches are loaded.
struct LoadOptions {
  std::size_t workers = 1;   ///< threads; 0: batches are loaded where they are asked for
  std::size_t prefetch = 2;  ///< batches that are loaded before they are asked for, at most
};

/// Loads micro-batches in a given order, on threads of its own. Which tokens a batch has is TrainingData's to say: they
/// are the same with any number of workers. For one thread that takes them.
///
/// What a worker throws is thrown by the `take` of the batch that it was for. The end of a loader waits for the reads
/// that are under way, and leaves no thread behind.
class BatchLoader {
 public:
  /// The \p n-th batch that will be asked for, from 0 on. Called by workers, several at once.
  using Plan = std::function<BatchRequest(std::uint64_t n)>;

  /// Loads \p count batches of \p tokens tokens each. \p data is borrowed.
  BatchLoader(TrainingData const& data, LoadOptions const& options, std::size_t tokens, std::uint64_t count, Plan plan);
  BatchLoader(BatchLoader const&) = delete;
  BatchLoader& operator=(BatchLoader const&) = delete;
  ~BatchLoader();

  /// Exchanges \p batch for the next one; what it held is memory for those to come. Waits until that is loaded.
  /// \throws DataError, as TrainingData::sample does.
  void take(TokenBatch& batch);

  [[nodiscard]] bool has_more() const noexcept { return taken_ < count_; }
  /// How many have been taken.
  [[nodiscard]] std::uint64_t taken() const noexcept { return taken_; }

 private:
  struct Slot {
    TokenBatch batch{};
    bool is_loaded = false;
    std::exception_ptr failure{};
  };

  void work();
  void load(std::uint64_t n, TokenBatch& batch) const;
  /// Batches up to this one may be loaded now.
  [[nodiscard]] std::uint64_t limit() const noexcept;

  TrainingData const& data_;
  LoadOptions options_;
  std::size_t tokens_;
  std::uint64_t count_;
  Plan plan_;
  std::uint64_t taken_ = 0, begun_ = 0;
  bool waits_ = false, ends_ = false;
  std::vector<Slot> slots_;  // batch n lies in slot n modulo their number
  std::mutex mutex_;
  std::condition_variable may_load_, is_loaded_;
  std::vector<std::thread> workers_;
};

}  // namespace gpt2
