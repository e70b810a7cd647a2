// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/c.h>
#include <zero/error.hpp>
#include <zero/support/message.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <exception>
#include <initializer_list>
#include <new>
#include <string>
#include <string_view>
#include <utility>

namespace zero::c {

/// What only this interface refuses: handles, pointers, sizes of structs.
class InterfaceError : public Error {
 public:
  InterfaceError(zero_status status, std::string const& what) : Error(what), status_(status) {}
  [[nodiscard]] zero_status status() const noexcept { return status_; }

 private:
  zero_status status_;
};

[[noreturn]] inline void fail(zero_status status, std::initializer_list<detail::MessagePart> parts) {
  throw InterfaceError(status, detail::concat(parts));
}

/// What zero_last_error gives on one thread. Allocates nothing, so that it can say that memory ran out.
struct LastError {
  zero_error_info info{sizeof(zero_error_info), ZERO_OK, ZERO_COMMUNICATION_NONE, ZERO_CHECKPOINT_NONE, -1, ""};
  char text[4096] = "";
  char parameter[512] = "";

  void set(zero_status status, std::string_view what) noexcept {
    info = {sizeof info, status, ZERO_COMMUNICATION_NONE, ZERO_CHECKPOINT_NONE, -1, ""};
    copy(text, what);
  }
  /// Takes over what \p other says.
  void take(LastError const& other) noexcept {
    info = other.info;
    copy(text, other.text);
    copy(parameter, other.parameter);
    if (info.parameter == other.parameter) info.parameter = parameter;
  }
  void set_parameter(std::string_view name) noexcept {
    copy(parameter, name);
    info.parameter = parameter;
  }

 private:
  template <std::size_t size>
  static void copy(char (&to)[size], std::string_view from) noexcept {
    auto const count = (std::min)(from.size(), size - 1);
    std::memmove(to, from.data(), count);
    to[count] = 0;
  }
};

[[nodiscard]] inline LastError& last_error() noexcept {
  static thread_local LastError error;
  return error;
}

[[nodiscard]] constexpr std::int32_t code_of(CommunicationFailure kind) noexcept {
  return static_cast<std::int32_t>(kind) + 1;
}
[[nodiscard]] constexpr std::int32_t code_of(CheckpointFailure kind) noexcept {
  return static_cast<std::int32_t>(kind) + 1;
}
static_assert(code_of(CommunicationFailure::transport) == ZERO_COMMUNICATION_TRANSPORT);
static_assert(code_of(CheckpointFailure::locked) == ZERO_CHECKPOINT_LOCKED);

/// The status of errors that say no more than their sentence.
[[nodiscard]] inline zero_status status_of(Error const& error) noexcept {
  if (auto const* const own = dynamic_cast<InterfaceError const*>(&error)) return own->status();
  if (dynamic_cast<ConfigurationError const*>(&error) != nullptr) return ZERO_ERROR_CONFIGURATION;
  if (dynamic_cast<LeaseError const*>(&error) != nullptr) return ZERO_ERROR_LEASE;
  if (dynamic_cast<SequenceError const*>(&error) != nullptr) return ZERO_ERROR_SEQUENCE;
  if (dynamic_cast<MismatchError const*>(&error) != nullptr) return ZERO_ERROR_MISMATCH;
  if (dynamic_cast<LossScaleError const*>(&error) != nullptr) return ZERO_ERROR_LOSS_SCALE;
  if (dynamic_cast<DivergenceError const*>(&error) != nullptr) return ZERO_ERROR_DIVERGENCE;
  if (dynamic_cast<PoisonedError const*>(&error) != nullptr) return ZERO_ERROR_POISONED;
  return ZERO_ERROR_LIBRARY;
}

/// Keeps the exception that is being handled as this thread's last error. Returns its status.
inline zero_status keep_current_exception() noexcept {
  auto& last = last_error();
  try {
    throw;
  } catch (GradientError const& error) {
    last.set(ZERO_ERROR_GRADIENT, error.what());
    last.set_parameter(error.parameter());
  } catch (CommunicationError const& error) {
    last.set(ZERO_ERROR_COMMUNICATION, error.what());
    last.info.communication = code_of(error.kind());
    last.info.rank = error.where().rank;
  } catch (CheckpointError const& error) {
    last.set(ZERO_ERROR_CHECKPOINT, error.what());
    last.info.checkpoint = code_of(error.kind());
  } catch (Error const& error) {
    last.set(status_of(error), error.what());
  } catch (std::bad_alloc const&) {
    last.set(ZERO_ERROR_OUT_OF_MEMORY, "zero: memory ran out: use a higher stage, more ranks or a smaller model");
  } catch (std::exception const& error) {
    last.set(ZERO_ERROR_UNEXPECTED, error.what());
  } catch (...) {
    last.set(ZERO_ERROR_UNEXPECTED, "zero: an exception that says nothing");
  }
  return static_cast<zero_status>(last.info.status);
}

/// Runs \p f for a C function: no exception leaves it.
template <class Function>
[[nodiscard]] zero_status guarded(Function&& f) noexcept {
  try {
    f();
    return ZERO_OK;
  } catch (...) {
    return keep_current_exception();
  }
}

/// \throws InterfaceError where \p pointer, the argument \p name of \p function, is null.
template <class Type>
[[nodiscard]] Type& required(Type* pointer, char const* function, char const* name) {
  if (pointer != nullptr) return *pointer;
  fail(ZERO_ERROR_ARGUMENT, {function, ": ", name, " is null: pass the address of one"});
}

}  // namespace zero::c
