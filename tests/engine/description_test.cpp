// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <zero/engine/description.hpp>
#include <zero/engine/settings.hpp>
#include <zero/engine_config.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace engine_description_test {

using Settings = zero::detail::EngineSettings;

namespace {

// ------------------------------------------------------------------------------------------------- no member missing

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

/// Becomes whatever a member is initialized with.
struct Anything {
  template <class T>
  requires(!is_optional<T>)  // which is made of its value: there would be two ways
  operator T() const {
    std::abort();  // nothing converts it: only whether it could be is asked
  }
};

/// How many members the aggregate \p T has.
template <class T, class... Members>
constexpr std::size_t member_count() {
  if constexpr (requires { T{Members()..., Anything()}; }) {
    return member_count<T, Members..., Anything>();
  } else {
    return sizeof...(Members);
  }
}

enum class Choice { first, second };
struct FourMembers {
  int number = 1;
  std::optional<Choice> choice{};
  std::optional<int> optional_number{};
  zero::NoPolicy::Config config{};
};
static_assert(member_count<FourMembers>() == 4);

using Config = zero::EngineConfig<zero::NoPolicy, zero::NoPolicy, zero::NoPolicy, zero::NoPolicy>;

constexpr std::size_t visited_members() {
  std::size_t count = 0;
  Config const config{};
  zero::for_each_setting([&](std::string_view, auto const&) { ++count; }, config);
  return count;
}
constexpr std::size_t settings_of_policies = 5;  // optimizer, scale, offload, backend; and the profiler
static_assert(member_count<Config>() == visited_members() + settings_of_policies,
              "a member of zero::EngineConfig is missing from for_each_setting: ranks would not compare it");

// ------------------------------------------------------------------------------------------------- what ranks compare

/// One setting, changed, and how it must show.
struct Change {
  std::string name;
  std::string value;
  void (*apply)(Settings&);
};

std::vector<Change> changes() {
  return {
      {"gradient_accumulation_steps", "7", [](Settings& s) { s.gradient_accumulation_steps = 7; }},
      {"micro_batches_per_step", "9", [](Settings& s) { s.micro_batches_per_step = 9; }},
      {"allow_idle_ranks", "1", [](Settings& s) { s.allow_idle_ranks = true; }},
      {"gradient_clipping", "0.10000000000000001", [](Settings& s) { s.gradient_clipping = 0.1; }},
      {"max_skipped_steps", "5", [](Settings& s) { s.max_skipped_steps = 5; }},
      {"reduce", "1", [](Settings& s) { s.reduce = zero::Reduce::once_per_step; }},
      {"bucket_elements", "4096", [](Settings& s) { s.bucket_elements = 4096; }},
      {"alignment_elements", "256", [](Settings& s) { s.alignment_elements = 256; }},
      {"gradient_ring", "3", [](Settings& s) { s.gradient_ring = 3; }},
      {"missing_gradient", "1", [](Settings& s) { s.missing_gradient = zero::MissingGradient::zero; }},
      {"max_live_elements", "1000", [](Settings& s) { s.max_live_elements = 1000; }},
      {"prefetch_units", "2", [](Settings& s) { s.prefetch_units = 2; }},
      {"persistence_threshold", "64", [](Settings& s) { s.persistence_threshold = 64; }},
      {"lr", "0.00029999999999999997", [](Settings& s) { s.lr = 3e-4; }},
      {"device_share of the offload", "0.5", [](Settings& s) { s.offload.device_share = 0.5; }},
      {"delayed_update of the offload", "1", [](Settings& s) { s.offload.delayed_update = true; }},
  };
}

std::vector<std::string> lines_of(std::string text) {
  std::vector<std::string> lines;
  text += '\n';
  for (std::size_t begin = 0, end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    if (end != begin) lines.push_back(text.substr(begin, end - begin));
  }
  return lines;
}

std::vector<std::string> lines_with(void (*apply)(Settings&)) {
  Settings settings;
  apply(settings);
  return lines_of(zero::detail::describe_settings(settings));
}

}  // namespace

TEST_CASE("engine description: each setting shows under its name, and a changed one changes its line only") {
  auto const usual = lines_with([](Settings&) {});
  auto const all = changes();
  REQUIRE(usual.size() == all.size());
  for (std::size_t k = 0; k < all.size(); ++k) {
    CAPTURE(all[k].name);
    auto const changed = lines_with(all[k].apply);
    REQUIRE(changed.size() == usual.size());
    for (std::size_t line = 0; line < usual.size(); ++line) CHECK((changed[line] == usual[line]) == (line != k));
    CHECK(changed[k] == all[k].name + " " + all[k].value);
    CHECK(usual[k].rfind(all[k].name + " ", 0) == 0);
  }
}

TEST_CASE("engine description: every setting that for_each_setting visits is described, in its order") {
  Config const config{};
  auto const all = changes();
  std::size_t k = 0;
  zero::for_each_setting(
      [&](std::string_view name, auto const&) {
        REQUIRE(k < all.size());
        CHECK(name == all[k++].name);
      },
      config);
  CHECK(k == visited_members());
  CHECK(all.size() == k + 3);  // and the learning rate, and what of the offload changes results
}

TEST_CASE("engine description: a choice that is left open differs from every one that is made") {
  auto const open = lines_with([](Settings&) {});
  auto const first = lines_with([](Settings& s) { s.reduce = zero::Reduce::each_micro_batch; });
  auto const second = lines_with([](Settings& s) { s.reduce = zero::Reduce::once_per_step; });
  CHECK(open[5] == "reduce -1");
  CHECK(first[5] == "reduce 0");
  CHECK(second[5] == "reduce 1");
}

TEST_CASE("engine description: numbers that differ in their last bit differ in the text") {
  for (double const value : {0.1, 1.0, 3e-4, 1e300, 5e-324}) {
    CHECK(zero::detail::exact_text(value) != zero::detail::exact_text(std::nextafter(value, 2 * value)));
  }
}

TEST_CASE("engine description: all settings of an engine reach what ranks compare") {
  struct Policy {
    struct Config {
      double lr = 0.25;
    };
  };
  zero::EngineConfig<Policy, zero::NoPolicy, zero::CpuOffload, zero::NoPolicy> config;
  config.gradient_accumulation_steps = 7;
  config.micro_batches_per_step = 9;
  config.allow_idle_ranks = true;
  config.gradient_clipping = 0.1;
  config.max_skipped_steps = 5;
  config.reduce = zero::Reduce::once_per_step;
  config.bucket_elements = 4096;
  config.alignment_elements = 256;
  config.gradient_ring = 3;
  config.missing_gradient = zero::MissingGradient::zero;
  config.max_live_elements = 1000;
  config.prefetch_units = 2;
  config.persistence_threshold = 64;
  config.optimizer.lr = 3e-4;
  config.offload.device_share = 0.5;
  config.offload.delayed_update = true;
  auto const lines =
      lines_of(zero::detail::describe_settings(zero::detail::settings_of(config, zero::Stage::gradients)));
  auto const all = changes();
  REQUIRE(lines.size() == all.size());
  for (std::size_t k = 0; k < all.size(); ++k) CHECK(lines[k] == all[k].name + " " + all[k].value);
}

}  // namespace engine_description_test
