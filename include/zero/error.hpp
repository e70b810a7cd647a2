// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace zero {

/// Everything that the library throws; `what()` says what was wrong and what to do.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A setting, a registered parameter or an argument that cannot work. Nothing has happened yet.
class ConfigurationError : public Error {
 public:
  using Error::Error;
};

/// A gradient that arrived too often, not at all, too early, or for a frozen parameter.
class GradientError : public Error {
 public:
  /// \p parameter is the name of the parameter.
  GradientError(std::string parameter, std::string const& what) : Error(what), parameter_(std::move(parameter)) {}
  /// Name of the parameter whose gradient it was.
  [[nodiscard]] std::string const& parameter() const noexcept { return parameter_; }

 private:
  std::string parameter_;
};

/// A lease that was used after its end, for a parameter that it does not hold, or beyond the live bound.
class LeaseError : public Error {
 public:
  using Error::Error;
};

/// A call at the wrong time, such as a step in the middle of an accumulation. The engine is unchanged.
class SequenceError : public Error {
 public:
  using Error::Error;
};

/// Ranks that were given different parameters, settings or values; thrown on every rank with the same text.
class MismatchError : public Error {
 public:
  using Error::Error;
};

/// The loss scale reached its minimum and its configuration says that this ends the run.
class LossScaleError : public Error {
 public:
  using Error::Error;
};

/// As many steps in a row were skipped as the configuration says a run may skip: it has diverged.
class DivergenceError : public Error {
 public:
  using Error::Error;
};

/// The engine failed in the middle of an update: its state must be loaded again.
class PoisonedError : public Error {
 public:
  using Error::Error;
};

/// Two operations of a simulation touch the same bytes, one of them writes, and nothing orders them.
class RaceError : public Error {
 public:
  using Error::Error;
};

/// The ranks of a simulation wait for each other, or for one that never comes.
class DeadlockError : public Error {
 public:
  using Error::Error;
};

/// What ended a collective.
enum class CommunicationFailure : std::uint8_t {
  peer_failed,  ///< another rank threw, or left before this collective
  deadline,     ///< another rank did not arrive in time
  mismatch,     ///< another rank called another collective, or one of another size or type
  transport,    ///< what carries the data failed: the network, a device or its library
};

/// A collective that could not complete. The same kind reaches every rank of the communicator within its deadline.
class CommunicationError : public Error {
 public:
  /// Of a collective that moves no bucket.
  static constexpr std::size_t no_bucket = (std::numeric_limits<std::size_t>::max)();

  /// Which collective it was, and whose fault.
  struct Where {
    int rank = 0;                    ///< the rank that failed, is missing or differs
    std::uint64_t sequence = 0;      ///< position in the communicator's order of collectives
    std::string operation;           ///< name and purpose of the collective
    std::size_t bucket = no_bucket;  ///< that it moved, or none
  };

  /// \p what is the sentence that `what()` gives.
  CommunicationError(CommunicationFailure kind, Where where, std::string const& what)
      : Error(what), kind_(kind), where_(std::move(where)) {}

  /// Why it failed.
  [[nodiscard]] CommunicationFailure kind() const noexcept { return kind_; }
  /// Which collective it was.
  [[nodiscard]] Where const& where() const noexcept { return where_; }

 private:
  CommunicationFailure kind_;
  Where where_;
};

/// Why a checkpoint could not be written or read.
enum class CheckpointFailure : std::uint8_t {
  input_output,  ///< the file system refused or failed an operation; `what()` names it
  no_space,      ///< the disk or the quota is full
  exists,        ///< something of that name is there already
  not_found,     ///< there is no such checkpoint, or no valid one
  damaged,       ///< a file is truncated, altered or malformed
  mismatch,      ///< a valid file that does not fit this engine, or another version of the format
  bad_request,   ///< a tag, name or option that cannot work
  locked,        ///< another process writes to the folder, or has taken it over; `what()` names it
};

/// A checkpoint, or another file of tensors, that could not be written or read. In a collective call every rank throws
/// the same one.
class CheckpointError : public Error {
 public:
  /// \p what is the sentence that `what()` gives.
  CheckpointError(CheckpointFailure kind, std::string const& what) : Error(what), kind_(kind) {}
  /// Why it failed.
  [[nodiscard]] CheckpointFailure kind() const noexcept { return kind_; }

 private:
  CheckpointFailure kind_;
};

}  // namespace zero
