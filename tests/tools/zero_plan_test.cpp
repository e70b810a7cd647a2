// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The planner's tool as its users meet it: a command line, an exit code, text on two streams and files.
#include "run_command.hpp"

#include <zero/checkpoint/detail/safetensors.hpp>
#include <zero/config/read.hpp>
#include <zero/precision.hpp>
#include <zero/support/json_reader.hpp>

#include <doctest/doctest.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace tools_zero_plan_test {

namespace {

namespace fs = std::filesystem;
using zero::Json;
using zero_test::Outcome;

/// Runs the tool through the shell, which the test's own quoted arguments go through.
Outcome run(std::string const& arguments) {
  return zero_test::run_command("'" ZERO_PLAN "' 2>&1 < /dev/null " + arguments);
}

std::string content_of(fs::path const& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

/// A folder of its own, removed at the end.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("zero plan " + std::to_string(::getpid()))) {
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(Folder const&) = delete;
  Folder& operator=(Folder const&) = delete;

  [[nodiscard]] fs::path operator/(char const* name) const { return path_ / name; }
  /// A path as one word of the shell.
  [[nodiscard]] std::string quote(char const* name) const { return "'" + (path_ / name).string() + "'"; }
  /// Writes a file, and returns its path as one word of the shell.
  std::string write(char const* name, std::string const& content) const {
    std::ofstream(path_ / name, std::ios::binary) << content;
    return quote(name);
  }
  [[nodiscard]] fs::path const& path() const { return path_; }
  [[nodiscard]] std::string read(char const* name) const { return content_of(path_ / name); }
  [[nodiscard]] std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(path_), fs::directory_iterator{}));
  }

 private:
  fs::path path_;
};

constexpr int nothing_fits = 7;

Json report(std::string const& arguments) {
  auto const outcome = run(arguments + " --json - 2>/dev/null");  // without warnings
  INFO(arguments << "\n" << outcome.output);
  REQUIRE((outcome.code == 0 || outcome.code == nothing_fits));
  return zero::detail::parse_json(outcome.output);
}

std::uint64_t natural(Json const& object, std::string_view name) {
  auto const* const value = object.find(name);
  REQUIRE(value != nullptr);
  REQUIRE(value->get<std::uint64_t>() != nullptr);
  return *value->get<std::uint64_t>();
}
bool flag(Json const& object, std::string_view name) {
  auto const* const value = object.find(name);
  REQUIRE((value != nullptr && value->get<bool>() != nullptr));
  return *value->get<bool>();
}
Json::Array const& rows(Json const& report) { return *report.find("rows")->get<Json::Array>(); }

void check_rejected(std::string const& arguments, std::string const& reason, int code = 2) {
  auto const outcome = run(arguments);
  CAPTURE(arguments);
  CAPTURE(outcome.output);
  CHECK(outcome.code == code);
  CHECK(outcome.output.find(reason) != std::string::npos);
  CHECK(outcome.output.rfind("zero-plan: ", 0) == 0);
  CHECK(std::count(outcome.output.begin(), outcome.output.end(), '\n') == 1);
}

bool contains(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }

/// A safetensors file whose header is \p json, and that has \p bytes of data.
std::string safetensors(std::string const& json, std::size_t bytes) {
  std::string file(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) file[i] = static_cast<char>(json.size() >> (8 * i));
  return file + json + std::string(bytes, '\0');
}

std::string tensor(std::string const& name, std::string const& type, std::string const& shape, int begin, int end) {
  return "\"" + name + "\":{\"dtype\":\"" + type + "\",\"shape\":[" + shape + "],\"data_offsets\":[" +
         std::to_string(begin) + "," + std::to_string(end) + "]}";
}

}  // namespace

TEST_CASE("zero-plan: model states are those of the formulas of the ZeRO paper, within its padding of 1 %") {
  for (std::string const model : {"zero-7.5b", "zero-128b", "zero-1t"}) {
    auto const planned =
        report("--model " + model + " --sum bf16 --offload none --stage 0,1,2,3 --world 1,4,16,64,256,1024");
    auto const elements = static_cast<double>(natural(planned, "parameters"));
    REQUIRE(rows(planned).size() == 24);
    for (auto const& row : rows(planned)) {
      auto const world = static_cast<double>(natural(row, "world"));
      std::array const per_element{16.0, 4.0 + 12.0 / world, 2.0 + 14.0 / world, 16.0 / world};
      double const formula = elements * per_element[natural(row, "stage")];
      auto const states = static_cast<double>(natural(row, "model_state_bytes"));
      INFO(model << " world " << world << " stage " << natural(row, "stage"));
      CHECK(states >= formula);
      CHECK(states <= 1.01 * formula);
    }
  }
}

// Rajbhandari et al., 2020, table 1, as printed: GB per device for P_os, P_os+g and P_os+g+p, at degrees 1 to 1,024.
TEST_CASE("zero-plan: prints the figures of the ZeRO paper's table, to the padding and the table's own rounding") {
  struct Table {
    char const* model;
    std::array<std::array<char const*, 3>, 6> printed;
  };
  std::array<Table, 3> const tables{{{"zero-7.5b",
                                      {{{"120", "120", "120"},
                                        {"52.5", "41.3", "30"},
                                        {"35.6", "21.6", "7.5"},
                                        {"31.4", "16.6", "1.88"},
                                        {"30.4", "15.4", "0.47"},
                                        {"30.1", "15.1", "0.12"}}}},
                                     {"zero-128b",
                                      {{{"2048", "2048", "2048"},
                                        {"896", "704", "512"},
                                        {"608", "368", "128"},
                                        {"536", "284", "32"},
                                        {"518", "263", "8"},
                                        {"513", "257", "2"}}}},
                                     {"zero-1t",
                                      {{{"16000", "16000", "16000"},
                                        {"7000", "5500", "4000"},
                                        {"4750", "2875", "1000"},
                                        {"4187", "2218", "250"},
                                        {"4046", "2054", "62.5"},
                                        {"4011", "2013", "15.6"}}}}}};
  for (auto const& table : tables) {
    auto const planned = report(std::string("--model ") + table.model +
                                " --sum bf16 --offload none --stage 1,2,3 --world 1,4,16,64,256,1024");
    for (std::size_t i = 0; i < 18; ++i) {
      std::string const printed = table.printed[i / 3][i % 3];
      auto const dot = printed.find('.');
      double const half_a_digit =
          0.5 * std::pow(10.0, dot == std::string::npos ? 0.0 : -double(printed.size() - dot - 1));
      double const expected = std::stod(printed);
      double const states = static_cast<double>(natural(rows(planned)[i], "model_state_bytes")) / 1e9;
      INFO(table.model << " row " << i);
      CHECK(std::abs(states - expected) <= 0.01 * expected + half_a_digit);
    }
  }
}

TEST_CASE("zero-plan: knows its models with the number of parameters that their makers publish") {
  std::vector<std::pair<std::string, std::uint64_t>> const models{
      {"gpt2-124m", 124439808},     {"gpt2-355m", 354823168},     {"gpt2-774m", 774030080},
      {"gpt2-1558m", 1557611200},   {"llama-2-7b", 6738415616},   {"llama-2-13b", 13015864320},
      {"llama-2-70b", 68976648192}, {"llama-3-8b", 8030261248},   {"llama-3-70b", 70553706496},
      {"llama-3.2-1b", 1235814400}, {"llama-3.2-3b", 3212749824}, {"llama-3.1-405b", 405853388800},
  };
  for (auto const& [name, parameters] : models) {
    CHECK(natural(report("--model " + name + " --stage 0 --offload none"), "parameters") == parameters);
  }
}

TEST_CASE("zero-plan: says what fits, and which of it sends least, for each world and accumulation") {
  auto const planned = report("--model gpt2-1558m --world 4,8 --accumulate 1,4 --memory 16GB --activations 2GB");
  REQUIRE(rows(planned).size() == 32);
  for (std::size_t group = 0; group < 4; ++group) {
    std::size_t marked = 0;
    std::uint64_t least = UINT64_MAX;
    std::uint64_t of_marked = 0;
    for (std::size_t i = 0; i < 8; ++i) {
      auto const& row = rows(planned)[8 * group + i];
      CHECK(flag(row, "fits") == (natural(row, "device_bytes") <= 16000000000U));
      if (flag(row, "fits")) least = std::min(least, natural(row, "sent_bytes"));
      if (!flag(row, "sends_least")) continue;
      CHECK(flag(row, "fits"));
      of_marked = natural(row, "sent_bytes");
      ++marked;
    }
    CHECK(marked == 1);
    CHECK(of_marked == least);
  }
  CHECK(contains(run("--model zero-1t --world 2 --memory 80GB").output, "Nothing fits"));
  auto const on_host = report("--model gpt2-124m --world 1 --stage 0 --offload cpu --memory 80GB --host-memory 1MB");
  CHECK_FALSE(flag(rows(on_host)[0], "fits"));
  CHECK(rows(report("--model gpt2-124m"))[0].find("fits") == nullptr);
}

TEST_CASE("zero-plan: figures of the table are the engine's own: memory adds up, and units are as they are named") {
  auto const planned = report("--model llama-3.2-1b --world 3 --accumulate 2 --activations 1GiB");
  for (auto const& row : rows(planned)) {
    std::uint64_t device = 0, host = 0;
    for (auto const& [kind, purposes] : *row.find("memory_bytes")->get<Json::Object>()) {
      for (auto const& [purpose, bytes] : *purposes.get<Json::Object>()) {
        (kind == "device" ? device : host) += *bytes.get<std::uint64_t>();
      }
    }
    CHECK(natural(row, "device_bytes") == device + (std::uint64_t{1} << 30U));
    CHECK(natural(row, "host_bytes") == host);
    CHECK((host > 1000000) == (*row.find("offload")->get<std::string>() == "cpu"));
  }
  auto const table = run("--model zero-7.5b --sum bf16 --world 64 --offload none").output;
  for (auto const* figure : {"120.0", "31.40", "16.6", "1.875"}) CHECK(contains(table, figure));
  CHECK(contains(table, "Every figure is a prediction"));
  CHECK(contains(run("--model zero-7.5b --world 64 --bucket 4194304").output, "without --bucket they share"));
  CHECK_FALSE(contains(table, "without --bucket"));
}

TEST_CASE("zero-plan: recommends published sizes of buckets where the default's are smaller, and nothing else") {
  std::string const small =
      "Buckets at stage 0,1 are small for fast links: from 4,194,304 elements. --stage 0,1 --bucket ";
  CHECK(contains(run("--model llama-3-8b --world 8").output, small + "40000000\n"));
  CHECK(contains(run("--model llama-3-8b --world 64").output, small + "64000000\n"));
  CHECK(contains(run("--model gpt2-124m --world 2,512").output, "Buckets at stage 0,1,2,3 are small"));
  for (std::string const settled : {"--world 1", "--world 8 --bucket 4194304", "--world 8 --stage 2,3"}) {
    CAPTURE(settled);
    CHECK_FALSE(contains(run("--model llama-3-8b " + settled).output, "fast links"));
  }
  auto const planned = report("--model llama-3-8b --world 8,64 --offload none");
  for (auto const& row : rows(planned)) {
    bool const in_one_arena = natural(row, "stage") < 2;
    CHECK((natural(row, "largest_bucket_elements") == 4194304) == in_one_arena);
    CHECK(natural(row, "published_bucket_elements") == (natural(row, "world") == 8 ? 40000000U : 64000000U));
  }
  auto const tiny = report("--model gpt2-124m --world 1024 --stage 1 --offload none");
  CHECK(natural(rows(tiny)[0], "published_bucket_elements") == natural(tiny, "parameters"));
}

TEST_CASE("zero-plan: every option changes what is predicted") {
  auto const plan = [](std::string const& arguments) {
    auto const outcome =
        run("--json - " + (contains(arguments, "--world") ? "" : std::string("--ranks 4 ")) + arguments);
    INFO(arguments << "\n" << outcome.output);
    REQUIRE(outcome.code == 0);
    return outcome.output.substr(outcome.output.find("\"rows\""));
  };
  std::string const model = "--model gpt2-124m ";
  CHECK(plan("--model gpt2") == plan(model));
  CHECK(plan(model + "--granule 256") == plan(model + "--alignment 256"));
  auto const base = plan(model + "--stage 1,3");
  for (std::string const option :
       {"--world 8", "--offload none", "--offload cpu", "--precision fp32", "--sum bf16", "--accumulate 2",
        "--bucket 1000000", "--alignment 256", "--ring 9", "--live 50000000", "--prefetch 0", "--whole-below 100000",
        "--chunk 1000", "--device-share 50", "--delayed-update on", "--nccl auto", "--memory 80GB",
        "--activations 1GB"}) {
    CAPTURE(option);
    auto const other = plan(std::string(model).append("--stage 1,3 ").append(option));
    CHECK(other != base);
  }
  CHECK(plan(model + "--stage 1 --accumulate 2 --reduce each_micro_batch") != plan(model + "--stage 1 --accumulate 2"));
  // As wide as bf16: only the report's heading differs.
  CHECK(*report(model + "--precision fp16 --stage 1").find("compute")->get<std::string>() == "fp16");
  CHECK(plan(model + "--stage 2") != base);
  CHECK(plan(model + "--stage 1,3 --delayed-update") == plan(model + "--stage 1,3 --delayed-update on"));
}

TEST_CASE("zero-plan: reads shapes in forward order, with a unit per layer") {
  Folder const folder;
  auto const file = folder.write("shapes.txt",
                                 "# a model\n"
                                 "embed.weight 1000 64   # used twice\n\n"
                                 "layers.0.weight 64 64\r\n"
                                 "layers.0.scale\n"
                                 "layers.1.weight 64 64\n"
                                 "head.norm 64\n");
  auto const planned = report("--shapes " + file + " --tied embed.weight --stage 3 --offload none --world 2");
  CHECK(natural(planned, "parameters") == 64000 + 4096 + 1 + 4096 + 64);
  auto const without = report("--shapes " + file + " --stage 3 --offload none --world 2");
  auto const gathered = [](Json const& all) { return natural(*rows(all)[0].find("traffic_elements"), "gathered"); };
  CHECK(gathered(planned) == gathered(without) + 2 * 64000 / 2);
  CHECK(contains(run("--shapes " + file).output, "in 4 units"));
  CHECK(natural(report("--shapes " + file + " --skip .scale --skip norm"), "parameters") == 64000 + 4096 + 4096);
}

TEST_CASE("zero-plan: reads the tensors of safetensors files") {
  Folder const folder;
  auto const file = folder.write(
      "model.safetensors",
      safetensors("{\"__metadata__\":{\"format\":\"pt\"}," + tensor("h.10.w", "F16", "5,2", 0, 20) + "," +
                      tensor("h.9.w", "BF16", "5", 20, 30) + "," + tensor("h.10.v", "BF16", "5", 30, 40) + "," +
                      tensor("ids", "I64", "4", 40, 72) + "," + tensor("norm.w", "F32", "3", 72, 84) + "}",
                  84));
  auto const second = folder.write("second.safetensors", safetensors("{" + tensor("wte", "F32", "7", 0, 28) + "}", 28));
  CHECK(natural(report("--safetensors " + file), "parameters") == 23);
  CHECK(natural(report("--safetensors " + file + " --safetensors " + second), "parameters") == 30);
  CHECK(contains(run("--safetensors " + file + " --safetensors " + second).output, "in 4 units"));
  CHECK(natural(report("--safetensors " + folder.quote(".")), "parameters") == 30);
  // A link, as the cache of a hub has it.
  fs::create_symlink("model.safetensors", folder.path() / "link.safetensors");
  auto const link = "'" + (folder.path() / "link.safetensors").string() + "'";
  CHECK(natural(report("--safetensors " + link), "parameters") == 23);
  CHECK(natural(report("--safetensors " + link), "checkpoint_bytes") == 23 * 12);
}

TEST_CASE("zero-plan: weights of 8 bits count, their scales do not, and what is left out is said") {
  Folder const folder;
  auto const file =
      folder.write("fp8.safetensors", safetensors("{" + tensor("h.0.w.weight", "F8_E4M3", "5,2", 0, 10) + "," +
                                                      tensor("h.0.w.weight_scale_inv", "F32", "1", 12, 16) + "," +
                                                      tensor("h.0.v.weight", "F8_E5M2", "2", 10, 12) + "," +
                                                      tensor("h.0.v.input_scale", "F32", "1", 16, 20) + "," +
                                                      tensor("ids", "I64", "2", 24, 40) + "," +
                                                      tensor("norm_scale", "F32", "1", 20, 24) + "}",
                                                  40));
  auto const outcome = run("--safetensors " + file);
  INFO(outcome.output);
  CHECK(outcome.code == 0);
  CHECK(contains(outcome.output, ": 13 parameters in "));
  CHECK(contains(outcome.output, "\nLeft out, as no parameters: 3 tensors of 4 elements: "));
  CHECK(contains(outcome.output, "h.0.w.weight_scale_inv (F32)"));
  CHECK(contains(*report("--safetensors " + file).find("note")->get<std::string>(), "3 tensors of 4 elements"));
  CHECK(report("--model gpt2").find("note") == nullptr);
  auto const whole = folder.write("whole.safetensors", safetensors("{" + tensor("w", "F32", "3", 0, 12) + "}", 12));
  CHECK_FALSE(contains(run("--safetensors " + whole).output, "Left out"));
}

TEST_CASE("zero-plan: draws a picture with an axis, a legend, the device and every row") {
  Folder const folder;
  auto const outcome = run("--model gpt2-124m --world 4 --memory 2GB --plot " + folder.quote("plan.svg"));
  INFO(outcome.output);
  REQUIRE(outcome.code == 0);
  auto const picture = folder.read("plan.svg");
  for (auto const* part : {"<svg ", "stage 0", "stage 3", "device, host", "parameters", "gradient sums", "gathered",
                           "GB (1e9 bytes)", "stroke-dasharray", "fits and sends least", "predicted", "</svg>\n"}) {
    CAPTURE(part);
    CHECK(contains(picture, part));
  }
  CHECK_FALSE(contains(picture, "activations"));
  auto const shapes = folder.write("<&.txt", "w 10");
  CHECK(run("--shapes " + shapes + " --activations 1GB --plot " + folder.quote("odd.svg")).code == 0);
  CHECK(contains(folder.read("odd.svg"), "&lt;&amp;.txt"));
  CHECK(contains(folder.read("odd.svg"), "activations"));
}

TEST_CASE("zero-plan: a picture of many settings has them in rows, with all colours in hexadecimal") {
  Folder const folder;
  auto const size = [&](std::string const& arguments) {
    auto const outcome = run("--model gpt2-124m " + arguments + " --plot " + folder.quote("many.svg"));
    CAPTURE(outcome.output);
    REQUIRE(outcome.code == 0);
    auto const picture = folder.read("many.svg");
    CHECK_FALSE(contains(picture, "hsl("));
    double width = 0, height = 0;
    REQUIRE(std::sscanf(picture.c_str() + picture.find("viewBox"), "viewBox=\"0 0 %lf %lf", &width, &height) == 2);
    std::size_t bars = 0;
    for (std::size_t at = 0; (at = picture.find(">stage ", at)) != std::string::npos; ++at) ++bars;
    return std::array{width, height, static_cast<double>(bars)};
  };
  auto const few = size("--ranks 8"), many = size("--ranks 1,8,64,512 --accumulate 1,4");
  CHECK(few[2] == 8);
  CHECK(many[2] == 64);
  CHECK(many[0] == few[0]);
  CHECK(many[1] > 7 * few[1]);
  auto const narrow = size("--ranks 1,8,64,512 --stage 1,2 --offload none");
  CHECK(narrow[2] == 8);
  CHECK(narrow[0] == few[0]);
}

TEST_CASE("zero-plan: the page of the documentation shows what is printed and drawn") {
  Folder const folder;
  std::string const arguments = "--model llama-3-8b --ranks 8 --memory 80GB --activations 10GB --plot ";
  auto const outcome = run(arguments + folder.quote("plan.svg"));
  REQUIRE(outcome.code == 0);
  auto const page = content_of(fs::path(ZERO_DOCS) / "planner.md");
  CHECK(contains(page, "zero-plan " + arguments + "plan.svg\n```\n\n```\n" + outcome.output + "```\n"));
  CHECK(folder.read("plan.svg") == content_of(fs::path(ZERO_DOCS) / "images" / "plan.svg"));
}

TEST_CASE("zero-plan: a bad command line is one line that says what is wrong, and exit code 2") {
  std::string const model = "--model gpt2-124m ";
  check_rejected("", "name one model");
  check_rejected("--model gpt5", "--model gpt5: unknown; the models are gpt2-124m (gpt2), ");
  check_rejected(model + "--shapes x", "name one model");
  check_rejected(model + "--tied wte", "--tied and --skip");
  for (std::string const how : {"--chunk 1000", "--device-share 50", "--delayed-update on"}) {
    check_rejected(std::string(model).append("--offload none ").append(how),
                   "--offload none: --chunk, --device-share and --delayed-update");
  }
  check_rejected(model + "--delayed-update yes", "--delayed-update yes: expected on|off");
  check_rejected(model + "--delayed-update on --device-share 5", "leave out device_share or delayed_update");
  check_rejected(model + "--world 0", "--world 0: expected a whole number from 1 to 65536");
  check_rejected(model + "--world -4", "--world -4: expected");
  check_rejected(model + "--world 4,", "--world : expected");
  check_rejected(model + "--world 4,4", "no value twice");
  check_rejected(model + "--world 99999999999999999999", "expected a whole number");
  check_rejected(model + "--world", "--world: needs a value");
  check_rejected(model + "--memory -1", "--memory -1: expected bytes");
  check_rejected(model + "--memory 80XB", "--memory 80XB: expected bytes");
  check_rejected(model + "--memory nan", "--memory nan: expected bytes");
  check_rejected(model + "--memory 1e300TB", "--memory 1e300TB: expected bytes");
  check_rejected(model + "--activations 2000000TiB", "expected bytes below 2^60");
  check_rejected(model + "--bucket 0", "--bucket 0: expected");
  check_rejected(model + "--bucket -1", "--bucket -1: expected");
  check_rejected("--model zero-1t --bucket 1", "--bucket 1: would cut the model into 7813466800 buckets");
  check_rejected(model + "--granule 200", "alignment_elements must be a multiple of 128");
  check_rejected(model + "--accumulate 0", "--accumulate 0: expected");
  check_rejected(model + "--stage 4", "--stage 4: expected");
  check_rejected(model + "--offload disk", "--offload disk: expected none|cpu|both");
  check_rejected(model + "--precision fp8", "--precision fp8: expected fp32|bf16|fp16");
  check_rejected(model + "--sum fp16", "--sum fp16: expected fp32|bf16");
  check_rejected(model + "--precision fp32 --sum bf16", "no engine here computes in fp32 and sums in bf16");
  check_rejected(model + "--reduce once_per_step --stage 2", "--reduce once_per_step: keeps whole gradients");
  check_rejected(model + "--live 1000", "raise max_live_elements");
  check_rejected(model + "--ring 1 --stage 2 --bucket 4194304", "raise gradient_ring");
  check_rejected(model + "--frobnicate", "--frobnicate: unknown option");
  check_rejected(model + "--num_gpus 2", "--num_gpus: unknown option; did you mean --ranks?");
  check_rejected(model + "--memory-limit 80GB", "--memory-limit: unknown option; did you mean --memory?");
  check_rejected(model + "--ranks 2 --world 4", "--world: is given twice");
  check_rejected(model + "--plot plan.png", "--plot plan.png: pictures are SVG: name a file that ends in .svg");
}

TEST_CASE("zero-plan: a micro-batch of a GPT-2 adds what train_gpt2 takes for it, and nothing else changes") {
  for (std::string const device : {"cpu", "cuda"}) {
    CAPTURE(device);
    std::string const model = "--model gpt2-xl --ranks 4 --precision fp16 ";
    auto const bare = report(model), one = report(model + "--batch 1 --device " + device);
    auto const three = report(model + "--batch 3 --device " + device);
    REQUIRE(rows(bare).size() == rows(one).size());
    for (std::size_t i = 0; i < rows(bare).size(); ++i) {
      auto const taken = [&](Json const& planned) {
        auto const& row = rows(planned)[i];
        CHECK(natural(row, "sent_bytes") == natural(rows(bare)[i], "sent_bytes"));
        auto const bytes = natural(row, "activation_bytes") + natural(row, "scratch_bytes");
        CHECK(natural(row, "device_bytes") == natural(rows(bare)[i], "device_bytes") + bytes);
        return natural(row, "activation_bytes");
      };
      CHECK(taken(one) == (device == "cpu" ? 3363446784U : 2100445184U));
      CHECK(taken(three) == 3 * taken(one));
    }
    CHECK((rows(one)[0].find("process_bytes") != nullptr) == (device == "cpu"));
  }
  CHECK(contains(run("gpt2 --batch 2 --memory 8GB").output, "micro-batches of 2 x 1024 tokens, recompute none"));
  // Positions of a shorter context are parameters that are not there.
  CHECK(natural(report("gpt2 --context 24"), "parameters") == 124439808 - 1000 * 768);
  CHECK(natural(report("gpt2 --vocab 257"), "parameters") == 124439808 - 50000 * 768);
  auto const own = report("--layers 12 --heads 12 --width 768 --batch 1");
  CHECK(natural(own, "parameters") == 124439808);
  CHECK(natural(rows(own)[0], "device_bytes") == natural(rows(report("gpt2 --batch 1"))[0], "device_bytes"));
}

TEST_CASE("zero-plan: finds the largest micro-batch of every setting, and the one that sends least comes first") {
  std::string const arguments = "gpt2-xl --memory 8GB,24GB,80GB --context 1024 --global-batch 256 --world 4 ";
  auto const planned = report(arguments);
  auto const& found = rows(planned);
  REQUIRE(found.size() % 3 == 0);
  std::size_t const each = found.size() / 3;
  CHECK(each >= 8);
  CHECK(natural(planned, "global_batch") == 256);
  for (std::size_t i = 0; i < found.size(); ++i) {
    auto const& row = found[i];
    CAPTURE(i);
    auto const memory = natural(row, "memory"), batch = natural(row, "micro_batch");
    CHECK(memory == std::array{8000000000U, 24000000000U, 80000000000U}[i / each]);
    CHECK(4 * batch * natural(row, "micro_batches") == 256);
    CHECK(flag(row, "fits") == (natural(row, "device_bytes") <= memory));
    CHECK(flag(row, "sends_least") == (i % each == 0));
    if (!flag(row, "fits")) CHECK(batch == 1);
    auto const setting = "gpt2-xl --world 4 --stage " + std::to_string(natural(row, "stage")) + " --offload " +
                         *row.find("offload")->get<std::string>() + " --recompute " +
                         *row.find("recompute")->get<std::string>();
    auto const alone = [&](std::uint64_t sequences) {
      return report(setting + " --batch " + std::to_string(sequences) + " --accumulate " +
                    std::to_string(64 / sequences));
    };
    if (i >= each) continue;  // of one memory: the others are found in the same way
    CHECK(natural(rows(alone(batch))[0], "device_bytes") == natural(row, "device_bytes"));
    CHECK(natural(rows(alone(batch))[0], "sent_bytes") == natural(row, "sent_bytes"));
    if (batch < 64) CHECK(natural(rows(alone(2 * batch))[0], "device_bytes") > memory);
    if (i == 0 || !flag(row, "fits")) continue;
    CHECK(natural(found[i - 1], "sent_bytes") <= natural(row, "sent_bytes"));
  }
  // A larger memory fits as much, and more.
  CHECK(natural(found[2 * each], "micro_batch") > natural(found[0], "micro_batch"));
  auto const table = run(arguments);
  CHECK(table.code == 0);
  for (auto const* part : {"Memory of a device: 8.000 GB\n", "Memory of a device: 80.00 GB\n", "least: fits",
                           "a step of 256 x 1,024 tokens on GPUs"}) {
    CAPTURE(part);
    CHECK(contains(table.output, part));
  }
  // Among equals: no recomputation, then no offload, then the larger micro-batch.
  auto const alike = report("gpt2 --memory 80GB --global-batch 1");
  CHECK(*rows(alike)[0].find("recompute")->get<std::string>() == "none");
  CHECK(*rows(alike)[0].find("offload")->get<std::string>() == "none");
  auto const with_host = report("gpt2 --memory 4GB --host-memory 100MB --global-batch 8 --context 256");
  for (auto const& row : rows(with_host)) {
    CHECK(flag(row, "fits") == (*row.find("offload")->get<std::string>() == "none"));
  }
}

TEST_CASE("zero-plan: segments of blocks keep fewer inputs and gather more, and inputs on the host leave the device") {
  std::string const gpt2 = "gpt2 --batch 2 --ranks 4 --stage 3 --offload none --recompute block ";
  auto const row = [&](std::string const& options) {
    auto const planned = report(gpt2 + options);
    return rows(planned)[0];
  };
  auto const all = row(""), three = row("--kept-inputs 3"), host = row("--inputs-on-host");
  std::uint64_t const input = 2 * 1024 * 768 * 4;
  CHECK(natural(three, "sent_bytes") > natural(all, "sent_bytes"));
  CHECK(natural(three, "kept_inputs") == 3);
  CHECK(natural(three, "activation_bytes") > natural(all, "activation_bytes"));  // buffers of three blocks for one
  CHECK(natural(host, "sent_bytes") == natural(all, "sent_bytes"));
  CHECK(natural(host, "host_activation_bytes") == 9 * input);  // of eleven all but the last two
  CHECK(natural(host, "device_bytes") == natural(all, "device_bytes") - 9 * input);
  CHECK(natural(host, "host_bytes") == natural(all, "host_bytes") + 9 * input);
  CHECK(contains(run(gpt2 + "--kept-inputs 3 --inputs-on-host").output,
                 "recompute block, from 3 kept inputs in pinned host memory."));
  std::string const search = "gpt2 --global-batch 8 --ranks 2 --memory 8GB ";
  check_rejected("gpt2 --batch 2 --kept-inputs 3", "--kept-inputs: is of blocks that are computed again");
  check_rejected(search + "--recompute none,selective --inputs-on-host", "--inputs-on-host: is of blocks");
  check_rejected(gpt2 + "--inputs-on-host --device cpu", "all activations are on the host");
  check_rejected("gpt2 --kept-inputs 3", "--kept-inputs: is of train_gpt2's activations");
  check_rejected(gpt2 + "--kept-inputs 0", "--kept-inputs 0: expected");
}

TEST_CASE("zero-plan: dropout takes a buffer of a micro-batch's residual stream") {
  for (std::string const device : {"cpu", "cuda"}) {
    std::string const gpt2 = "gpt2 --batch 2 --stage 2 --offload none --device " + device;
    auto const without = report(gpt2), with = report(gpt2 + " --dropout 0.1"), none = report(gpt2 + " --dropout 0");
    auto const scratch = [](auto const& planned) { return natural(rows(planned)[0], "scratch_bytes"); };
    CHECK(scratch(with) == scratch(without) + 2 * 1024 * 768 * 4);
    CHECK(scratch(none) == scratch(without));
  }
  Folder const folder;
  auto const found =
      run("gpt2 --memory 24GB --context 256 --global-batch 12 --world 2 --dropout 0.125 --write-config " +
          folder.quote("found.json"));
  CHECK(found.code == 0);
  CHECK(contains(found.output, " --dropout 0.125 "));
  check_rejected("gpt2 --dropout 0.1", "--dropout: is of train_gpt2's activations");
  check_rejected("gpt2 --batch 1 --dropout 1", "--dropout 1: expected a number in [0, 1)");
}

TEST_CASE("zero-plan: where no setting fits, it says what the smallest one takes") {
  auto const nothing = run("gpt2-xl --memory 1GB --context 1024 --global-batch 256 --world 4");
  CAPTURE(nothing.output);
  CHECK(nothing.code == nothing_fits);
  CHECK(contains(nothing.output, "Nothing fits. The smallest takes "));
  CHECK(contains(nothing.output, " of the host: world 4, stage 3, offload cpu, recompute "));
  // One memory of two does.
  auto const some = run("gpt2-xl --memory 1GB,80GB --context 1024 --global-batch 256 --world 4");
  CHECK(some.code == 0);
  CHECK(contains(some.output, "Nothing fits. The smallest takes "));
  auto const row = run("--model zero-1t --world 2 --memory 80GB --offload none");
  CHECK(row.code == nothing_fits);
  CHECK(contains(row.output, "The smallest of these takes 9059 GB: world 2, stage 3, offload none.\n"));
}

TEST_CASE("zero-plan: writes the first setting of a search as a configuration, which means that setting") {
  Folder const folder;
  for (std::string const setting :
       {"--stage 2 --offload cpu --precision fp16", "--stage 3 --offload none --prefetch 0",
        "--stage 1 --precision fp32 --device-share 25 --offload cpu", "--bucket 1000000", "--stage 3 --recompute block",
        "--recompute selective", "--recompute block --kept-inputs 3 --inputs-on-host"}) {
    CAPTURE(setting);
    auto const outcome = run("gpt2 --memory 24GB --context 256 --global-batch 12 --world 2 --write-config " +
                             folder.quote("found.json") + " " + setting);
    CAPTURE(outcome.output);
    REQUIRE(outcome.code == 0);
    auto const planned = report("gpt2 --memory 24GB --context 256 --global-batch 12 --world 2 " + setting);
    auto const& row = rows(planned)[0];
    auto const read = zero::config::read((folder.path() / "found.json").string(), {.world = 2});
    CHECK(read.batch.sequences == 12);
    CHECK(read.batch.micro_batch == natural(row, "micro_batch"));
    CHECK(read.batch.accumulation == natural(row, "micro_batches"));
    REQUIRE(read.precision);
    CHECK(zero::name(read.precision->compute) == *planned.find("compute")->get<std::string>());
    REQUIRE(read.sharding);
    CHECK(static_cast<std::uint64_t>(read.sharding->stage) == natural(row, "stage"));
    CHECK(read.sharding->offload.has_value() == (*row.find("offload")->get<std::string>() == "cpu"));
    CHECK(read.sharding->prefetch_units == (contains(setting, "--prefetch 0") ? 0 : 1));
    CHECK(read.sharding->persistence_threshold <= 1);
    CHECK(read.sharding->bucket_elements.has_value() == contains(setting, "--bucket"));
    if (contains(setting, "--device-share")) CHECK(read.sharding->offload->device_share == 0.25);
    auto const recompute = *row.find("recompute")->get<std::string>();
    CHECK(read.recomputation.has_value() == (recompute == "block"));
    if (contains(setting, "--kept-inputs")) {
      CHECK(read.recomputation->kept_inputs == std::size_t{3});
      CHECK(read.recomputation->inputs_in_host_memory);
    }
    if (contains(setting, "--recompute")) CHECK(contains(setting, "--recompute " + recompute));
    CHECK(contains(outcome.output, " --recompute " + recompute) == (recompute != "none"));
    CHECK(contains(outcome.output, "\nWritten: "));
    CHECK(contains(outcome.output, " --model gpt2-124m --context 256 --device cuda"));
    CHECK(contains(outcome.output, " --ranks 2\n"));
  }
  fs::remove(folder.path() / "found.json");
  std::string const search = "gpt2 --global-batch 12 --world 2 --write-config " + folder.quote("none.json");
  CHECK(run(search + " --memory 1MB").code == nothing_fits);
  check_rejected(search + " --memory 8GB,80GB", "--write-config: writes one configuration: needs one --memory");
  check_rejected(search + " --memory 8GB --ring 9", "--ring: no configuration says it");
  check_rejected("gpt2 --write-config " + folder.quote("none.json"), "--write-config: writes what a search finds");
  check_rejected(search + "/no/folder --memory 80GB", "cannot be written");
  CHECK(folder.files() == 0);
}

TEST_CASE("zero-plan: what only a GPT-2 has, and a step that no micro-batch makes, are refused by name") {
  Folder const folder;
  auto const layer = folder.write("layer.txt", "w 10 10\n");
  auto const layers = folder.write("layers.txt", "h.0.w 10 10\nh.1.w 10 10\n");
  std::string const known = " are not known; those of GPT-2 are: gpt2-124m (gpt2), ";
  check_rejected("llama-3-8b --batch 1", "--batch 1: the activations of llama-3-8b" + known);
  check_rejected("zero-7.5b --global-batch 8 --memory 80GB", "--global-batch 8: the activations of zero-7.5b" + known);
  check_rejected("llama-3-8b --context 8", "--context 8: the activations of llama-3-8b" + known);
  check_rejected("--shapes " + layers + " --batch 1 --recompute none", "layers.txt" + known);
  check_rejected("--shapes " + layer + " --batch 1 --recompute none", "layer.txt has no units to compute again");
  check_rejected("gpt2 --batch 1 --recompute some", "--recompute some: expected none|selective|block");
  check_rejected("gpt2 --recompute none",
                 "--recompute: is of train_gpt2's activations: needs --batch or --global-batch");
  check_rejected("gpt2 --device cpu", "--device: is of train_gpt2's activations");
  check_rejected("gpt2 --batch 1 --activations 1GB", "--activations: those of train_gpt2 are known");
  std::string const search = "gpt2-xl --memory 80GB --world 4 --global-batch ";
  check_rejected(search + "255",
                 "--global-batch 255: no micro-batch makes it on 4 ranks that all have as many: 252 or 256");
  check_rejected(search + "3",
                 "--global-batch 3: no micro-batch makes it on 4 ranks that all have as many: 4 would do");
  check_rejected(search + "0", "--global-batch 0: expected a whole number");
  check_rejected(search + "256 --accumulate 2", "--accumulate: --global-batch finds micro-batches itself");
  check_rejected(search + "256 --batch 2", "--batch: --global-batch finds micro-batches itself");
  check_rejected(search + "256 --plot x.svg", "--plot: draws a table of rows");
  check_rejected("gpt2 --global-batch 8 --ranks 1,2 --memory 8GB", "--global-batch: needs one number of --ranks");
  check_rejected("gpt2 --global-batch 8", "--global-batch: finds what fits: needs --memory");
  check_rejected("gpt2 --memory 8GB,80GB", "--memory: several sizes are searched for: need --global-batch");
  check_rejected("gpt2 --memory 8GB,8GB --global-batch 8", "no value twice");
  check_rejected("gpt2 --batch 1 --device cpu --host-memory 8GB",
                 "--host-memory: all memory of --device cpu is the host's");
  check_rejected("gpt2 gpt2-xl", "gpt2-xl: is no option");
  check_rejected("gpt2 --model gpt2-xl", "--model: is given twice");
  check_rejected("--layers 2 --width 8", "--layers, --heads and --width: a GPT-2 of your own needs all three");
  check_rejected("--layers 2 --width 8 --heads 3", "--width 8: --heads 3 must divide it");
  check_rejected("gpt2 --layers 2", "--model gpt2 has its own");
}

TEST_CASE("zero-plan: a bad model file is one line that says what is wrong, and an exit code of its kind") {
  int const data = 4, damaged = 5;
  Folder const folder;
  auto const shapes = [&](std::string const& text) { return "--shapes " + folder.write("shapes.txt", text); };
  check_rejected("--shapes " + folder.quote("missing.txt"), "missing.txt", data);
  check_rejected("--shapes " + folder.quote("."), "is a folder", data);
  check_rejected("--safetensors " + folder.quote("."), "without .safetensors files", data);
  check_rejected(shapes(""), "has no parameters", data);
  check_rejected(shapes("a 10\nb -3\n"), "shapes.txt:2: -3: expected a dimension", data);
  check_rejected(shapes("a 10\nb 0\n"), "shapes.txt:2: 0: expected a dimension", data);
  check_rejected(shapes("a 10x\n"), "10x: expected a dimension", data);
  check_rejected(shapes("a 99999999999999999999\n"), "expected a dimension", data);
  check_rejected(shapes("a 16777216 16777216 16777216\n"), "more elements than 2^48", data);
  check_rejected(shapes("a 16777216 16777216\nb 16777216 16777216\nc 16777216 16777216\nd 16777216 16777216\ne 1\n") +
                     " --bucket 1000000000000000",
                 "more than 2^50");
  check_rejected(shapes("a 10\na 10\n"), "two parameters are named 'a'", data);
  check_rejected(shapes("a 10\n") + " --tied b", "--tied b: no parameter", 2);

  auto const file = [&](std::string const& content) { return "--safetensors " + folder.write("m.st", content); };
  auto const good = safetensors("{" + tensor("w", "F32", "3", 0, 12) + "}", 12);
  CHECK(run(file(good)).code == 0);
  for (std::size_t bytes : {std::size_t{0}, std::size_t{7}, std::size_t{8}, std::size_t{20}, good.size() - 1}) {
    CAPTURE(bytes);
    check_rejected(file(good.substr(0, bytes)), "m.st: zero: invalid safetensors file", damaged);
  }
  check_rejected(file(safetensors("{" + tensor("w", "F32", "-3", 0, 12) + "}", 12)), "not negative", damaged);
  check_rejected(file(safetensors("{" + tensor("w", "F32", "4", 0, 12) + "}", 12)), "its shape needs 16", damaged);
  check_rejected(file(safetensors("{" + tensor("w", "F32", "9223372036854775807,9", 0, 12) + "}", 12)), "overflows",
                 damaged);
  check_rejected(file(safetensors("{" + tensor("w", "I64", "1", 0, 8) + "}", 8)), "has no parameters", data);
  check_rejected(file(std::string(7, '\xff') + "\x7f"), "not a safetensors file", damaged);
  check_rejected("--safetensors " + folder.quote("missing.st"), "missing.st", data);
}

TEST_CASE("zero-plan: where nothing fits the exit code says so, and a memory that cannot be meant is warned of") {
  std::string const model = "--model gpt2-124m --ranks 8 ";
  CHECK(run(model + "--memory 80G").code == 0);
  CHECK(run(model + "--memory 100MB").code == nothing_fits);
  CHECK_FALSE(contains(run(model + "--memory 100MB").output, "warning"));
  CHECK(run(model + "--memory 100MB --json -").code == nothing_fits);
  auto const bare = run(model + "--memory 80");
  CHECK(bare.code == nothing_fits);
  CHECK(
      contains(bare.output, "zero-plan: warning: --memory 80: is 80 bytes, because it has no unit: was 80G meant?\n"));
  CHECK(contains(run(model + "--memory 80K").output, "warning: --memory 80K: is 81920 bytes, less than a thousandth"));
  CHECK(contains(run(model + "--memory 80000T").output, "warning: --memory 80000T: is more than any machine has"));
  CHECK(contains(run(model + "--memory 80GB --activations 10").output, "warning: --activations 10: is 10 bytes"));
  CHECK_FALSE(contains(run(model + "--memory 80GB --activations 0").output, "warning"));
}

TEST_CASE("zero-plan: an output that cannot be written is one line, exit code 2 and no file") {
  Folder const folder;
  std::string const model = "--model gpt2-124m ";
  check_rejected(model + "--json " + folder.quote("missing/plan.json"), "plan.json: cannot be written");
  check_rejected(model + "--plot " + folder.quote("missing/plan.svg"), "plan.svg: cannot be written");
  check_rejected(model + "--json " + folder.quote("."), "cannot be written");
  check_rejected(model + "--plot /dev/full", "/dev/full: cannot be written");
  check_rejected(model + "--world 0 --json " + folder.quote("plan.json"), "--world 0");
  CHECK(folder.files() == 0);
  CHECK(run(model + "--json " + folder.quote("plan.json")).code == 0);
  CHECK(folder.files() == 1);
  CHECK(natural(zero::detail::parse_json(folder.read("plan.json")), "parameters") == 124439808);
}

}  // namespace tools_zero_plan_test
