// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What the functions of the C interface do, beside the steps that equality_test.cpp compares.

#include <zero/c.h>
#include <zero/config/read.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include <unistd.h>

namespace c_calls_test {

namespace {

void succeed(zero_status status) {
  std::string const sentence = status == ZERO_OK ? "" : zero_last_error();
  CAPTURE(sentence);
  REQUIRE(status == ZERO_OK);
}

template <class Struct>
Struct sized() {
  Struct made{};
  made.size = sizeof made;
  return made;
}

/// Two tensors of a trainer's own, and an engine on the one rank that there is.
class Trainer {
 public:
  static constexpr std::size_t sizes[] = {6, 2};
  std::array<float, 8> values{1, 2, 3, 4, 5, 6, 7, 8}, gradients{};
  zero_rank* rank = nullptr;
  zero_engine* engine = nullptr;

  explicit Trainer(std::vector<zero_setting> const& settings) {
    succeed(zero_rank_create(&rank));
    auto model = sized<zero_flat_model>();
    model.values = values.data();
    model.gradients = gradients.data();
    model.sizes = sizes;
    model.tensors = 2;
    succeed(zero_engine_create_flat(rank, &model, settings.data(), settings.size(), &engine));
    gradients.fill(0.5F);
  }
  Trainer(Trainer const&) = delete;
  Trainer& operator=(Trainer const&) = delete;
  ~Trainer() { (void)zero_rank_free(rank); }

  zero_step_report update(zero_step_options const* options = nullptr) {
    auto report = sized<zero_step_report>();
    succeed(zero_engine_update(engine, options, &report));
    return report;
  }
  [[nodiscard]] zero_engine_info info() const {
    auto filled = sized<zero_engine_info>();
    succeed(zero_engine_get_info(engine, &filled));
    return filled;
  }
};

TEST_CASE("c: an engine says what it is, and where its run stands") {
  Trainer trainer({{"stage", "2", 0}, {"rule", "Adam", 0}, {"lr", "0.25", 0}, {"micro_batches_per_step", nullptr, 1}});
  auto info = trainer.info();
  CHECK(info.rank == 0);
  CHECK(info.ranks == 1);
  CHECK(info.stage == 2);
  CHECK(info.type == ZERO_FP32);
  CHECK(std::string(info.rule) == "Adam");
  CHECK(info.states == 2);
  CHECK(info.parameters == 2);
  CHECK(info.micro_batches == 1);
  CHECK(info.sequences == 0);
  CHECK(info.steps == 0);
  CHECK(info.lr == 0.25);
  CHECK(info.loss_scale == 1.0F);
  (void)trainer.update();
  CHECK(trainer.info().steps == 1);
  char const* name = nullptr;
  std::size_t count = 0;
  std::uint32_t id = 7;
  succeed(zero_engine_find(trainer.engine, "tensor_1", &id));
  CHECK(id == 1);
  succeed(zero_engine_parameter(trainer.engine, id, &name, &count));
  CHECK(std::string(name) == "tensor_1");
  CHECK(count == 2);
  CHECK(zero_version() == ZERO_VERSION);
}

TEST_CASE("c: options of one step replace the settings' for that step") {
  Trainer trainer({{"rule", "SGD", 0}, {"lr", nullptr, 0.5}});
  auto options = sized<zero_step_options>();
  options.set = ZERO_STEP_LR | ZERO_STEP_GRADIENT_CLIPPING;
  options.lr = 2.0;
  options.gradient_clipping = 0.0;
  auto report = trainer.update(&options);
  CHECK(report.lr == 2.0);
  CHECK(trainer.values[0] == 0.0F);  // 1 - 2 x 0.5
  report = trainer.update();
  CHECK(report.lr == 0.5);
  CHECK(trainer.values[0] == -0.25F);
  options.lr = 0.0;  // is 0, not left out
  report = trainer.update(&options);
  CHECK(report.lr == 0.0);
  CHECK(trainer.values[0] == -0.25F);
  options.set = ZERO_STEP_MOMENTUM;
  options.momentum = 0.5;
  report = trainer.update(&options);
  CHECK(report.step == 4);
}

TEST_CASE("c: a gradient that is not finite skips the step, and names its parameter") {
  Trainer trainer({});
  auto const before = trainer.values;
  trainer.gradients[7] = std::numeric_limits<float>::infinity();
  auto report = trainer.update();
  CHECK(report.skipped == 1);
  REQUIRE(report.bad_parameter != nullptr);
  CHECK(std::string(report.bad_parameter) == "tensor_1");
  CHECK(trainer.values == before);
  CHECK(trainer.info().skipped_steps == 1);
  trainer.gradients[7] = 0.5F;
  report = trainer.update();
  CHECK(report.skipped == 0);
  CHECK(report.bad_parameter == nullptr);
  CHECK(report.skipped_steps == 1);
}

TEST_CASE("c: as many skipped steps as the settings allow are an error") {
  Trainer trainer({{"max_skipped_steps", nullptr, 2}});
  trainer.gradients.fill(std::numeric_limits<float>::quiet_NaN());
  (void)trainer.update();
  CHECK(zero_engine_update(trainer.engine, nullptr, nullptr) == ZERO_ERROR_DIVERGENCE);
  CHECK(std::string(zero_last_error()).find("diverged") != std::string::npos);
}

TEST_CASE("c: DeepSpeed's configuration says what an engine is, and other settings replace it") {
  char const* const json = R"({
    "train_micro_batch_size_per_gpu": 4, "gradient_accumulation_steps": 3, "steps_per_print": 10,
    "gradient_clipping": "auto", "zero_optimization": {"stage": 1},
    "optimizer": {"type": "Lion", "params": {"lr": 0.5}},
    "scheduler": {"type": "WarmupLR", "params": {"warmup_min_lr": 0, "warmup_max_lr": 0.5, "warmup_num_steps": 5,
                                                 "warmup_type": "linear"}}})";
  Trainer trainer({{"json", json, 0}, {"stage", "2", 0}, {"gradient_clipping", nullptr, 1.0}});
  auto const info = trainer.info();
  CHECK(info.stage == 2);
  CHECK(std::string(info.rule) == "Lion");
  CHECK(info.states == 1);
  CHECK(info.micro_batches == 3);
  CHECK(info.sequences == 4);
  CHECK(info.steps_per_print == 10);
  auto const schedule = *zero::config::parse(json, {.automatic = {.gradient_clipping = 1.0}}).schedule;
  for (std::uint64_t step = 0; step < 4; ++step) {
    CHECK(trainer.info().lr == schedule.at(step).lr);  // of the coming step
    succeed(zero_engine_accumulate(trainer.engine));
    succeed(zero_engine_accumulate(trainer.engine));
    CHECK(trainer.update().lr == schedule.at(step).lr);
  }
  CHECK(schedule.at(3).lr > schedule.at(0).lr);
  auto options = sized<zero_step_options>();
  options.set = ZERO_STEP_LR;
  options.lr = 0.125;
  succeed(zero_engine_accumulate(trainer.engine));
  succeed(zero_engine_accumulate(trainer.engine));
  CHECK(trainer.update(&options).lr == 0.125);
}

TEST_CASE("c: groups of parameters have a rate and a decay of their own") {
  zero_parameter_list* list = nullptr;
  succeed(zero_parameter_list_create(&list));
  auto group = sized<zero_parameter_group>();
  group.set = ZERO_GROUP_LR_FACTOR;
  group.lr_factor = 0.5;
  std::uint32_t halved = 0, decayed = 0;
  succeed(zero_parameter_list_add_group(list, &group, &halved));
  group.set = ZERO_GROUP_WEIGHT_DECAY;
  group.weight_decay = 1.0;
  succeed(zero_parameter_list_add_group(list, &group, &decayed));
  CHECK(halved == 1);
  CHECK(decayed == 2);
  std::array<float, 4> values{8, 8, 8, 8}, gradients{1, 1, 1, 1};
  char const* const names[] = {"plain", "halved", "decayed", "frozen"};
  std::uint32_t const groups[] = {0, halved, decayed, 0};
  for (std::size_t i = 0; i < 4; ++i) {
    auto spec = sized<zero_parameter_spec>();
    spec.name = names[i];
    spec.group = groups[i];
    spec.values = &values[i];
    if (i < 3) spec.gradients = &gradients[i];
    if (i == 3) spec.flags = ZERO_PARAMETER_FROZEN;
    succeed(zero_parameter_list_add(list, &spec, nullptr));
  }
  zero_rank* rank = nullptr;
  succeed(zero_rank_create(&rank));
  zero_setting const settings[] = {{"rule", "SGD", 0}, {"lr", "0.5", 0}};
  zero_engine* engine = nullptr;
  succeed(zero_engine_create(rank, list, settings, 2, &engine));
  succeed(zero_engine_update(engine, nullptr, nullptr));
  CHECK(values == std::array<float, 4>{7.5F, 7.75F, 3.5F, 8.0F});  // 8 - 0.5 x 1; half of it; 8 - 0.5 (1 + 8); never
  succeed(zero_rank_free(rank));
  succeed(zero_parameter_list_free(list));
}

TEST_CASE("c: a flat model that stacks layers has a unit for each, and names for each slice") {
  zero_parameter_list* list = nullptr;
  succeed(zero_parameter_list_create(&list));
  std::array<float, 13> values{}, gradients{};
  std::size_t const sizes[] = {3, 6, 4}, layers[] = {0, 2, 2};
  char const* const names[] = {"embedding", "weight", "bias"};
  auto model = sized<zero_flat_model>();
  model.values = values.data();
  model.gradients = gradients.data();
  model.sizes = sizes;
  model.tensors = 3;
  model.names = names;
  model.layers = layers;
  succeed(zero_parameter_list_add_flat(list, &model));
  std::size_t count = 0;
  succeed(zero_parameter_list_count(list, &count));
  CHECK(count == 5);
  std::uint32_t ids[2] = {77, 77}, id = 77;
  succeed(zero_parameter_list_unit(list, 0, ids, 2, &count));
  CHECK(count == 1);
  CHECK(ids[0] == 0);
  succeed(zero_parameter_list_unit(list, 2, ids, 2, &count));
  CHECK(count == 2);
  succeed(zero_parameter_list_find(list, "bias.1", &id));
  CHECK(std::find(std::begin(ids), std::end(ids), id) != std::end(ids));
  ids[1] = 77;
  succeed(zero_parameter_list_unit(list, 2, ids, 1, &count));  // says how many there would be
  CHECK(count == 2);
  CHECK(ids[1] == 77);
  succeed(zero_parameter_list_unit(list, 9, nullptr, 0, &count));
  CHECK(count == 0);
  succeed(zero_parameter_list_free(list));
}

TEST_CASE("c: parameters, gradients and states are read and written") {
  Trainer trainer({{"rule", "SGD", 0}, {"lr", "1", 0}, {"momentum", "0.5", 0}});
  auto* const e = trainer.engine;
  (void)trainer.update();  // the first step of this rule sets its state
  std::array<float, 2> const written{10, 20};
  std::array<float, 2> read{};
  succeed(zero_engine_write_parameter(e, 1, written.data(), 2));
  CHECK(trainer.values[6] == 10.0F);
  CHECK(trainer.values[7] == 20.0F);
  succeed(zero_engine_read_parameter(e, 1, read.data(), 2));
  CHECK(read == written);
  succeed(zero_engine_write_state(e, 1, 0, written.data(), 2));
  succeed(zero_engine_read_state(e, 1, 0, read.data(), 2));
  CHECK(read == written);
  succeed(zero_engine_accumulate(e));
  succeed(zero_engine_read_gradient(e, 1, read.data(), 2));
  CHECK(read == std::array<float, 2>{0.5F, 0.5F});
  std::array<float, 2> const gradient{2, 4};
  succeed(zero_engine_write_gradient(e, 1, gradient.data(), 2));
  succeed(zero_engine_step(e, nullptr, nullptr));
  CHECK(trainer.values[6] == 3.0F);  // 10 - (0.5 x 10 + 2)
  CHECK(trainer.values[7] == 6.0F);  // 20 - (0.5 x 20 + 4)
  trainer.values[0] = 100.0F;
  succeed(zero_engine_take_adopted_values(e));
  std::array<float, 6> first{};
  succeed(zero_engine_read_parameter(e, 0, first.data(), 6));
  CHECK(first[0] == 100.0F);
}

TEST_CASE("c: places of gradients say whether to add, and may be kept at stage 1") {
  zero_parameter_list* list = nullptr;
  succeed(zero_parameter_list_create(&list));
  auto spec = sized<zero_parameter_spec>();
  spec.name = "tied";
  spec.contributions = 2;
  succeed(zero_parameter_list_add(list, &spec, nullptr));
  zero_rank* rank = nullptr;
  succeed(zero_rank_create(&rank));
  zero_setting const settings[] = {{"rule", "SGD", 0}, {"lr", "1", 0}, {"stage", "1", 0}};
  zero_engine* engine = nullptr;
  succeed(zero_engine_create(rank, list, settings, 3, &engine));
  std::uint32_t const id = 0;
  succeed(zero_engine_begin_micro_batch(engine, nullptr, nullptr));
  void* place = nullptr;
  for (std::int32_t contribution = 0; contribution < 2; ++contribution) {
    zero_gradient_lease* lease = nullptr;
    succeed(zero_engine_gradients(engine, &id, 1, &lease));
    std::int32_t adds = 7;
    std::size_t count = 0;
    succeed(zero_gradient_lease_target(lease, id, &place, &count, &adds));
    CHECK(count == 1);
    CHECK(adds == contribution);
    auto& gradient = *static_cast<float*>(place);
    gradient = adds == 1 ? gradient + 2.0F : 1.0F;
    succeed(zero_gradient_lease_ready(lease));
  }
  succeed(zero_engine_finish_micro_batch(engine));
  succeed(zero_engine_step(engine, nullptr, nullptr));
  float value = 0;
  succeed(zero_engine_read_parameter(engine, id, &value, 1));
  CHECK(value == -3.0F);
  succeed(zero_rank_free(rank));
  succeed(zero_parameter_list_free(list));
}

TEST_CASE("c: kept addresses of gradients are written after they were named") {
  zero_parameter_list* list = nullptr;
  succeed(zero_parameter_list_create(&list));
  auto spec = sized<zero_parameter_spec>();
  spec.name = "w";
  succeed(zero_parameter_list_add(list, &spec, nullptr));
  zero_rank* rank = nullptr;
  succeed(zero_rank_create(&rank));
  zero_setting const settings[] = {{"rule", "SGD", 0}, {"lr", "1", 0}};
  zero_engine* engine = nullptr;
  succeed(zero_engine_create(rank, list, settings, 2, &engine));
  std::uint32_t const id = 0;
  void* kept = nullptr;
  for (int step = 0; step < 2; ++step) {
    succeed(zero_engine_begin_micro_batch(engine, nullptr, nullptr));
    zero_gradient_lease* lease = nullptr;
    succeed(zero_engine_gradients(engine, &id, 1, &lease));
    if (step == 0) succeed(zero_gradient_lease_values(lease, id, &kept, nullptr));
    if (step == 1) succeed(zero_gradient_lease_written(lease, &id, 1));
    *static_cast<float*>(kept) = 0.25F;
    succeed(zero_gradient_lease_ready(lease));
    succeed(zero_engine_finish_micro_batch(engine));
    succeed(zero_engine_step(engine, nullptr, nullptr));
  }
  float value = 0;
  succeed(zero_engine_read_parameter(engine, id, &value, 1));
  CHECK(value == -0.5F);
  succeed(zero_rank_free(rank));
  succeed(zero_parameter_list_free(list));
}

TEST_CASE("c: the report of memory adds up") {
  Trainer trainer({{"stage", "1", 0}, {"threads", "1", 0}});
  auto memory = sized<zero_memory_report>();
  succeed(zero_engine_memory(trainer.engine, &memory));
  CHECK(memory.total == memory.parameters + memory.gathered + memory.gradients + memory.gradient_slots +
                            memory.gradient_sums + memory.local_sums + memory.master + memory.optimizer_states +
                            memory.staging + memory.control);
  CHECK(memory.parameters > 0);
  CHECK(memory.optimizer_states == 2 * memory.parameters);
}

TEST_CASE("c: a delayed update is published when it is asked for") {
  Trainer trainer({{"rule", "SGD", 0}, {"lr", "1", 0}, {"offload", "cpu", 0}, {"offload_delayed_update", "true", 0}});
  (void)trainer.update();
  CHECK(trainer.values[0] == 1.0F);
  succeed(zero_engine_finish_update(trainer.engine));
  CHECK(trainer.values[0] == 0.5F);
}

TEST_CASE("c: adopted buffers may go before their engine, after its last call") {
  for (char const* const delayed : {"false", "true"}) {
    zero_rank* rank = nullptr;
    succeed(zero_rank_create(&rank));
    std::vector<float> values(600, 1.0F), gradients(600, 0.5F);
    std::size_t const size = values.size();
    auto model = sized<zero_flat_model>();
    model.values = values.data();
    model.gradients = gradients.data();
    model.sizes = &size;
    model.tensors = 1;
    zero_setting const settings[] = {{"offload", "cpu", 0}, {"offload_delayed_update", delayed, 0}};
    zero_engine* engine = nullptr;
    succeed(zero_engine_create_flat(rank, &model, settings, 2, &engine));
    succeed(zero_engine_update(engine, nullptr, nullptr));
    std::vector<float>().swap(values);  // an address sanitizer sees whether they are touched
    std::vector<float>().swap(gradients);
    CHECK(zero_engine_free(engine) == ZERO_OK);
    CHECK(zero_rank_free(rank) == ZERO_OK);
  }
}

int average(zero_rank* rank, void* context) {
  auto& results = *static_cast<std::array<double, 4>*>(context);
  std::int32_t number = 0, count = 0;
  succeed(zero_rank_place(rank, &number, &count));
  float value = 1, gradient = static_cast<float>(number), tensor = static_cast<float>(10 + number);
  std::size_t const size = 1;
  auto model = sized<zero_flat_model>();
  model.values = &value;
  model.gradients = &gradient;
  model.sizes = &size;
  model.tensors = 1;
  zero_setting const settings[] = {{"rule", "SGD", 0}, {"lr", "1", 0}};
  zero_engine* engine = nullptr;
  succeed(zero_engine_create_flat(rank, &model, settings, 2, &engine));
  auto before = sized<zero_traffic>();
  auto after = before;
  succeed(zero_engine_traffic(engine, &before));
  succeed(zero_engine_update(engine, nullptr, nullptr));
  succeed(zero_engine_traffic(engine, &after));
  if (after.collectives <= before.collectives || after.gradients <= before.gradients) return -1;
  double mean = 0;
  succeed(zero_engine_mean_over_ranks(engine, number, 1.0 + number, &mean));
  succeed(zero_engine_broadcast(engine, &tensor, 1, sizeof tensor, 1));
  if (number == 0)
    results = {static_cast<double>(value), mean, static_cast<double>(tensor), static_cast<double>(count)};
  return ZERO_OK;
}

TEST_CASE("c: ranks average gradients and numbers, and take tensors over from one of them") {
  std::array<double, 4> results{};
  succeed(zero_world_run(3, nullptr, average, &results));
  CHECK(results[0] == 0.0);  // 1 - (0 + 1 + 2) / 3
  CHECK(results[1] == 8.0 / 6.0);
  CHECK(results[2] == 11.0);
  CHECK(results[3] == 3.0);
}

TEST_CASE("c: checkpoints are saved, found and loaded, with the caller's texts") {
  std::string const folder = "c_checkpoints." + std::to_string(::getpid());
  std::filesystem::remove_all(folder);
  Trainer saved({{"rule", "Adam", 0}});
  auto loaded = sized<zero_load_report>();
  loaded.found = 7;
  succeed(zero_engine_resume(saved.engine, folder.c_str(), nullptr, &loaded));
  CHECK(loaded.found == 0);
  CHECK(std::string(loaded.tag).empty());
  (void)saved.update();
  zero_client_text const texts[] = {{"data", "shard 3"}, {"empty", ""}};
  char const* const aliases[] = {"best"};
  auto options = sized<zero_save_options>();
  options.tag = "step-1";
  options.client_state = texts;
  options.client_states = 2;
  options.aliases = aliases;
  options.alias_count = 1;
  auto report = sized<zero_save_report>();
  succeed(zero_engine_save(saved.engine, folder.c_str(), &options, &report));
  CHECK(report.steps == 1);
  CHECK(report.bytes > 0);
  CHECK(std::string(report.warnings).empty());
  CHECK(std::filesystem::exists(folder + "/best"));
  CHECK(zero_engine_save(saved.engine, folder.c_str(), &options, nullptr) == ZERO_ERROR_CHECKPOINT);
  options.flags = ZERO_SAVE_REPLACE;
  succeed(zero_engine_save(saved.engine, folder.c_str(), &options, nullptr));

  Trainer other({{"rule", "Adam", 0}, {"stage", "2", 0}});
  succeed(zero_engine_resume(other.engine, folder.c_str(), nullptr, &loaded));
  CHECK(loaded.found == 1);
  CHECK(loaded.has_optimizer_state == 1);
  CHECK(loaded.steps == 1);
  CHECK(loaded.parameters == 2);
  CHECK(std::string(loaded.tag) == "step-1");
  CHECK(std::string(loaded.missing).empty());
  CHECK(other.values == saved.values);
  char const* text = nullptr;
  succeed(zero_engine_client_state(other.engine, "data", &text));
  CHECK(std::string(text) == "shard 3");
  succeed(zero_engine_client_state(other.engine, "empty", &text));
  CHECK(std::string(text).empty());
  succeed(zero_engine_client_state(other.engine, "no such key", &text));
  CHECK(text == nullptr);
  (void)saved.update();
  (void)other.update();
  CHECK(other.values == saved.values);  // the states, too

  Trainer wrong({{"rule", "SGD", 0}});
  CHECK(zero_engine_load(wrong.engine, folder.c_str(), nullptr, nullptr) == ZERO_ERROR_CHECKPOINT);
  auto info = sized<zero_error_info>();
  succeed(zero_last_error_info(&info));
  CHECK(info.checkpoint == ZERO_CHECKPOINT_MISMATCH);
  auto load = sized<zero_load_options>();
  load.flags = ZERO_LOAD_PARAMETERS_ONLY;
  load.tag = "step-1";
  succeed(zero_engine_load(wrong.engine, folder.c_str(), &load, &loaded));
  CHECK(loaded.found == 1);
  std::filesystem::remove_all(folder);
}

}  // namespace

namespace {

// Registered before the library has made anything, so that it runs after all that ends with the program.
int const at_end = std::atexit([] {
  zero_rank* rank = nullptr;
  bool const works = zero_rank_create(&rank) == ZERO_OK && zero_rank_free(rank) == ZERO_OK &&
                     zero_rank_free(rank) == ZERO_ERROR_STALE_HANDLE;
  if (!works) std::_Exit(9);
});

}  // namespace

TEST_CASE("c calls: the library may be called while the program ends") { CHECK(at_end == 0); }

}  // namespace c_calls_test
