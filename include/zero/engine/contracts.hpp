// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/backend.hpp>
#include <zero/backend_kernels.hpp>
#include <zero/call_site.hpp>
#include <zero/communicator.hpp>
#include <zero/kernels/rule_facts.hpp>
#include <zero/loss_scaler.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace zero::detail {

// One sentence for each thing that an engine misses in a backend or a communicator. A class is checked when its
// `holds` is asked for.

/// The facts of a rule and a scaler, and the members that they stand for.
template <class Rule, class Scaler>
struct PolicyContract {
  static constexpr bool rule_validates = requires(typename Rule::Config const& config) { Rule::validate(config); };
  static constexpr bool sets_momentum = requires(typename Rule::Config & config) { Rule::set_momentum(config, 0.9); };
  static constexpr bool sets_beta2 = requires(typename Rule::Config & config) { Rule::set_beta2(config, 0.99); };
  static constexpr bool scaler_validates = requires(typename Scaler::Config const& config) {
    Scaler::validate(config);
  };
  static constexpr bool rule_has_names = requires { Rule::name; }
  || requires { Rule::state_names; };
  static constexpr bool scaler_has_name = requires { Scaler::name; };

  static_assert(!rule_facts<Rule>().validates || rule_validates,
                "zero::Engine: the rule's facts say validates: it needs validate(config)");
  static_assert(rule_facts<Rule>().validates || !rule_validates,
                "zero::Engine: the rule has validate(config), but its facts do not say validates");
  static_assert(!rule_facts<Rule>().sets_momentum || sets_momentum,
                "zero::Engine: the rule's facts say sets_momentum: it needs set_momentum(config, momentum)");
  static_assert(rule_facts<Rule>().sets_momentum || !sets_momentum,
                "zero::Engine: the rule has set_momentum(config, momentum), but its facts do not say sets_momentum");
  static_assert(!rule_facts<Rule>().sets_beta2 || sets_beta2,
                "zero::Engine: the rule's facts say sets_beta2: it needs set_beta2(config, beta2)");
  static_assert(rule_facts<Rule>().sets_beta2 || !sets_beta2,
                "zero::Engine: the rule has set_beta2(config, beta2), but its facts do not say sets_beta2");
  static_assert(!rule_has_names,
                "zero::Engine: a rule's names are facts: write static constexpr zero::RuleFacts facts{.name = ..., "
                ".state_names = {...}}");
  static_assert(!scaler_facts<Scaler>().validates || scaler_validates,
                "zero::Engine: the scaler's facts say validates: it needs validate(config)");
  static_assert(scaler_facts<Scaler>().validates || !scaler_validates,
                "zero::Engine: the scaler has validate(config), but its facts do not say validates");
  static_assert(!scaler_has_name,
                "zero::Engine: a scaler's name is a fact: write static constexpr zero::ScalerFacts facts{.name = ...}");
  static constexpr bool holds = true;
};

/// The kernels of \p Backend for an engine's types.
template <class Backend, class Rule, class Scaler, class Value, class Sum, bool offloads>
struct KernelContract {
  static_assert(accumulating_backend<Backend, Sum, Value>,
                "zero::Engine: the backend lacks accumulate(Sum* into, Value const* from, n, first, stream)");
  static_assert(norm_backend<Backend, Sum>,
                "zero::Engine: the backend lacks squares(NormWords, SegmentView, Sum const* slice, stream)");
  static_assert(deciding_backend<Backend, Rule, Scaler>,
                "zero::Engine: the backend lacks decide(DecisionArguments<Rule, Scaler>, stream)");
  static_assert(
      updating_backend<Backend, Rule, Value, Sum>,
      "zero::Engine: the backend lacks update<Rule, Value, Sum>(SegmentView, UpdateArguments, Decision const*, "
      "stream)");
  static_assert(!offloads || offloading_backend<Backend, Rule, Value, Sum>,
                "zero::Engine: offload needs update_on_host(...) and cast_on_host(...) of the backend");
  static constexpr bool holds = true;
};

/// The facts of \p Backend and the members that they stand for.
template <class Backend>
struct BackendContract {
  using Stream = typename Backend::Stream;
  static constexpr BackendFacts facts = backend_facts<Backend>();
  static constexpr bool synchronizes_all = requires(Backend & b) {
    { b.synchronize_all() }
    noexcept;
  };
  static constexpr bool checks_adopted = requires(Backend & b) { b.check_adopted(nullptr, std::string_view()); };
  static constexpr bool pins = requires(Backend & b, std::span<std::byte> bytes) {
    { b.pin(bytes) } -> std::convertible_to<std::shared_ptr<void>>;
  };
  static constexpr bool names = requires(Backend & b) {
    { b.wants_names() } -> std::convertible_to<bool>;
    b.name_memory(nullptr, std::size_t{1}, std::string());
  };
  static constexpr bool sites = requires(Backend & b, typename Backend::Event& event, Stream stream, CallSite site) {
    b.record(event, stream, site);
    b.wait(stream, event, site);
  };
  static constexpr bool has_graph = requires { typename Backend::Graph; };
  static constexpr bool closes = requires(Backend & b) { b.close_collective_memory(); };

  static_assert(!facts.captures_graphs || capturing_backend<Backend>,
                "zero::Engine: the backend's facts say captures_graphs, but it is no zero::capturing_backend");
  static_assert(facts.captures_graphs || !has_graph,
                "zero::Engine: the backend has a Graph, but its facts do not say captures_graphs");
  static_assert(!facts.times_streams || timing_backend<Backend>,
                "zero::Engine: the backend's facts say times_streams, but it is no zero::timing_backend");
  static_assert(!facts.synchronizes_all || synchronizes_all,
                "zero::Engine: the backend's facts say synchronizes_all: it needs synchronize_all() noexcept");
  static_assert(facts.synchronizes_all || !synchronizes_all,
                "zero::Engine: the backend has synchronize_all(), but its facts do not say synchronizes_all");
  static_assert(!facts.checks_adopted || checks_adopted,
                "zero::Engine: the backend's facts say checks_adopted: it needs check_adopted(data, parameter)");
  static_assert(facts.checks_adopted || !checks_adopted,
                "zero::Engine: the backend has check_adopted(), but its facts do not say checks_adopted");
  static_assert(!facts.pins_memory || pins,
                "zero::Engine: the backend's facts say pins_memory: it needs pin(std::span<std::byte>)");
  static_assert(facts.pins_memory || !pins,
                "zero::Engine: the backend has pin(), but its facts do not say pins_memory");
  static_assert(!facts.names_memory || names,
                "zero::Engine: the backend's facts say names_memory: it needs wants_names() and name_memory(...)");
  static_assert(facts.names_memory || !names,
                "zero::Engine: the backend has name_memory(), but its facts do not say names_memory");
  static_assert(
      !facts.takes_call_sites || sites,
      "zero::Engine: the backend's facts say takes_call_sites: record and wait need a last argument CallSite");
  static_assert(
      facts.takes_call_sites || !sites,
      "zero::Engine: the backend's record and wait take a CallSite, but its facts do not say takes_call_sites");
  static_assert(!facts.allocates_for_collectives || closes,
                "zero::Engine: the backend's facts say allocates_for_collectives: it needs "
                "allocate_for_collectives_from(memory) and close_collective_memory()");
  static_assert(facts.allocates_for_collectives || !closes,
                "zero::Engine: the backend has close_collective_memory(), but its facts do not say "
                "allocates_for_collectives");
  static constexpr bool holds = true;
};

/// The facts of \p Communicator on a backend \p Backend, and the members that they stand for.
template <class Communicator, class Backend, class Value, class Sum>
struct CommunicatorContract {
  using Stream = typename Backend::Stream;
  static constexpr CommunicatorFacts facts = communicator_facts<Communicator>();
  static constexpr bool says_staging = requires(Communicator const& c) {
    { c.template staging_bytes<Sum, Value>(std::size_t{1}, SumOrder::by_rank) } -> std::convertible_to<std::size_t>;
  };
  template <class Element>
  static constexpr bool takes_staging = requires(Communicator& c, Sum* into, Element* from, SumRange range,
                                                 CollectivePurpose purpose, Stream stream,
                                                 std::span<std::byte> staging) {
    c.reduce_scatter_add(from, into, std::size_t{1}, range, purpose, stream, staging);
  };
  template <class Element>
  static constexpr bool takes_none = requires(Communicator& c, Sum* into, Element* from, SumRange range,
                                              CollectivePurpose purpose, Stream stream) {
    c.reduce_scatter_add(from, into, std::size_t{1}, range, purpose, stream);
  };
  template <class Element>
  static constexpr bool gathers = requires(Communicator& c, Element* full, Element const* own,
                                           CollectivePurpose purpose, Stream stream) {
    c.all_gather(own, full, std::size_t{1}, purpose, stream);
  };
  static constexpr bool checks = requires(Communicator & c) { (c.check)(); };
  static constexpr bool watches = requires(Communicator & c, CollectivePurpose purpose, Stream stream) {
    c.watch(purpose, stream);
  };
  static constexpr bool names_stream = requires(Communicator const& c, int device) { c.communication_stream(device); };
  static constexpr bool gives_stream = requires(Communicator const& c, Backend const& b) {
    { c.communication_stream(b.device()) } -> std::convertible_to<Stream>;
  };
  static constexpr bool says_order = requires(Communicator const& c) {
    { c.template adds_by_rank<Value>(SumOrder::fastest) } -> std::convertible_to<bool>;
  };
  static constexpr bool counts = requires(Communicator & c) {
    { c.calls() } -> std::same_as<std::uint64_t&>;
  };
  static constexpr bool has_memory = requires(Communicator & c) { c.collective_memory(); };
  static constexpr bool registers = requires(Communicator & c, Backend& b) {
    b.allocate_for_collectives_from(c.collective_memory());
    { c.register_buffers(b.close_collective_memory()) } -> std::convertible_to<std::shared_ptr<void>>;
  };

  static_assert(
      !facts.needs_staging || says_staging,
      "zero::Engine: the communicator's facts say needs_staging: it needs staging_bytes<Sum, T>(count, SumOrder) "
      "const");
  static_assert(!facts.needs_staging || (takes_staging<Value> && takes_staging<Sum>),
                "zero::Engine: the communicator's facts say needs_staging: reduce_scatter_add needs a last argument "
                "std::span<std::byte>");
  static_assert(facts.needs_staging || !says_staging,
                "zero::Engine: the communicator has staging_bytes(), but its facts do not say needs_staging");
  static_assert(facts.needs_staging || (takes_none<Value> && takes_none<Sum>),
                "zero::Engine: the communicator lacks reduce_scatter_add(T* send, Sum* into, count, SumRange, purpose, "
                "stream) for gradients or for their sums");
  static_assert(
      gathers<Value> && gathers<Sum> && gathers<float>,
      "zero::Engine: the communicator lacks all_gather(T const* own, T* full, count, purpose, stream) for the "
      "compute type, the sum type or float");
  static_assert(!facts.reports_failures || checks,
                "zero::Engine: the communicator's facts say reports_failures: it needs check()");
  static_assert(facts.reports_failures || !checks,
                "zero::Engine: the communicator has check(), but its facts do not say reports_failures");
  static_assert(!facts.watches_replays || watches,
                "zero::Engine: the communicator's facts say watches_replays: it needs watch(purpose, stream)");
  static_assert(facts.watches_replays || !watches,
                "zero::Engine: the communicator has watch(), but its facts do not say watches_replays");
  static_assert(!facts.has_stream || gives_stream,
                "zero::Engine: the communicator's facts say has_stream: it needs communication_stream(device) const, "
                "of the stream type of a backend that has device()");
  static_assert(facts.has_stream || !names_stream,
                "zero::Engine: the communicator has communication_stream(), but its facts do not say has_stream");
  static_assert(!facts.has_sum_orders || says_order,
                "zero::Engine: the communicator's facts say has_sum_orders: it needs adds_by_rank<T>(SumOrder) const");
  static_assert(facts.has_sum_orders || !says_order,
                "zero::Engine: the communicator has adds_by_rank(), but its facts do not say has_sum_orders");
  static_assert(!facts.counts_calls || counts,
                "zero::Engine: the communicator's facts say counts_calls: it needs std::uint64_t& calls()");
  static_assert(facts.counts_calls || !counts,
                "zero::Engine: the communicator has calls(), but its facts do not say counts_calls");
  static_assert(!facts.registers_memory || backend_facts<Backend>().allocates_for_collectives,
                "zero::Engine: the communicator registers memory, but this backend does not allocate for collectives");
  static_assert(
      !facts.registers_memory || registers,
      "zero::Engine: the communicator's facts say registers_memory: it needs collective_memory(), which the "
      "backend's allocate_for_collectives_from takes, and register_buffers(backend.close_collective_memory())");
  static_assert(facts.registers_memory || !has_memory,
                "zero::Engine: the communicator has collective_memory(), but its facts do not say registers_memory");
  static constexpr bool holds = true;
};

}  // namespace zero::detail
