// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/parameter.hpp>
#include <zero/support/reusable_vector.hpp>

#include <cstdint>

namespace zero::detail {

/// What leases stand for, by number. Records are used again, so that taking and ending a lease allocates nothing once
/// the model has been seen.
class LeaseRecords {
 public:
  struct Record {
    ReusableVector<ParameterId> ids;       ///< what the lease holds; empty: nobody has this record
    ReusableVector<std::uint32_t> blocks;  ///< gathered for it
    std::uint64_t micro_batch_serial = 0;  ///< the micro-batch that it is of
    std::uint32_t next_free = none;        ///< while nobody has it
  };

  [[nodiscard]] std::uint32_t take() {
    auto const number = free_;
    if (number == none) {
      records_.emplace_reused();
      return static_cast<std::uint32_t>(records_.size() - 1);
    }
    free_ = records_[number].next_free;
    return number;
  }
  void release(std::uint32_t number) noexcept {
    auto& record = records_[number];
    record.ids.clear();
    record.blocks.clear();
    record.next_free = free_;
    free_ = number;
  }

  [[nodiscard]] Record& operator[](std::uint32_t number) noexcept { return records_[number]; }
  [[nodiscard]] Record const& operator[](std::uint32_t number) const noexcept { return records_[number]; }
  [[nodiscard]] ReusableVector<Record> const& all() const noexcept { return records_; }

 private:
  static constexpr std::uint32_t none = UINT32_MAX;

  ReusableVector<Record> records_;
  std::uint32_t free_ = none;  // the record that was given back last
};

}  // namespace zero::detail
