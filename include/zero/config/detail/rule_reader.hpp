// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/config/choices.hpp>
#include <zero/config/detail/raw_settings.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace zero::config::detail {

[[nodiscard]] inline std::string lower_case(std::string_view text) {
  std::string lowered(text);
  std::transform(lowered.begin(), lowered.end(), lowered.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lowered;
}

/// The rule of a configuration's `optimizer`, with DeepSpeed's defaults.
class RuleReader {
 public:
  RuleReader(RawSettings& raw) : raw_(raw), own_(raw.automatic) {}

  /// Empty where there is no such section.
  [[nodiscard]] std::optional<RuleChoice> read() {
    auto const& optimizer = raw_.optimizer;
    if (!optimizer.section) return std::nullopt;
    if (!optimizer.type) optimizer.section->fail_name("has no \"type\"", "write one, such as \"AdamW\"");
    auto const type = lower_case(optimizer.type->string());
    if (type == "sgd") return read_sgd();
    if (type == "lion") return read_lion();
    if (type == "adagrad") return read_adagrad();
    return read_adam(type == "adamw");
  }

  /// \throws ConfigError where \p entry is no rule's name.
  static void expect_type(Entry const& entry) {
    constexpr std::array rules{"adam", "adamw", "sgd", "lion", "adagrad"};
    auto const type = lower_case(entry.string());
    if (std::find(rules.begin(), rules.end(), type) == rules.end()) fail_type(entry, type);
  }

 private:
  [[nodiscard]] RuleChoice read_adam(bool named_adamw) {
    bool const decouples = named_adamw || flag("adam_w_mode", true);
    bool const of_torch = flag("torch_adam", false);
    note_adam(named_adamw, decouples);
    AdamW::Config config{.lr = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .weight_decay = 0.0};
    if (of_torch && decouples) config.weight_decay = 0.01;
    take_common(config);
    take_betas(config);
    take("eps", own_.eps, config.eps);
    raw_.optimizer.reject_others("AdamW");
    if (decouples) return config;
    return Adam::Config{config.lr, config.beta1, config.beta2, config.eps, config.weight_decay};
  }
  [[nodiscard]] RuleChoice read_sgd() {
    Sgd::Config config{};
    take_common(config);
    take("momentum", own_.beta1, config.momentum);
    take("dampening", {}, config.dampening);
    if (auto const nesterov = raw_.optimizer.take("nesterov"); nesterov && nesterov->flag()) {
      config.nesterov = true;
      if (config.momentum == 0.0) nesterov->fail("looks ahead by the momentum, which is 0", "write \"momentum\": 0.9");
      if (config.dampening != 0.0) nesterov->fail("has no dampening", "leave \"dampening\" out");
    }
    raw_.optimizer.reject_others("SGD");
    return config;
  }
  [[nodiscard]] RuleChoice read_lion() {
    Lion::Config config{.lr = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .weight_decay = 0.0};
    take_common(config);
    take_betas(config);
    raw_.optimizer.reject_others("Lion");
    return config;
  }
  [[nodiscard]] RuleChoice read_adagrad() {
    Adagrad::Config config{.lr = 1e-2, .lr_decay = 0.0, .eps = 1e-10, .weight_decay = 0.0};
    take_common(config);
    take("lr_decay", {}, config.lr_decay);
    take("eps", own_.eps, config.eps);
    raw_.optimizer.reject_others("Adagrad");
    return config;
  }

  template <class Config>
  void take_common(Config& config) {
    take("lr", own_.lr, config.lr);
    take("weight_decay", own_.weight_decay, config.weight_decay);
  }
  template <class Config>
  void take_betas(Config& config) {
    auto const entry = raw_.optimizer.take("betas");
    if (!entry) return;
    if (entry->is_auto()) {
      config.beta1 = entry->automatic(own_.beta1);
      config.beta2 = entry->automatic(own_.beta2);
      return;
    }
    if (entry->list() != 2) entry->fail("is a list of two numbers", "write [0.9, 0.999]");
    config.beta1 = beta(entry->element(0));
    config.beta2 = beta(entry->element(1));
  }
  static double beta(Entry const& entry) {
    return entry.real([](double x) { return x >= 0.0 && x < 1.0; }, "a number in [0, 1)");
  }
  void take(std::string_view name, std::optional<double> const& own, double& value) {
    auto const entry = raw_.optimizer.take(name);
    if (!entry) return;
    if (entry->is_auto()) {
      value = entry->automatic(own);
    } else if (name == "momentum" || name == "dampening") {
      value = beta(*entry);
    } else {
      value = entry->not_negative();
    }
  }
  [[nodiscard]] bool flag(std::string_view name, bool absent) {
    auto const entry = raw_.optimizer.take(name);
    return entry ? entry->flag() : absent;
  }

  void note_adam(bool named_adamw, bool decouples) {
    if (named_adamw) return;
    raw_.notes.push_back({"optimizer.type", decouples ? "\"Adam\" is AdamW, as in DeepSpeed; \"adam_w_mode\": false is "
                                                        "Adam with L2"
                                                      : "\"Adam\" is Adam with L2, by \"adam_w_mode\": false"});
  }
  [[noreturn]] static void fail_type(Entry const& entry, std::string const& type) {
    constexpr std::array absent{"lamb",  "onebitadam", "zerooneadam", "onebitlamb", "muadam",     "muadamw",
                                "musgd", "muon",       "rmsprop",     "adadelta",   "adamax",     "nadam",
                                "radam", "rprop",      "asgd",        "lbfgs",      "sparseadam", "adafactor"};
    bool const is_known = std::find(absent.begin(), absent.end(), type) != absent.end();
    bool const is_fused = type.starts_with("fused") || type.starts_with("deepspeedcpu") || type == "cpuadam";
    entry.fail(entry.text() + (is_known ? " cannot be had here" : " is no rule"),
               std::string("the rules are AdamW, Adam, SGD, Lion and Adagrad") +
                   (is_fused ? ": write \"Adam\": the update is fused and offloaded by itself" : ""));
  }

  RawSettings& raw_;
  Automatic const& own_;
};

}  // namespace zero::config::detail
