// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/policies.hpp>
#include <zero/engine/settings.hpp>
#include <zero/engine_config.hpp>
#include <zero/error.hpp>
#include <zero/parameter.hpp>
#include <zero/precision.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>
#include <zero/version.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace zero::detail {

/// Different text for every different value.
ZERO_OUT_OF_LINE inline std::string exact_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.17g", value);
  return text;
}

ZERO_OUT_OF_LINE inline std::string describe_parameters(ParameterList const& parameters) {
  std::string text;
  for (std::size_t i = 0; i < parameters.specs().size(); ++i) {
    auto const& spec = parameters.specs()[i];
    std::string shape;
    for (auto dimension : spec.shape) shape += concat({dimension, ","});
    text += concat({"parameter ", i, " ", quote(spec.name), " [", shape, "] group ", spec.group.index, " unit ",
                    spec.unit, " contributions ", spec.contributions, spec.frozen ? " frozen" : "",
                    spec.persistent ? " persistent" : "", spec.values ? " values adopted" : "",
                    spec.gradients ? " gradients adopted" : "", "\n"});
  }
  for (std::size_t g = 0; g < parameters.groups().size(); ++g) {
    auto const& group = parameters.groups()[g];
    auto const decay = group.weight_decay ? exact_text(*group.weight_decay) : "of the optimizer";
    text += concat({"group ", g, " lr_factor ", exact_text(group.lr_factor), " weight_decay ", decay, "\n"});
  }
  return text;
}

/// Appends one setting; what is left to its default shows as 0, and as -1 for a choice.
class SettingWriter {
 public:
  explicit SettingWriter(std::string& text) : text_(text) {}
  void operator()(std::string_view name, double value) const { append(name, exact_text(value)); }
  template <class Value>
  requires std::is_integral_v<Value> || std::is_enum_v<Value>
  void operator()(std::string_view name, Value value) const {
    append(name, concat({static_cast<std::int64_t>(value)}));
  }
  template <class Value>
  void operator()(std::string_view name, std::optional<Value> const& value) const {
    if (value) return (*this)(name, *value);
    append(name, std::is_enum_v<Value> ? "-1" : "0");
  }

 private:
  ZERO_OUT_OF_LINE void append(std::string_view name, std::string_view value) const {
    text_ += concat({"\n", name, " ", value});
  }
  std::string& text_;
};

ZERO_OUT_OF_LINE inline std::string describe_settings(EngineSettings const& settings) {
  std::string text;
  SettingWriter const write(text);
  for_each_setting(write, settings);
  write("lr", settings.lr);
  write("device_share of the offload", settings.offload.device_share);
  write("delayed_update of the offload", settings.offload.delayed_update);
  return text;
}

/// All that must be the same on every rank, one thing per line, so that the first difference can be shown.
[[nodiscard]] ZERO_OUT_OF_LINE inline std::string describe_engine(int world, Policies const& policies,
                                                                  EngineSettings const& settings,
                                                                  ParameterList const& parameters) {
  auto const& traits = policies.traits();
  auto text = concat({"world ",
                      world,
                      "\nstage ",
                      static_cast<int>(settings.stage),
                      "\ncompute ",
                      name(traits.compute),
                      "\nsum ",
                      name(traits.sum),
                      "\noffload ",
                      traits.offload,
                      "\n",
                      describe_parameters(parameters),
                      "zero version ",
                      ZERO_VERSION,
                      "\nrule ",
                      traits.rule,
                      "\nloss scaler ",
                      traits.scaler,
                      describe_settings(settings),
                      "\nfingerprint of the loss scaler's settings ",
                      policies.fingerprint_of_scaler()});
  std::size_t g = 0;
  for (auto const& group : parameters.groups()) {
    text +=
        concat({"\nfingerprint of the optimizer's settings, group ", g++, " ", policies.fingerprint_of_rule(group)});
  }
  return concat({text, "\n"});
}

}  // namespace zero::detail
