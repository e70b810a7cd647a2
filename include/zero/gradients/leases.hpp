// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/lease_records.hpp>
#include <zero/error.hpp>
#include <zero/parameter.hpp>
#include <zero/support/fixed_array.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace zero::detail {

/// Who holds the memory of a gradient: one lease at a time, within one micro-batch.
class GradientLeases {
 public:
  /// The record of a lease that nobody has yet. Move-only; ends the lease with its scope, unless it was handed out.
  class [[nodiscard]] Claim {
   public:
    Claim(GradientLeases& leases, std::uint32_t record) noexcept : leases_(&leases), record_(record) {}
    Claim(Claim&& other) noexcept : leases_(std::exchange(other.leases_, nullptr)), record_(other.record_) {}
    Claim& operator=(Claim&&) = delete;
    ~Claim() {
      if (leases_ != nullptr) leases_->end(record_);
    }

    /// The record, which the caller ends from now on.
    [[nodiscard]] std::uint32_t hand_out() && noexcept {
      leases_ = nullptr;
      return record_;
    }

   private:
    GradientLeases* leases_;
    std::uint32_t record_;
  };

  /// \p specs must outlive this.
  explicit GradientLeases(std::vector<ParameterSpec> const& specs) : specs_(specs), holder_(specs.size()) {}

  /// Counts micro-batches, discarded ones too: a lease of one is refused in all others.
  [[nodiscard]] std::uint64_t micro_batch_serial() const noexcept { return serial_; }
  void begin_micro_batch() noexcept { ++serial_; }

  /// A record for the gradients of \p ids. \throws LeaseError for one that is held already, std::bad_alloc; nothing is
  /// held then.
  [[nodiscard]] Claim take(std::span<ParameterId const> ids) {
    auto const record = records_.take();
    Claim claim(*this, record);
    records_[record].micro_batch_serial = serial_;
    for (auto id : ids) enter(record, id);
    return claim;
  }

  ZERO_OUT_OF_LINE void end(std::uint32_t record) noexcept {
    for (auto id : records_[record].ids) {
      if (holder_[id.index] == record + 1) holder_[id.index] = nobody;
    }
    records_.release(record);
  }

  [[nodiscard]] std::span<ParameterId const> ids(std::uint32_t record) const noexcept {
    auto const& ids = records_[record].ids;
    return {ids.begin(), ids.size()};
  }

  /// Whether the lease of \p record holds the gradient of \p id in this micro-batch.
  [[nodiscard]] bool holds(std::uint32_t record, ParameterId id) const noexcept {
    return holder_[id.index] == record + 1 && records_[record].micro_batch_serial == serial_;
  }
  /// Whether any lease of this micro-batch holds the gradient of \p id.
  [[nodiscard]] bool is_held(ParameterId id) const noexcept {
    return holder_[id.index] != nobody && holds(holder_[id.index] - 1, id);
  }

  /// \throws LeaseError for a lease of an earlier micro-batch.
  void check_lease(std::uint32_t record) const {
    if (records_[record].micro_batch_serial == serial_) return;
    fail<LeaseError>({"zero::GradientLease: of an earlier micro-batch: ask for the gradients again"});
  }
  /// \throws LeaseError also where \p id is not part of the lease.
  void check_lease(std::uint32_t record, ParameterId id) const {
    check_lease(record);
    if (id.index >= specs_.size() || holder_[id.index] != record + 1) throw_not_held(id);
  }

 private:
  static constexpr std::uint32_t nobody = 0;

  [[noreturn, gnu::cold]] ZERO_OUT_OF_LINE void throw_not_held(ParameterId id) const {
    bool const known = id.index < specs_.size();
    fail<LeaseError>({"zero::GradientLease: ", known ? quote(specs_[id.index].name) : MessagePart("a parameter"),
                      " is not part of this lease: name it in the call of gradients"});
  }

  void enter(std::uint32_t record, ParameterId id) {
    if (is_held(id)) {
      fail<LeaseError>({"zero::Engine: the gradient of ", quote(specs_[id.index].name),
                        " is leased already: name it once, and end that lease first"});
    }
    records_[record].ids.push_back(id);
    holder_[id.index] = record + 1;
  }

  std::vector<ParameterSpec> const& specs_;
  LeaseRecords records_;
  FixedArray<std::uint32_t> holder_;  // by parameter: 1 + the record that has its gradient now
  std::uint64_t serial_ = 0;
};

}  // namespace zero::detail
