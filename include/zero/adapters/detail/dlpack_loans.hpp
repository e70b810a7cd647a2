// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>

namespace zero::dlpack::detail {

/// A lease whose tensors have gone out.
struct Loan {
  Loan() = default;
  Loan(Loan const&) = delete;
  Loan& operator=(Loan const&) = delete;
  virtual ~Loan() = default;  // ends the lease: on the engine's thread

  std::atomic<std::size_t> tensors = 0;  ///< that are alive
  bool ended = false;                    ///< the lease has, on the engine's thread
  Loan* next = nullptr;                  ///< in the list of those that came back
};

template <class Lease>
struct LoanOf final : Loan {
  explicit LoanOf(Lease taken) : lease(std::move(taken)) {}
  Lease lease;
};

/// Leases that were left to their tensors, of which none is alive: put here on any thread, ended on the engine's.
class ReturnedLoans {
 public:
  ReturnedLoans() = default;
  ReturnedLoans(ReturnedLoans const&) = delete;
  ReturnedLoans& operator=(ReturnedLoans const&) = delete;
  ~ReturnedLoans() { end_all(); }

  /// Takes \p loan over. Allocates nothing: deleters may not fail.
  void put(Loan* loan) noexcept {
    std::lock_guard const guard(mutex_);
    loan->next = first_;
    first_ = loan;
    ++count_;
  }
  /// How many there are. What other threads have done with the memory of these is over.
  [[nodiscard]] std::size_t count() const noexcept {
    std::lock_guard const guard(mutex_);
    return count_;
  }
  /// Ends all of them.
  void end_all() noexcept {
    Loan* loan = nullptr;
    {
      std::lock_guard const guard(mutex_);
      loan = std::exchange(first_, nullptr);
      count_ = 0;
    }
    while (loan != nullptr) delete std::exchange(loan, loan->next);
  }

 private:
  std::mutex mutable mutex_;
  Loan* first_ = nullptr;  // both under mutex_
  std::size_t count_ = 0;
};

/// An engine, what must outlive it, and its loans; owned by the lender and by each tensor.
template <class Engine>
struct LentEngine {
  // Destroyed from the last to the first: leases end before the engine, and that before what it uses.
  std::shared_ptr<void> keeps;
  std::unique_ptr<Engine> engine;
  ReturnedLoans returned{};
  std::size_t left = 0;  ///< loans that were left to their tensors and have not ended; the engine's thread's
};

/// One tensor's share of a loan.
class TensorShare {
 public:
  explicit TensorShare(std::shared_ptr<Loan> loan) noexcept : loan_(std::move(loan)) {
    loan_->tensors.fetch_add(1, std::memory_order_relaxed);
  }
  TensorShare(TensorShare const&) = delete;
  TensorShare& operator=(TensorShare const&) = delete;
  // What the consumer has written is there for who reads the 0.
  ~TensorShare() { loan_->tensors.fetch_sub(1, std::memory_order_release); }

 private:
  std::shared_ptr<Loan> loan_;
};

/// \p lease as a loan that keeps \p lent until its last share has gone, and comes back there where it has not ended.
template <class Engine, class Lease>
[[nodiscard]] std::shared_ptr<LoanOf<Lease>> lend(std::shared_ptr<LentEngine<Engine>> lent, Lease lease) {
  auto loan = std::make_unique<LoanOf<Lease>>(std::move(lease));
  auto* const borrowed = loan.release();
  return std::shared_ptr<LoanOf<Lease>>(borrowed, [lent = std::move(lent)](LoanOf<Lease>* last) noexcept {
    if (last->ended) {
      delete last;
    } else {
      lent->returned.put(last);
    }
  });
}

/// A lease and the tensors that it has given out, on the engine's thread. Move-only.
template <class Engine, class Lease>
class LentLease {
 public:
  LentLease(std::shared_ptr<LentEngine<Engine>> lent, Lease lease)
      : lent_(lent), loan_(lend(std::move(lent), std::move(lease))) {}
  LentLease(LentLease&& other) noexcept = default;
  LentLease& operator=(LentLease&& other) noexcept {
    if (this == &other) return *this;
    leave();
    lent_ = std::move(other.lent_);
    loan_ = std::move(other.loan_);
    gave_ = other.gave_;
    return *this;
  }
  ~LentLease() { leave(); }

  [[nodiscard]] bool open() const noexcept { return loan_ != nullptr; }
  [[nodiscard]] Engine& engine() const noexcept { return *lent_->engine; }
  [[nodiscard]] Lease& lease() const noexcept { return loan_->lease; }
  /// Tensors that are alive. What their consumers have done before they ended is over where this says 0.
  [[nodiscard]] std::size_t tensors() const noexcept { return loan_->tensors.load(std::memory_order_acquire); }
  /// What a tensor owns.
  [[nodiscard]] std::shared_ptr<void> share() {
    gave_ = true;
    return std::make_shared<TensorShare>(loan_);
  }
  /// The lease, which ends with the result.
  [[nodiscard]] Lease take() noexcept {
    loan_->ended = true;
    Lease lease = std::move(loan_->lease);
    loan_ = nullptr;
    lent_ = nullptr;
    return lease;
  }

 private:
  // Ends the lease here, or leaves it to its tensors, whether one is alive or not: that is a matter of time, and when a
  // lease ends is not, because ranks must agree on it.
  void leave() noexcept {
    if (loan_ == nullptr) return;
    if (gave_) {
      ++lent_->left;
      loan_ = nullptr;
    } else {
      (void)take();
    }
  }

  std::shared_ptr<LentEngine<Engine>> lent_;
  std::shared_ptr<LoanOf<Lease>> loan_;
  bool gave_ = false;  // tensors
};

}  // namespace zero::dlpack::detail
