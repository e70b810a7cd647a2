// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/error.hpp>
#include <zero/kernels/detail/rule_settings.hpp>
#include <zero/precision.hpp>
#include <zero/support/message.hpp>
#include <zero/support/name_index.hpp>
#include <zero/support/out_of_line.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace zero {

/// A registered parameter, by the order of registration.
struct ParameterId {
  std::uint32_t index = 0;  ///< by registration
  friend bool operator==(ParameterId, ParameterId) = default;
};

/// A group of parameters that share optimizer settings; group 0 exists always and changes nothing.
struct GroupId {
  std::uint32_t index = 0;  ///< by registration
  friend bool operator==(GroupId, GroupId) = default;
};

/// What a group changes in the rule's configuration.
struct ParameterGroup {
  double lr_factor = 1.0;                ///< multiplies the learning rate of every step
  std::optional<double> weight_decay{};  ///< replaces the rule's own
};

/// A buffer that stays the caller's: the engine copies from and to it. Borrowed for the engine's lifetime. Its bytes
/// are no other parameter's and no other rank's. Values are read when the engine is made, and by
/// `Engine::take_adopted_values`: on a device, whatever writes them has ended by then.
struct AdoptedBuffer {
  void* data = nullptr;                  ///< memory of the caller's
  std::size_t count = 0;                 ///< elements
  ElementType type = ElementType::fp32;  ///< of an element
};

/// Hands the caller's own buffer of \p count elements to a parameter. \p Element is the engine's compute type, and not
/// const.
template <class Element>
[[nodiscard]] AdoptedBuffer adopt(Element* data, std::size_t count) noexcept {
  static_assert(std::is_same_v<Element, float> || std::is_same_v<Element, float16> || std::is_same_v<Element, bfloat16>,
                "zero::adopt: the buffer must hold float, zero::float16 or zero::bfloat16, none of them const, because "
                "the engine writes to it: cast the pointer to the type of its bits");
  return {data, count, element_type<Element>};
}
template <class Element>
[[nodiscard]] AdoptedBuffer adopt(std::span<Element> values) noexcept {
  return adopt(values.data(), values.size());
}

/// A parameter as the trainer registers it. Buffers that are not adopted are placed in the engine's arena.
struct ParameterSpec {
  std::string name;                          ///< unique and not empty
  std::vector<std::size_t> shape;            ///< row-major; no dimension is 0; an empty shape is one element
  GroupId group{};                           ///< from `ParameterList::add_group`
  int contributions = 1;                     ///< gradients per micro-batch: two for a tied embedding
  int unit = 0;                              ///< layer: what stage 3 gathers together
  bool frozen = false;                       ///< has no gradient and never changes
  std::optional<AdoptedBuffer> values{};     ///< the caller's parameter, kept up to date; not at stage 3
  std::optional<AdoptedBuffer> gradients{};  ///< the caller's gradient
  /// Initial values in fp32, row-major, the same on every rank; empty: those of the adopted buffer, or 0. Host memory,
  /// borrowed until the engine is made.
  std::span<float const> initial{};
  /// Stage 3: stays whole on every rank, as parameters below EngineConfig::persistence_threshold do, whatever its size.
  /// For the root of a model, which forward and backward use everywhere, such as a tied embedding or a last norm: its
  /// gather costs an event wait, and its address lasts as long as the engine. Gradient and states are sharded all the
  /// same. Without effect at stages 0 to 2, where all are whole.
  bool persistent = false;
};

/// The parameters of a model in the order of its forward pass. Checks each as it is added.
class ParameterList {
 public:
  ParameterList() : groups_(1) {}

  /// \throws ConfigurationError for factors or decays that are negative or not finite.
  [[nodiscard]] GroupId add_group(ParameterGroup group) {
    detail::enforce(detail::is_finite(group.lr_factor) && group.lr_factor >= 0.0,
                    "zero::ParameterList: lr_factor must be finite and not negative, e.g. 1");
    detail::enforce(!group.weight_decay || (detail::is_finite(*group.weight_decay) && *group.weight_decay >= 0.0),
                    "zero::ParameterList: weight_decay must be finite and not negative, e.g. 0.1");
    groups_.push_back(group);
    return {static_cast<std::uint32_t>(groups_.size() - 1)};
  }

  /// \throws ConfigurationError for an empty or repeated name, a shape that is zero or overflows, an unknown group,
  /// no contributions, and adopted buffers that are null, misaligned or of another size.
  [[nodiscard]] ParameterId add(ParameterSpec spec) {
    validate(spec);
    index_.make_room(Names{specs_});
    specs_.push_back(std::move(spec));
    index_.add(Names{specs_});
    return {static_cast<std::uint32_t>(specs_.size() - 1)};
  }

  /// The parameter called \p name, if there is one.
  [[nodiscard]] ZERO_OUT_OF_LINE std::optional<ParameterId> find(std::string_view name) const noexcept {
    auto const at = index_.find(name, Names{specs_});
    if (at == detail::NameIndex::none) return std::nullopt;
    return ParameterId{at};
  }

  /// All parameters, by registration.
  [[nodiscard]] std::vector<ParameterSpec> const& specs() const noexcept { return specs_; }
  /// All groups; the first one is the default.
  [[nodiscard]] std::vector<ParameterGroup> const& groups() const noexcept { return groups_; }

  /// Product of a shape's dimensions; 0 when it overflows or a dimension is 0.
  [[nodiscard]] ZERO_OUT_OF_LINE static std::size_t element_count(std::span<std::size_t const> shape) noexcept {
    std::size_t count = 1;
    for (auto dimension : shape) {
      if (dimension == 0 || count > largest_count / dimension) return 0;
      count *= dimension;
    }
    return count;
  }

 private:
  struct Names {
    std::vector<ParameterSpec> const& specs;
    std::string_view operator()(std::uint32_t i) const noexcept { return specs[i].name; }
  };

  // Room for padding, for a world of thousands and for 8-byte elements, so that no later product overflows.
  static constexpr std::size_t largest_count = std::size_t{1} << 48;

  void validate(ParameterSpec const& spec) const {
    detail::enforce(!spec.name.empty(), "zero::ParameterList: a parameter has an empty name: give each its own name");
    if (find(spec.name)) fail(spec, "is registered already: names must be unique");
    if (element_count(spec.shape) == 0) {
      fail(spec, "has a dimension of 0 or more elements than 2^48: leave it out or correct its shape");
    }
    if (spec.group.index >= groups_.size())
      fail(spec, "names a group that add_group did not return: add it to this list first");
    if (spec.contributions < 1) fail(spec, "needs at least 1 contribution; set frozen where it has no gradient");
    if (spec.unit < 0) fail(spec, "has a negative unit: number the units from 0 in forward order");
    if (spec.values) validate(spec, *spec.values, "values");
    if (spec.gradients) validate(spec, *spec.gradients, "gradients");
    if (!spec.initial.empty() && spec.initial.size() != element_count(spec.shape)) {
      fail(spec, detail::concat({"has ", detail::counted(spec.initial.size(), "initial value"), ", but its shape has ",
                                 element_count(spec.shape), ": pass all of them"}));
    }
    if (spec.gradients && spec.frozen) fail(spec, "is frozen and has no gradient: adopt its values only");
  }

  static void validate(ParameterSpec const& spec, AdoptedBuffer const& buffer, char const* what) {
    std::string const adopted = std::string("has adopted ") + what;
    if (buffer.data == nullptr)
      fail(spec, detail::concat({adopted, " at a null pointer: pass the buffer or leave it out to place it"}));
    if (reinterpret_cast<std::uintptr_t>(buffer.data) % element_size(buffer.type) != 0) {
      fail(spec, detail::concat({adopted, " that are not aligned to their element: align them to ",
                                 element_size(buffer.type), " bytes"}));
    }
    if (buffer.count != element_count(spec.shape)) {
      fail(spec, detail::concat({adopted, " of ", detail::counted(buffer.count, "element"), ", but its shape has ",
                                 element_count(spec.shape), ": pass all of them"}));
    }
  }

  [[noreturn]] ZERO_OUT_OF_LINE static void fail(ParameterSpec const& spec, std::string const& why) {
    throw ConfigurationError(detail::concat({"zero::ParameterList: parameter ", detail::quote(spec.name), " ", why}));
  }

  std::vector<ParameterSpec> specs_;
  std::vector<ParameterGroup> groups_;
  detail::NameIndex index_;  // of specs_
};

}  // namespace zero
