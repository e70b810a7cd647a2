// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What each function of the C interface gets for what it must not be given: a status and a sentence. The first table
// has a row for every function that the library exports.

#include <zero/c.h>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <vector>

#include <dlfcn.h>
#include <unistd.h>

namespace c_misuse_test {

namespace {

// ------------------------------------------------------------------------------------------------- the table

enum class Kind : std::uint8_t { none, world, rank, list, engine, parameter_lease, gradient_lease };
constexpr std::size_t kinds = 7;

/// One function, called with \p handle in the place of its handle and with what is right for the rest.
struct Row {
  char const* name;
  Kind kind;
  std::function<zero_status(void* handle)> call{};  // empty: it has no handle
};

zero_world* world_of(void* handle) { return static_cast<zero_world*>(handle); }
zero_rank* rank_of(void* handle) { return static_cast<zero_rank*>(handle); }
zero_parameter_list* list_of(void* handle) { return static_cast<zero_parameter_list*>(handle); }
zero_engine* engine_of(void* handle) { return static_cast<zero_engine*>(handle); }
zero_parameter_lease* parameters_of(void* handle) { return static_cast<zero_parameter_lease*>(handle); }
zero_gradient_lease* gradients_of(void* handle) { return static_cast<zero_gradient_lease*>(handle); }

template <class Struct>
Struct sized() {
  Struct made{};
  made.size = sizeof made;
  return made;
}

constexpr std::size_t elements = 4;
float initial[elements] = {1, 2, 3, 4};
float values[elements], gradients[elements];
std::size_t const shape[1] = {elements};

zero_parameter_spec spec(char const* name) {
  auto made = sized<zero_parameter_spec>();
  made.name = name;
  made.shape = shape;
  made.dimensions = 1;
  return made;
}
zero_flat_model flat() {
  auto made = sized<zero_flat_model>();
  made.values = values;
  made.gradients = gradients;
  made.sizes = shape;
  made.tensors = 1;
  return made;
}

// What results are written to.
struct Results {
  zero_world* world = nullptr;
  zero_rank* rank = nullptr;
  zero_parameter_list* list = nullptr;
  zero_engine* engine = nullptr;
  zero_parameter_lease* parameters = nullptr;
  zero_gradient_lease* gradient_lease = nullptr;
  std::int32_t number = 0, flag = 0;
  std::int64_t index = 0;
  std::uint32_t id = 0, ids[4] = {};
  std::size_t count = 0;
  float scale = 0;
  double mean = 0;
  char const* text = nullptr;
  void const* data = nullptr;
  void* place = nullptr;
  float values[elements] = {};
};
Results r;

int do_nothing(zero_rank* /*rank*/, void* /*context*/) { return 0; }

zero_save_options save_options() {
  auto made = sized<zero_save_options>();
  made.tag = "step-1";
  return made;
}

std::vector<Row> const& table() {
  static std::uint32_t const first = 0;
  static auto group = sized<zero_parameter_group>();
  static auto parameter = spec("w");
  static auto model = flat();
  static auto options = save_options();
  static auto info = sized<zero_engine_info>();
  static auto memory = sized<zero_memory_report>();
  static auto traffic = sized<zero_traffic>();
  static std::vector<Row> const rows{
      {"zero_version", Kind::none},
      {"zero_last_error", Kind::none},
      {"zero_last_status", Kind::none},
      {"zero_last_error_info", Kind::none},
      {"zero_status_name", Kind::none},
      {"zero_world_run", Kind::none},
      {"zero_world_create", Kind::none},
      {"zero_world_take_rank", Kind::world, [](void* h) { return zero_world_take_rank(world_of(h), 0, &r.rank); }},
      {"zero_world_free", Kind::world, [](void* h) { return zero_world_free(world_of(h)); }},
      {"zero_rank_create", Kind::none},
      {"zero_rank_place", Kind::rank, [](void* h) { return zero_rank_place(rank_of(h), &r.number, &r.number); }},
      {"zero_rank_fail", Kind::rank, [](void* h) { return zero_rank_fail(rank_of(h), "test"); }},
      {"zero_rank_free", Kind::rank, [](void* h) { return zero_rank_free(rank_of(h)); }},
      {"zero_parameter_list_create", Kind::none},
      {"zero_parameter_list_add_group", Kind::list,
       [](void* h) { return zero_parameter_list_add_group(list_of(h), &group, &r.id); }},
      {"zero_parameter_list_add", Kind::list,
       [](void* h) { return zero_parameter_list_add(list_of(h), &parameter, &r.id); }},
      {"zero_parameter_list_add_flat", Kind::list,
       [](void* h) { return zero_parameter_list_add_flat(list_of(h), &model); }},
      {"zero_parameter_list_count", Kind::list,
       [](void* h) { return zero_parameter_list_count(list_of(h), &r.count); }},
      {"zero_parameter_list_find", Kind::list,
       [](void* h) { return zero_parameter_list_find(list_of(h), "w", &r.id); }},
      {"zero_parameter_list_unit", Kind::list,
       [](void* h) { return zero_parameter_list_unit(list_of(h), 0, r.ids, 4, &r.count); }},
      {"zero_parameter_list_free", Kind::list, [](void* h) { return zero_parameter_list_free(list_of(h)); }},
      {"zero_engine_create", Kind::rank,
       [](void* h) { return zero_engine_create(rank_of(h), nullptr, nullptr, 0, &r.engine); }},
      {"zero_engine_create_flat", Kind::rank,
       [](void* h) { return zero_engine_create_flat(rank_of(h), &model, nullptr, 0, &r.engine); }},
      {"zero_engine_free", Kind::engine, [](void* h) { return zero_engine_free(engine_of(h)); }},
      {"zero_engine_get_info", Kind::engine, [](void* h) { return zero_engine_get_info(engine_of(h), &info); }},
      {"zero_engine_find", Kind::engine, [](void* h) { return zero_engine_find(engine_of(h), "w", &r.id); }},
      {"zero_engine_parameter", Kind::engine,
       [](void* h) { return zero_engine_parameter(engine_of(h), 0, &r.text, &r.count); }},
      {"zero_engine_accumulate", Kind::engine, [](void* h) { return zero_engine_accumulate(engine_of(h)); }},
      {"zero_engine_update", Kind::engine, [](void* h) { return zero_engine_update(engine_of(h), nullptr, nullptr); }},
      {"zero_engine_begin_micro_batch", Kind::engine,
       [](void* h) { return zero_engine_begin_micro_batch(engine_of(h), &r.index, &r.flag); }},
      {"zero_engine_finish_micro_batch", Kind::engine,
       [](void* h) { return zero_engine_finish_micro_batch(engine_of(h)); }},
      {"zero_engine_discard_gradients", Kind::engine,
       [](void* h) { return zero_engine_discard_gradients(engine_of(h)); }},
      {"zero_engine_step", Kind::engine, [](void* h) { return zero_engine_step(engine_of(h), nullptr, nullptr); }},
      {"zero_engine_loss_scale", Kind::engine, [](void* h) { return zero_engine_loss_scale(engine_of(h), &r.scale); }},
      {"zero_engine_finish_update", Kind::engine, [](void* h) { return zero_engine_finish_update(engine_of(h)); }},
      {"zero_engine_gather", Kind::engine,
       [](void* h) { return zero_engine_gather(engine_of(h), &first, 1, &r.parameters); }},
      {"zero_parameter_lease_values", Kind::parameter_lease,
       [](void* h) { return zero_parameter_lease_values(parameters_of(h), 0, &r.data, &r.count); }},
      {"zero_parameter_lease_end", Kind::parameter_lease,
       [](void* h) { return zero_parameter_lease_end(parameters_of(h)); }},
      {"zero_engine_gradients", Kind::engine,
       [](void* h) { return zero_engine_gradients(engine_of(h), &first, 1, &r.gradient_lease); }},
      {"zero_gradient_lease_values", Kind::gradient_lease,
       [](void* h) { return zero_gradient_lease_values(gradients_of(h), 0, &r.place, &r.count); }},
      {"zero_gradient_lease_target", Kind::gradient_lease,
       [](void* h) { return zero_gradient_lease_target(gradients_of(h), 0, &r.place, &r.count, &r.flag); }},
      {"zero_gradient_lease_written", Kind::gradient_lease,
       [](void* h) { return zero_gradient_lease_written(gradients_of(h), &first, 1); }},
      {"zero_gradient_lease_ready", Kind::gradient_lease,
       [](void* h) { return zero_gradient_lease_ready(gradients_of(h)); }},
      {"zero_gradient_lease_end", Kind::gradient_lease,
       [](void* h) { return zero_gradient_lease_end(gradients_of(h)); }},
      {"zero_engine_read_parameter", Kind::engine,
       [](void* h) { return zero_engine_read_parameter(engine_of(h), 0, r.values, elements); }},
      {"zero_engine_write_parameter", Kind::engine,
       [](void* h) { return zero_engine_write_parameter(engine_of(h), 0, initial, elements); }},
      {"zero_engine_read_gradient", Kind::engine,
       [](void* h) { return zero_engine_read_gradient(engine_of(h), 0, r.values, elements); }},
      {"zero_engine_write_gradient", Kind::engine,
       [](void* h) { return zero_engine_write_gradient(engine_of(h), 0, initial, elements); }},
      {"zero_engine_read_state", Kind::engine,
       [](void* h) { return zero_engine_read_state(engine_of(h), 0, 0, r.values, elements); }},
      {"zero_engine_write_state", Kind::engine,
       [](void* h) { return zero_engine_write_state(engine_of(h), 0, 0, initial, elements); }},
      {"zero_engine_take_adopted_values", Kind::engine,
       [](void* h) { return zero_engine_take_adopted_values(engine_of(h)); }},
      {"zero_engine_mean_over_ranks", Kind::engine,
       [](void* h) { return zero_engine_mean_over_ranks(engine_of(h), 1.0, 1.0, &r.mean); }},
      {"zero_engine_broadcast", Kind::engine,
       [](void* h) { return zero_engine_broadcast(engine_of(h), r.values, elements, sizeof(float), 0); }},
      {"zero_engine_memory", Kind::engine, [](void* h) { return zero_engine_memory(engine_of(h), &memory); }},
      {"zero_engine_traffic", Kind::engine, [](void* h) { return zero_engine_traffic(engine_of(h), &traffic); }},
      {"zero_engine_save", Kind::engine,
       [](void* h) { return zero_engine_save(engine_of(h), "nowhere", &options, nullptr); }},
      {"zero_engine_load", Kind::engine,
       [](void* h) { return zero_engine_load(engine_of(h), "nowhere", nullptr, nullptr); }},
      {"zero_engine_resume", Kind::engine,
       [](void* h) { return zero_engine_resume(engine_of(h), "nowhere", nullptr, nullptr); }},
      {"zero_engine_client_state", Kind::engine,
       [](void* h) { return zero_engine_client_state(engine_of(h), "key", &r.text); }},
  };
  return rows;
}

// ------------------------------------------------------------------------------------------------- what is passed

void succeed(zero_status status) {
  std::string const sentence = status == ZERO_OK ? "" : zero_last_error();
  CAPTURE(sentence);
  REQUIRE(status == ZERO_OK);
}

/// Expects \p status, and a sentence in which \p says stands.
void expect(zero_status got, zero_status status, std::string_view says) {
  std::string const sentence = zero_last_error();
  CAPTURE(sentence);
  CHECK(std::string(zero_status_name(got)) == zero_status_name(status));
  CHECK(sentence.find(says) != std::string::npos);
  CHECK(sentence.find('\n') == std::string::npos);
  auto info = sized<zero_error_info>();
  REQUIRE(zero_last_error_info(&info) == ZERO_OK);
  CHECK(info.status == got);
  CHECK(zero_last_status() == got);
}

/// A handle of every kind that lives: a world of one rank, its engine and two leases inside a micro-batch, and a list.
struct Living {
  explicit Living(char const* stage = "1") {
    succeed(zero_world_create(1, nullptr, &world));
    succeed(zero_world_take_rank(world, 0, &rank));
    succeed(zero_parameter_list_create(&list));
    auto w = spec("w");
    w.initial = initial;
    succeed(zero_parameter_list_add(list, &w, nullptr));
    zero_setting const settings[] = {{"stage", stage, 0.0}};
    succeed(zero_engine_create(rank, list, settings, 1, &engine));
  }
  Living(Living const&) = delete;
  Living& operator=(Living const&) = delete;
  ~Living() {
    zero_world_free(world);
    zero_parameter_list_free(list);
  }

  void lease() {
    succeed(zero_engine_begin_micro_batch(engine, nullptr, nullptr));
    succeed(zero_engine_gather(engine, &first, 1, &weights));
    succeed(zero_engine_gradients(engine, &first, 1, &places));
  }
  [[nodiscard]] std::array<void*, kinds> handles() const {
    return {nullptr, world, rank, list, engine, weights, places};
  }

  std::uint32_t const first = 0;
  zero_world* world = nullptr;
  zero_rank* rank = nullptr;
  zero_parameter_list* list = nullptr;
  zero_engine* engine = nullptr;
  zero_parameter_lease* weights = nullptr;
  zero_gradient_lease* places = nullptr;
};

/// The functions that tests/c/interface.txt says the library exports.
std::vector<std::string> exported() {
  std::ifstream file(INTERFACE_RECORD);
  std::vector<std::string> names;
  bool exports = false;
  for (std::string line; std::getline(file, line);) {
    if (exports) names.push_back(line.substr(2));
    exports = exports || line == "exports";
  }
  return names;
}

TEST_CASE("c misuse: the table has a row for every function of the library") {
  std::vector<std::string> rows;
  for (auto const& row : table()) rows.emplace_back(row.name);
  std::sort(rows.begin(), rows.end());
  auto const names = exported();
  CHECK(names.size() > 50);
  CHECK(rows == names);
}

// ------------------------------------------------------------------------------------------------- handles

TEST_CASE("c misuse: a null handle is refused by every function") {
  for (auto const& row : table()) {
    if (!row.call) continue;
    CAPTURE(row.name);
    expect(row.call(nullptr), ZERO_ERROR_NULL_HANDLE, row.name);
  }
}

TEST_CASE("c misuse: a freed handle is refused by every function") {
  Living living;
  living.lease();
  auto const handles = living.handles();
  succeed(zero_world_free(living.world));
  succeed(zero_parameter_list_free(living.list));
  Living const others;  // which have their slots now
  for (auto const& row : table()) {
    if (!row.call) continue;
    CAPTURE(row.name);
    expect(row.call(handles[static_cast<std::size_t>(row.kind)]), ZERO_ERROR_STALE_HANDLE, row.name);
  }
}

TEST_CASE("c misuse: a handle of another type is refused by every function") {
  Living living;
  living.lease();
  auto const handles = living.handles();
  for (auto const& row : table()) {
    if (!row.call) continue;
    for (std::size_t kind = 1; kind < kinds; ++kind) {
      if (kind == static_cast<std::size_t>(row.kind)) continue;
      CAPTURE(row.name);
      CAPTURE(kind);
      expect(row.call(handles[kind]), ZERO_ERROR_FOREIGN_HANDLE, row.name);
    }
  }
}

TEST_CASE("c misuse: what is no handle at all is refused by every function") {
  int on_stack = 0;
  auto const on_heap = std::make_unique<int>(0);
  for (void* const number : {static_cast<void*>(&on_stack), static_cast<void*>(on_heap.get()),
                             reinterpret_cast<void*>(std::uintptr_t{1}), reinterpret_cast<void*>(UINTPTR_MAX),
                             reinterpret_cast<void*>(UINTPTR_MAX >> 1U), reinterpret_cast<void*>(&do_nothing)}) {
    for (auto const& row : table()) {
      if (!row.call) continue;
      CAPTURE(row.name);
      expect(row.call(number), ZERO_ERROR_FOREIGN_HANDLE, row.name);
    }
  }
}

/// A second copy of the library in this process.
class OtherCopy {
 public:
  OtherCopy() : path_("libzero_c_other." + std::to_string(::getpid()) + ".so") {
    std::filesystem::copy_file(ZERO_C_LIBRARY, path_);
    library_ = ::dlopen(("./" + path_).c_str(), RTLD_NOW | RTLD_LOCAL);
    REQUIRE(library_ != nullptr);
  }
  OtherCopy(OtherCopy const&) = delete;
  OtherCopy& operator=(OtherCopy const&) = delete;
  ~OtherCopy() {
    ::dlclose(library_);
    std::filesystem::remove(path_);
  }
  template <class Function>
  [[nodiscard]] Function* function(char const* name) const {
    return reinterpret_cast<Function*>(::dlsym(library_, name));
  }

 private:
  std::string path_;
  void* library_;
};

TEST_CASE("c misuse: a handle of another copy of the library is refused") {
  OtherCopy const other;
  zero_rank* rank = nullptr;
  REQUIRE(other.function<zero_status(zero_rank**)>("zero_rank_create")(&rank) == ZERO_OK);
  expect(zero_rank_place(rank, &r.number, nullptr), ZERO_ERROR_FOREIGN_HANDLE, "another copy of the library");
  REQUIRE(other.function<zero_status(zero_rank*)>("zero_rank_free")(rank) == ZERO_OK);
  expect(zero_rank_free(rank), ZERO_ERROR_FOREIGN_HANDLE, "another copy of the library");
}

// ------------------------------------------------------------------------------------------------- arguments

TEST_CASE("c misuse: null pointers are refused, and nothing has happened") {
  Living living;
  living.lease();
  auto* const e = living.engine;
  auto* const l = living.list;
  auto options = save_options();
  auto group = sized<zero_parameter_group>();
  using Call = std::function<zero_status()>;
  std::vector<std::pair<char const*, Call>> const calls{
      {"info", [] { return zero_last_error_info(nullptr); }},
      {"function", [] { return zero_world_run(1, nullptr, nullptr, nullptr); }},
      {"world", [] { return zero_world_create(1, nullptr, nullptr); }},
      {"rank", [&] { return zero_world_take_rank(living.world, 0, nullptr); }},
      {"rank", [] { return zero_rank_create(nullptr); }},
      {"reason", [&] { return zero_rank_fail(living.rank, nullptr); }},
      {"list", [] { return zero_parameter_list_create(nullptr); }},
      {"group", [&] { return zero_parameter_list_add_group(l, nullptr, &r.id); }},
      {"index", [&] { return zero_parameter_list_add_group(l, &group, nullptr); }},
      {"spec", [&] { return zero_parameter_list_add(l, nullptr, nullptr); }},
      {"model", [&] { return zero_parameter_list_add_flat(l, nullptr); }},
      {"count", [&] { return zero_parameter_list_count(l, nullptr); }},
      {"name", [&] { return zero_parameter_list_find(l, nullptr, &r.id); }},
      {"id", [&] { return zero_parameter_list_find(l, "w", nullptr); }},
      {"ids", [&] { return zero_parameter_list_unit(l, 0, nullptr, 1, &r.count); }},
      {"count", [&] { return zero_parameter_list_unit(l, 0, nullptr, 0, nullptr); }},
      {"engine", [&] { return zero_engine_create(living.rank, l, nullptr, 0, nullptr); }},
      {"engine", [&] { return zero_engine_create_flat(living.rank, nullptr, nullptr, 0, nullptr); }},
      {"model", [&] { return zero_engine_create_flat(living.rank, nullptr, nullptr, 0, &r.engine); }},
      {"info", [&] { return zero_engine_get_info(e, nullptr); }},
      {"name", [&] { return zero_engine_find(e, nullptr, &r.id); }},
      {"id", [&] { return zero_engine_find(e, "w", nullptr); }},
      {"scale", [&] { return zero_engine_loss_scale(e, nullptr); }},
      {"ids", [&] { return zero_engine_gather(e, nullptr, 1, &r.parameters); }},
      {"lease", [&] { return zero_engine_gather(e, &living.first, 1, nullptr); }},
      {"ids", [&] { return zero_engine_gradients(e, nullptr, 1, &r.gradient_lease); }},
      {"lease", [&] { return zero_engine_gradients(e, &living.first, 1, nullptr); }},
      {"values", [&] { return zero_parameter_lease_values(living.weights, 0, nullptr, nullptr); }},
      {"values", [&] { return zero_gradient_lease_values(living.places, 0, nullptr, nullptr); }},
      {"values", [&] { return zero_gradient_lease_target(living.places, 0, nullptr, nullptr, &r.flag); }},
      {"adds", [&] { return zero_gradient_lease_target(living.places, 0, &r.place, nullptr, nullptr); }},
      {"ids", [&] { return zero_gradient_lease_written(living.places, nullptr, 1); }},
      {"values", [&] { return zero_engine_read_parameter(e, 0, nullptr, elements); }},
      {"values", [&] { return zero_engine_write_parameter(e, 0, nullptr, elements); }},
      {"values", [&] { return zero_engine_read_gradient(e, 0, nullptr, elements); }},
      {"values", [&] { return zero_engine_write_gradient(e, 0, nullptr, elements); }},
      {"values", [&] { return zero_engine_read_state(e, 0, 0, nullptr, elements); }},
      {"values", [&] { return zero_engine_write_state(e, 0, 0, nullptr, elements); }},
      {"mean", [&] { return zero_engine_mean_over_ranks(e, 1, 1, nullptr); }},
      {"data", [&] { return zero_engine_broadcast(e, nullptr, 1, 4, 0); }},
      {"report", [&] { return zero_engine_memory(e, nullptr); }},
      {"traffic", [&] { return zero_engine_traffic(e, nullptr); }},
      {"folder", [&] { return zero_engine_save(e, nullptr, &options, nullptr); }},
      {"options", [&] { return zero_engine_save(e, "nowhere", nullptr, nullptr); }},
      {"folder", [&] { return zero_engine_load(e, nullptr, nullptr, nullptr); }},
      {"folder", [&] { return zero_engine_resume(e, nullptr, nullptr, nullptr); }},
      {"key", [&] { return zero_engine_client_state(e, nullptr, &r.text); }},
      {"text", [&] { return zero_engine_client_state(e, "key", nullptr); }},
  };
  for (auto const& [name, call] : calls) {
    std::string const argument = name;
    CAPTURE(argument);
    expect(call(), ZERO_ERROR_ARGUMENT, argument + " is null");
  }
  // The engine goes on as if nothing had been.
  succeed(zero_gradient_lease_values(living.places, 0, &r.place, nullptr));
  succeed(zero_gradient_lease_ready(living.places));
  succeed(zero_parameter_lease_end(living.weights));
  succeed(zero_engine_finish_micro_batch(e));
  succeed(zero_engine_step(e, nullptr, nullptr));
}

TEST_CASE("c misuse: sizes of structs are those of a release") {
  Living const living;
  auto* const e = living.engine;
  using Call = std::function<zero_status(void*)>;
  struct Case {
    char const* name;
    std::size_t size;
    Call call;
  };
  std::vector<Case> const cases{
      {"info", sizeof(zero_error_info), [](void* s) { return zero_last_error_info(static_cast<zero_error_info*>(s)); }},
      {"options", sizeof(zero_world_options),
       [](void* s) { return zero_world_run(1, static_cast<zero_world_options*>(s), do_nothing, nullptr); }},
      {"options", sizeof(zero_step_options),
       [&](void* s) { return zero_engine_step(e, static_cast<zero_step_options*>(s), nullptr); }},
      {"report", sizeof(zero_step_report),
       [&](void* s) { return zero_engine_update(e, nullptr, static_cast<zero_step_report*>(s)); }},
      {"info", sizeof(zero_engine_info),
       [&](void* s) { return zero_engine_get_info(e, static_cast<zero_engine_info*>(s)); }},
      {"report", sizeof(zero_memory_report),
       [&](void* s) { return zero_engine_memory(e, static_cast<zero_memory_report*>(s)); }},
      {"traffic", sizeof(zero_traffic), [&](void* s) { return zero_engine_traffic(e, static_cast<zero_traffic*>(s)); }},
      {"group", sizeof(zero_parameter_group),
       [&](void* s) {
         return zero_parameter_list_add_group(living.list, static_cast<zero_parameter_group*>(s), &r.id);
       }},
      {"spec", sizeof(zero_parameter_spec),
       [&](void* s) { return zero_parameter_list_add(living.list, static_cast<zero_parameter_spec*>(s), nullptr); }},
      {"model", sizeof(zero_flat_model),
       [&](void* s) { return zero_parameter_list_add_flat(living.list, static_cast<zero_flat_model*>(s)); }},
      {"options", sizeof(zero_save_options),
       [&](void* s) { return zero_engine_save(e, "nowhere", static_cast<zero_save_options*>(s), nullptr); }},
      {"options", sizeof(zero_load_options),
       [&](void* s) { return zero_engine_load(e, "nowhere", static_cast<zero_load_options*>(s), nullptr); }},
      {"report", sizeof(zero_load_report),
       [&](void* s) { return zero_engine_load(e, "nowhere", nullptr, static_cast<zero_load_report*>(s)); }},
  };
  for (auto const& one : cases) {
    CAPTURE(one.name);
    CAPTURE(one.size);
    for (std::size_t const size : {std::size_t{0}, std::size_t{8}, one.size - 1, std::size_t{4097}, SIZE_MAX}) {
      std::vector<std::uint64_t> memory(1024);  // aligned as the structs are
      std::memcpy(memory.data(), &size, sizeof size);
      expect(one.call(memory.data()), ZERO_ERROR_STRUCT_SIZE, one.name);
    }
  }
}

TEST_CASE("c misuse: a larger struct is taken where it asks for nothing that is not known, and filled with zeros") {
  Living const living;
  struct {
    zero_world_options known;
    std::uint64_t more;
  } options{{sizeof options, 0.0}, 0};
  succeed(zero_world_run(1, &options.known, do_nothing, nullptr));
  options.more = 1;
  expect(zero_world_run(1, &options.known, do_nothing, nullptr), ZERO_ERROR_STRUCT_SIZE, "does not know");
  struct {
    zero_engine_info known;
    std::uint64_t more;
  } info{};
  info.known.size = sizeof info;
  info.more = 7;
  succeed(zero_engine_get_info(living.engine, &info.known));
  CHECK(info.known.size == sizeof info);
  CHECK(info.known.parameters == 1);
  CHECK(info.more == 0);
}

TEST_CASE("c misuse: wrong numbers and flags are refused") {
  Living const living;
  auto* const e = living.engine;
  expect(zero_engine_read_parameter(e, 0, r.values, elements - 1), ZERO_ERROR_ARGUMENT, "has 4 elements");
  expect(zero_engine_write_parameter(e, 0, initial, elements + 1), ZERO_ERROR_ARGUMENT, "has 4 elements");
  expect(zero_engine_read_parameter(e, 7, r.values, elements), ZERO_ERROR_CONFIGURATION, "no parameter 7 of 1");
  expect(zero_engine_parameter(e, 7, nullptr, nullptr), ZERO_ERROR_CONFIGURATION, "no parameter 7 of 1");
  expect(zero_engine_find(e, "nobody", &r.id), ZERO_ERROR_CONFIGURATION, "'nobody'");
  std::uint32_t const unknown = 7;
  expect(zero_engine_gather(e, &unknown, 1, &r.parameters), ZERO_ERROR_CONFIGURATION, "no parameter 7");
  expect(zero_engine_read_state(e, 0, 9, r.values, elements), ZERO_ERROR_CONFIGURATION, "9");
  expect(zero_engine_broadcast(e, r.values, 2, 0, 0), ZERO_ERROR_ARGUMENT, "0 bytes");
  expect(zero_engine_broadcast(e, r.values, SIZE_MAX, 8, 0), ZERO_ERROR_ARGUMENT, "8 bytes");
  expect(zero_engine_broadcast(e, r.values, 1, 4, 3), ZERO_ERROR_CONFIGURATION, "3");
  auto options = sized<zero_step_options>();
  options.set = 64;
  expect(zero_engine_step(e, &options, nullptr), ZERO_ERROR_ARGUMENT, "unknown flags 64");
  auto w = spec("v");
  w.type = 9;
  expect(zero_parameter_list_add(living.list, &w, nullptr), ZERO_ERROR_ARGUMENT, "no zero_type 9");
  w = spec("v");
  w.flags = 64;
  expect(zero_parameter_list_add(living.list, &w, nullptr), ZERO_ERROR_ARGUMENT, "unknown flags 64");
  w = spec(nullptr);
  expect(zero_parameter_list_add(living.list, &w, nullptr), ZERO_ERROR_ARGUMENT, "spec.name is null");
  w = spec("w");
  expect(zero_parameter_list_add(living.list, &w, nullptr), ZERO_ERROR_CONFIGURATION, "is registered already");
  w = spec("v");
  w.unit = UINT32_MAX;
  expect(zero_parameter_list_add(living.list, &w, nullptr), ZERO_ERROR_ARGUMENT, "spec.unit");
  w = spec("v");
  w.values = reinterpret_cast<char*>(values) + 1;
  expect(zero_parameter_list_add(living.list, &w, nullptr), ZERO_ERROR_CONFIGURATION, "not aligned");
  auto model = flat();
  model.initial = initial;
  expect(zero_parameter_list_add_flat(living.list, &model), ZERO_ERROR_ARGUMENT, "both there");
  model = flat();
  model.gradients = nullptr;
  expect(zero_parameter_list_add_flat(living.list, &model), ZERO_ERROR_CONFIGURATION, "null pointer");
  expect(zero_world_run(0, nullptr, do_nothing, nullptr), ZERO_ERROR_CONFIGURATION, "0 ranks");
  expect(zero_world_run(257, nullptr, do_nothing, nullptr), ZERO_ERROR_CONFIGURATION, "257 ranks");
  auto late = sized<zero_world_options>();
  for (double const seconds : {-1.0, 1e-300, 1e300, std::numeric_limits<double>::quiet_NaN()}) {
    late.deadline_seconds = seconds;
    expect(zero_world_create(1, &late, &r.world), ZERO_ERROR_CONFIGURATION, "deadline_seconds");
  }
  CHECK(std::string(zero_status_name(12345)) == "unknown");
}

// ------------------------------------------------------------------------------------------------- settings

void expect_setting(std::vector<zero_setting> const& settings, std::string_view says) {
  zero_rank* rank = nullptr;
  succeed(zero_rank_create(&rank));
  auto const model = flat();
  zero_engine* engine = nullptr;
  expect(zero_engine_create_flat(rank, &model, settings.data(), settings.size(), &engine), ZERO_ERROR_CONFIGURATION,
         says);
  CHECK(engine == nullptr);
  succeed(zero_rank_free(rank));
}

TEST_CASE("c misuse: settings that are unknown, wrong or stand twice are refused by their names") {
  expect_setting({{"beta3", nullptr, 0.5}}, "'beta3' is no setting: do you mean 'beta1'?");
  expect_setting({{"gradient_cliping", nullptr, 1}}, "'gradient_clipping'?");
  expect_setting({{nullptr, nullptr, 1}}, "name of a setting is null");
  expect_setting({{"lr", "fast", 0}}, "'lr' has the value 'fast', which is no number");
  expect_setting({{"lr", "0.1x", 0}}, "'0.1x'");
  expect_setting({{"lr", nullptr, -1}}, "lr");
  expect_setting({{"stage", nullptr, 4}}, "from 0 to 3");
  expect_setting({{"stage", nullptr, 1.5}}, "'stage' has the value '1.5', which");
  expect_setting({{"stage", nullptr, std::numeric_limits<double>::quiet_NaN()}}, "'stage'");
  expect_setting({{"rule", nullptr, 1}}, "one of AdamW, Adam, SGD, Lion, Adagrad");
  expect_setting({{"type", "fp64", 0}}, "one of fp32, fp16, bf16");
  expect_setting({{"rule", "SGD", 0}, {"beta1", nullptr, 0.5}}, "'beta1' is none of the rule SGD");
  expect_setting({{"momentum", nullptr, 0.5}}, "is none of the rule AdamW");
  expect_setting({{"lr", nullptr, 1}, {"lr", nullptr, 1}}, "'lr' is given twice");
  expect_setting({{"loss_scale_window", nullptr, 1}}, "is of a dynamic loss scale");
  expect_setting({{"loss_scale", "dynamic", 0}}, "'loss_scale' is for type fp16");
  expect_setting({{"type", "fp16", 0}, {"loss_scale", "none", 0}}, "underflow");
  expect_setting({{"offload_chunk_elements", nullptr, 1}}, "is of an offload");
  expect_setting({{"offload", "disk", 0}}, "one of none, cpu");
  expect_setting({{"allow_idle_ranks", "maybe", 0}}, "'maybe'");
  expect_setting({{"reduce", "twice", 0}}, "one of each_micro_batch, once_per_step");
  expect_setting({{"type", "bf16", 0}}, "type");  // than the buffers that are adopted
  expect_setting({{"json", "{", 0}}, "zero_engine_create: setting 'json': line 1:");
  expect_setting({{"json", nullptr, 1}}, "'json' is a number");
  expect_setting({{"json_file", "no/such/file.json", 0}}, "no/such/file.json");
  expect_setting({{"json", "{}", 0}, {"json_file", "file.json", 0}}, "stands beside json");
  expect_setting({{"json", R"({"train_batch_size": 1, "tensorboard": {"enabled": true}})", 0}}, "asks for tensorboard");
  expect_setting({{"json", R"({"train_batch_size": 1, "wall_clock_breakdown": true})", 0}}, "wall_clock_breakdown");
  expect_setting({{"json", R"({"train_batch_size": 1, "no_such_key": true})", 0}}, "no_such_key");
  expect_setting({{"json", R"({"train_batch_size": 1, "bf16": {"enabled": true},
                               "data_types": {"grad_accum_dtype": "bf16"}})",
                   0}},
                 "sums gradients in fp32");
}

// ------------------------------------------------------------------------------------------------- order

TEST_CASE("c misuse: calls in the wrong order are refused, and the engine goes on") {
  Living living;
  auto* const e = living.engine;
  expect(zero_engine_finish_micro_batch(e), ZERO_ERROR_SEQUENCE, "no micro-batch is open");
  expect(zero_engine_step(e, nullptr, nullptr), ZERO_ERROR_SEQUENCE, "micro-batch");
  expect(zero_engine_gradients(e, &living.first, 1, &r.gradient_lease), ZERO_ERROR_SEQUENCE, "micro-batch");
  expect(zero_engine_read_gradient(e, 0, r.values, elements), ZERO_ERROR_SEQUENCE, "micro-batch");
  expect(zero_engine_update(e, nullptr, nullptr), ZERO_ERROR_CONFIGURATION, "adopted");
  expect(zero_engine_accumulate(e), ZERO_ERROR_CONFIGURATION, "adopted");
  living.lease();
  expect(zero_engine_begin_micro_batch(e, nullptr, nullptr), ZERO_ERROR_SEQUENCE, "micro-batch");
  expect(zero_engine_mean_over_ranks(e, 1, 1, &r.mean), ZERO_ERROR_SEQUENCE, "micro-batch");
  expect(zero_parameter_lease_values(living.weights, 3, &r.data, nullptr), ZERO_ERROR_LEASE, "not part of this lease");
  expect(zero_gradient_lease_values(living.places, 3, &r.place, nullptr), ZERO_ERROR_LEASE, "not part of this lease");
  expect(zero_engine_gradients(e, &living.first, 1, &r.gradient_lease), ZERO_ERROR_LEASE, "'w'");
  succeed(zero_gradient_lease_end(living.places));
  expect(zero_gradient_lease_ready(living.places), ZERO_ERROR_STALE_HANDLE, "freed");
  succeed(zero_parameter_lease_end(living.weights));
  expect(zero_engine_finish_micro_batch(e), ZERO_ERROR_GRADIENT, "'w'");
  auto info = sized<zero_error_info>();
  succeed(zero_last_error_info(&info));
  CHECK(std::string(info.parameter) == "w");
  expect(zero_engine_finish_micro_batch(e), ZERO_ERROR_SEQUENCE, "no micro-batch is open");
  succeed(zero_engine_discard_gradients(e));
  living.lease();
  succeed(zero_gradient_lease_values(living.places, 0, &r.place, nullptr));
  succeed(zero_gradient_lease_ready(living.places));
  expect(zero_gradient_lease_ready(living.places), ZERO_ERROR_STALE_HANDLE, "freed");
  succeed(zero_engine_finish_micro_batch(e));
  expect(zero_engine_begin_micro_batch(e, nullptr, nullptr), ZERO_ERROR_SEQUENCE, "micro-batch");
  expect(zero_engine_step(e, nullptr, nullptr), ZERO_ERROR_SEQUENCE, "lease");
  succeed(zero_parameter_lease_end(living.weights));
  succeed(zero_engine_step(e, nullptr, nullptr));
}

TEST_CASE("c misuse: update twice, update too early, and a second accumulation") {
  zero_rank* rank = nullptr;
  succeed(zero_rank_create(&rank));
  auto const model = flat();
  zero_setting const settings[] = {{"gradient_accumulation_steps", nullptr, 2}};
  zero_engine* engine = nullptr;
  succeed(zero_engine_create_flat(rank, &model, settings, 1, &engine));
  expect(zero_engine_update(engine, nullptr, nullptr), ZERO_ERROR_SEQUENCE, "0 of 2");
  succeed(zero_engine_accumulate(engine));
  succeed(zero_engine_update(engine, nullptr, nullptr));
  expect(zero_engine_update(engine, nullptr, nullptr), ZERO_ERROR_SEQUENCE, "0 of 2");
  succeed(zero_engine_accumulate(engine));
  succeed(zero_engine_accumulate(engine));
  expect(zero_engine_accumulate(engine), ZERO_ERROR_SEQUENCE, "micro-batch");
  succeed(zero_engine_step(engine, nullptr, nullptr));
  succeed(zero_rank_free(rank));
}

TEST_CASE("c misuse: what belongs to a freed handle is stale") {
  Living living;
  living.lease();
  SUBCASE("an engine before its leases") {
    succeed(zero_engine_free(living.engine));
    expect(zero_gradient_lease_ready(living.places), ZERO_ERROR_STALE_HANDLE, "was freed, or what it was made from");
    expect(zero_parameter_lease_end(living.weights), ZERO_ERROR_STALE_HANDLE, "was freed");
    expect(zero_engine_free(living.engine), ZERO_ERROR_STALE_HANDLE, "was freed");
    succeed(zero_rank_place(living.rank, &r.number, nullptr));
  }
  SUBCASE("a rank before its engine") {
    succeed(zero_rank_free(living.rank));
    expect(zero_engine_step(living.engine, nullptr, nullptr), ZERO_ERROR_STALE_HANDLE, "was freed");
    expect(zero_parameter_lease_end(living.weights), ZERO_ERROR_STALE_HANDLE, "was freed");
    expect(zero_world_take_rank(living.world, 0, &r.rank), ZERO_ERROR_SEQUENCE, "was taken before");
  }
  SUBCASE("a world before its ranks and engines") {
    succeed(zero_world_free(living.world));
    expect(zero_rank_place(living.rank, &r.number, nullptr), ZERO_ERROR_STALE_HANDLE, "was freed");
    expect(zero_engine_step(living.engine, nullptr, nullptr), ZERO_ERROR_STALE_HANDLE, "was freed");
    expect(zero_world_free(living.world), ZERO_ERROR_STALE_HANDLE, "was freed");
  }
  SUBCASE("a list before the engine that was made with it: allowed") {
    succeed(zero_parameter_list_free(living.list));
    succeed(zero_engine_find(living.engine, "w", &r.id));
  }
}

// ------------------------------------------------------------------------------------------------- ranks and threads

TEST_CASE("c misuse: the sentence is that of the thread whose call failed") {
  expect(zero_rank_free(nullptr), ZERO_ERROR_NULL_HANDLE, "zero_rank_free");
  std::string elsewhere = "not asked";
  zero_status status = ZERO_ERROR_LIBRARY;
  std::thread([&] {
    elsewhere = zero_last_error();
    auto info = sized<zero_error_info>();
    (void)zero_last_error_info(&info);
    status = static_cast<zero_status>(info.status);
  }).join();
  CHECK(elsewhere.empty());
  CHECK(status == ZERO_OK);
  CHECK(std::string(zero_last_error()).find("zero_rank_free") == 0);
}

TEST_CASE("c misuse: a rank is taken once, and only where there is one") {
  zero_world* world = nullptr;
  succeed(zero_world_create(2, nullptr, &world));
  expect(zero_world_take_rank(world, 2, &r.rank), ZERO_ERROR_CONFIGURATION, "no rank 2 of 2");
  expect(zero_world_take_rank(world, -1, &r.rank), ZERO_ERROR_CONFIGURATION, "no rank -1");
  succeed(zero_world_take_rank(world, 1, &r.rank));
  expect(zero_world_take_rank(world, 1, &r.rank), ZERO_ERROR_SEQUENCE, "was taken before");
  succeed(zero_world_free(world));
}

TEST_CASE("c misuse: threads that use, free and make handles at once get a status each") {
  constexpr int threads = 4, rounds = 500;
  std::atomic<zero_parameter_list*> shared{nullptr};
  std::atomic<int> made{0}, freed{0}, wrong{0};
  auto const is_one_of = [](zero_status status, std::initializer_list<zero_status> expected) {
    return std::find(expected.begin(), expected.end(), status) != expected.end();
  };
  auto const work = [&] {
    for (int round = 0; round < rounds; ++round) {
      zero_parameter_list* own = nullptr;
      if (zero_parameter_list_create(&own) == ZERO_OK) made.fetch_add(1);
      auto* const other = shared.exchange(own);
      std::size_t count = 0;
      auto const w = spec("w");
      constexpr auto null = ZERO_ERROR_NULL_HANDLE, stale = ZERO_ERROR_STALE_HANDLE, used = ZERO_ERROR_IN_USE;
      auto const counted = zero_parameter_list_count(shared.load(), &count);
      auto const added = zero_parameter_list_add(other, &w, nullptr);
      auto const gone = zero_parameter_list_free(other);
      if (!is_one_of(counted, {ZERO_OK, null, stale, used}) || count > 1) wrong.fetch_add(1);
      if (!is_one_of(added, {ZERO_OK, null, used})) wrong.fetch_add(1);  // who has exchanged it frees it
      if (gone == ZERO_OK) freed.fetch_add(1);
      while (gone == used && zero_parameter_list_free(other) != ZERO_OK) std::this_thread::yield();
      if (gone == used) freed.fetch_add(1);
    }
  };
  std::vector<std::thread> workers;
  workers.reserve(threads);
  for (int i = 0; i < threads; ++i) workers.emplace_back(work);
  for (auto& worker : workers) worker.join();
  succeed(zero_parameter_list_free(shared.load()));
  CHECK(wrong.load() == 0);
  CHECK(made.load() == threads * rounds);
  CHECK(freed.load() == threads * rounds - 1);
}

struct TwoRanks {
  std::atomic<zero_engine*> waiting{nullptr};
  std::atomic<bool> refused{false};
};

int meet(zero_rank* rank, void* context) {
  auto& shared = *static_cast<TwoRanks*>(context);
  std::int32_t number = 0;
  if (zero_rank_place(rank, &number, nullptr) != ZERO_OK) return -1;
  zero_parameter_list* list = nullptr;
  if (zero_parameter_list_create(&list) != ZERO_OK) return -2;
  auto const w = spec("w");
  if (zero_parameter_list_add(list, &w, nullptr) != ZERO_OK) return -3;
  zero_engine* engine = nullptr;
  auto const status = zero_engine_create(rank, list, nullptr, 0, &engine);
  zero_parameter_list_free(list);
  if (status != ZERO_OK) return status;
  double mean = 0;
  if (number == 0) {
    shared.waiting.store(engine);
    // Waits for rank 1, once the engine is not in use by a call of rank 1's below.
    zero_status called = ZERO_ERROR_IN_USE;
    while (called == ZERO_ERROR_IN_USE) called = zero_engine_mean_over_ranks(engine, 1, 1, &mean);
    return called;
  }
  while (shared.waiting.load() == nullptr) std::this_thread::yield();
  float scale = 0;
  zero_status used = ZERO_OK;
  while (used == ZERO_OK) used = zero_engine_loss_scale(shared.waiting.load(), &scale);
  shared.refused.store(used == ZERO_ERROR_IN_USE && zero_engine_free(shared.waiting.load()) == ZERO_ERROR_IN_USE);
  return zero_engine_mean_over_ranks(engine, 1, 1, &mean);
}

TEST_CASE("c misuse: an engine that another thread is inside of is refused, not waited for") {
  TwoRanks shared;
  succeed(zero_world_run(2, nullptr, meet, &shared));
  CHECK(shared.refused.load());
}

int fail_on_rank_1(zero_rank* rank, void* context) {
  std::int32_t number = 0;
  if (zero_rank_place(rank, &number, nullptr) != ZERO_OK) return -1;
  if (number == 1) {
    int const way = *static_cast<int*>(context);
    if (way == 0) return 4711;
    if (way == 1) return zero_rank_place(nullptr, nullptr, nullptr);
    throw std::runtime_error("a rank's function that is no C after all");
  }
  zero_parameter_list* list = nullptr;
  if (zero_parameter_list_create(&list) != ZERO_OK) return -2;
  auto const w = spec("w");
  (void)zero_parameter_list_add(list, &w, nullptr);
  zero_engine* engine = nullptr;
  auto const status = zero_engine_create(rank, list, nullptr, 0, &engine);  // waits for rank 1
  zero_parameter_list_free(list);
  auto info = sized<zero_error_info>();
  (void)zero_last_error_info(&info);
  bool const named = info.communication == ZERO_COMMUNICATION_PEER_FAILED && info.rank == 1;
  return named ? status : -4;
}

TEST_CASE("c misuse: a rank that fails ends the others, and its error is that of the run") {
  int way = 0;
  expect(zero_world_run(2, nullptr, fail_on_rank_1, &way), ZERO_ERROR_RANK_FUNCTION, "rank 1 returned 4711");
  way = 1;
  expect(zero_world_run(2, nullptr, fail_on_rank_1, &way), ZERO_ERROR_NULL_HANDLE, "zero_rank_place");
  way = 2;
  expect(zero_world_run(2, nullptr, fail_on_rank_1, &way), ZERO_ERROR_UNEXPECTED, "no C after all");
}

TEST_CASE("c misuse: an engine on a world that has failed is refused") {
  zero_world* world = nullptr;
  zero_rank *one = nullptr, *other = nullptr;
  succeed(zero_world_create(2, nullptr, &world));
  succeed(zero_world_take_rank(world, 0, &one));
  succeed(zero_world_take_rank(world, 1, &other));
  succeed(zero_rank_fail(one, "the disk is on fire"));
  auto const model = flat();
  zero_engine* engine = nullptr;
  expect(zero_engine_create_flat(other, &model, nullptr, 0, &engine), ZERO_ERROR_COMMUNICATION, "the disk is on fire");
  auto info = sized<zero_error_info>();
  succeed(zero_last_error_info(&info));
  CHECK(info.communication == ZERO_COMMUNICATION_PEER_FAILED);
  CHECK(info.rank == 0);
  expect(zero_engine_create_flat(other, &model, nullptr, 0, &engine), ZERO_ERROR_COMMUNICATION, "the disk is on fire");
  succeed(zero_world_free(world));
}

TEST_CASE("c misuse: settings that differ between ranks are an error on all of them") {
  std::atomic<int> mismatches{0};
  auto const differ = [](zero_rank* rank, void* context) -> int {
    std::int32_t number = 0;
    (void)zero_rank_place(rank, &number, nullptr);
    zero_setting const settings[] = {{"lr", nullptr, 0.5 + number}};
    zero_parameter_list* list = nullptr;
    (void)zero_parameter_list_create(&list);
    auto const w = spec("w");
    (void)zero_parameter_list_add(list, &w, nullptr);
    zero_engine* engine = nullptr;
    auto const status = zero_engine_create(rank, list, settings, 1, &engine);
    (void)zero_parameter_list_free(list);
    *static_cast<std::atomic<int>*>(context) += status == ZERO_ERROR_MISMATCH ? 1 : 0;
    return 0;
  };
  succeed(zero_world_run(2, nullptr, differ, &mismatches));
  CHECK(mismatches.load() == 2);
}

// ------------------------------------------------------------------------------------------------- checkpoints

TEST_CASE("c misuse: checkpoints that are not there, and options that cannot work") {
  Living const living;
  auto* const e = living.engine;
  auto info = sized<zero_error_info>();
  expect(zero_engine_load(e, "no_such_folder", nullptr, nullptr), ZERO_ERROR_CHECKPOINT, "no_such_folder");
  succeed(zero_last_error_info(&info));
  CHECK(info.checkpoint == ZERO_CHECKPOINT_NOT_FOUND);
  auto load = sized<zero_load_options>();
  load.tag = "step-7";
  expect(zero_engine_resume(e, "no_such_folder", &load, nullptr), ZERO_ERROR_CHECKPOINT, "step-7");
  load.flags = 64;
  expect(zero_engine_load(e, "no_such_folder", &load, nullptr), ZERO_ERROR_ARGUMENT, "unknown flags 64");
  auto save = save_options();
  save.tag = nullptr;
  expect(zero_engine_save(e, "folder", &save, nullptr), ZERO_ERROR_ARGUMENT, "options.tag is null");
  save.tag = "a/b";
  expect(zero_engine_save(e, "folder", &save, nullptr), ZERO_ERROR_CHECKPOINT, "a/b");
  succeed(zero_last_error_info(&info));
  CHECK(info.checkpoint == ZERO_CHECKPOINT_BAD_REQUEST);
  zero_client_text const texts[] = {{"a", "1"}, {"a", "2"}};
  save = save_options();
  save.client_state = texts;
  save.client_states = 2;
  expect(zero_engine_save(e, "folder", &save, nullptr), ZERO_ERROR_ARGUMENT, "the key 'a' twice");
  save.client_state = nullptr;
  expect(zero_engine_save(e, "folder", &save, nullptr), ZERO_ERROR_ARGUMENT, "options.client_state is null");
  CHECK_FALSE(std::filesystem::exists("folder"));
}

}  // namespace

}  // namespace c_misuse_test
