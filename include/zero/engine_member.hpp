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
class JointCore;

}  // namespace detail

/// An engine, whatever its rule, stage, types and offload, under the name that it has in a JointStep. A reference, to
/// be used as long as the engine lives.
template <class Backend>
class EngineMember {
 public:
  /// Made by `Engine::member`.
  EngineMember(detail::EngineCore<Backend>& core, std::shared_ptr<detail::EngineLifetime const> lifetime,
               std::string_view name)
      : core_(&core), lifetime_(std::move(lifetime)), name_(name) {}

  /// As given to `Engine::member`.
  [[nodiscard]] std::string const& name() const noexcept { return name_; }

 private:
  friend class detail::JointCore<Backend>;

  detail::EngineCore<Backend>* core_;
  std::shared_ptr<detail::EngineLifetime const> lifetime_;
  std::string name_;
};

}  // namespace zero
