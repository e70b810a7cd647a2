// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/backend.hpp>
#include <zero/captured_step.hpp>
#include <zero/communicator.hpp>
#include <zero/engine/core.hpp>
#include <zero/engine/joint_link.hpp>
#include <zero/engine/lease_interfaces.hpp>
#include <zero/engine/micro_batch_sequence.hpp>
#include <zero/engine/observation.hpp>
#include <zero/engine/observed.hpp>
#include <zero/engine/phase.hpp>
#include <zero/engine/policies.hpp>
#include <zero/engine/rank_agreement.hpp>
#include <zero/engine/settings.hpp>
#include <zero/engine_member.hpp>
#include <zero/engine_state.hpp>
#include <zero/error.hpp>
#include <zero/gradients/closing_schedule.hpp>
#include <zero/joint/capture.hpp>
#include <zero/joint/description.hpp>
#include <zero/joint/guards.hpp>
#include <zero/joint/plan.hpp>
#include <zero/joint/repeats.hpp>
#include <zero/joint/sequence.hpp>
#include <zero/joint/setup.hpp>
#include <zero/joint/state.hpp>
#include <zero/joint/world.hpp>
#include <zero/joint_config.hpp>
#include <zero/kernels/decide.hpp>
#include <zero/kernels/norm_words.hpp>
#include <zero/loss_scale.hpp>
#include <zero/memory/buffer.hpp>
#include <zero/micro_batch.hpp>
#include <zero/parameter.hpp>
#include <zero/partitioner.hpp>
#include <zero/profile/observer.hpp>
#include <zero/profile/phase.hpp>
#include <zero/step/step_settings.hpp>
#include <zero/step_ticket.hpp>
#include <zero/support/call_history.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>
#include <zero/utility/fingerprint.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zero::detail {

/// Takes the engines of one rank through micro-batches and steps at once; see JointStep for the contracts of its
/// functions. All members add their squares to the same words, so that one all-reduce over the world settles the step,
/// and each decides by these words with its own rule. What members put on their communication streams is ordered as if
/// they had one.
template <class Backend>
class JointCore final : private JointLink<Backend>, private MicroBatchSink<typename Backend::Stream> {
 public:
  using Stream = typename Backend::Stream;
  using Event = typename Backend::Event;
  using Graph = typename GraphOf<Backend>::type;

  /// Collective, blocks. \p world is borrowed.
  ZERO_OUT_OF_LINE JointCore(JointWorld<Backend>& world, std::span<EngineMember<Backend> const> members,
                             JointConfig const& config)
      : world_(world),
        config_(config),
        plan_(agree(members)),
        names_(std::make_shared<JointNames const>(plan_.names())),
        first_steps_(plan_.first_steps()),
        micro_batches_(plan_.micro_batches(plan_.engine_of(rank(), 0), world.rank())),
        phase_(micro_batches_.rounds(), "zero::JointStep"),
        lifetime_(new EngineLifetime{}),
        number_(agree_on_engine_number(world)) {
    try {
      run_on_all_ranks<JointSetupFailure>(world_, [&] { enter(members); });
    } catch (...) {
      dissolve();
      throw;
    }
  }
  JointCore(JointCore const&) = delete;
  JointCore& operator=(JointCore const&) = delete;
  ~JointCore() {
    lifetime_->alive = false;
    dissolve();
  }

  // ------------------------------------------------------------------------------------------------- a micro-batch

  MicroBatch<Stream> begin_micro_batch(Stream stream) {
    require_allowed(EngineCall::begin_micro_batch);
    for (auto* observed : observed_) observed->begin_micro_batch(this, stream);
    round_ = phase_.micro_batches();
    next_ = passed_ = 0;
    ++serial_;
    for (auto& member : members_) {
      member.parts().reducer.begin(round_);
      if (member.closing) member.closing->begin();
      member.closed = 0;
      member.core->phase().begin_micro_batch();
    }
    phase_.begin_micro_batch();
    if (micro_batches_.is_last(round_)) zero_words();
    return {*this, lifetime_, serial_, {micro_batches_.index(round_), micro_batches_.contributes(round_)}};
  }

  void discard_gradients() {
    require_sound();
    forget_gradients();
  }
  ZERO_OUT_OF_LINE void forget_gradients() {
    for (auto& member : members_) {
      member.parts().reducer.discard();
      member.core->phase().discard_gradients();
    }
    phase_.discard_gradients();
    for (auto* observed : observed_) observed->discard(this);
    failure_ = nullptr;
    next_ = sequence_.size();
    ++serial_;
  }

  [[nodiscard]] LossScale<Event> loss_scale() const {
    require_members();
    return lead().decider.loss_scale();
  }

  // ------------------------------------------------------------------------------------------------- a step

  /// As EngineCore::step, for all members in turn.
  [[nodiscard]] StepTicket<Event> step(JointStepOptions const& options, Stream stream) {
    require_allowed(EngineCall::step);
    for (auto& member : members_) member.parts().gatherer.require_no_leases();
    for (auto* observed : observed_) observed->begin_step(this, profile::Phase::update, stream);
    stage(options);
    for (auto& member : members_) member.parts().gatherer.forget_gathered();
    all_reduce_norm(stream);
    update_guards_.open("an update did not end");
    decide(stream);
    for (auto& member : members_) member.parts().gatherer.join_readers(stream);
    for (auto m : update_order_) update(m, stream);
    update_guards_.commit();
    for (auto& member : members_) member.core->phase().end_step();
    phase_.end_step();
    for (auto* observed : observed_) observed->end_step(stream);
    return lead().decider.ticket();
  }

  void finish_update() {
    require_allowed(EngineCall::finish_update);
    publish_pending_updates();
  }

  [[nodiscard]] std::unique_ptr<EngineState> state() {
    require_allowed(EngineCall::state);
    publish_pending_updates();
    std::vector<typename JointState<Backend>::Member> members;
    std::size_t lead = 0;
    for (auto m : update_order_) {
      if (m == lead_.value_or(0)) lead = members.size();
      members.push_back({members_[m].core, members_[m].engine});
    }
    JointLink<Backend>& joint = *this;
    return std::make_unique<JointState<Backend>>(world_, joint, plan_, phase_, members, lead, first_steps_);
  }

  /// Records the step that \p body takes on \p stream.
  template <class Body>
  [[nodiscard]] RecordedJointStep<Graph> capture(Stream stream, Body&& body) {
    require_allowed(EngineCall::capture);
    enforce(world_.can_be_captured(),
            "zero::JointStep: the ranks of this communicator meet on the host, which cannot be captured: use one rank, "
            "or zero::NcclCommunicator");
    std::deque<ObservationPause<Stream>> pauses;
    for (auto* observed : observed_) pauses.emplace_back(observed);
    return recorder().record(stream, body, [this] { forget_gradients(); });
  }
  [[nodiscard]] StepTicket<Event> replay(RecordedJointStep<Graph> const& step, JointStepOptions const& options,
                                         Stream stream) {
    require_allowed(EngineCall::replay);
    auto recorder = this->recorder();
    recorder.require_current(step);
    for (auto& member : members_) member.parts().gatherer.require_no_leases();
    for (auto* observed : observed_) observed->begin_step(this, profile::Phase::captured, stream);
    stage_replay(step, options);
    for (auto& member : members_) member.parts().gatherer.forget_gathered();
    update_guards_.open("a captured step did not end");
    recorder.launch(step, stream);
    world_.watch(stream);
    update_guards_.commit();
    for (auto* observed : observed_) observed->end_step(stream);
    return lead().decider.ticket();
  }
  [[nodiscard]] std::shared_ptr<EngineLifetime const> lifetime() const noexcept { return lifetime_; }

 private:
  struct Member {
    [[nodiscard]] EngineParts<Backend>& parts() const noexcept { return core->parts(); }
    [[nodiscard]] Stage stage() const noexcept { return core->settings().stage; }

    EngineCore<Backend>* core = nullptr;
    std::string name;
    std::size_t engine = 0;                  // number among those of all ranks
    std::size_t entry = 0;                   // in the words of the norm
    std::optional<std::size_t> rate_entry;   // the same, where it is repeated
    bool repeats = false;                    // its squares are another engine's, too
    std::optional<ClosingSchedule> closing;  // where gathers close its buckets
    std::size_t closed = 0;                  // buckets that its gathers of this micro-batch leave behind
  };

  [[nodiscard]] std::size_t rank() const { return static_cast<std::size_t>(world_.rank()); }
  [[nodiscard]] JointCapture<Backend> recorder() {
    std::vector<EngineCore<Backend>*> cores;
    for (auto& member : members_) cores.push_back(member.core);
    return {std::move(cores), phase_};
  }

  // ------------------------------------------------------------------------------------------------- construction

  // What every rank says of itself, after a check of its own.
  [[nodiscard]] std::vector<JointRank> agree(std::span<EngineMember<Backend> const> members) {
    JointRank mine;
    auto const texts = run_on_all_ranks<JointSetupFailure>(world_, [&] {
      check_joint_config(config_, world_.rank(), world_.size());
      mine = describe_rank(config_, world_.rank(), world_.size());
      for (std::size_t m = 0; m < members.size(); ++m) {
        expect_usable(members.first(m), members[m]);
        mine.engines.push_back(describe_member(*members[m].core_, members[m].name(), members[m].options()));
      }
      return text_of(mine);
    });
    auto ranks = read_ranks(texts);
    JointRepeats const repeats(ranks);
    if (repeats.identities().empty()) return ranks;
    find_first_ranks(repeats, mine.engines, [&](std::size_t m) {
      return exchange_words(members[m].core_->operations().collectives, static_cast<std::uint64_t>(world_.rank()))[0];
    });
    return read_ranks(RankTexts(world_, text_of(mine)));
  }
  [[nodiscard]] static std::vector<JointRank> read_ranks(RankTexts const& texts) {
    std::vector<JointRank> ranks;
    for (std::size_t r = 0; r < texts.size(); ++r) ranks.push_back(joint_rank_of(texts[r]));
    return ranks;
  }
  ZERO_OUT_OF_LINE static void expect_usable(std::span<EngineMember<Backend> const> before,
                                             EngineMember<Backend> const& member) {
    enforce(!member.name().empty(), "zero::JointStep: a member has an empty name: give each its own");
    enforce(member.lifetime_->alive,
            "zero::JointStep: the engine of a member is gone: make another member of a live one");
    for (auto const& other : before) {
      if (other.name() != member.name() && other.core_ != member.core_) continue;
      fail<ConfigurationError>({"zero::JointStep: members ", quote(other.name()), " and ", quote(member.name()),
                                other.core_ == member.core_ ? " are one engine" : " have one name",
                                ": pass each engine once, under a name of its own"});
    }
    check_member(*member.core_, member.name());
  }

  void enter(std::span<EngineMember<Backend> const> members) {
    bool const gathers = plan_.gathers();
    std::vector<JointSequence::Member> in_sequence;
    for (std::size_t m = 0; m < members.size(); ++m) {
      auto& core = *members[m].core_;
      auto& member = members_.emplace_back();
      member.core = &core, member.name = members[m].name(), member.engine = plan_.engine_of(rank(), m);
      member.entry = plan_.entry_of(member.engine, world_.rank());
      member.rate_entry = plan_.rate_entry_of(member.engine, world_.rank());
      member.repeats = plan_.engines()[member.engine].repeats;
      if (gathers && member.stage() >= Stage::gradients) {
        member.closing.emplace(core.lifetime()->parameters.specs(), core.layout(), true);
      }
      if (!core.operations().policies.traits().scales || lead_) continue;
      lead_ = m;
    }
    for (auto& member : members_) {
      in_sequence.push_back({member.engine, &member.core->lifetime()->parameters.specs(), &member.core->layout(),
                             member.closing ? &*member.closing : nullptr});
      gradient_guards_.add(member.core->phase());
      update_guards_.add(member.core->phase());
    }
    gradient_guards_.add(phase_);
    update_guards_.add(phase_);
    sequence_ = JointSequence(in_sequence, gathers);
    closes_at_gathers_ = gathers;
    next_ = sequence_.size();
    turn_ = lead_.value_or(0);
    order_updates();
    allocate();
    for (std::size_t m = 0; m < members_.size(); ++m) enter(m);
    for (auto& member : members_) observe(member.core->observation());
  }
  // Each observer is told of the joint step once, whichever members it watches.
  void observe(Observed<Backend>* observed) {
    if (observed == nullptr) return;
    for (auto const* other : observed_) {
      if (other->observer() == observed->observer()) return;
    }
    observed_.push_back(observed);
  }
  void enter(std::size_t m) {
    auto& member = members_[m];
    member.core->enter_joint(*this, m, plan_.micro_batches(member.engine, world_.rank()));
    member.parts().norm.enter_joint(words(member.entry, member.repeats ? apart_ : words_));
    member.parts().decider.enter_joint(lead().decider, entries_.data(), names_,
                                       static_cast<std::uint64_t>(config_.max_skipped_steps));
  }
  // Members whose update the host does not wait for come first. One order on all ranks.
  void order_updates() {
    for (std::size_t m = 0; m < members_.size(); ++m) update_order_.push_back(m);
    auto const key = [this](std::size_t m) {
      return std::pair(members_[m].core->settings().offloads, members_[m].engine);
    };
    std::sort(update_order_.begin(), update_order_.end(),
              [&key](std::size_t a, std::size_t b) { return key(a) < key(b); });
  }
  void allocate() {
    auto& parts = lead();
    auto const& entries = plan_.entries();
    words_ = {parts.backend, parts.memory_report, MemoryKind::device, MemoryPurpose::control,
              ExactSum::words + entries.size()};
    bool const repeats = std::any_of(members_.begin(), members_.end(), [](Member const& m) { return m.repeats; });
    apart_ = {parts.backend, parts.memory_report, MemoryKind::device, MemoryPurpose::control,
              repeats ? words_.size() : 0};
    entries_ = {parts.backend, parts.memory_report, MemoryKind::device, MemoryPurpose::control, entries.size()};
    auto const stream = parts.communication.get();
    (parts.backend.copy)(entries_.data(), entries.data(), entries.size() * sizeof(NormEntry), stream);
    parts.backend.synchronize(stream);
  }

  // As members end, each of them is an engine by itself again. Blocks until nothing uses the words.
  void dissolve() noexcept {
    if (std::exchange(dissolved_, true)) return;
    for (auto* observed : observed_) observed->discard(this);
    observed_.clear();
    for (auto& member : members_) quiesce(member.parts());
    for (auto& member : members_) {
      if (!member.core->is_in_joint()) continue;
      auto& phase = member.core->phase();
      bool const is_open = phase.inside_micro_batch() || phase.micro_batches() > 0;
      member.core->leave_joint();
      member.parts().norm.leave_joint();
      member.parts().decider.leave_joint();
      if (is_open) phase.abandon_micro_batch();  // a part of its gradients' norm is gone
    }
    words_ = {};
    apart_ = {};
    entries_ = {};
  }
  static void quiesce(EngineParts<Backend>& parts) noexcept {
    try {
      parts.decider.decided().synchronize();
      parts.backend.synchronize(parts.communication.get());
    } catch (...) {
      parts.synchronize_all();
    }
  }

  // ------------------------------------------------------------------------------------------------- checks

  void require_members() const {
    if (dissolved_) {
      fail<SequenceError>(
          {"zero::JointStep: an engine that was a member is gone: make a new joint step of those that are left"});
    }
  }
  void require_sound() const {
    require_members();
    for (auto const& member : members_) member.core->phase().require_sound();
    phase_.require_sound();
  }
  void require_allowed(EngineCall call) const {
    require_sound();
    phase_.require_allowed(call);
  }
  void require_sums() const {
    if (failure_) std::rethrow_exception(failure_);
  }

  // ------------------------------------------------------------------------------------------------- reductions

  /// What \p member puts on its communication stream from now on comes behind what others have put on theirs.
  void take_turn(std::size_t m) override {
    if (turn_ == m) return;
    auto& before = members_[turn_].parts();
    auto& now = members_[m].parts();
    before.backend.record(turn_over_, before.communication.get());
    now.backend.wait(now.communication.get(), turn_over_);
    turn_ = m;
  }
  void reduce_until(std::size_t end) {
    require_sums();
    while (next_ < end) reduce_next();
  }
  void reduce_next() {
    auto const at = sequence_[next_];
    try {
      take_turn(at.member);
      members_[at.member].parts().reducer.close_and_reduce_next();
    } catch (...) {
      failure_ = std::current_exception();
      throw;
    }
    ++next_;
  }
  void reduce_complete() override {
    require_sums();
    if (closes_at_gathers_) return;
    while (next_ < sequence_.size() && intake(sequence_[next_].member).next_is_complete()) reduce_next();
  }

  void make_room(std::size_t m, std::size_t end, ParameterId id) override {
    require_sums();
    std::size_t const target = sequence_.position(m, end - 1) + 1;
    for (std::size_t i = next_; i < target; ++i) {
      auto const at = sequence_[i];
      if (auto const other = intake(at.member).find_not_closable(at.bucket)) throw_no_room(m, id, at.member, *other);
    }
    reduce_until(target);
  }

  /// A function of the gather calls of this rank's members, which all ranks make in one order, as ClosingSchedule has
  /// it.
  void before_gather(std::size_t m, std::span<ParameterId const> ids) override {
    auto& member = members_[m];
    bool const sharded = member.stage() == Stage::parameters;
    if (member.closing && member.core->phase().inside_micro_batch()) {
      auto& gatherer = member.parts().gatherer;
      auto const needed = [this, m](std::uint32_t block) { return intake(m).gradient_slots().buckets_before(block); };
      auto const held = [&gatherer](std::uint32_t block) { return gatherer.is_held(block); };
      member.closed = member.closing->gather(ids, needed, held);
      reduce_until(passed());
      bool const is_ahead = next_ > passed_ && sharded && may_lack();
      if (auto const id = is_ahead ? member.parts().reducer.find_not_held(ids, held) : std::nullopt) {
        throw_not_held(m, *id);
      }
    }
    if (sharded) take_turn(m);
  }
  // The buckets that all gathers so far close.
  [[nodiscard]] std::size_t passed() {
    while (passed_ < sequence_.size() && sequence_[passed_].bucket < members_[sequence_[passed_].member].closed) {
      ++passed_;
    }
    return passed_;
  }
  [[nodiscard]] bool may_lack() const noexcept { return plan_.may_lack() || micro_batches_.is_ragged(round_); }

  void retake_norm() override {
    zero_words();
    for (std::size_t m = 0; m < members_.size(); ++m) {
      take_turn(m);
      members_[m].parts().reducer.add_squares();
    }
  }
  void zero_words() {
    take_turn(lead_.value_or(0));
    for (auto const* words : {&words_, &apart_}) {
      if (words->size() == 0) continue;
      lead().backend.zero(words->data(), words->size() * sizeof(std::uint64_t), lead().communication.get());
    }
  }

  void end_of_member() noexcept override { dissolve(); }

  void finish_micro_batch(std::uint64_t serial, Stream stream) override {
    require_members();
    if (serial != serial_) {
      fail<SequenceError>({"zero::MicroBatch: its gradients were discarded: begin another one"});
    }
    gradient_guards_.open();
    require_sums();
    for (std::size_t m = 0; m < members_.size(); ++m) intake(m).copy_partial(stream);
    reduce_until(sequence_.size());
    for (std::size_t m = 0; m < members_.size(); ++m) intake(m).end();
    gradient_guards_.commit_micro_batch();
    for (auto* observed : observed_) observed->end_micro_batch(stream);
    ++serial_;
  }
  void abandon_micro_batch(std::uint64_t serial) noexcept override {
    if (serial != serial_ || dissolved_) return;
    for (auto& member : members_) member.core->phase().abandon_micro_batch();
    phase_.abandon_micro_batch();
  }

  // ------------------------------------------------------------------------------------------------- the step

  void stage(JointStepOptions const& options) {
    check_members("lr", options.lr);
    check_members("momentum", options.momentum);
    for (auto const& rate : options.lr) check_lr(rate.lr);
    for (auto const& of_member : options.momentum) {
      check_momentum("momentum", of_member.momentum);
      check_momentum("beta2", of_member.beta2);
    }
    for (std::size_t m = 0; m < members_.size(); ++m) {
      check_rule_settings(settings_of_member(m, options), members_[m].core->operations().policies.traits());
    }
    double const clipping = options.gradient_clipping.value_or(config_.gradient_clipping);
    stage(lead_.value_or(0), options, clipping);  // the one that says what earlier steps have failed with
    for (std::size_t m = 0; m < members_.size(); ++m) {
      if (m != lead_.value_or(0)) stage(m, options, clipping);
    }
    Fingerprint agreement;
    agreement.add(clipping);
    lead().decider.stage_world(fold_agreement(agreement.value()));
  }
  // As if the calls of the recorded step were made again.
  void stage_replay(RecordedJointStep<Graph> const& step, JointStepOptions const& options) {
    std::vector<CallHistory> before;
    for (std::size_t m = 0; m < members_.size(); ++m) {
      auto& history = members_[m].core->operations().collectives.history;
      before.push_back(history);
      history.append(step.members[m].calls_before_decision);
    }
    auto const failure = attempt([&] { stage(options); });
    for (std::size_t m = 0; m < members_.size(); ++m) {
      auto& history = members_[m].core->operations().collectives.history;
      if (failure) history = before[m];
      if (!failure) history.append(step.members[m].calls_after_decision);
    }
    if (failure) std::rethrow_exception(failure);
  }
  void stage(std::size_t m, JointStepOptions const& options, double clipping) {
    auto& core = *members_[m].core;
    auto const settings = settings_of_member(m, options);
    core.parts().decider.stage(settings, clipping, core.operations().collectives.history);
    if (members_[m].rate_entry) core.parts().decider.stage_rate(settings);
  }
  [[nodiscard]] RuleSettings settings_of_member(std::size_t m, JointStepOptions const& options) const {
    RuleSettings settings{members_[m].core->settings().lr, {}, {}};
    for (auto const& rate : options.lr) {
      if (rate.member == members_[m].name) settings.lr = rate.lr;
    }
    for (auto const& own : options.momentum) {
      if (own.member == members_[m].name) settings.momentum = own.momentum, settings.beta2 = own.beta2;
    }
    return settings;
  }
  // Each is of a member that there is, and given once.
  template <class Given>
  void check_members(std::string_view option, std::vector<Given> const& all) const {
    for (auto const& given : all) {
      if (!plan_.knows(given.member)) {
        fail<ConfigurationError>({"zero::JointStep: ", option, " is given for ", quote(given.member),
                                  ", but no rank has a member of that name: give the names of EngineMember"});
      }
      for (auto const& other : all) {
        if (&other == &given || other.member != given.member) continue;
        fail<ConfigurationError>(
            {"zero::JointStep: ", option, " is given twice for ", quote(given.member), ": give it once"});
      }
    }
  }

  /// Until this ends nothing has changed: a failure here loses the gradients, not the states.
  void all_reduce_norm(Stream stream) {
    Observation<Stream> const* const observation = observed_.empty() ? nullptr : observed_[0];
    PhaseScope const scope(observation, profile::Phase::reduce, stream);
    gradient_guards_.open();
    for (std::size_t m = 0; m < members_.size(); ++m) {
      take_turn(m);
      auto& parts = members_[m].parts();
      auto const communication = parts.communication.get();
      parts.decider.send_settings(communication);
      auto const shared = words(members_[m].entry, words_);
      if (members_[m].repeats) {  // what it found bad counts; its squares do not
        (parts.backend.copy)(shared.bad_parameters() + shared.rank, parts.norm.words().bad_parameters() + shared.rank,
                             sizeof(std::uint64_t), communication);
      }
      (parts.backend.copy)(shared.agreement(), parts.decider.agreement(), sizeof(std::uint32_t), communication);
      if (auto const entry = members_[m].rate_entry) {
        (parts.backend.copy)(words(*entry, words_).agreement(), parts.decider.rate_agreement(), sizeof(std::uint32_t),
                             communication);
      }
    }
    take_turn(lead_.value_or(0));
    auto& parts = lead();
    auto const communication = parts.communication.get();
    (parts.backend.copy)(words(rank(), words_).agreement(), parts.decider.world_agreement(), sizeof(std::uint32_t),
                         communication);
    {
      OperationScope const call(observation,
                                profile::Operation{.phase = profile::Phase::reduce,
                                                   .name = "all_reduce",
                                                   .purpose = "gradient norm",
                                                   .bytes = words_.size() * sizeof(std::uint64_t),
                                                   .ranks = world_.size()},
                                communication);
      world_.all_reduce(words_.data(), words_.size(), {.what = "gradient norm", .engine = number_}, communication);
    }
    ++parts.traffic.collectives;
    parts.traffic.control_words += words_.size();
    parts.backend.record(norm_ready_, communication);
    parts.backend.wait(stream, norm_ready_);
    gradient_guards_.commit();
  }
  // The one that knows the loss scale first: the others take from it what backward has used.
  void decide(Stream stream) {
    for (auto& member : members_) member.parts().updater.join(stream);
    double const addends = static_cast<double>(micro_batches_.total());
    std::size_t const first = lead_.value_or(0);
    members_[first].parts().decider.decide(words(members_[first].entry, words_), addends, stream);
    for (std::size_t m = 0; m < members_.size(); ++m) {
      if (m != first) members_[m].parts().decider.decide(words(members_[m].entry, words_), addends, stream);
    }
    for (auto& member : members_) member.parts().decider.fetch_report(stream);
  }
  void update(std::size_t m, Stream stream) {
    take_turn(m);
    auto& parts = members_[m].parts();
    parts.updater.update(parts.decider.decision(), stream);
    parts.gatherer.copy_to_adopted();
    parts.reducer.release_sums();
  }

  void publish_pending_updates() {
    for (auto m : update_order_) members_[m].core->publish_pending_update();
  }

  // ------------------------------------------------------------------------------------------------- parts

  // The member whose loss scale counts; the first one, where there is none.
  [[nodiscard]] EngineParts<Backend>& lead() const noexcept { return members_[lead_.value_or(0)].parts(); }
  [[nodiscard]] GradientIntake<Backend>& intake(std::size_t m) const noexcept {
    return members_[m].parts().reducer.intake();
  }
  [[nodiscard]] NormWords words(std::size_t entry, Buffer<std::uint64_t, Backend> const& memory) const noexcept {
    return {memory.data(), static_cast<int>(entry), static_cast<int>(plan_.entries().size())};
  }

  [[noreturn, gnu::cold]] ZERO_OUT_OF_LINE void throw_no_room(std::size_t m, ParameterId id, std::size_t other_member,
                                                              ParameterId other) const {
    auto const& name = members_[m].core->lifetime()->parameters.specs()[id.index].name;
    auto const& member = members_[other_member];
    fail_gradient(name,
                  {"zero::JointStep: gradient of ", quote(name), " of ", quote(members_[m].name),
                   " needs the place of one that is reduced after the gradient of ",
                   quote(member.core->lifetime()->parameters.specs()[other.index].name), " of ", quote(member.name),
                   intake(other_member).is_held(other)
                       ? ", which a lease still holds: call ready() on that lease first, "
                       : ", which has not arrived: number the units of all members alike, and hand their "
                         "gradients over unit by unit from the last one, ",
                   "or raise gradient_ring"});
  }

  [[noreturn, gnu::cold]] ZERO_OUT_OF_LINE void throw_not_held(std::size_t m, ParameterId id) const {
    auto const& name = members_[m].core->lifetime()->parameters.specs()[id.index].name;
    fail_gradient(name, {"zero::JointStep: ", quote(name), " of ", quote(members_[m].name),
                         " is gathered after a lease has closed buckets to make room. A rank that lacks that lease's "
                         "gradient, as MissingGradient::zero allows and as ranks without a micro-batch do, would call "
                         "these collectives in the other order: gather each unit of each member in forward and in "
                         "backward, end leases on parameters before the next unit is gathered, or raise "
                         "gradient_ring"});
  }

  JointWorld<Backend>& world_;
  JointConfig config_;
  JointPlan plan_;
  std::shared_ptr<JointNames const> names_;
  std::vector<std::uint64_t> first_steps_;  // of the parameters of all ranks, as StepProgress has it
  MicroBatchSequence micro_batches_;
  EnginePhase phase_;
  std::shared_ptr<EngineLifetime> lifetime_;
  std::uint64_t number_;                      // as an engine's, of the norm's collective
  std::deque<Member> members_;                // of this rank, as they were passed
  std::optional<std::size_t> lead_;           // the first member with a loss scaler
  std::vector<Observed<Backend>*> observed_;  // by observer, a member that it watches
  std::vector<std::size_t> update_order_;
  JointSequence sequence_;
  GradientGuards gradient_guards_;
  UpdateGuards update_guards_;
  Buffer<std::uint64_t, Backend> words_;  // of the norm: digits, then `plan_.entries()`
  Buffer<std::uint64_t, Backend> apart_;  // the same of members that repeat others, whose squares do not count
  Buffer<NormEntry, Backend> entries_;
  Event norm_ready_{};
  Event turn_over_{};
  std::size_t turn_ = 0;  // whose communication stream is behind all others
  bool closes_at_gathers_ = false;
  bool dissolved_ = false;
  int round_ = 0;               // of the micro-batch
  std::uint64_t serial_ = 0;    // of the micro-batch; moves on where it ends
  std::size_t next_ = 0;        // the first bucket of the sequence that has not been reduced
  std::size_t passed_ = 0;      // those before it are closed by the gathers of this micro-batch
  std::exception_ptr failure_;  // of a reduction whose gradients have not been discarded
};

}  // namespace zero::detail
