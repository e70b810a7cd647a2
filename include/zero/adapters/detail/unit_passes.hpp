// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/adapters/detail/module_map.hpp>
#include <zero/adapters/detail/parameter_memory.hpp>
#include <zero/error.hpp>
#include <zero/flat_layout.hpp>
#include <zero/parameter.hpp>
#include <zero/support/message.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace zero::libtorch::detail {

/// Stage 3: gathers the parameters of units for forward and again for backward, and remembers in which order, so that a
/// rank without a micro-batch can make the same calls.
template <class Engine>
class UnitPasses {
 public:
  using Stream = typename Engine::Stream;
  using Lease = typename Engine::Lease;

  /// \p map and \p memory are borrowed; ids are by place in \p memory.
  UnitPasses(ModuleMap const& map, std::vector<ParameterMemory>& memory, std::vector<ParameterId> ids,
             FlatLayout const& layout)
      : units_(map.units),
        memory_(memory),
        ids_(std::move(ids)),
        held_(memory.size()),
        end_of_(units_.size()),
        trainable_(units_.size()),
        units_of_(memory.size()),
        open_(units_.size()),
        passed_(units_.size()) {
    for (std::size_t u = 0; u < units_.size(); ++u) {
      for (auto const i : units_[u].parameters) {
        trainable_[u] += memory[i].trainable() ? 1 : 0;
        units_of_[i].push_back(u);
      }
    }
    for (std::size_t i = 0; i < memory.size(); ++i) {
      auto const& extent = layout.extents()[ids_[i].index];
      if (!memory[i].trainable() || layout.blocks()[extent.block].whole) continue;
      auto& end = end_of_[map.parameters[i].owner];
      end = (std::max)(end, static_cast<std::size_t>(extent.first_bucket) + extent.bucket_count);
    }
  }

  /// Keeps what is in no unit whole while it lives, outside of a micro-batch.
  class Root {
   public:
    Root(UnitPasses& passes, Engine& engine, Stream stream)
        : passes_(passes), serial_(passes.start(engine, 0, stream)) {}
    Root(Root const&) = delete;
    Root& operator=(Root const&) = delete;
    ~Root() { passes_.leave(serial_, false, false); }

   private:
    UnitPasses& passes_;
    std::uint64_t serial_;
  };

  // ------------------------------------------------------------------------------------------------- a micro-batch

  /// Starts one; what is in no unit is gathered until its end.
  void begin(Engine& engine, Stream stream) {
    calls_.clear();
    first_ = next_;
    last_unit_ = 0;
    closed_ = 0;
    open_.assign(units_.size(), 0);
    passed_.assign(units_.size(), 0);
    trace_.clear();
    inside_ = true;
    if (!units_[0].parameters.empty()) (void)start(engine, 0, stream);
  }
  /// Ends it, whatever became of it: everything is released. \p complete: its calls may be repeated.
  void end(bool complete) noexcept {
    release_all();
    inside_ = false;
    if (complete && !trace_.empty()) pattern_.swap(trace_);
  }
  [[nodiscard]] bool is_inside() const noexcept { return inside_; }

  /// Forward enters unit \p u; \p again: backward has come to it, and needs its activations. \throws SequenceError for
  /// an order that stage 3 cannot serve.
  [[nodiscard]] std::uint64_t enter(Engine& engine, std::size_t u, bool again, Stream stream) {
    if (inside_) {
      if (u <= last_unit_ && !again) throw_order(u);
      last_unit_ = (std::max)(u, last_unit_);
      if (again) note_closed(u);
      trace_.push_back({u, true});
    }
    return start(engine, u, stream);
  }
  /// \p again: it stays gathered, because its backward follows.
  void leave(std::uint64_t serial, bool recorded, bool again) noexcept {
    auto const at = calls_.find(serial);
    if (at == calls_.end() || again) return;
    release(at->second);
    if (inside_) trace_.push_back({at->second.unit, false});
    if (!recorded) calls_.erase(at);
  }
  void expect_end(std::uint64_t serial) {
    if (auto const at = calls_.find(serial); at != calls_.end()) at->second.has_end = true;
  }

  /// Unit \p u comes into a region that is computed again, behind another one. \throws SequenceError:
  /// gradients of a region are there when backward is through with it, and stage 3 wants those of a unit before it
  /// gathers the next.
  [[noreturn]] void throw_second_in_region(std::size_t u) const {
    zero::detail::fail<SequenceError>(
        {"zero::libtorch: unit ", zero::detail::quote(units_[u].name),
         " runs forward in a checkpoint() that another unit runs in, but stage 3 hands over the gradients of one unit "
         "after the other: give each unit a checkpoint() of its own"});
  }

  /// Backward comes to the outputs of a call. \throws SequenceError for a graph of another micro-batch.
  void begin_backward(Engine& engine, std::uint64_t serial, Stream stream) {
    auto const at = calls_.find(serial);
    if (!inside_ || at == calls_.end()) {
      throw SequenceError(
          "zero::libtorch: backward runs through a unit's forward of an earlier micro-batch, whose "
          "parameters may have changed since: detach() what is carried over");
    }
    auto& call = at->second;
    if (!call.lease) {
      note_closed(call.unit);
      gather(engine, call, stream);
      trace_.push_back({call.unit, true});
    }
    call.missing = trainable_[call.unit];
    open_[call.unit] = serial;
  }
  void end_backward(std::uint64_t serial) noexcept {
    auto const at = calls_.find(serial);
    if (at == calls_.end() || !at->second.lease) return;
    auto& call = at->second;
    release(call);
    trace_.push_back({call.unit, false});
    passed_[call.unit] = 1;
    open_[call.unit] = 0;
  }
  /// The gradient of parameter \p i is there: a unit none of whose inputs has a gradient ends with its last parameter.
  void arrived(std::size_t i) noexcept {
    for (auto const u : units_of_[i]) {
      if (open_[u] == 0) continue;
      auto& call = calls_.at(open_[u]);
      if (--call.missing == 0 && !call.has_end) end_backward(open_[u]);
    }
  }
  /// How many buckets the gathers of this micro-batch have closed, on every rank.
  [[nodiscard]] std::size_t closed() const noexcept { return closed_; }

  /// Makes the calls of a micro-batch without its forward and backward.
  void repeat(Engine& engine, Stream stream) {
    if (pattern_.empty()) pattern_ = usual_pattern();
    std::map<std::size_t, std::uint64_t> serials;
    std::vector<std::size_t> visits(units_.size());
    for (auto const& [u, gathers] : pattern_) {
      if (gathers && visits[u]++ == 0) {
        serials[u] = start(engine, u, stream);
      } else if (gathers) {
        gather(engine, calls_.at(serials[u]), stream);
      } else {
        release(calls_.at(serials[u]));
      }
    }
  }

 private:
  struct Call {
    std::size_t unit = 0;
    std::optional<Lease> lease{};
    std::size_t missing = 0;  // gradients, in backward
    bool has_end = false;
  };
  struct Trace {
    std::size_t unit;
    bool gathers;
  };

  // What the engine does at a gather of unit u in backward.
  void note_closed(std::size_t u) noexcept {
    for (std::size_t above = u + 1; above < units_.size(); ++above) {
      if (passed_[above] == 0 || end_of_[above] == 0) continue;
      closed_ = (std::max)(closed_, end_of_[above]);
      break;
    }
  }
  [[nodiscard]] std::uint64_t start(Engine& engine, std::size_t u, Stream stream) {
    Call call{.unit = u};
    gather(engine, call, stream);
    auto const serial = ++next_;
    calls_.emplace(serial, std::move(call));
    return serial;
  }
  void gather(Engine& engine, Call& call, Stream stream) {
    if (call.lease) return;
    auto const& parameters = units_[call.unit].parameters;
    std::vector<ParameterId> ids;
    ids.reserve(parameters.size());
    for (auto const i : parameters) ids.push_back(ids_[i]);
    call.lease.emplace(engine.gather(ids, stream));
    for (auto const i : parameters) {
      if (held_[i]++ == 0) memory_[i].point((*call.lease)[ids_[i]].data());
    }
  }
  void release(Call& call) noexcept {
    if (!call.lease) return;
    for (auto const i : units_[call.unit].parameters) {
      if (--held_[i] == 0) memory_[i].hide(sharded_message(memory_[i].name()));
    }
    call.lease.reset();
  }
  void release_all() noexcept {
    for (auto& [serial, call] : calls_) release(call);
    calls_.clear();
    open_.assign(units_.size(), 0);
  }

  [[nodiscard]] std::vector<Trace> usual_pattern() const {
    std::vector<Trace> pattern;
    for (std::size_t u = 1; u < units_.size(); ++u) pattern.insert(pattern.end(), {{u, true}, {u, false}});
    for (std::size_t u = units_.size(); u-- > 1;) pattern.insert(pattern.end(), {{u, true}, {u, false}});
    return pattern;
  }

  [[noreturn]] void throw_order(std::size_t u) const {
    auto const name = zero::detail::quote(units_[u].name);
    if (u == last_unit_) {
      zero::detail::fail<SequenceError>({"zero::libtorch: unit ", name,
                                         " runs forward twice in one micro-batch, but stage 3 gathers and reduces a "
                                         "unit once in each direction: make "
                                         "both uses one unit, leave it out of the units, or use stages 0 to 2"});
    }
    zero::detail::fail<SequenceError>(
        {"zero::libtorch: unit ", name, " runs forward after ", zero::detail::quote(units_[last_unit_].name),
         ", which is registered later, or runs twice in one micro-batch. Stage 3 reduces gradients in the reverse "
         "order "
         "of registration: register units in the order of forward, or list them in that order in Options::unit_order"});
  }

  std::vector<MappedUnit> const& units_;
  std::vector<ParameterMemory>& memory_;
  std::vector<ParameterId> ids_;
  std::vector<int> held_;                           // by parameter: calls that have it gathered
  std::vector<std::size_t> end_of_;                 // by unit: the first bucket after those of what it owns
  std::vector<std::size_t> trainable_;              // by unit: parameters that get gradients
  std::vector<std::vector<std::size_t>> units_of_;  // by parameter
  std::vector<std::uint64_t> open_;                 // by unit: the call that backward is in
  std::vector<char> passed_;                        // by unit: backward is through
  std::map<std::uint64_t, Call> calls_;
  std::vector<Trace> trace_, pattern_;
  std::uint64_t next_ = 0, first_ = 0;
  std::size_t last_unit_ = 0, closed_ = 0;
  bool inside_ = false;
};

}  // namespace zero::libtorch::detail
