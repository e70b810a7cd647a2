// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/config/config_error.hpp>
#include <zero/support/message.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace zero::config {

/// What a configuration says of a step's batch; what it leaves out follows from the rest.
struct BatchRequest {
  std::optional<std::uint64_t> train_batch_size{};                ///< sequences of a step, over all ranks
  std::optional<std::uint64_t> train_micro_batch_size_per_gpu{};  ///< sequences of a micro-batch, on one rank
  std::optional<std::uint64_t> gradient_accumulation_steps{};     ///< micro-batches of a step, on each rank
  std::optional<std::uint64_t> micro_batches_per_step{};          ///< micro-batches of a step, over all ranks
};

/// A step's batch, whole: `sequences` is `micro_batch` times `micro_batches`.
struct Batch {
  std::uint64_t sequences = 1;      ///< of a step, over all ranks
  std::uint64_t micro_batch = 1;    ///< sequences of a micro-batch, on one rank
  std::uint64_t micro_batches = 1;  ///< of a step, over all ranks
  std::uint64_t accumulation = 1;   ///< micro-batches of a step on each rank; 0: they are counted over all ranks, as
                                    ///< `micro_batches_per_step` does, and as must be where ranks do not divide them

  /// Member by member.
  friend bool operator==(Batch const&, Batch const&) = default;
};

namespace detail {

/// Whole numbers of a batch, one equation at a time; an error names the numbers that would do.
class BatchSolver {
 public:
  BatchSolver(BatchRequest const& asked, std::uint64_t world) : asked_(asked), world_(world) {}

  [[nodiscard]] Batch solve() const {
    reject_zeros();
    auto const micro_batches = asked_micro_batches();
    Batch batch;
    if (asked_.train_micro_batch_size_per_gpu) {
      batch.micro_batch = *asked_.train_micro_batch_size_per_gpu;
      batch.micro_batches = micro_batches.value_or(0);
      if (batch.micro_batches == 0) batch.micro_batches = from_sequences(batch.micro_batch);
    } else {
      if (!asked_.train_batch_size) {
        fail({}, "train_batch_size or train_micro_batch_size_per_gpu is missing",
             "write \"train_micro_batch_size_per_gpu\", the sequences of one micro-batch");
      }
      batch.micro_batches = micro_batches.value_or(world_);
      batch.micro_batch = divided(*asked_.train_batch_size, batch.micro_batches);
    }
    batch.sequences = times(batch.micro_batch, batch.micro_batches);
    if (asked_.train_batch_size && *asked_.train_batch_size != batch.sequences) fail_product(batch);
    bool const of_each = !asked_.micro_batches_per_step && batch.micro_batches % world_ == 0;
    batch.accumulation = of_each ? batch.micro_batches / world_ : 0;
    return batch;
  }

 private:
  void reject_zeros() const {
    auto const refuse = [](std::optional<std::uint64_t> const& value, char const* key) {
      if (value && (*value == 0 || *value > most)) {
        fail(key, zero::detail::concat({*value, " is not from 1 to ", most}), "write how many there are");
      }
    };
    refuse(asked_.train_batch_size, "train_batch_size");
    refuse(asked_.train_micro_batch_size_per_gpu, "train_micro_batch_size_per_gpu");
    refuse(asked_.gradient_accumulation_steps, "gradient_accumulation_steps");
    refuse(asked_.micro_batches_per_step, "micro_batches_per_step");
  }

  /// Of a step over all ranks, where it is said.
  [[nodiscard]] std::optional<std::uint64_t> asked_micro_batches() const {
    auto const& whole = asked_.micro_batches_per_step;
    if (!asked_.gradient_accumulation_steps) return whole;
    auto const product = times(*asked_.gradient_accumulation_steps, world_);
    if (whole && *whole != product) {
      fail("micro_batches_per_step",
           zero::detail::concat({*whole, " is not gradient_accumulation_steps ", *asked_.gradient_accumulation_steps,
                                 " x ", zero::detail::counted(world_, "rank")}),
           "leave one of the two out");
    }
    return product;
  }

  /// Micro-batches of a step, from the sequences of both; of one for each rank where nothing says how many.
  [[nodiscard]] std::uint64_t from_sequences(std::uint64_t micro_batch) const {
    if (!asked_.train_batch_size) return world_;
    auto const all = *asked_.train_batch_size;
    if (all % micro_batch == 0) return all / micro_batch;
    fail("train_batch_size",
         zero::detail::concat({all, " is no multiple of train_micro_batch_size_per_gpu ", micro_batch}),
         zero::detail::concat({"write ", nearest(all, micro_batch)}));
  }

  [[nodiscard]] std::uint64_t divided(std::uint64_t sequences, std::uint64_t micro_batches) const {
    if (sequences % micro_batches == 0) return sequences / micro_batches;
    fail(
        "train_batch_size",
        zero::detail::concat({sequences, " is no multiple of the step's ", micro_batches, " micro-batches (",
                              zero::detail::counted(world_, "rank"), ")"}),
        zero::detail::concat({"write ", nearest(sequences, micro_batches), ", or \"train_micro_batch_size_per_gpu\""}));
  }

  [[noreturn]] void fail_product(Batch const& batch) const {
    fail("train_batch_size",
         zero::detail::concat({*asked_.train_batch_size, " is not train_micro_batch_size_per_gpu ", batch.micro_batch,
                               " x ", zero::detail::counted(batch.micro_batches, "micro-batch"), " of ",
                               zero::detail::counted(world_, "rank")}),
         zero::detail::concat({"write ", batch.sequences, ", or leave one of them out"}));
  }

  /// The multiples of \p factor around \p number, which is none.
  static std::string nearest(std::uint64_t number, std::uint64_t factor) {
    auto const below = number / factor * factor;
    return below == 0 ? std::to_string(factor) : zero::detail::concat({below, " or ", below + factor});
  }

  static std::uint64_t times(std::uint64_t a, std::uint64_t b) {
    if (a * b <= most) return a * b;  // both are at most 2^31
    fail("train_batch_size", zero::detail::concat({a, " x ", b, " is more than ", most}), "write smaller numbers");
  }

  [[noreturn]] static void fail(std::string key, std::string problem, std::string cure) {
    throw ConfigError({{}, 0, 0, std::move(key)}, std::move(problem), std::move(cure));
  }

  static constexpr std::uint64_t most = (std::uint64_t{1} << 31U) - 1;
  BatchRequest const& asked_;
  std::uint64_t world_;
};

}  // namespace detail

/// The batch that \p asked means on \p world ranks. Two of the first three members say the third, with DeepSpeed's
/// rule; where only one of the first two is given, each rank has one micro-batch. Where micro-batches are a number of
/// the whole step that \p world does not divide, the last round has fewer of them than ranks.
/// \throws ConfigError where the numbers do not work out, with numbers that would.
[[nodiscard]] inline Batch resolve(BatchRequest const& asked, int world) {
  if (world < 1) throw ConfigError({}, "a world has at least one rank", {});
  return detail::BatchSolver(asked, static_cast<std::uint64_t>(world)).solve();
}

}  // namespace zero::config
