// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// train_images on folders of pictures.

#include "images/pictures/folder.hpp"
#include "images/pictures/write_png.hpp"
#include "run_command.hpp"

#include <doctest/doctest.h>

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

namespace images_folders_test {

namespace {

namespace fs = std::filesystem;
using zero_test::Outcome;

/// A folder of pictures of two classes, stripes along and across.
class Folder : public pictures_test::Folder {
 public:
  Folder() {
    for (unsigned n = 0; n < 60; ++n) {
      bool const across = n % 2 == 1;
      images::RgbPicture picture{12 + n % 5, 10 + n % 7, {}};
      for (std::size_t y = 0; y < picture.height; ++y) {
        for (std::size_t x = 0; x < picture.width; ++x) {
          auto const bright = ((across ? x : y) + n) / 3 % 2 == 0 ? 200U : 20U;
          for (unsigned c = 0; c < 3; ++c) picture.values.push_back(static_cast<std::uint8_t>(bright + n / 2 + 5 * c));
        }
      }
      auto const place = *this / "pictures" / (across ? "across" : "along");
      fs::create_directories(place);
      images::write_png((place / (std::to_string(n) + ".png")).string(), picture);
    }
  }
  /// With one thread of torch, unless the arguments say how many.
  [[nodiscard]] Outcome run(std::string const& arguments) const {
    std::string const threads = arguments.find("--threads ") == std::string::npos ? "--threads 1 " : "";
    return zero_test::run_command("cd '" + path() + "' && '" TRAIN_IMAGES "' " + threads + arguments +
                                  " 2>&1 < /dev/null");
  }
  Outcome train(std::string const& arguments) const {
    auto outcome = run("--data pictures --model mlp --hidden 16 --image-size 16 " + arguments);
    INFO(arguments << "\n" << outcome.output);
    REQUIRE(outcome.code == 0);
    return outcome;
  }
  [[nodiscard]] std::string hash_of(std::string const& arguments) const {
    auto const output = train(arguments).output;
    std::string const key = "parameter hash: ";
    auto const at = output.find(key);
    REQUIRE(at != std::string::npos);
    return output.substr(at + key.size(), 16);
  }
  void check_refused(std::string const& arguments, std::string const& reason, int code) const {
    auto const outcome = run(arguments);
    CAPTURE(arguments);
    CAPTURE(outcome.output);
    CHECK(outcome.code == code);
    CHECK(outcome.output.find(reason) != std::string::npos);
    CHECK(outcome.output.find("step 1/") == std::string::npos);
  }
};

/// How often each file in the folders of classes is opened meanwhile.
class Openings {
 public:
  explicit Openings(fs::path const& folder) : watch_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
    REQUIRE(watch_ >= 0);
    for (auto const& entry : fs::directory_iterator(folder)) {
      REQUIRE(::inotify_add_watch(watch_, entry.path().c_str(), IN_OPEN) >= 0);
    }
  }
  Openings(Openings const&) = delete;
  Openings& operator=(Openings const&) = delete;
  ~Openings() { ::close(watch_); }

  /// Of each file that was opened, by its name.
  [[nodiscard]] std::map<std::string, int> counts() const {
    std::map<std::string, int> found;
    alignas(inotify_event) std::array<char, 1 << 16> events{};
    for (auto size = ::read(watch_, events.data(), events.size()); size > 0;
         size = ::read(watch_, events.data(), events.size())) {
      for (std::ptrdiff_t at = 0; at < size;) {
        auto const& event = *reinterpret_cast<inotify_event const*>(events.data() + at);
        if ((event.mask & IN_ISDIR) == 0) ++found[std::string(event.name)];
        at += static_cast<std::ptrdiff_t>(sizeof event + event.len);
      }
    }
    return found;
  }

 private:
  int watch_;
};

bool contains(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("train_images, folders: bits depend on no workers, ranks or cache, and a resumed run has those of a whole") {
  Folder const folder;
  auto const expected = folder.hash_of("--epochs 3 --batch 4 --accumulate 2 --workers 0 --checkpoint-dir saved");
  CHECK(folder.hash_of("--epochs 3 --batch 4 --ranks 2 --workers 4 --cache 1MB") == expected);
  CHECK(
      folder.hash_of("--epochs 3 --batch 4 --accumulate 2 --workers 1 --checkpoint-dir rest --resume saved/epoch-1") ==
      expected);
  CHECK(folder.hash_of("--epochs 3 --batch 4 --accumulate 2 --val-share 0.3") != expected);
  folder.check_refused(
      "--data pictures --model mlp --hidden 16 --image-size 24 --batch 4 --epochs 4 --checkpoint-dir saved --resume "
      "auto",
      "--resume: the checkpoint holds a model of pictures of 16 x 16, and this run has pictures of 24 x 24: give "
      "--image-size 16",
      2);
}

TEST_CASE("train_images, folders: it learns, and draws what the model sees") {
  Folder const folder;
  auto const outcome =
      folder.train("--epochs 30 --batch 8 --lr 0.01 --augment none --val-share 0.25 --show-batch b.png");
  CHECK(contains(outcome.output, "2 classes"));
  auto const at = outcome.output.rfind("accuracy ", outcome.output.find(", top-5"));
  REQUIRE(at != std::string::npos);
  CHECK(std::stod(outcome.output.substr(outcome.output.find("accuracy ", outcome.output.find("\nvalidation loss")) +
                                        9)) > 80.0);  // guessing has 50
  std::ifstream file(folder / "b.png", std::ios::binary);
  std::string const drawn{std::istreambuf_iterator<char>(file), {}};
  CHECK(drawn.substr(1, 3) == "PNG");
  folder.check_refused("--data pictures --model mlp --image-size 16 --show-batch nowhere/b.png",
                       "--show-batch nowhere/b.png: cannot be written: name a file in a folder that exists", 2);
}

TEST_CASE("train_images, folders: the batch that is drawn is the first that the run takes, also where it is resumed") {
  Folder const folder;
  auto const drawn = [&](std::string const& name, std::string const& arguments) {
    folder.train("--batch 6 --val-share 0 --show-batch " + name + " " + arguments);
    std::ifstream file(folder / name, std::ios::binary);
    return std::string{std::istreambuf_iterator<char>(file), {}};
  };
  auto const first = drawn("first.png", "--epochs 1 --seed 7 --checkpoint-dir saved");
  REQUIRE(first.substr(1, 3) == "PNG");
  std::string const on = "--epochs 2 --resume saved/epoch-1 ";
  auto const next = drawn("next.png", on);
  CHECK(next == drawn("seed.png", on + "--seed 7"));
  CHECK(next != first);
  CHECK(drawn("anew.png", on + "--parameters-only --seed 7") == first);
  CHECK(drawn("other.png", on + "--parameters-only --seed 8") != first);
}

TEST_CASE("train_images, folders: parts and folders of their own to validate on") {
  Folder const folder;
  fs::create_directories(folder / "parts/train");
  fs::create_directories(folder / "parts/val/along");
  for (auto const* const name : {"along", "across"}) {
    fs::copy(folder / "pictures" / name, folder / "parts/train" / name);
  }
  fs::create_directories(folder / "parts/val/across");
  fs::rename(folder / "parts/train/along/0.png", folder / "parts/val/along/0.png");
  fs::rename(folder / "parts/train/across/1.png", folder / "parts/val/across/1.png");
  std::string const model = " --model mlp --hidden 16 --image-size 16 --epochs 1 --batch 4";
  auto const parts = folder.run("--data parts" + model);
  CAPTURE(parts.output);
  CHECK(parts.code == 0);
  CHECK(contains(parts.output, "58 to train on, 2 to validate on"));
  std::string const few = "train_images: warning: 2 pictures to validate on say little of 2 classes: give 20 or more";
  CHECK(contains(parts.output, few));
  CHECK(parts.output.find(few) == parts.output.rfind(few));
  CHECK(!contains(folder.train("--epochs 1 --dry-run --val-share 0.6").output, "say little"));
  auto const own = folder.run("--data pictures --val-data parts/val" + model);
  CAPTURE(own.output);
  CHECK(own.code == 0);
  CHECK(contains(own.output, "60 to train on, 2 to validate on"));
  folder.check_refused("--data pictures --val-data parts/val --val-share 0.2" + model, "--val-share: --val-data says",
                       2);
  folder.check_refused("--data parts --val-share 0.2" + model, "--val-share: parts has a part val", 2);
  fs::rename(folder / "parts/val/across", folder / "parts/val/askew");
  std::string const classes = "class 0 is 'along' here, and 'across' there";
  folder.check_refused("--data pictures --val-data parts/val" + model,
                       "parts/val: has other classes than pictures: " + classes, 4);
  folder.check_refused("--data parts" + model, "parts/val: has other classes than parts/train: " + classes, 4);
  auto const none = folder.run("--data pictures --val-share 0" + model);
  CHECK(none.code == 0);
  CHECK(contains(none.output, "60 to train on, 0 to validate on"));
}

TEST_CASE("train_images, folders: a model that there is no memory for ends in one line") {
  Folder const folder;
  // 211 TB of parameters, more than an address space has.
  for (std::string const how : {"", " --dry-run"}) {
    folder.check_refused("--data pictures --model mlp --hidden 1048576 --image-size 4096" + how,
                         "train_images: out of memory: use a smaller --batch, a smaller --model, or a higher --stage",
                         1);
  }
}

TEST_CASE("train_images, folders: a folder that is split by a share is looked at once") {
  Folder const folder;
  Openings const openings(folder / "pictures");
  auto const outcome = folder.train("--epochs 1 --dry-run --val-share 0.3");
  auto const counts = openings.counts();
  CHECK(counts.size() == 60);
  for (auto const& count : counts) {
    CAPTURE(count.first);
    CHECK(count.second == 1);
  }
}

TEST_CASE("train_images, folders: a checkpoint is evaluated at its own size, and goes on with steps of its own") {
  Folder const folder;
  auto const scores = [](std::string const& output) { return output.substr(output.find("validation loss ")); };
  for (std::string const place : {"first", "second"}) {
    fs::copy(folder / "pictures", folder / place, fs::copy_options::recursive);
  }
  fs::remove(folder / "second/along/0.png");
  auto const run = folder.train("--epochs 2 --batch 4 --val-data first --checkpoint-dir saved");
  auto const evaluated = folder.run("--data pictures --val-data first --batch 4 --evaluate saved");
  CAPTURE(evaluated.output);
  CHECK(evaluated.code == 0);
  CHECK(contains(run.output, scores(evaluated.output).substr(0, 60)));
  folder.check_refused("--data pictures --val-data first --evaluate saved --image-size 24",
                       "takes pictures of 16 x 16, and these are of 24 x 24: give --image-size 16", 2);
  folder.check_refused("--data pictures --evaluate saved --val-share 0", "nothing to validate on", 2);
  std::string const on =
      "--data pictures --model mlp --hidden 16 --image-size 16 --epochs 4 --checkpoint-dir saved --resume auto "
      "--val-data ";
  folder.check_refused(on + "first --batch 8", "has taken 4 pictures a step, and this one would take 8", 2);
  folder.check_refused(on + "first --batch 4 --ranks 2", "would take 8", 2);
  auto const two = folder.run(on + "second --batch 2 --ranks 2 --threads 2 --augment none");
  CAPTURE(two.output);
  CHECK(two.code == 0);
  CHECK(contains(two.output, "--threads 1, now 2"));
  CHECK(contains(two.output, "validated on other pictures, 60 then and 59 now: the best is looked for anew"));
  CHECK(contains(two.output, "goes on with other bits"));
}

TEST_CASE("train_images, folders: what is there is not written over, and files are each their own") {
  Folder const folder;
  std::string const model = "--data pictures --model mlp --hidden 16 --image-size 16 --batch 4 --epochs 1 ";
  auto const picture = folder / "pictures/along/0.png";
  auto const size = fs::file_size(picture);
  folder.check_refused(model + "--show-batch pictures/along/0.png", "is there already", 2);
  CHECK(folder.run(model + "--dry-run --show-batch new.png").code == 0);
  CHECK(!fs::exists(folder / "new.png"));
  CHECK(fs::file_size(picture) == size);
  folder.check_refused(model + "--history x --save-model ./x", "--save-model ./x: is the file of --history, too", 2);
}

TEST_CASE("train_images, folders: what cannot be decoded is refused by name, or counted and left out") {
  Folder const folder;
  std::ofstream(folder / "pictures/along/broken.jpg") << "no picture";
  std::string const model = "--data pictures --model mlp --hidden 16 --image-size 16 --batch 4 --epochs 1";
  folder.check_refused(model, "pictures/along/broken.jpg", 4);
  auto const skipped = folder.run(model + " --skip-unreadable");
  CAPTURE(skipped.output);
  CHECK(skipped.code == 0);
  CHECK(contains(skipped.output, "1 unreadable picture left out: pictures/along/broken.jpg"));
  fs::remove(folder / "pictures/along/broken.jpg");
  folder.check_refused(model + " --max-pixels 100", ".png", 4);
  fs::create_directories(folder / "pictures/empty");
  folder.check_refused(model, "empty", 4);
  fs::remove(folder / "pictures/empty");
  fs::create_directories(folder / "parts");
  fs::copy(folder / "pictures", folder / "parts/train", fs::copy_options::recursive);
  folder.check_refused("--data parts --model mlp", "has a folder train and none called val", 4);
  fs::copy(folder / "pictures/along", folder / "pictures/\xff\xfe");
  folder.check_refused(model, "the name of a class is to be UTF-8", 4);
  fs::remove_all(folder / "pictures/\xff\xfe");
  fs::remove_all(folder / "pictures/along");
  folder.check_refused(model, "pictures", 4);  // one class
  folder.check_refused("--data nowhere --model mlp", "nowhere: is not there", 4);
}

TEST_CASE(
    "train_images, folders: a resume by other pictures says how many there were, what was left out, and the cure") {
  Folder const folder;
  std::string const model = "--data pictures --model mlp --hidden 16 --image-size 16 --batch 4 --checkpoint-dir saved ";
  std::string const whole = model + "--val-share 0 ";
  auto const begin = [&](std::string const& arguments) {
    fs::remove_all(folder / "saved");
    auto const outcome = folder.run(arguments + "--epochs 1");
    CAPTURE(outcome.output);
    REQUIRE(outcome.code == 0);
  };
  auto const check_resume = [&](std::string const& arguments, std::string const& why) {
    folder.check_refused(arguments + "--epochs 2 --resume auto",
                         "pictures: has other pictures than the run of epoch-1 has trained on: " + why +
                             ", or begin a run from its parameters by --parameters-only\n",
                         4);
  };
  auto const broken = folder / "pictures/along/broken.png", good = folder / "pictures/along/0.png";
  std::ofstream(broken) << "no picture";
  begin(whole + "--skip-unreadable ");
  std::string const then =
      "60 to train on, 0 to validate on, 1 left out as unreadable (pictures/along/broken.png: is neither a JPEG nor a "
      "PNG file, by its first bytes) "
      "then, and 61 to train on, 0 to validate on, none left out as unreadable now: ";
  fs::copy(good, broken, fs::copy_options::overwrite_existing);  // it is mended
  check_resume(whole + "--skip-unreadable ", then + "take what was mended since out of the folder");
  check_resume(whole, then + "give --skip-unreadable, as then, and take what was mended since out of the folder");
  fs::remove(broken);
  CHECK(folder.run(whole + "--epochs 2 --resume auto").code == 0);  // as it is asked for

  begin(whole);
  fs::resize_file(good, fs::file_size(good) - 20);
  check_resume(whole, "as many, of other names, sizes or classes: give those");
  check_resume(
      whole + "--skip-unreadable ",
      "60 to train on, 0 to validate on, none left out as unreadable then, and 59 to train on, 0 to validate on, 1 "
      "left out as unreadable (pictures/along/0.png: cannot be decoded as PNG: the file ends too early) now: put back "
      "what is left out now, as it was");
  fs::remove(good);
  check_resume(whole, "60 to train on, 0 to validate on then, and 59 to train on, 0 to validate on now: give those");

  begin(model);
  check_resume(
      model + "--val-share 0.4 ",
      "51 to train on, 8 to validate on then, and 34 to train on, 25 to validate on now: give --val-share 0.1, "
      "as then");
}

}  // namespace images_folders_test
