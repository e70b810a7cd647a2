// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Checkpoints and files.

#include "checkpoint/calls.hpp"
#include "checkpoint/plain_state.hpp"
#include "checkpoint/support.hpp"
#include "misuse/misuse.hpp"

#include <fstream>
#include <string>

namespace misuse_files_test {

using checkpoint_test::PlainState;
using misuse::expect;

namespace {

struct Place {
  checkpoint_test::TemporaryFolder temporary;
  zero::CheckpointFolder folder{zero::posix_file_system(), temporary / "run"};
  zero::SelfCommunicator self;
  PlainState state{self, 1};
};

}  // namespace

TEST_CASE("misuse 90: a tag that is a path") {
  Place place;
  expect([&] { checkpoint_test::save_checkpoint(place.state, place.folder, {.tag = "epoch/1"}); });
}

TEST_CASE("misuse 91: a tag that is there already") {
  Place place;
  checkpoint_test::save_checkpoint(place.state, place.folder, {.tag = "step-1"});
  expect([&] { checkpoint_test::save_checkpoint(place.state, place.folder, {.tag = "step-1"}); });
}

TEST_CASE("misuse 92: checkpoints are saved where a file is") {
  Place place;
  std::ofstream(place.folder.root()) << "notes";
  expect([&] { checkpoint_test::save_checkpoint(place.state, place.folder, {.tag = "step-1"}); });
}

TEST_CASE("misuse 93: two runs save into one folder at once") {
  Place place;
  place.folder.lock();
  zero::CheckpointFolder const other(zero::posix_file_system(), place.folder.root());
  expect([&] { checkpoint_test::save_checkpoint(place.state, other, {.tag = "step-1"}); });
}

TEST_CASE("misuse 94: a checkpoint is loaded from a folder that holds none") {
  Place place;
  expect([&] {
    checkpoint_test::load_checkpoint(place.state,
                                     zero::CheckpointFolder(zero::posix_file_system(), place.temporary.path()));
  });
}

TEST_CASE("misuse 95: a checkpoint of another model is loaded") {
  Place place;
  checkpoint_test::save_checkpoint(place.state, place.folder, {.tag = "step-1"});
  PlainState other(place.self, 1, 6);
  expect([&] { checkpoint_test::load_checkpoint(other, place.folder); });
}

TEST_CASE("misuse 96: a checkpoint of another rule is loaded") {
  Place place;
  checkpoint_test::save_checkpoint(place.state, place.folder, {.tag = "step-1"});
  place.state.traits_.rule = "Lion";
  expect([&] { checkpoint_test::load_checkpoint(place.state, place.folder); });
}

TEST_CASE("misuse 97: a checkpoint that lacks a parameter is loaded") {
  Place place;
  checkpoint_test::save_checkpoint(place.state, place.folder, {.tag = "step-1"});
  place.state.parameters_.push_back({.name = "adapter", .shape = {4}});
  expect([&] { checkpoint_test::load_checkpoint(place.state, place.folder); });
}

TEST_CASE("misuse 98: training goes on from a checkpoint of parameters alone") {
  Place place;
  checkpoint_test::save_checkpoint(place.state, place.folder, {.tag = "step-1", .parameters_only = true});
  expect([&] { checkpoint_test::load_checkpoint(place.state, place.folder); });
}

TEST_CASE("misuse 99: parameters are imported from a file of another kind") {
  Place place;
  auto const path = place.temporary / "pytorch_model.bin";
  std::ofstream(path) << "PK\x03\x04 what torch.save writes is a ZIP archive";
  expect([&] { checkpoint_test::import_parameters(place.state, path, {}, zero::posix_file_system()); });
}

}  // namespace misuse_files_test
