// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/engine/lease_interfaces.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace zero {

namespace detail {

template <class Backend>
class EngineCore;

template <class Backend>
class JointAgreement;
template <class Backend>
class JointCore;

}  // namespace detail

template <class Partition, class Opt, class Prec, class Backend, class Communicator>
class Engine;

/// How an engine takes part in a JointStep.
struct MemberOptions {
  /// Its parameters exist on several positions of this axis, e.g. those that the first and the last stage of a pipeline
  /// both need: each position has an engine of its own, under the same name and with the same parameters, in a group of
  /// as many ranks. Each hands over the whole gradient, so that all stay alike; the first position counts in the norm,
  /// and is saved. Empty: they exist once.
  std::string repeated_over{};
};

/// An engine, whatever its rule, stage, types and offload, under the name that it has in a JointStep, as
/// `Engine::member` gives it. A reference, to be used as long as the engine lives.
template <class Backend>
class EngineMember {
 public:
  /// As given to `Engine::member`.
  [[nodiscard]] std::string const& name() const noexcept { return name_; }
  /// As given to `Engine::member`.
  [[nodiscard]] MemberOptions const& options() const noexcept { return options_; }

 private:
  friend class detail::JointAgreement<Backend>;
  friend class detail::JointCore<Backend>;
  template <class Partition, class Opt, class Prec, class EngineBackend, class Communicator>
  friend class Engine;

  EngineMember(detail::EngineCore<Backend>& core, std::shared_ptr<detail::EngineLifetime const> lifetime,
               std::string_view name, MemberOptions options)
      : core_(&core), lifetime_(std::move(lifetime)), name_(name), options_(std::move(options)) {}

  detail::EngineCore<Backend>* core_;
  std::shared_ptr<detail::EngineLifetime const> lifetime_;
  std::string name_;
  MemberOptions options_;
};

}  // namespace zero
