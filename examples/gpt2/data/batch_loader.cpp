// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "batch_loader.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace gpt2 {

BatchLoader::BatchLoader(TrainingData const& data, LoadOptions const& options, std::size_t tokens, std::uint64_t count,
                         Plan plan)
    : data_(data), options_(options), tokens_(tokens), count_(count), plan_(std::move(plan)) {
  if (options.workers == 0) return;
  slots_.resize(options.prefetch + 1);  // one is being waited for
  auto const useful = std::min<std::uint64_t>({options.workers, slots_.size(), count});
  try {
    for (std::uint64_t i = 0; i < useful; ++i) workers_.emplace_back([this] { work(); });
  } catch (...) {
    if (workers_.empty()) throw;  // fewer are enough
  }
}

BatchLoader::~BatchLoader() {
  {
    std::lock_guard const lock(mutex_);
    ends_ = true;
  }
  may_load_.notify_all();
  for (auto& worker : workers_) worker.join();
}

std::uint64_t BatchLoader::limit() const noexcept {
  return std::min<std::uint64_t>(count_, taken_ + options_.prefetch + (waits_ ? 1 : 0));
}

void BatchLoader::load(std::uint64_t n, TokenBatch& batch) const {
  batch.tokens.resize(tokens_);
  batch.targets.resize(tokens_);
  data_.sample(plan_(n), batch.tokens, batch.targets);
}

void BatchLoader::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    may_load_.wait(lock, [&] { return ends_ || begun_ < limit(); });
    if (ends_) return;
    auto const n = begun_++;
    auto& slot = slots_[n % slots_.size()];
    lock.unlock();
    std::exception_ptr failure;
    try {
      load(n, slot.batch);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    slot.failure = failure;
    slot.is_loaded = true;
    is_loaded_.notify_one();
  }
}

void BatchLoader::take(TokenBatch& batch) {
  if (taken_ == count_) throw std::logic_error("gpt2::BatchLoader::take: all batches are taken");
  if (options_.workers == 0) {
    load(taken_, batch);
    ++taken_;
    return;
  }
  std::unique_lock lock(mutex_);
  auto& slot = slots_[taken_ % slots_.size()];
  waits_ = true;
  may_load_.notify_all();
  is_loaded_.wait(lock, [&] { return slot.is_loaded; });
  waits_ = false;
  if (slot.failure) std::rethrow_exception(slot.failure);
  std::swap(batch, slot.batch);
  slot.is_loaded = false;
  ++taken_;
  may_load_.notify_all();
}

}  // namespace gpt2
