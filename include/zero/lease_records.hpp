// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/parameter.hpp>

#include <cstdint>
#include <vector>

namespace zero {

/// What leases stand for, by number. Records are used again, so that taking and ending a lease allocates nothing once
/// the model has been seen.
class LeaseRecords {
 public:
  struct Record {
    std::vector<ParameterId> ids;       ///< what the lease holds; empty: nobody has this record
    std::vector<std::uint32_t> blocks;  ///< gathered for it
    std::uint64_t pass = 0;             ///< the micro-batch that it is of
  };

  [[nodiscard]] std::uint32_t take() {
    if (free_.empty()) {
      records_.emplace_back();
      free_.reserve(records_.capacity());
      return static_cast<std::uint32_t>(records_.size() - 1);
    }
    auto const number = free_.back();
    free_.pop_back();
    return number;
  }
  void give_back(std::uint32_t number) noexcept {
    records_[number].ids.clear();
    records_[number].blocks.clear();
    free_.push_back(number);
  }

  [[nodiscard]] Record& operator[](std::uint32_t number) noexcept { return records_[number]; }
  [[nodiscard]] Record const& operator[](std::uint32_t number) const noexcept { return records_[number]; }
  [[nodiscard]] std::vector<Record> const& all() const noexcept { return records_; }

 private:
  std::vector<Record> records_;
  std::vector<std::uint32_t> free_;
};

}  // namespace zero
