// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/operations.hpp>
#include <zero/engine/policy_fingerprint.hpp>
#include <zero/engine/settings.hpp>
#include <zero/engine_config.hpp>
#include <zero/kernels/cast.hpp>
#include <zero/kernels/decide.hpp>
#include <zero/kernels/update.hpp>
#include <zero/loss_scaler.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace zero::detail {

/// The operations of engines with these policies: all that a further engine of another type instantiates, whatever its
/// stage. Each hands over to the operation of the same name, with types; out of line, because a compiler that sees only
/// one engine would guess the type behind a virtual call and put each of these into the schedule once more.
template <class Opt, class Prec, class Backend, class Communicator>
class TypedOperations final : public EngineOperations<Backend> {
 public:
  using Rule = typename Opt::rule;
  using Offload = typename Opt::offload;
  using Scaler = typename Prec::scale;
  using Value = typename Prec::compute::type;
  using Sum = typename Prec::sum::type;
  using Stream = typename Backend::Stream;
  using Config = EngineConfig<Rule, Scaler, Offload, Backend>;

  /// Both are borrowed.
  TypedOperations(Communicator& communicator, Config const& config)
      : EngineOperations<Backend>(traits_of(config)), communicator_(communicator), config_(config) {}

  [[nodiscard]] int rank() const override { return communicator_.rank(); }
  [[nodiscard]] int size() const override { return communicator_.size(); }
  [[nodiscard]] int local_size() const override { return communicator_.local_size(); }

  [[gnu::noinline]] void reduce_scatter_add(ElementRole addends, void const* send, void* into, std::size_t count,
                                            bool first, CollectivePurpose purpose, Stream stream) override {
    auto const typed = [&](auto const* from) {
      auto* const sums = static_cast<Sum*>(into);
      if constexpr (takes_staging) {
        communicator_.reduce_scatter_add(from, sums, count, first, purpose, stream, staging_);
      } else {
        communicator_.reduce_scatter_add(from, sums, count, first, purpose, stream);
      }
    };
    if (addends == ElementRole::sum) return typed(static_cast<Sum const*>(send));
    typed(static_cast<Value const*>(send));
  }
  [[gnu::noinline]] void all_gather(ElementRole role, void const* own, void* full, std::size_t count,
                                    CollectivePurpose purpose, Stream stream) override {
    auto const typed = [&]<class T>(T* to) {
      communicator_.all_gather(static_cast<T const*>(own), to, count, purpose, stream);
    };
    if (role == ElementRole::value) return typed(static_cast<Value*>(full));
    if (role == ElementRole::sum) return typed(static_cast<Sum*>(full));
    typed(static_cast<float*>(full));
  }
  void all_reduce(std::uint64_t* words, std::size_t count, CollectivePurpose purpose, Stream stream) override {
    communicator_.all_reduce(words, count, purpose, stream);
  }
  void exchange(std::span<std::byte const> mine, std::span<std::byte> all) override {
    communicator_.exchange(mine, all);
  }
  void check_peers() const override {
    if constexpr (requires { communicator_.check(); }) communicator_.check();
  }
  [[nodiscard]] std::size_t staging_bytes(std::size_t count) const override {
    if constexpr (takes_staging) {
      return std::max(communicator_.template staging_bytes<Sum, Value>(count),
                      communicator_.template staging_bytes<Sum, Sum>(count));
    } else {
      return 0;
    }
  }
  void set_staging(std::span<std::byte> staging) override { staging_ = staging; }
  void prepare_memory(Backend& backend) const override {
    if constexpr (registers_memory) backend.allocate_for_collectives_from(communicator_.collective_memory());
  }
  [[nodiscard]] std::shared_ptr<void> register_memory(Backend& backend) override {
    if constexpr (registers_memory) return communicator_.register_buffers(backend.close_collective_memory());
    return nullptr;
  }
  void watch(Stream stream) override {
    if constexpr (requires { communicator_.watch({}, stream); }) communicator_.watch({.what = "step"}, stream);
  }
  [[nodiscard]] bool can_be_captured() const override {
    if constexpr (requires { Communicator::can_be_captured; }) return Communicator::can_be_captured;
    return communicator_.size() == 1;
  }

  [[gnu::noinline]] void accumulate(Backend& backend, void* into, void const* from, std::size_t n, bool first,
                                    Stream stream) override {
    backend.accumulate(static_cast<Sum*>(into), static_cast<Value const*>(from), n, first, stream);
  }
  [[gnu::noinline]] void squares(Backend& backend, NormWords norm, SegmentView const& segments, void const* slice,
                                 Stream stream) override {
    backend.squares(norm, segments, static_cast<Sum const*>(slice), stream);
  }
  [[gnu::noinline]] void decide(Backend& backend, DecisionBuffers const& buffers, Stream stream) override {
    backend.decide(
        DecisionArguments<Rule, Scaler>{.norm = buffers.norm,
                                        .addends = buffers.addends,
                                        .clipping = buffers.clipping,
                                        .scaler = config_.scale,
                                        .state = static_cast<StepState<Scaler>*>(buffers.state),
                                        .groups = static_cast<typename Rule::Config const*>(buffers.configs),
                                        .group_count = buffers.group_count,
                                        .constants = static_cast<typename Rule::Constants*>(buffers.constants),
                                        .decision = static_cast<Decision<Rule>*>(buffers.decision),
                                        .outcome = buffers.outcome},
        stream);
  }
  [[gnu::noinline]] void update(Backend& backend, SegmentView const& segments, UpdateBuffers const& buffers,
                                bool on_host, Stream stream) override {
    UpdateArguments<Rule, Value, Sum> arguments{};
    arguments.master = buffers.master;
    arguments.value = static_cast<Value*>(buffers.value);
    arguments.gradient = static_cast<Sum const*>(buffers.gradient);
    std::copy_n(buffers.states, arguments.states.size(), arguments.states.begin());
    auto const* const decision = static_cast<Decision<Rule> const*>(buffers.decision);
    if constexpr (Offload::offloads) {
      if (on_host) return backend.template update_on_host<Rule, Value, Sum>(segments, arguments, decision, stream);
    }
    backend.template update<Rule, Value, Sum>(segments, arguments, decision, stream);
  }
  [[gnu::noinline]] void narrow_on_host(Backend& backend, void* values, float const* masters, std::size_t n,
                                        Stream stream) override {
    if constexpr (Offload::offloads) backend.cast_on_host(static_cast<Value*>(values), masters, n, stream);
  }

  [[gnu::noinline]] void validate(std::span<ParameterGroup const> groups) const override {
    detail::validate<Rule>(config_.optimizer);
    detail::validate<Scaler>(config_.scale);
    detail::validate<Offload>(config_.offload);
    for (auto const& group : groups) detail::validate<Rule>(config_of(group));
  }
  [[nodiscard, gnu::noinline]] std::uint64_t fingerprint_of_rule(ParameterGroup const& group) const override {
    return detail::fingerprint_of_rule<Rule>(config_of(group));
  }
  [[nodiscard, gnu::noinline]] std::uint64_t fingerprint_of_scaler() const override {
    return detail::fingerprint_of_scaler<Scaler>(config_.scale);
  }
  float const* start(void* at) const override {
    auto& state = *static_cast<StepState<Scaler>*>(at);
    state = {.scaler = Scaler::initial(config_.scale)};
    state.scale = static_cast<float>(state.scaler.scale);
    return &state.scale;
  }
  [[nodiscard]] StepProgress progress(void const* at) const override {
    auto const& state = *static_cast<StepState<Scaler> const*>(at);
    StepProgress progress{state.steps, state.skipped, std::vector<std::byte>(sizeof state.scaler)};
    std::memcpy(progress.scaler.data(), &state.scaler, sizeof state.scaler);
    return progress;
  }
  void set_progress(void* at, StepProgress const& progress) const override {
    auto& state = *static_cast<StepState<Scaler>*>(at);
    std::memcpy(&state.scaler, progress.scaler.data(), std::min(sizeof state.scaler, progress.scaler.size()));
    state.scale = static_cast<float>(state.scaler.scale);
    state.steps = progress.steps;
    state.skipped = progress.skipped;
  }
  [[gnu::noinline]] void configure(void* configs, std::span<ParameterGroup const> groups, double lr) const override {
    auto* config = static_cast<typename Rule::Config*>(configs);
    for (auto const& group : groups) *config++ = group_config<Rule>(config_.optimizer, group, lr);
  }
  [[nodiscard]] bool applies(Backend& backend, void const* decision) const override {
    backend.host_reads(decision, sizeof(Decision<Rule>));
    return static_cast<Decision<Rule> const*>(decision)->apply;
  }
  [[gnu::noinline]] void widen(ElementRole role, float* to, void const* from, std::size_t n) const override {
    if (role == ElementRole::value) return convert(to, static_cast<Value const*>(from), n);
    if (role == ElementRole::sum) return convert(to, static_cast<Sum const*>(from), n);
    convert(to, static_cast<float const*>(from), n);
  }
  [[gnu::noinline]] void narrow(ElementRole role, void* to, float const* from, std::size_t n) const override {
    if (role == ElementRole::value) return convert(static_cast<Value*>(to), from, n);
    if (role == ElementRole::sum) return convert(static_cast<Sum*>(to), from, n);
    convert(static_cast<float*>(to), from, n);
  }

 private:
  static constexpr bool takes_staging = requires(Communicator const& c) {
    c.template staging_bytes<Sum, Value>(std::size_t{1});
  };

  static constexpr bool registers_memory = requires(Communicator & c, Backend& b) {
    b.allocate_for_collectives_from(c.collective_memory());
  };

  static PolicyTraits traits_of(Config const& config) {
    bool const offloads = offload_of(config.offload).has_value();
    return {.rule = policy_name<Rule>(),
            .scaler = policy_name<Scaler>(),
            .offload = offloads ? CpuOffload::name : NoOffload::name,
            .state_names = state_names(),
            .compute = element_type<Value>,
            .sum = element_type<Sum>,
            .offloads = offloads,
            .fails_when_exhausted = fails_at_minimum(config.scale),
            .state_count = Rule::state_count,
            .scaler_bytes = sizeof(StepState<Scaler>),
            .config_bytes = sizeof(typename Rule::Config),
            .constants_bytes = sizeof(typename Rule::Constants),
            .decision_bytes = sizeof(Decision<Rule>)};
  }
  static std::span<std::string_view const> state_names() {
    if constexpr (requires { std::span<std::string_view const>(Rule::state_names); }) {
      return Rule::state_names;
    } else {
      return {};
    }
  }
  static bool fails_at_minimum(typename Scaler::Config const& config) {
    if constexpr (requires { config.at_minimum; }) {
      return config.at_minimum == AtMinimumScale::fail;
    } else {
      return true;
    }
  }

  [[nodiscard]] typename Rule::Config config_of(ParameterGroup const& group) const {
    return group_config<Rule>(config_.optimizer, group, static_cast<double>(config_.optimizer.lr));
  }

  template <class To, class From>
  static void convert(To* to, From const* from, std::size_t n) {
    cast(best_instruction_set(), to, from, n);
  }

  Communicator& communicator_;
  Config const& config_;
  std::span<std::byte> staging_{};
};

}  // namespace zero::detail
