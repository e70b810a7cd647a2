// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Checkpoints beside the bare work on the same bytes, in turn, so that a busy machine or disk slows both:
// - save: a save, and a plain sequential write of one file with fsync;
// - load: a load of files that are not in the page cache, and a plain sequential read of them;
// - load_cached: the same from the page cache, and a plain read into memory of the checkpoint's size;
// - hold: how long the training thread is held by a save in the background, and a copy of the state by as many threads.
// `of_plain` is the median over the rounds of plain time / time; `of_copy` of time / plain time. The engine has AdamW's
// fp32 states of so many million parameters, computes in bf16, and holds 12 bytes per parameter that are saved.
// Files are made in TMPDIR, which should be on the disk in question.
#include "huge_pages.hpp"

#include <zero/checkpoint/load.hpp>
#include <zero/checkpoint/save.hpp>
#include <zero/checkpoint/saver.hpp>
#include <zero/engine.hpp>

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using Engine =
    zero::Engine<zero::Partitioner<zero::Stage::none>, zero::Optimizer<zero::AdamW>, zero::Precision<zero::BF16>>;

constexpr int rounds = 9;
constexpr std::size_t block = std::size_t{16} << 20;

/// A folder of its own on the disk of TMPDIR.
class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "zero-benchmark-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no folder in TMPDIR");
    path_ = pattern;
  }
  Folder(Folder const&) = delete;
  Folder& operator=(Folder const&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string const& path() const noexcept { return path_; }

 private:
  std::string path_;
};

long checked(long result) {
  if (result < 0) throw std::runtime_error(std::strerror(errno));
  return result;
}

/// An engine with states to save, and the plain work on as many bytes.
class Scene {
 public:
  explicit Scene(benchmark::State const& state) : engine(alone, model(state), {.backend = {.threads = 2}}) {
    std::vector<float> const values(std::size_t{1} << 20U, 0.5F);
    for (std::size_t i = 0; i < static_cast<std::size_t>(state.range(0)); ++i) {
      engine.write_parameter("layer" + std::to_string(i), values);
    }
    bytes = static_cast<std::size_t>(state.range(0)) << 20U;
    bytes *= 12;
  }

  void save() { (void)zero::save_checkpoint(engine, folder.path(), {.tag = "a"}); }
  void load() { (void)zero::load_checkpoint(engine, folder.path()); }
  void remove() {
    std::filesystem::remove_all(folder.path() + "/a");
    std::filesystem::remove(folder.path() + "/plain");
    std::filesystem::remove(folder.path() + "/latest");
  }

  void write_plainly(char const* from) const {
    std::string const path = folder.path() + "/plain";
    int const file = static_cast<int>(checked(::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY, 0666)));
    for (std::size_t done = 0; done < bytes;) {
      done += static_cast<std::size_t>(checked(::write(file, from + done, std::min(block, bytes - done))));
    }
    checked(::fsync(file));
    ::close(file);
  }
  /// Every file of the checkpoint, a block at a time; into \p to, or where that is null into one block.
  void read_plainly(char* to) const {
    HugePages const memory(to == nullptr ? block : 1, 1);
    for_files([&](int file) {
      char* into = to == nullptr ? memory.as<char>() : to;
      while (long const count = checked(::read(file, into, block))) into += to == nullptr ? 0 : count;
      if (to != nullptr) to = into;
    });
  }
  /// Takes the checkpoint's files out of the page cache.
  void forget() const {
    for_files([](int file) { ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED); });
  }

  zero::SelfCommunicator alone;
  Engine engine;
  Folder folder;
  std::size_t bytes = 0;

 private:
  static zero::ParameterList model(benchmark::State const& state) {
    zero::ParameterList list;
    for (int i = 0; i < state.range(0); ++i) {
      (void)list.add({.name = "layer" + std::to_string(i), .shape = {1024, 1024}, .unit = i});
    }
    return list;
  }
  void for_files(std::function<void(int)> const& f) const {
    for (auto const& entry : std::filesystem::directory_iterator(folder.path() + "/a")) {
      int const file = static_cast<int>(checked(::open(entry.path().c_str(), O_RDONLY)));
      f(file);
      ::close(file);
    }
  }
};

template <class F>
double seconds(F&& f) {
  auto const start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Times of one work and of the plain one, round by round.
struct Times {
  std::vector<double> ours, plain;

  /// The first round, which warms up, does not count. \p prepare goes before each of both, untimed.
  void run(benchmark::State& state, std::function<void()> const& prepare, std::function<void()> const& work,
           std::function<void()> const& plain_work) {
    for (auto _ : state) {
      double total = 0.0;
      for (int round = 0; round < rounds; ++round) {
        prepare();
        double const plain_time = seconds(plain_work);
        prepare();
        double const time = seconds(work);
        if (round == 0) continue;
        ours.push_back(time), plain.push_back(plain_time), total += time;
      }
      state.SetIterationTime(total / (rounds - 1));
    }
  }
  void report(benchmark::State& state, std::size_t bytes, bool of_copy) const {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < ours.size(); ++i) ratios.push_back(of_copy ? ours[i] / plain[i] : plain[i] / ours[i]);
    std::string const name = of_copy ? "of_copy" : "of_plain";
    state.counters[name] = median(ratios);
    state.counters[name + "_low"] = *std::min_element(ratios.begin(), ratios.end());
    state.counters[name + "_high"] = *std::max_element(ratios.begin(), ratios.end());
    state.counters["GB/s"] = static_cast<double>(bytes) / median(ours) / 1e9;
    state.counters["plain_GB/s"] = static_cast<double>(bytes) / median(plain) / 1e9;
  }
  static double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
  }
};

void save(benchmark::State& state) {
  Scene scene(state);
  HugePages const image(scene.bytes, 1);
  auto const clear = [&] {
    scene.remove();
    ::sync();
  };
  Times times;
  times.run(
      state, clear, [&] { scene.save(); }, [&] { scene.write_plainly(image.as<char>()); });
  times.report(state, scene.bytes, false);
}

void load(benchmark::State& state) {
  Scene scene(state);
  scene.save();
  Times times;
  times.run(
      state, [&] { scene.forget(); }, [&] { scene.load(); }, [&] { scene.read_plainly(nullptr); });
  times.report(state, scene.bytes, false);
}

void load_cached(benchmark::State& state) {
  Scene scene(state);
  scene.save();
  HugePages const image(scene.bytes + (std::size_t{1} << 24U), 1);  // and headers and the manifest
  Times times;
  times.run(
      state, [] {}, [&] { scene.load(); }, [&] { scene.read_plainly(image.as<char>()); });
  times.report(state, scene.bytes, false);
}

void hold(benchmark::State& state) {
  Scene scene(state);
  HugePages const from(scene.bytes, 1), to(scene.bytes, 1);
  zero::HostExecutor executor(zero::best_instruction_set(), nullptr, 2);
  zero::CheckpointSaver saver(scene.folder.path());
  auto const synchronize_noexcept = [&] {
    if (saver.under_way()) (void)saver.finish();
    scene.remove();
    ::sync();
  };
  saver.reserve(scene.engine);
  synchronize_noexcept();
  double const first = seconds([&] { (void)saver.start(scene.engine, {.tag = "a"}); });
  Times times;
  times.run(
      state, synchronize_noexcept, [&] { (void)saver.start(scene.engine, {.tag = "a"}); },
      [&] { executor.copy(to.as<char>(), from.as<char>(), scene.bytes); });
  times.report(state, scene.bytes, true);
  state.counters["first_of_copy"] = first / Times::median(times.plain);
  synchronize_noexcept();
}

void as_sizes(benchmark::internal::Benchmark* one) {
  one->ArgName("Mparam")->Arg(16)->Arg(64)->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond);
}

BENCHMARK(save)->Apply(as_sizes);
BENCHMARK(load)->Apply(as_sizes);
BENCHMARK(load_cached)->Apply(as_sizes);
BENCHMARK(hold)->Apply(as_sizes);

}  // namespace

BENCHMARK_MAIN();
