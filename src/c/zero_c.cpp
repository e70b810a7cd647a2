// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The whole C interface in one translation unit: what zero/c.h declares. A program without CMake compiles it by
//
//   c++ -std=c++20 -O2 -fPIC -shared -fvisibility=hidden -I <include> zero_c.cpp -o libzero_c.so -pthread
//
// Each function checks what it is given, calls the engine, and writes results after that; zero/c.h has the contracts.

#include "freeing.hpp"
#include "objects.hpp"
#include "sized_struct.hpp"
#include "world_run.hpp"

#include <zero/c.h>
#include <zero/checkpoint/folder.hpp>
#include <zero/checkpoint/load.hpp>
#include <zero/checkpoint/save.hpp>
#include <zero/flat_model.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zero::c {
namespace {

// ------------------------------------------------------------------------------------------------- parameters

[[nodiscard]] ElementType element_type_of(std::int32_t type, char const* function) {
  if (type >= ZERO_FP32 && type <= ZERO_BF16) return static_cast<ElementType>(type);
  fail(ZERO_ERROR_ARGUMENT, {function, ": there is no zero_type ", type, ": pass ZERO_FP32, ZERO_FP16 or ZERO_BF16"});
}

void refuse_unknown_flags(std::uint32_t flags, std::uint32_t known, char const* function, char const* name) {
  if ((flags & ~known) == 0) return;
  fail(ZERO_ERROR_ARGUMENT, {function, ": ", name, " has the unknown flags ", flags & ~known, ": leave them out"});
}

/// The text that \p text points to. \throws InterfaceError where it is null.
[[nodiscard]] std::string_view required_text(char const* text, char const* function, char const* name) {
  if (text != nullptr) return text;
  fail(ZERO_ERROR_ARGUMENT, {function, ": ", name, " is null: pass a text"});
}

/// \p count elements at \p pointer. \throws InterfaceError where it is null, and \p count is not 0.
template <class Element>
[[nodiscard]] std::span<Element> required_array(Element* pointer, std::size_t count, char const* function,
                                                char const* name) {
  if (count > 0) (void)required(pointer, function, name);
  return {pointer, count};
}

[[nodiscard]] ParameterSpec spec_of(zero_parameter_spec const& given, char const* function) {
  refuse_unknown_flags(given.flags, ZERO_PARAMETER_FROZEN | ZERO_PARAMETER_PERSISTENT, function, "spec.flags");
  constexpr std::uint32_t most = (std::numeric_limits<std::int32_t>::max)();
  if (given.unit > most || given.contributions > most) {
    fail(ZERO_ERROR_ARGUMENT, {function, ": spec.unit and spec.contributions are at most ", most});
  }
  ParameterSpec spec{.name = std::string(required_text(given.name, function, "spec.name")), .shape = {}};
  auto const shape = required_array(given.shape, given.dimensions, function, "spec.shape");
  spec.shape.assign(shape.begin(), shape.end());
  spec.group = {given.group};
  spec.contributions = given.contributions == 0 ? 1 : static_cast<int>(given.contributions);
  spec.unit = static_cast<int>(given.unit);
  spec.frozen = (given.flags & ZERO_PARAMETER_FROZEN) != 0;
  spec.persistent = (given.flags & ZERO_PARAMETER_PERSISTENT) != 0;
  auto const type = element_type_of(given.type, function);
  auto const count = ParameterList::element_count(spec.shape);
  if (given.values != nullptr) spec.values = AdoptedBuffer{given.values, count, type};
  if (given.gradients != nullptr) spec.gradients = AdoptedBuffer{given.gradients, count, type};
  if (given.initial != nullptr) spec.initial = {given.initial, count};
  return spec;
}

[[nodiscard]] FlatOptions flat_options_of(zero_flat_model const& given, char const* function) {
  FlatOptions options;
  for (std::size_t t = 0; t < given.tensors; ++t) {
    if (given.names != nullptr) options.names.emplace_back(required_text(given.names[t], function, "model.names[i]"));
    if (given.layers != nullptr) options.layers.push_back(given.layers[t]);
    if (given.groups != nullptr) options.groups.push_back({given.groups[t]});
    if (given.persistent != nullptr) options.persistent.push_back(given.persistent[t] != 0);
  }
  return options;
}

template <class Element>
void add_flat(ParameterList& list, zero_flat_model const& given, char const* function) {
  auto const sizes = required_array(given.sizes, given.tensors, function, "model.sizes");
  auto options = flat_options_of(given, function);
  auto* const values = static_cast<Element*>(given.values);
  auto* const gradients = static_cast<Element*>(given.gradients);
  if (given.initial == nullptr) {
    (void)adopt_flat(list, values, gradients, sizes, std::move(options));
  } else if (given.values == nullptr) {
    (void)place_flat(list, given.initial, gradients, sizes, std::move(options));
  } else {
    fail(ZERO_ERROR_ARGUMENT, {function,
                               ": model.values and model.initial are both there: pass the buffer that is "
                               "adopted, or the first values of what is placed"});
  }
}

void add_flat(ParameterList& list, zero_flat_model const* model, char const* function) {
  auto const given = read_struct(model, function, "model");
  switch (element_type_of(given.type, function)) {
    case ElementType::fp16:
      return add_flat<float16>(list, given, function);
    case ElementType::bf16:
      return add_flat<bfloat16>(list, given, function);
    default:
      return add_flat<float>(list, given, function);
  }
}

// ------------------------------------------------------------------------------------------------- engines

/// Makes an engine on \p rank. Settings are read on every rank, so that all fail where one does.
[[nodiscard]] zero_engine* make_engine_on(Rank& rank, ParameterList const& list, zero_setting const* settings,
                                          std::size_t count, char const* function) {
  auto& ranks = rank.communicator;
  EngineRequest request;
  detail::run_on_all_ranks(ranks, [&] {
    auto const given = required_array(settings, count, function, "settings");
    request = SettingsReader(given, ranks.size()).read();
  });
  rank.engines.reserve(rank.engines.size() + 1);
  auto engine = std::make_unique<Engine>(rank, request, list);
  engine->handle = handles().add(Kind::engine, engine.get());
  rank.engines.push_back(engine.get());
  return engine.release()->handle.as<zero_engine>();
}

/// The caller's numbers as the engine takes them; valid until the next call with \p engine.
[[nodiscard]] std::span<ParameterId const> ids_of(Engine& engine, std::uint32_t const* ids, std::size_t count,
                                                  char const* function) {
  auto const given = required_array(ids, count, function, "ids");
  engine.ids.clear();
  for (auto const id : given) engine.ids.push_back({id});
  return engine.ids;
}

[[nodiscard]] std::uint64_t rounds_of(RuntimeConfig const& config, int ranks) noexcept {
  if (!config.micro_batches_per_step) return static_cast<std::uint64_t>(config.gradient_accumulation_steps.value_or(1));
  return static_cast<std::uint64_t>((*config.micro_batches_per_step + ranks - 1) / ranks);
}

/// What the coming step uses: what the caller says, else what the schedule says, else what the settings say.
[[nodiscard]] StepOptions step_options_of(Engine& engine, zero_step_options const* given, char const* function) {
  auto const asked = read_struct_or_default(given, function, "options");
  refuse_unknown_flags(asked.set, ZERO_STEP_LR | ZERO_STEP_GRADIENT_CLIPPING | ZERO_STEP_MOMENTUM | ZERO_STEP_BETA2,
                       function, "options.set");
  StepOptions options;
  if (engine.schedule) {
    auto const steps = engine.visit([](auto& typed) { return typed.step_state().steps; });
    auto const rates = engine.schedule->at(steps);
    options = {.lr = rates.lr, .momentum = rates.momentum, .beta2 = rates.beta2};
  }
  if ((asked.set & ZERO_STEP_LR) != 0) options.lr = asked.lr;
  if ((asked.set & ZERO_STEP_GRADIENT_CLIPPING) != 0) options.gradient_clipping = asked.gradient_clipping;
  if ((asked.set & ZERO_STEP_MOMENTUM) != 0) options.momentum = asked.momentum;
  if ((asked.set & ZERO_STEP_BETA2) != 0) options.beta2 = asked.beta2;
  return options;
}

[[nodiscard]] double lr_of(Engine& engine, StepOptions const& options) {
  return options.lr ? *options.lr : engine.visit([](auto& typed) { return typed.config().lr; });
}

/// Takes a step by \p take(engine, options), a StepReport.
template <class Take>
void take_step(zero_engine* handle, zero_step_options const* given, zero_step_report* report, char const* function,
               Take const& take) {
  Locked<Engine> const engine(handle, function);
  FilledOrNull<zero_step_report> const filled(report, function, "report");
  auto const options = step_options_of(*engine, given, function);
  auto const lr = lr_of(*engine, options);
  StepReport const done = engine->visit([&](auto& typed) { return take(typed, options); });
  char const* bad = nullptr;
  if (!done.bad_parameter.empty()) bad = engine->spec(engine->parameters.find(done.bad_parameter)->index).name.c_str();
  filled.write({.size = 0,
                .step = done.step,
                .skipped_steps = done.skipped_steps,
                .skipped_in_row = done.skipped_in_row,
                .zero_norm_steps = done.zero_norm_steps,
                .gradient_norm = done.gradient_norm,
                .clip_coefficient = done.clip_coefficient,
                .lr = lr,
                .loss_scale = done.loss_scale,
                .skipped = done.skipped ? 1 : 0,
                .at_minimum_scale = done.at_minimum_scale ? 1 : 0,
                .bad_parameter = bad});
}

/// \throws InterfaceError unless \p count is the number of elements of parameter \p id.
void expect_count(Engine const& engine, std::uint32_t id, std::size_t count, char const* function) {
  auto const& spec = engine.spec(id);
  auto const elements = ParameterList::element_count(spec.shape);
  if (count == elements) return;
  fail(ZERO_ERROR_ARGUMENT, {function, ": count is ", count, ", but parameter ", detail::quote(spec.name), " has ",
                             elements, " elements: pass all of them"});
}

/// Makes the lease that \p lease_of(engine, ids) gives, of LeaseObject's kind.
template <class LeaseObject, class Opaque, class LeaseOf>
[[nodiscard]] zero_status make_lease(zero_engine* handle, std::uint32_t const* ids, std::size_t count, Opaque** lease,
                                     char const* function, LeaseOf const& lease_of) {
  return guarded([&] {
    Locked<Engine> const engine(handle, function);
    auto const wanted = ids_of(*engine, ids, count, function);
    auto& made = required(lease, function, "lease");
    auto whole = engine->visit([&](auto& typed) { return typename LeaseObject::Any(lease_of(typed, wanted)); });
    made = enter_lease<LeaseObject>(*engine, std::move(whole)).template as<Opaque>();
  });
}

/// Says where a parameter's values, or its gradient, lie as long as the lease.
template <class LeaseObject, class Opaque, class Values>
[[nodiscard]] zero_status lease_values(Opaque* lease, std::uint32_t id, Values** values, std::size_t* count,
                                       char const* function) {
  return guarded([&] {
    LockedLease<LeaseObject> const held(lease, function);
    auto& place = required(values, function, "values");
    std::visit(
        [&](auto& typed) {
          auto const whole = typed[ParameterId{id}];
          place = whole.data();
          if (count != nullptr) *count = whole.size();
        },
        held->lease);
  });
}

template <class LeaseObject, class Opaque>
[[nodiscard]] zero_status end_lease(Opaque* lease, char const* function) {
  return guarded([&] {
    LockedLease<LeaseObject> held(lease, function);
    (void)held.take();
  });
}

/// Reads what \p read(engine, id) gives, a vector.
template <class Read>
[[nodiscard]] zero_status read_values(zero_engine* handle, std::uint32_t id, float* values, std::size_t count,
                                      char const* function, Read const& read) {
  return guarded([&] {
    Locked<Engine> const engine(handle, function);
    expect_count(*engine, id, count, function);
    (void)required(values, function, "values");
    auto const whole = engine->visit([&](auto& typed) { return read(typed, ParameterId{id}); });
    std::memcpy(values, whole.data(), count * sizeof(float));
  });
}

/// Hands the values to \p write(engine, id, values).
template <class Write>
[[nodiscard]] zero_status write_values(zero_engine* handle, std::uint32_t id, float const* values, std::size_t count,
                                       char const* function, Write const& write) {
  return guarded([&] {
    Locked<Engine> const engine(handle, function);
    expect_count(*engine, id, count, function);
    (void)required(values, function, "values");
    engine->visit([&](auto& typed) { write(typed, ParameterId{id}, std::span<float const>(values, count)); });
  });
}

// ------------------------------------------------------------------------------------------------- checkpoints

/// A line each.
[[nodiscard]] std::string joined(std::vector<std::string> const& lines) {
  std::string text;
  for (auto const& line : lines) text += (text.empty() ? "" : "\n") + line;
  return text;
}

[[nodiscard]] SaveOptions save_options_of(zero_save_options const* given, char const* function) {
  auto const asked = read_struct(given, function, "options");
  refuse_unknown_flags(asked.flags, ZERO_SAVE_PARAMETERS_ONLY | ZERO_SAVE_REPLACE, function, "options.flags");
  SaveOptions options{.tag = std::string(required_text(asked.tag, function, "options.tag"))};
  for (auto const& state : required_array(asked.client_state, asked.client_states, function, "options.client_state")) {
    std::string key(required_text(state.key, function, "options.client_state[i].key"));
    auto const text = required_text(state.text, function, "options.client_state[i].text");
    if (!options.user_state.emplace(key, text).second) {
      fail(ZERO_ERROR_ARGUMENT,
           {function, ": options.client_state has the key ", detail::quote(key), " twice: give each its own"});
    }
  }
  for (char const* const alias : required_array(asked.aliases, asked.alias_count, function, "options.aliases")) {
    options.aliases.emplace_back(required_text(alias, function, "options.aliases[i]"));
  }
  options.parameters_only = (asked.flags & ZERO_SAVE_PARAMETERS_ONLY) != 0;
  options.replace = (asked.flags & ZERO_SAVE_REPLACE) != 0;
  options.keep = asked.keep;
  return options;
}

[[nodiscard]] LoadOptions load_options_of(zero_load_options const* given, char const* function) {
  auto const asked = read_struct_or_default(given, function, "options");
  refuse_unknown_flags(asked.flags, ZERO_LOAD_PARAMETERS_ONLY | ZERO_LOAD_ALLOW_MISSING | ZERO_LOAD_ALLOW_EXTRA,
                       function, "options.flags");
  LoadOptions options;
  if (asked.tag != nullptr) options.tag = asked.tag;
  options.parameters_only = (asked.flags & ZERO_LOAD_PARAMETERS_ONLY) != 0;
  options.allow_missing = (asked.flags & ZERO_LOAD_ALLOW_MISSING) != 0;
  options.allow_extra = (asked.flags & ZERO_LOAD_ALLOW_EXTRA) != 0;
  return options;
}

/// Loads a checkpoint; nothing where \p may_be_none and there is none.
void load(zero_engine* handle, char const* folder, zero_load_options const* given, zero_load_report* report,
          char const* function, bool may_be_none) {
  Locked<Engine> const engine(handle, function);
  FilledOrNull<zero_load_report> const filled(report, function, "report");
  std::string const root(required_text(folder, function, "folder"));
  auto const options = load_options_of(given, function);
  auto& e = *engine;
  LoadReport done;
  bool found = true;
  try {
    auto const state = e.visit([](auto& typed) { return typed.state(); });
    done = load_checkpoint(*state, CheckpointFolder(posix_file_system(), root), options);
  } catch (CheckpointError const& error) {
    found = false;
    if (!may_be_none || !options.tag.empty() || error.kind() != CheckpointFailure::not_found) throw;
  }
  e.load_tag = done.tag;
  e.load_missing = joined(done.missing);
  e.load_extra = joined(done.extra);
  e.load_skipped = joined(done.skipped);
  e.client_state = std::move(done.user_state);
  filled.write({.size = 0,
                .found = found ? 1 : 0,
                .has_optimizer_state = found && done.has_optimizer_state ? 1 : 0,
                .steps = done.steps,
                .parameters = done.parameters,
                .bytes_read = done.bytes_read,
                .tag = e.load_tag.c_str(),
                .missing = e.load_missing.c_str(),
                .extra = e.load_extra.c_str(),
                .skipped = e.load_skipped.c_str()});
}

}  // namespace
}  // namespace zero::c

using namespace zero::c;  // this file is the library's last: nothing includes it

extern "C" {

// ------------------------------------------------------------------------------------------------- errors

uint32_t zero_version(void) { return ZERO_VERSION; }

char const* zero_last_error(void) { return last_error().text; }

zero_status zero_last_status(void) { return static_cast<zero_status>(last_error().info.status); }

zero_status zero_last_error_info(zero_error_info* info) {
  return guarded([&] { Filled<zero_error_info>(info, "zero_last_error_info", "info").write(last_error().info); });
}

char const* zero_status_name(int32_t status) {
  switch (status) {
    case ZERO_OK:
      return "ZERO_OK";
    case ZERO_ERROR_CONFIGURATION:
      return "ZERO_ERROR_CONFIGURATION";
    case ZERO_ERROR_GRADIENT:
      return "ZERO_ERROR_GRADIENT";
    case ZERO_ERROR_LEASE:
      return "ZERO_ERROR_LEASE";
    case ZERO_ERROR_SEQUENCE:
      return "ZERO_ERROR_SEQUENCE";
    case ZERO_ERROR_MISMATCH:
      return "ZERO_ERROR_MISMATCH";
    case ZERO_ERROR_LOSS_SCALE:
      return "ZERO_ERROR_LOSS_SCALE";
    case ZERO_ERROR_DIVERGENCE:
      return "ZERO_ERROR_DIVERGENCE";
    case ZERO_ERROR_POISONED:
      return "ZERO_ERROR_POISONED";
    case ZERO_ERROR_COMMUNICATION:
      return "ZERO_ERROR_COMMUNICATION";
    case ZERO_ERROR_CHECKPOINT:
      return "ZERO_ERROR_CHECKPOINT";
    case ZERO_ERROR_LIBRARY:
      return "ZERO_ERROR_LIBRARY";
    case ZERO_ERROR_OUT_OF_MEMORY:
      return "ZERO_ERROR_OUT_OF_MEMORY";
    case ZERO_ERROR_UNEXPECTED:
      return "ZERO_ERROR_UNEXPECTED";
    case ZERO_ERROR_NULL_HANDLE:
      return "ZERO_ERROR_NULL_HANDLE";
    case ZERO_ERROR_STALE_HANDLE:
      return "ZERO_ERROR_STALE_HANDLE";
    case ZERO_ERROR_FOREIGN_HANDLE:
      return "ZERO_ERROR_FOREIGN_HANDLE";
    case ZERO_ERROR_IN_USE:
      return "ZERO_ERROR_IN_USE";
    case ZERO_ERROR_ARGUMENT:
      return "ZERO_ERROR_ARGUMENT";
    case ZERO_ERROR_STRUCT_SIZE:
      return "ZERO_ERROR_STRUCT_SIZE";
    case ZERO_ERROR_RANK_FUNCTION:
      return "ZERO_ERROR_RANK_FUNCTION";
    default:
      return "unknown";
  }
}

// ------------------------------------------------------------------------------------------------- ranks

zero_status zero_world_run(int32_t ranks, zero_world_options const* options, zero_rank_function function,
                           void* context) {
  zero_status result = ZERO_OK;
  auto const status = guarded([&] {
    if (function == nullptr) fail(ZERO_ERROR_ARGUMENT, {"zero_world_run: function is null: pass what a rank does"});
    result = WorldRun(make_world(ranks, options, "zero_world_run"), function, context).run();
  });
  return status != ZERO_OK ? status : result;
}

zero_status zero_world_create(int32_t ranks, zero_world_options const* options, zero_world** world) {
  return guarded([&] {
    auto& made = required(world, "zero_world_create", "world");
    auto object = std::make_unique<World>(World{make_world(ranks, options, "zero_world_create")});
    made = handles().add(Kind::world, object.get()).as<zero_world>();
    (void)object.release();
  });
}

zero_status zero_world_take_rank(zero_world* world, int32_t number, zero_rank** rank) {
  return guarded([&] {
    Locked<World> const held(world, "zero_world_take_rank", Access::shared);
    auto& taken = required(rank, "zero_world_take_rank", "rank");
    taken = take_rank(held->state, number, "zero_world_take_rank").as<zero_rank>();
  });
}

zero_status zero_world_free(zero_world* world) {
  return guarded([&] { free_world(Handle(world), "zero_world_free"); });
}

zero_status zero_rank_create(zero_rank** rank) {
  return guarded([&] {
    auto& made = required(rank, "zero_rank_create", "rank");
    made = take_rank(make_world(1, nullptr, "zero_rank_create"), 0, "zero_rank_create").as<zero_rank>();
  });
}

zero_status zero_rank_place(zero_rank const* rank, int32_t* number, int32_t* count) {
  return guarded([&] {
    Locked<Rank> const held(rank, "zero_rank_place", Access::shared);
    if (number != nullptr) *number = held->communicator.rank();
    if (count != nullptr) *count = held->communicator.size();
  });
}

zero_status zero_rank_fail(zero_rank* rank, char const* reason) {
  return guarded([&] {
    Locked<Rank> const held(rank, "zero_rank_fail", Access::shared);
    auto const why = required_text(reason, "zero_rank_fail", "reason");
    held->state->group->fail(held->communicator.rank(), zero::detail::concat({"failed: ", why}));
  });
}

zero_status zero_rank_free(zero_rank* rank) {
  return guarded([&] { free_rank(Handle(rank), "zero_rank_free"); });
}

// ------------------------------------------------------------------------------------------------- parameters

zero_status zero_parameter_list_create(zero_parameter_list** list) {
  return guarded([&] {
    auto& made = required(list, "zero_parameter_list_create", "list");
    auto object = std::make_unique<List>();
    made = handles().add(Kind::parameter_list, object.get()).as<zero_parameter_list>();
    (void)object.release();
  });
}

zero_status zero_parameter_list_add_group(zero_parameter_list* list, zero_parameter_group const* group,
                                          uint32_t* index) {
  return guarded([&] {
    Locked<List> const held(list, "zero_parameter_list_add_group");
    auto const given = read_struct(group, "zero_parameter_list_add_group", "group");
    auto& made = required(index, "zero_parameter_list_add_group", "index");
    refuse_unknown_flags(given.set, ZERO_GROUP_LR_FACTOR | ZERO_GROUP_WEIGHT_DECAY, "zero_parameter_list_add_group",
                         "group.set");
    zero::ParameterGroup added;
    if ((given.set & ZERO_GROUP_LR_FACTOR) != 0) added.lr_factor = given.lr_factor;
    if ((given.set & ZERO_GROUP_WEIGHT_DECAY) != 0) added.weight_decay = given.weight_decay;
    made = held->parameters.add_group(added).index;
  });
}

zero_status zero_parameter_list_add(zero_parameter_list* list, zero_parameter_spec const* spec, uint32_t* id) {
  return guarded([&] {
    Locked<List> const held(list, "zero_parameter_list_add");
    auto const given = read_struct(spec, "zero_parameter_list_add", "spec");
    auto const added = held->parameters.add(spec_of(given, "zero_parameter_list_add"));
    if (id != nullptr) *id = added.index;
  });
}

zero_status zero_parameter_list_add_flat(zero_parameter_list* list, zero_flat_model const* model) {
  return guarded([&] {
    Locked<List> const held(list, "zero_parameter_list_add_flat");
    add_flat(held->parameters, model, "zero_parameter_list_add_flat");
  });
}

zero_status zero_parameter_list_count(zero_parameter_list const* list, size_t* count) {
  return guarded([&] {
    Locked<List> const held(list, "zero_parameter_list_count", Access::shared);
    required(count, "zero_parameter_list_count", "count") = held->parameters.specs().size();
  });
}

zero_status zero_parameter_list_find(zero_parameter_list const* list, char const* name, uint32_t* id) {
  return guarded([&] {
    Locked<List> const held(list, "zero_parameter_list_find", Access::shared);
    auto const wanted = required_text(name, "zero_parameter_list_find", "name");
    auto& found = required(id, "zero_parameter_list_find", "id");
    found = zero::detail::find_parameter(held->parameters, wanted).index;
  });
}

zero_status zero_parameter_list_unit(zero_parameter_list const* list, uint32_t unit, uint32_t* ids, size_t capacity,
                                     size_t* count) {
  return guarded([&] {
    Locked<List> const held(list, "zero_parameter_list_unit", Access::shared);
    auto const room = required_array(ids, capacity, "zero_parameter_list_unit", "ids");
    auto& found = required(count, "zero_parameter_list_unit", "count");
    found = 0;
    auto const& specs = held->parameters.specs();
    for (std::uint32_t i = 0; i < specs.size(); ++i) {
      if (static_cast<std::uint32_t>(specs[i].unit) != unit) continue;
      if (found < capacity) room[found] = i;
      ++found;
    }
  });
}

zero_status zero_parameter_list_free(zero_parameter_list* list) {
  return guarded([&] {
    Locked<List> held(list, "zero_parameter_list_free");
    delete held.remove();
  });
}

// ------------------------------------------------------------------------------------------------- engines

zero_status zero_engine_create(zero_rank* rank, zero_parameter_list const* list, zero_setting const* settings,
                               size_t count, zero_engine** engine) {
  return guarded([&] {
    Locked<Rank> const held(rank, "zero_engine_create");
    Locked<List> const parameters(list, "zero_engine_create", Access::shared);
    auto& made = required(engine, "zero_engine_create", "engine");
    made = make_engine_on(*held, parameters->parameters, settings, count, "zero_engine_create");
  });
}

zero_status zero_engine_create_flat(zero_rank* rank, zero_flat_model const* model, zero_setting const* settings,
                                    size_t count, zero_engine** engine) {
  return guarded([&] {
    Locked<Rank> const held(rank, "zero_engine_create_flat");
    auto& made = required(engine, "zero_engine_create_flat", "engine");
    zero::ParameterList list;
    add_flat(list, model, "zero_engine_create_flat");
    made = make_engine_on(*held, list, settings, count, "zero_engine_create_flat");
  });
}

zero_status zero_engine_free(zero_engine* engine) {
  return guarded([&] { free_engine(Handle(engine), "zero_engine_free"); });
}

zero_status zero_engine_get_info(zero_engine* engine, zero_engine_info* info) {
  return guarded([&] {
    Locked<Engine> const held(engine, "zero_engine_get_info");
    Filled<zero_engine_info> const filled(info, "zero_engine_get_info", "info");
    auto& e = *held;
    auto const& ranks = e.rank->communicator;
    auto const& config = e.visit([](auto& typed) -> auto const& { return typed.config(); });
    auto const state = e.visit([](auto& typed) { return typed.step_state(); });
    filled.write({.size = 0,
                  .rank = ranks.rank(),
                  .ranks = ranks.size(),
                  .stage = static_cast<int32_t>(config.stage),
                  .type = static_cast<int32_t>(e.engine.index()),
                  .rule = e.rule.c_str(),
                  .states = e.states,
                  .parameters = e.parameters.specs().size(),
                  .micro_batches = rounds_of(config, ranks.size()),
                  .sequences = e.sequences,
                  .steps_per_print = e.steps_per_print,
                  .steps = state.steps,
                  .skipped_steps = state.skipped,
                  .skipped_in_row = state.skipped_in_row,
                  .lr = lr_of(e, step_options_of(e, nullptr, "zero_engine_get_info")),
                  .loss_scale = state.scale});
  });
}

zero_status zero_engine_find(zero_engine* engine, char const* name, uint32_t* id) {
  return guarded([&] {
    Locked<Engine> const held(engine, "zero_engine_find");
    auto const wanted = required_text(name, "zero_engine_find", "name");
    auto& found = required(id, "zero_engine_find", "id");
    found = zero::detail::find_parameter(held->parameters, wanted).index;
  });
}

zero_status zero_engine_parameter(zero_engine* engine, uint32_t id, char const** name, size_t* count) {
  return guarded([&] {
    Locked<Engine> const held(engine, "zero_engine_parameter");
    auto const& spec = held->spec(id);
    if (name != nullptr) *name = spec.name.c_str();
    if (count != nullptr) *count = zero::ParameterList::element_count(spec.shape);
  });
}

// ------------------------------------------------------------------------------------------------- steps

zero_status zero_engine_accumulate(zero_engine* engine) {
  return guarded([&] {
    Locked<Engine> const held(engine, "zero_engine_accumulate");
    held->visit([](auto& typed) { typed.accumulate(); });
  });
}

zero_status zero_engine_update(zero_engine* engine, zero_step_options const* options, zero_step_report* report) {
  return guarded([&] {
    take_step(engine, options, report, "zero_engine_update",
              [](auto& typed, zero::StepOptions const& o) { return typed.update(o).get(); });
  });
}

zero_status zero_engine_begin_micro_batch(zero_engine* engine, int64_t* index, int32_t* contributes) {
  return guarded([&] {
    Locked<Engine> const held(engine, "zero_engine_begin_micro_batch");
    auto begun = held->visit([](auto& typed) { return typed.begin_micro_batch(); });
    held->micro_batch.reset();  // one that was broken
    auto const& micro_batch = held->micro_batch.emplace(std::move(begun));
    if (index != nullptr) *index = micro_batch.index();
    if (contributes != nullptr) *contributes = micro_batch.contributes() ? 1 : 0;
  });
}

zero_status zero_engine_finish_micro_batch(zero_engine* engine) {
  return guarded([&] {
    Locked<Engine> const held(engine, "zero_engine_finish_micro_batch");
    if (!held->micro_batch) {
      throw zero::SequenceError(
          "zero_engine_finish_micro_batch: no micro-batch is open: call zero_engine_begin_micro_batch first");
    }
    auto micro_batch = std::move(*held->micro_batch);
    held->micro_batch.reset();
    micro_batch.finish();
  });
}

zero_status zero_engine_discard_gradients(zero_engine* engine) {
  return guarded([&] {
    Locked<Engine> const held(engine, "zero_engine_discard_gradients");
    held->visit([](auto& typed) { typed.discard_gradients(); });
    held->micro_batch.reset();
  });
}

zero_status zero_engine_step(zero_engine* engine, zero_step_options const* options, zero_step_report* report) {
  return guarded([&] {
    take_step(engine, options, report, "zero_engine_step",
              [](auto& typed, zero::StepOptions const& o) { return typed.step(o).get(); });
  });
}

zero_status zero_engine_loss_scale(zero_engine* engine, float* scale) {
  return guarded([&] {
    Locked<Engine> const held(engine, "zero_engine_loss_scale");
    auto& wanted = required(scale, "zero_engine_loss_scale", "scale");
    wanted = held->visit([](auto& typed) { return typed.loss_scale().value(); });
  });
}

zero_status zero_engine_finish_update(zero_engine* engine) {
  return guarded([&] {
    Locked<Engine> const held(engine, "zero_engine_finish_update");
    held->visit([](auto& typed) { typed.finish_update(); });
  });
}

// ------------------------------------------------------------------------------------------------- leases

zero_status zero_engine_gather(zero_engine* engine, uint32_t const* ids, size_t count, zero_parameter_lease** lease) {
  return make_lease<ParameterLeaseObject>(engine, ids, count, lease, "zero_engine_gather",
                                          [](auto& typed, auto const& wanted) { return typed.gather(wanted); });
}

zero_status zero_parameter_lease_values(zero_parameter_lease* lease, uint32_t id, void const** values, size_t* count) {
  return lease_values<ParameterLeaseObject>(lease, id, values, count, "zero_parameter_lease_values");
}

zero_status zero_parameter_lease_end(zero_parameter_lease* lease) {
  return end_lease<ParameterLeaseObject>(lease, "zero_parameter_lease_end");
}

zero_status zero_engine_gradients(zero_engine* engine, uint32_t const* ids, size_t count, zero_gradient_lease** lease) {
  return make_lease<GradientLeaseObject>(engine, ids, count, lease, "zero_engine_gradients",
                                         [](auto& typed, auto const& wanted) { return typed.gradients(wanted); });
}

zero_status zero_gradient_lease_values(zero_gradient_lease* lease, uint32_t id, void** values, size_t* count) {
  return lease_values<GradientLeaseObject>(lease, id, values, count, "zero_gradient_lease_values");
}

zero_status zero_gradient_lease_target(zero_gradient_lease* lease, uint32_t id, void** values, size_t* count,
                                       int32_t* adds) {
  return guarded([&] {
    LockedLease<GradientLeaseObject> const held(lease, "zero_gradient_lease_target");
    auto& place = required(values, "zero_gradient_lease_target", "values");
    auto& is_to_add = required(adds, "zero_gradient_lease_target", "adds");
    std::visit(
        [&](auto& typed) {
          auto const target = typed.write(zero::ParameterId{id});
          place = target.values.data();
          is_to_add = target.adds ? 1 : 0;
          if (count != nullptr) *count = target.values.size();
        },
        held->lease);
  });
}

zero_status zero_gradient_lease_written(zero_gradient_lease* lease, uint32_t const* ids, size_t count) {
  return guarded([&] {
    LockedLease<GradientLeaseObject> const held(lease, "zero_gradient_lease_written");
    auto const wanted = ids_of(held.engine(), ids, count, "zero_gradient_lease_written");
    std::visit([&](auto& typed) { typed.written(wanted); }, held->lease);
  });
}

zero_status zero_gradient_lease_ready(zero_gradient_lease* lease) {
  return guarded([&] {
    LockedLease<GradientLeaseObject> held(lease, "zero_gradient_lease_ready");
    auto taken = held.take();
    std::visit([](auto& typed) { typed.ready(); }, taken);
  });
}

zero_status zero_gradient_lease_end(zero_gradient_lease* lease) {
  return end_lease<GradientLeaseObject>(lease, "zero_gradient_lease_end");
}

// ------------------------------------------------------------------------------------------------- values

zero_status zero_engine_read_parameter(zero_engine* engine, uint32_t id, float* values, size_t count) {
  return read_values(engine, id, values, count, "zero_engine_read_parameter",
                     [](auto& typed, zero::ParameterId p) { return typed.read_parameter(p); });
}

zero_status zero_engine_write_parameter(zero_engine* engine, uint32_t id, float const* values, size_t count) {
  return write_values(engine, id, values, count, "zero_engine_write_parameter",
                      [](auto& typed, zero::ParameterId p, auto const& whole) { typed.write_parameter(p, whole); });
}

zero_status zero_engine_read_gradient(zero_engine* engine, uint32_t id, float* values, size_t count) {
  return read_values(engine, id, values, count, "zero_engine_read_gradient",
                     [](auto& typed, zero::ParameterId p) { return typed.read_gradient(p); });
}

zero_status zero_engine_write_gradient(zero_engine* engine, uint32_t id, float const* values, size_t count) {
  return write_values(engine, id, values, count, "zero_engine_write_gradient",
                      [](auto& typed, zero::ParameterId p, auto const& whole) { typed.write_gradient(p, whole); });
}

zero_status zero_engine_read_state(zero_engine* engine, uint32_t id, size_t state, float* values, size_t count) {
  return read_values(engine, id, values, count, "zero_engine_read_state",
                     [&](auto& typed, zero::ParameterId p) { return typed.read_state(p, state); });
}

zero_status zero_engine_write_state(zero_engine* engine, uint32_t id, size_t state, float const* values, size_t count) {
  return write_values(engine, id, values, count, "zero_engine_write_state",
                      [&](auto& typed, zero::ParameterId p, auto const& whole) { typed.write_state(p, state, whole); });
}

zero_status zero_engine_take_adopted_values(zero_engine* engine) {
  return guarded([&] {
    Locked<Engine> const held(engine, "zero_engine_take_adopted_values");
    held->visit([](auto& typed) { typed.take_adopted_values(); });
  });
}

zero_status zero_engine_mean_over_ranks(zero_engine* engine, double value, double weight, double* mean) {
  return guarded([&] {
    Locked<Engine> const held(engine, "zero_engine_mean_over_ranks");
    auto& result = required(mean, "zero_engine_mean_over_ranks", "mean");
    result = held->visit([&](auto& typed) { return typed.mean_over_ranks(value, weight); });
  });
}

zero_status zero_engine_broadcast(zero_engine* engine, void* data, size_t count, size_t element_size, int32_t root) {
  return guarded([&] {
    Locked<Engine> const held(engine, "zero_engine_broadcast");
    if (count > 0) (void)required(static_cast<char*>(data), "zero_engine_broadcast", "data");
    if (element_size == 0 || count > SIZE_MAX / element_size) {
      fail(ZERO_ERROR_ARGUMENT, {"zero_engine_broadcast: ", count, " elements of ", element_size,
                                 " bytes: pass the size of one element, and how many there are"});
    }
    std::span const bytes(static_cast<std::byte*>(data), count * element_size);
    held->visit([&](auto& typed) { typed.broadcast_bytes(bytes, element_size, root); });
  });
}

// ------------------------------------------------------------------------------------------------- reports

zero_status zero_engine_memory(zero_engine* engine, zero_memory_report* report) {
  return guarded([&] {
    Locked<Engine> const held(engine, "zero_engine_memory");
    Filled<zero_memory_report> const filled(report, "zero_engine_memory", "report");
    auto const& memory = held->visit([](auto& typed) -> auto const& { return typed.memory(); });
    using Purpose = zero::MemoryPurpose;
    filled.write({.size = 0,
                  .total = memory.total(),
                  .parameters = memory.bytes(Purpose::parameters),
                  .gathered = memory.bytes(Purpose::gathered),
                  .gradients = memory.bytes(Purpose::gradients),
                  .gradient_slots = memory.bytes(Purpose::gradient_slots),
                  .gradient_sums = memory.bytes(Purpose::gradient_sums),
                  .local_sums = memory.bytes(Purpose::local_sums),
                  .master = memory.bytes(Purpose::master),
                  .optimizer_states = memory.bytes(Purpose::optimizer_states),
                  .staging = memory.bytes(Purpose::staging),
                  .control = memory.bytes(Purpose::control)});
  });
}

zero_status zero_engine_traffic(zero_engine* engine, zero_traffic* traffic) {
  return guarded([&] {
    Locked<Engine> const held(engine, "zero_engine_traffic");
    Filled<zero_traffic> const filled(traffic, "zero_engine_traffic", "traffic");
    auto const& sent = held->visit([](auto& typed) -> auto const& { return typed.traffic(); });
    filled.write({.size = 0,
                  .gradients = sent.gradients,
                  .gradient_sums = sent.gradient_sums,
                  .parameters = sent.parameters,
                  .gathered = sent.gathered,
                  .evaluation = sent.evaluation,
                  .access = sent.access,
                  .control_words = sent.control_words,
                  .collectives = sent.collectives});
  });
}

// ------------------------------------------------------------------------------------------------- checkpoints

zero_status zero_engine_save(zero_engine* engine, char const* folder, zero_save_options const* options,
                             zero_save_report* report) {
  return guarded([&] {
    Locked<Engine> const held(engine, "zero_engine_save");
    FilledOrNull<zero_save_report> const filled(report, "zero_engine_save", "report");
    std::string const root(required_text(folder, "zero_engine_save", "folder"));
    auto const asked = save_options_of(options, "zero_engine_save");
    auto const state = held->visit([](auto& typed) { return typed.state(); });
    auto const done = zero::save_checkpoint(*state, zero::CheckpointFolder(zero::posix_file_system(), root), asked);
    held->save_warnings = joined(done.warnings);
    filled.write({.size = 0, .steps = done.steps, .bytes = done.bytes, .warnings = held->save_warnings.c_str()});
  });
}

zero_status zero_engine_load(zero_engine* engine, char const* folder, zero_load_options const* options,
                             zero_load_report* report) {
  return guarded([&] { load(engine, folder, options, report, "zero_engine_load", false); });
}

zero_status zero_engine_resume(zero_engine* engine, char const* folder, zero_load_options const* options,
                               zero_load_report* report) {
  return guarded([&] { load(engine, folder, options, report, "zero_engine_resume", true); });
}

zero_status zero_engine_client_state(zero_engine* engine, char const* key, char const** text) {
  return guarded([&] {
    Locked<Engine> const held(engine, "zero_engine_client_state");
    std::string const wanted(required_text(key, "zero_engine_client_state", "key"));
    auto& found = required(text, "zero_engine_client_state", "text");
    auto const at = held->client_state.find(wanted);
    found = at == held->client_state.end() ? nullptr : at->second.c_str();
  });
}

}  // extern "C"
