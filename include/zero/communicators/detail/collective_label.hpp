// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/communicator.hpp>
#include <zero/error.hpp>
#include <zero/support/message.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace zero::detail {

/// One rank's part in a collective, which its peers read while all of them are inside it.
struct Posting {
  std::string_view operation;
  CollectivePurpose purpose;
  std::size_t count = 0;
  std::size_t element_bytes = 0;
  std::uint64_t sequence = 0;
  void const* buffer = nullptr;
  void const* state = nullptr;     ///< of the rank's stream
  SumRange range{.first = false};  ///< of a reduction

  [[nodiscard]] bool matches(Posting const& other) const noexcept {
    return operation == other.operation && purpose.what == other.purpose.what &&
           purpose.bucket == other.purpose.bucket && purpose.engine == other.purpose.engine && count == other.count &&
           element_bytes == other.element_bytes && range.first == other.range.first &&
           range.addends == other.range.addends;
  }
  /// As its rank calls it; with the engine where \p other is another one's.
  [[nodiscard]] std::string describe(Posting const* other = nullptr) const {
    auto const bucket = purpose.bucket == CommunicationError::no_bucket ? "" : concat({", bucket ", purpose.bucket});
    bool const names_engine = other != nullptr && other->purpose.engine != purpose.engine;
    auto const engine = names_engine ? concat({" of engine ", purpose.engine}) : "";
    return concat({operation, " #", sequence, " of ", purpose.what, bucket, engine, " (", count, " x ", element_bytes,
                   " bytes", range.first ? ", the first of its sum" : "",
                   range.addends == SumRange::every_rank
                       ? ""
                       : ", " + counted(static_cast<std::uint64_t>(range.addends), "addend"),
                   ")"});
  }
  [[nodiscard]] CommunicationError::Where where(int rank) const {
    return {rank, sequence, concat({operation, " of ", purpose.what}), purpose.bucket};
  }
};

/// Which collective: what its error will say. Copies text, so that putting one on a stream allocates nothing.
class CollectiveLabel {
 public:
  CollectiveLabel() = default;
  CollectiveLabel(std::uint64_t sequence, char const* operation, CollectivePurpose purpose) noexcept
      : sequence_(sequence), operation_(operation), bucket_(purpose.bucket) {
    auto* const end = std::copy_n(purpose.what.data(), (std::min)(purpose.what.size(), sizeof what_ - 1), what_);
    *end = '\0';
  }
  [[nodiscard]] CommunicationError::Where where(int rank) const {
    return {rank, sequence_, concat({operation_, " of ", static_cast<char const*>(what_)}), bucket_};
  }
  [[nodiscard]] std::string describe() const {
    auto const bucket = bucket_ == CommunicationError::no_bucket ? "" : concat({", bucket ", bucket_});
    return concat({operation_, " #", sequence_, " of ", static_cast<char const*>(what_), bucket});
  }

 private:
  std::uint64_t sequence_ = 0;
  char const* operation_ = "initialization";
  char what_[48] = "the communicator";
  std::size_t bucket_ = CommunicationError::no_bucket;
};

}  // namespace zero::detail
