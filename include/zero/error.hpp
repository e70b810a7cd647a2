// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
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

/// The engine failed in the middle of an update: its state must be loaded again.
class PoisonedError : public Error {
 public:
  using Error::Error;
};

/// What ended a collective.
enum class CommunicationFailure : std::uint8_t {
  peer_failed,  ///< another rank threw, or left before this collective
  deadline,     ///< another rank did not arrive in time
  mismatch,     ///< another rank called another collective, or one of another size or type
};

/// A collective that could not complete. The same kind reaches every rank of the communicator within its deadline.
class CommunicationError : public Error {
 public:
  static constexpr std::size_t no_bucket = std::numeric_limits<std::size_t>::max();

  struct Where {
    int rank = 0;                  ///< the rank that failed, is missing or differs
    std::uint64_t sequence = 0;    ///< position in the communicator's order of collectives
    std::string operation;         ///< name and purpose of the collective
    std::size_t bucket = no_bucket;
  };

  CommunicationError(CommunicationFailure kind, Where where, std::string const& what)
      : Error(what), kind_(kind), where_(std::move(where)) {}

  [[nodiscard]] CommunicationFailure kind() const noexcept { return kind_; }
  [[nodiscard]] Where const& where() const noexcept { return where_; }

 private:
  CommunicationFailure kind_;
  Where where_;
};

namespace detail {

/// Quotes a name for a message.
inline std::string quoted(std::string_view name) {
  std::string text(1, '\'');
  text += name;
  text += '\'';
  return text;
}

inline void require(bool condition, char const* sentence) {
  if (!condition) throw ConfigurationError(sentence);
}

}  // namespace detail
}  // namespace zero
