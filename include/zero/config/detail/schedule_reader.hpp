// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/config/detail/raw_settings.hpp>
#include <zero/config/detail/rule_reader.hpp>
#include <zero/config/detail/schedule_settings.hpp>
#include <zero/schedule/schedule.hpp>
#include <zero/support/message.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace zero::config::detail {

/// The schedule of a configuration's `scheduler`, with DeepSpeed's defaults.
class ScheduleReader {
 public:
  /// \p lr is the optimizer's learning rate, where one is known; \p given replaces the schedule's largest.
  ScheduleReader(RawSettings& raw, std::optional<double> lr, std::optional<double> given)
      : raw_(raw), own_(raw.automatic), lr_(lr), given_(given) {}

  /// Empty where there is no such section.
  [[nodiscard]] std::optional<schedule::Schedule> read() {
    auto const& scheduler = raw_.scheduler;
    if (!scheduler.section) return std::nullopt;
    if (!scheduler.type) scheduler.section->fail_name("has no \"type\"", "write one, such as \"WarmupLR\"");
    std::optional<schedule::Schedule> made;
    auto const type = lower_case(scheduler.type->string());
    try_each(AllSchedules{}, type, made);
    if (!made) fail_type(AllSchedules{});
    raw_.scheduler.reject_others(made->name());
    return made;
  }

 private:
  template <class... Kind>
  void try_each(ScheduleList<Kind...> /*kinds*/, std::string const& type, std::optional<schedule::Schedule>& made) {
    static_cast<void>(((lower_case(Kind::name) == type && (made = make<Kind>(), true)) || ...));
  }

  template <class Kind>
  [[nodiscard]] schedule::Schedule make() {
    typename Kind::Config config{};
    for_each_setting(config,
                     [&](std::string_view name, auto& member, Missing missing) { take(name, member, missing); });
    try {
      return Kind(config);
    } catch (ConfigurationError const& error) {
      fail_setting(config, error.what());
    }
  }

  /// Says \p problem, `zero::schedule::KIND: SETTING is ...`, at the setting, by the names that a configuration has.
  template <class Config>
  [[noreturn]] void fail_setting(Config& config, std::string_view problem) const {
    constexpr std::string_view library = "zero::schedule::";
    if (problem.starts_with(library)) problem.remove_prefix(library.size());
    std::string text(problem);
    Entry const* place = nullptr;
    auto const at = problem.find(": ");
    auto const first = problem.substr(at + 2, problem.find(' ', at + 2) - at - 2);
    for_each_setting(config, [&](std::string_view key, auto const& /*member*/, Missing) {
      auto const named = std::find_if(library_names.begin(), library_names.end(),
                                      [&](LibraryName const& name) { return name.key == key; });
      auto const setting = named == library_names.end() ? key : named->setting;
      auto const said = std::find_if(taken_.begin(), taken_.end(), [&](Entry const& e) { return e.name() == key; });
      if (setting == first && said != taken_.end()) place = &*said;
      replace_word(text, setting, key);
    });
    if (place == nullptr) raw_.scheduler.section->fail(std::move(text), {});
    place->fail(std::move(text), {});
  }
  static void replace_word(std::string& text, std::string_view word, std::string_view by) {
    auto const at = text.find(" " + std::string(word));
    if (at == std::string::npos) return;
    auto const end = at + 1 + word.size();
    bool const is_whole = end == text.size() || text[end] == ' ' || text[end] == ',' || text[end] == ':';
    if (is_whole) text.replace(at + 1, word.size(), by);
  }

  template <class Member>
  void take(std::string_view name, Member& member, Missing missing) {
    auto const entry = raw_.scheduler.take(name);
    if (entry) taken_.push_back(*entry);
    if constexpr (std::is_same_v<Member, double>) {
      if (given_ && is_largest_rate(name)) return void(member = *given_);
    }
    if (entry) {
      read(*entry, name, member);
      if constexpr (std::is_same_v<Member, double>) lower_to_given(*entry, name, member);
      return;
    }
    auto const& section = *raw_.scheduler.section;
    if (missing == Missing::is_error) {
      section.fail_name(zero::detail::concat({"has no \"", name, "\" in its \"params\""}), "write it");
    }
    if constexpr (std::is_same_v<Member, double>) {
      if (missing == Missing::is_optimizer_lr && !lr_) {
        section.fail_name("the learning rate of the optimizer is not known",
                          zero::detail::concat({"write \"", name, "\""}));
      }
      if (missing == Missing::is_optimizer_lr) member = *lr_;
    }
  }

  /// A largest rate that was given beside the document may lie below the smallest one in it: it wins.
  void lower_to_given(Entry const& entry, std::string_view name, double& member) const {
    bool const is_smallest = name == "min_lr" || name == "eta_min" || name == "warmup_min_lr" || name == "cycle_min_lr";
    if (!given_ || !is_smallest || member <= *given_) return;
    raw_.notes.push_back({entry.key(), entry.text() + " is above the learning rate that was given beside it, and is "
                                                      "lowered to that"});
    member = *given_;
  }

  [[nodiscard]] static bool is_largest_rate(std::string_view name) {
    return name == "lr" || name == "warmup_max_lr" || name == "cycle_max_lr" || name == "lr_range_test_min_lr";
  }

  void read(Entry const& entry, std::string_view name, double& member) const {
    member = entry.is_auto() ? entry.automatic(automatic_rate(name)) : entry.not_negative();
  }
  void read(Entry const& entry, std::string_view name, std::uint64_t& member) const {
    member = entry.is_auto() ? entry.automatic(automatic_steps(name)) : entry.whole(0, most_steps);
  }
  /// As Hugging Face's trainer fills it in: the largest rate is the optimizer's, and a warm-up begins at 0.
  [[nodiscard]] std::optional<double> automatic_rate(std::string_view name) const {
    if (is_largest_rate(name)) return own_.lr;
    return name == "warmup_min_lr" ? std::optional(0.0) : std::nullopt;
  }
  [[nodiscard]] std::optional<std::uint64_t> automatic_steps(std::string_view name) const {
    if (name == "warmup_num_steps") return own_.warmup_num_steps;
    return name == "total_num_steps" ? own_.total_num_steps : std::nullopt;
  }
  void read(Entry const& entry, std::string_view name, std::optional<std::uint64_t>& member) const {
    std::uint64_t given = 0;
    read(entry, name, given);
    member = given;
  }
  static void read(Entry const& entry, std::string_view /*name*/, bool& member) { member = entry.flag(); }
  static void read(Entry const& entry, std::string_view /*name*/, std::vector<std::uint64_t>& member) {
    for (std::size_t k = 0; k < entry.list(); ++k) member.push_back(entry.element(k).whole(0, most_steps));
  }
  static void read(Entry const& entry, std::string_view /*name*/, schedule::WarmupShape& member) {
    auto const& text = entry.string();
    if (text != "log" && text != "linear") entry.fail(entry.text() + " is no warm-up", "write \"log\" or \"linear\"");
    member = text == "log" ? schedule::WarmupShape::logarithmic : schedule::WarmupShape::linear;
  }
  static void read(Entry const& entry, std::string_view /*name*/, schedule::DecayShape& member) {
    auto const& text = entry.string();
    if (text != "linear" && text != "1-sqrt")
      entry.fail(entry.text() + " is no decay", "write \"linear\" or \"1-sqrt\"");
    member = text == "linear" ? schedule::DecayShape::linear : schedule::DecayShape::one_minus_sqrt;
  }

  template <class... Kind>
  [[noreturn]] void fail_type(ScheduleList<Kind...> /*kinds*/) const {
    std::string names;
    ((names.append(names.empty() ? "" : ", ").append(Kind::name)), ...);
    raw_.scheduler.type->fail(raw_.scheduler.type->text() + " is no schedule", "there are " + names);
  }

  static constexpr std::uint64_t most_steps = std::uint64_t{1} << 53U;
  RawSettings& raw_;
  Automatic const& own_;
  std::optional<double> lr_, given_;
  std::vector<Entry> taken_{};
};

}  // namespace zero::config::detail
