// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/context.hpp>
#include <zero/engine/policies.hpp>
#include <zero/engine/settings.hpp>
#include <zero/engine_config.hpp>
#include <zero/gradients/norm.hpp>
#include <zero/kernels/decide.hpp>
#include <zero/lease.hpp>
#include <zero/loss_scale.hpp>
#include <zero/memory/buffer.hpp>
#include <zero/parameter.hpp>
#include <zero/step/constants_table.hpp>
#include <zero/step/decision_layout.hpp>
#include <zero/step/step_settings.hpp>
#include <zero/step_ticket.hpp>
#include <zero/support/call_history.hpp>
#include <zero/support/out_of_line.hpp>
#include <zero/utility/fingerprint.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace zero::detail {

/// 32 bits of a hash; never 0, which says nothing.
[[nodiscard]] inline std::uint32_t fold_agreement(std::uint64_t hash) noexcept {
  auto const folded = static_cast<std::uint32_t>(hash ^ hash >> 32U);
  return folded != 0 ? folded : 1;
}

/// Decides a step on the device: whether to update, with what multiplier and constants, and the next loss scale. Owns
/// what a step leaves for the next: scaler, step counts and the reports that tickets read. All that a decision reads
/// and writes lies in one place of device memory, so that it can be recorded once and run again; what changes from step
/// to step comes from a ring of pinned memory, and what became of the step goes back there.
template <class Backend>
class StepDecider {
 public:
  using Stream = typename Backend::Stream;
  using Event = typename Backend::Event;
  using Reports = StepReports<Event>;

  /// Blocks.
  ZERO_OUT_OF_LINE StepDecider(EngineContext<Backend> const& engine, int max_skipped_steps,
                               std::shared_ptr<EngineLifetime const> const& lifetime)
      : engine_(engine),
        parameters_(lifetime->parameters),
        layout_(traits(), groups().size()),
        ring_(allocate(MemoryKind::pinned, Reports::history * layout_.slot_bytes)),
        inputs_(allocate(MemoryKind::device, layout_.input_bytes)),
        results_(allocate(MemoryKind::device, layout_.result_bytes)),
        constants_(allocate(read_by_update(), traits().constants_bytes * groups().size())),
        decision_(allocate(read_by_update(), traits().decision_bytes)),
        table_(parameters_, {}),
        reports_(new Reports(lifetime, traits().fails_when_exhausted, static_cast<std::uint64_t>(max_skipped_steps),
                             engine.collectives)) {
    new (host_results()) StepOutcome();
    engine.policies.start(host_state());
    upload_state();
  }
  StepDecider(StepDecider const&) = delete;
  StepDecider& operator=(StepDecider const&) = delete;
  ~StepDecider() { reports_->detach_from_engine(); }

  /// While a step is captured, settings and report are no part of it: `stage`, `send_settings` and `fetch_report` do
  /// nothing, and the ticket is one that cannot be read.
  void set_capturing(bool capturing) noexcept { capturing_ = capturing; }
  /// The collectives of the captured step up to `stage`, which took them out of the history.
  [[nodiscard]] CallHistory const& captured_calls() const noexcept { return calls_before_; }

  /// From the next step on it is decided with \p lead, an engine of the same joint step or this one itself: by the same
  /// words, of which \p entries says whose they are, and for the loss scale of \p lead. Both are borrowed until
  /// `leave_joint`. Reports know all engines' parameters by \p names. Only those of \p lead fail, also after
  /// \p max_skipped steps.
  void enter_joint(StepDecider const& lead, NormEntry const* entries, std::shared_ptr<JointNames const> names,
                   std::uint64_t max_skipped) {
    lead_ = &lead;
    entries_ = entries;
    reports_->enter_joint(std::move(names), lead_ == this, max_skipped);
  }
  /// From the next step on it decides for itself again.
  void leave_joint() noexcept {
    lead_ = this;
    entries_ = nullptr;
    reports_->leave_joint();
  }
  /// Of a joint step: 32 bits that are to be the same on all ranks of all engines. After `stage`.
  void stage_world(std::uint32_t agreement) {
    if (capturing_) return;
    std::memcpy(slot(number_) + layout_.world_agreement, &agreement, sizeof agreement);
  }
  [[nodiscard]] void const* world_agreement() const noexcept { return inputs_.data() + layout_.world_agreement; }
  /// Of a joint step: what the rule takes is to be the same for all repeats of this engine, whose collectives may
  /// differ. After `stage`.
  void stage_rate(RuleSettings const& settings) {
    if (capturing_) return;
    Fingerprint fingerprint;
    add_settings(fingerprint, settings);
    auto const agreement = fold_agreement(fingerprint.value());
    std::memcpy(slot(number_) + layout_.rate_agreement, &agreement, sizeof agreement);
  }
  [[nodiscard]] void const* rate_agreement() const noexcept { return inputs_.data() + layout_.rate_agreement; }

  /// \throws ConfigurationError for settings that a step cannot have.
  void require_possible(RuleSettings const& settings, double clipping) const {
    check_rule_settings(settings, traits());
    check_clipping(clipping);
  }
  /// Takes the settings of the coming step, on the host. \p history is of the collectives before it.
  /// \throws ConfigurationError; LossScaleError, DivergenceError and MismatchError of an earlier step that nobody has
  /// been told of.
  /// Nothing has changed then.
  void stage(RuleSettings const& settings, double clipping, CallHistory& history) {
    if (capturing_) {
      calls_before_ = std::exchange(history, {});
      return;
    }
    require_possible(settings, clipping);
    // Waits for the step that used this slot of the ring, which is long over. At a fixed distance every rank throws at
    // the same step, independent of its device's progress.
    if (number_ >= Reports::history) reports_->tell_once(number_ - Reports::history);
    auto* const inputs = slot(number_);
    auto const agreement = agreement_on(settings, clipping, history);
    engine_.backend.host_writes(inputs, layout_.input_bytes);
    std::memcpy(inputs, &clipping, sizeof clipping);
    std::memcpy(inputs + layout_.agreement, &agreement, sizeof agreement);
    engine_.policies.configure(inputs + layout_.configs, groups(), settings);
  }

  /// Brings the settings of the coming step to the device.
  void send_settings(Stream stream) {
    if (!capturing_) (engine_.backend.copy)(inputs_.data(), slot(number_), layout_.input_bytes, stream);
  }

  /// 32 bits in device memory that are the same on every rank where all take the step alike.
  [[nodiscard]] void const* agreement() const noexcept { return inputs_.data() + layout_.agreement; }

  /// Puts the decision on \p stream. \p addends: micro-batches of all ranks.
  void decide(NormWords norm, double addends, Stream stream) {
    engine_.kernels.decide(engine_.backend,
                           {.norm = norm,
                            .addends = addends,
                            .clipping = reinterpret_cast<double const*>(inputs_.data()),
                            .state = results_.data() + layout_.state,
                            .configs = inputs_.data() + layout_.configs,
                            .group_count = static_cast<std::uint32_t>(groups().size()),
                            .sets = reinterpret_cast<ConstantsSet const*>(sets_.data()),
                            .set_count = static_cast<std::uint32_t>(table_.sets().size()),
                            .constants = constants_.data(),
                            .decision = decision_.data(),
                            .outcome = reinterpret_cast<StepOutcome*>(results_.data()),
                            .entries = entries_,
                            .scale = lead_ != this ? lead_->scale_of_last_step() : nullptr},
                           stream);
  }

  /// Brings what became of the step to the host.
  void fetch_report(Stream stream) {
    if (capturing_) return;
    auto* const results = slot(number_) + layout_.results_in_slot;
    auto& report = reports_->open(number_, reinterpret_cast<StepOutcome const*>(results));
    (engine_.backend.copy)(results, results_.data(), layout_.result_bytes, stream);
    engine_.backend.record(report.decided, stream);
    latest_ = &report.decided;
    ++number_;
  }

  /// The ticket of the step whose report was fetched last.
  [[nodiscard]] StepTicket<Event> ticket() const {
    return {reports_, capturing_ ? Reports::captured_ticket : number_ - 1};
  }
  /// Steps that were decided, skipped ones too.
  [[nodiscard]] std::uint64_t number() const noexcept { return number_; }

  /// What the fused update reads.
  [[nodiscard]] void const* decision() const noexcept { return decision_.data(); }
  /// Of the coming backward passes.
  [[nodiscard]] LossScale<Event> loss_scale() const {
    if (lead_ != this) return lead_->loss_scale();
    return {scale_in(results_.data()), capturing_ ? nullptr : scale_in(host_results()), *latest_};
  }
  /// The StepState: scaler and step counts, which the host may read after `decided`.
  [[nodiscard]] void const* state() const noexcept { return host_state(); }
  [[nodiscard]] Event const& decided() const noexcept { return *latest_; }
  /// Where the run stands, and where it is to go on from. Wait until the last step has been decided.
  [[nodiscard]] StepProgress progress() const {
    latest_->synchronize();
    engine_.backend.host_reads(host_results(), layout_.result_bytes);
    if (auto const rank = reinterpret_cast<StepOutcome const*>(host_results())->mismatched; rank != 0) {
      throw_mismatched_step(rank - 1);
    }
    auto progress = engine_.policies.progress(host_state());
    progress.first_steps = table_.first_steps();
    return progress;
  }
  void set_progress(StepProgress const& progress) {
    latest_->synchronize();
    engine_.backend.host_writes(host_state(), traits().scaler_bytes);
    engine_.policies.set_progress(host_state(), progress);
    upload_state();
    set_first_steps(progress.first_steps);
  }
  /// Which constants are whose.
  [[nodiscard]] ConstantsTable const& constants() const noexcept { return table_; }
  /// Counts how often `set_progress` has changed what a recorded step was recorded with.
  [[nodiscard]] std::uint64_t generation() const noexcept { return generation_; }

 private:
  using Bytes = Buffer<std::byte, Backend>;

  [[nodiscard]] PolicyTraits const& traits() const noexcept { return engine_.policies.traits(); }
  [[nodiscard]] std::vector<ParameterGroup> const& groups() const noexcept { return parameters_.groups(); }
  [[nodiscard]] MemoryKind read_by_update() const noexcept {
    return traits().offloads ? MemoryKind::pinned : MemoryKind::device;
  }
  [[nodiscard]] Bytes allocate(MemoryKind kind, std::size_t bytes) const {
    return {engine_.backend, engine_.memory_report, kind, MemoryPurpose::control, bytes};
  }

  // One step's slot of the ring: its settings, then its results.
  [[nodiscard]] std::byte* slot(std::uint64_t number) const noexcept {
    return ring_.data() + number % Reports::history * layout_.slot_bytes;
  }
  [[nodiscard]] static std::uint32_t agreement_on(RuleSettings const& settings, double clipping,
                                                  CallHistory const& history) noexcept {
    Fingerprint fingerprint;
    add_settings(fingerprint, settings);
    fingerprint.add(clipping);
    fingerprint.add(history.value());
    return fold_agreement(fingerprint.value());
  }
  // Written by the decision: the scale that the backward passes before it have used.
  [[nodiscard]] float const* scale_of_last_step() const noexcept {
    return &reinterpret_cast<StepOutcome const*>(results_.data())->loss_scale;
  }

  // What the last step has left; at first, in the slot of the step before the first.
  [[nodiscard]] std::byte* host_results() const noexcept {
    return slot(number_ + Reports::history - 1) + layout_.results_in_slot;
  }
  [[nodiscard]] std::byte* host_state() const noexcept { return host_results() + layout_.state; }
  [[nodiscard]] float const* scale_in(std::byte const* results) const noexcept {
    return reinterpret_cast<float const*>(results + layout_.loss_scale);
  }
  // Nothing reads constants any more: `upload_state` has waited for the communication stream, which is behind updates.
  ZERO_OUT_OF_LINE void set_first_steps(std::vector<std::uint64_t> const& first_steps) {
    bool const was_plain = table_.is_plain();
    table_ = ConstantsTable(parameters_, first_steps);
    if (was_plain && table_.is_plain()) return;
    ++generation_;
    constants_ = {};
    sets_ = {};
    constants_ = allocate(read_by_update(), traits().constants_bytes * table_.sets().size());
    if (table_.is_plain()) return;
    std::size_t const bytes = table_.sets().size() * sizeof(ConstantsSet);
    sets_ = allocate(MemoryKind::device, bytes);
    (engine_.backend.copy)(sets_.data(), table_.sets().data(), bytes, engine_.communication);
  }
  void upload_state() {
    (engine_.backend.copy)(results_.data() + layout_.state, host_state(), traits().scaler_bytes, engine_.communication);
    engine_.backend.synchronize(engine_.communication);
  }

  EngineContext<Backend> const& engine_;
  StepDecider const* lead_ = this;      // whose loss scale counts, in a joint step
  NormEntry const* entries_ = nullptr;  // of the words of a joint step
  ParameterList const& parameters_;
  DecisionLayout layout_;
  Bytes ring_;
  Bytes inputs_;
  Bytes results_;
  Bytes constants_;
  Bytes decision_;
  ConstantsTable table_;
  Bytes sets_;  // of the table, where it is not plain
  std::uint64_t generation_ = 0;
  std::shared_ptr<Reports> reports_;
  Event const never_decided_{};
  Event const* latest_ = &never_decided_;
  std::uint64_t number_ = 0;
  bool capturing_ = false;
  CallHistory calls_before_;  // of a captured step
};

}  // namespace zero::detail
