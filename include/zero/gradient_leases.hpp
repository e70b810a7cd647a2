// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/error.hpp>
#include <zero/parameter.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace zero {

/// Who holds the place of a gradient: one lease at a time, within one micro-batch. Records are reused, so that taking
/// and ending a lease allocates nothing once the model has been seen.
class GradientLeases {
 public:
  /// \p specs must outlive this.
  explicit GradientLeases(std::vector<ParameterSpec> const& specs) : specs_(&specs), holder_(specs.size(), none) {}

  /// Counts micro-batches, discarded ones too: a lease of one is refused in all others.
  [[nodiscard]] std::uint64_t pass() const noexcept { return pass_; }
  void begin_pass() noexcept { ++pass_; }

  /// A record for the places of \p ids. \throws LeaseError for one that is held already; nothing is held then.
  [[nodiscard]] std::uint32_t take(std::span<ParameterId const> ids) {
    if (free_.empty()) {
      records_.emplace_back();
      free_.push_back(static_cast<std::uint32_t>(records_.size() - 1));
      free_.reserve(records_.size());
    }
    auto const record = free_.back();
    free_.pop_back();
    records_[record].pass = pass_;
    for (auto id : ids) enter(record, id);
    return record;
  }

  void end(std::uint32_t record) noexcept {
    for (auto id : records_[record].ids) {
      if (holder_[id.index] == record) holder_[id.index] = none;
    }
    records_[record].ids.clear();
    free_.push_back(record);
  }

  [[nodiscard]] std::span<ParameterId const> ids(std::uint32_t record) const noexcept { return records_[record].ids; }

  /// \throws LeaseError for a lease of an earlier micro-batch.
  void check(std::uint32_t record) const {
    if (records_[record].pass == pass_) return;
    throw LeaseError("zero::GradientLease: of an earlier micro-batch: ask for the gradients again");
  }
  /// \throws LeaseError also where \p id is not part of the lease.
  void check(std::uint32_t record, ParameterId id) const {
    check(record);
    if (id.index < specs_->size() && holder_[id.index] == record) return;
    throw LeaseError("zero::GradientLease: " + (id.index < specs_->size() ? quoted(id) : "a parameter") +
                     " is not part of this lease: name it in the call of gradients");
  }

 private:
  static constexpr std::uint32_t none = UINT32_MAX;
  struct Record {
    std::uint64_t pass = 0;
    std::vector<ParameterId> ids;
  };

  [[nodiscard]] std::string quoted(ParameterId id) const { return detail::quoted((*specs_)[id.index].name); }

  void enter(std::uint32_t record, ParameterId id) {
    auto const holder = holder_[id.index];
    if (holder != none && records_[holder].pass == pass_) {
      end(record);
      throw LeaseError("zero::Engine: the gradient of " + quoted(id) +
                       " is leased already: name it once, and end that lease first");
    }
    holder_[id.index] = record;
    records_[record].ids.push_back(id);
  }

  std::vector<ParameterSpec> const* specs_;
  std::vector<Record> records_;
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> holder_;  // by parameter: the record that has its gradient now
  std::uint64_t pass_ = 0;
};

}  // namespace zero
