// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/checkpoint/detail/file.hpp>
#include <zero/checkpoint/detail/folder_lock.hpp>
#include <zero/checkpoint/detail/make_folder.hpp>
#include <zero/checkpoint/detail/manifest_reader.hpp>
#include <zero/checkpoint/detail/names.hpp>
#include <zero/checkpoint/manifest.hpp>
#include <zero/error.hpp>
#include <zero/support/message.hpp>
#include <zero/support/random_hex.hpp>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace zero {

/// The key of the caller's state under which a run keeps its id, any text that no other run has. Checkpoints of
/// different runs may lie in one folder: old ones are removed, and older ones taken for one that is damaged, within a
/// run only. Those without an id are one run.
inline constexpr std::string_view run_id_key = "run";

/// A checkpoint as a folder lists it.
struct SavedCheckpoint {
  std::uint64_t steps = 0;  ///< updates done
  std::string tag{};        ///< its name
  std::string run{};        ///< the id of its run; empty where it has none

  /// By steps, then by tag, of which the longer one follows: step-10 follows step-9, where no step between them has
  /// updated anything.
  friend bool operator<(SavedCheckpoint const& a, SavedCheckpoint const& b) {
    auto const length = [](SavedCheckpoint const& saved) { return saved.tag.size(); };
    return std::tuple(a.steps, length(a), std::string_view(a.tag)) <
           std::tuple(b.steps, length(b), std::string_view(b.tag));
  }
};

/// A folder of checkpoints, as one process sees it: `<tag>/` for each, and the files `latest`, `best` and `final`,
/// which name one. A checkpoint is written under another name and renamed when all of it is durable, so whatever has a
/// valid name and a valid manifest is whole.
class CheckpointFolder {
 public:
  /// The checkpoints below \p root. \p system is borrowed.
  CheckpointFolder(FileSystem& system, std::string root) : system_(&system), root_(std::move(root)) {
    while (root_.size() > 1 && root_.back() == '/') root_.pop_back();
    if (root_.empty()) throw CheckpointError(CheckpointFailure::bad_request, "zero: the checkpoint folder has no name");
  }

  /// Where the folder lies.
  [[nodiscard]] FileSystem& system() const noexcept { return *system_; }
  /// Path of the folder.
  [[nodiscard]] std::string const& root() const noexcept { return root_; }
  /// Path of what is called \p name in it.
  [[nodiscard]] std::string path(std::string_view name) const { return root_ + "/" + std::string(name); }

  // ------------------------------------------------------------------------------------------------- reading

  /// The manifest of checkpoint \p tag. \throws CheckpointError: not_found, damaged, mismatch, bad_request.
  [[nodiscard]] Manifest manifest(std::string const& tag) const { return parse(tag, manifest_text(tag)); }
  /// The manifest of the checkpoint \p tag, as it was written. \throws CheckpointError.
  [[nodiscard]] std::string manifest_text(std::string const& tag) const {
    detail::check_tag(tag);
    return detail::read_text(*system_, path(tag) + "/" + std::string(detail::manifest_name), Manifest::largest);
  }
  /// Reads a manifest that must be \p tag's: a folder that was renamed or copied is told from the one that was saved.
  [[nodiscard]] static Manifest parse(std::string const& tag, std::string_view text) {
    auto manifest = detail::parse_manifest(text);
    if (manifest.tag == tag) return manifest;
    throw CheckpointError(CheckpointFailure::damaged,
                          detail::concat({"zero: the checkpoint in ", detail::quote(tag), " was saved as ",
                                          detail::quote(manifest.tag), ": give the folder its name back"}));
  }

  /// The tag that the file `latest`, `best` or `final` holds; nothing where there is no such file.
  /// \throws CheckpointError (damaged) where it holds no tag.
  [[nodiscard]] std::optional<std::string> pointer(std::string_view name) const {
    std::string text;
    try {
      text = detail::read_text(*system_, path(name), 1024);
    } catch (CheckpointError const& error) {
      if (error.kind() == CheckpointFailure::not_found) return std::nullopt;
      throw;
    }
    if (!text.empty() && text.back() == '\n') text.pop_back();
    if (detail::is_valid_tag(text)) return text;
    throw CheckpointError(CheckpointFailure::damaged, detail::concat({"zero: ", detail::quote(path(name)),
                                                                      " does not hold the name of a checkpoint"}));
  }

  /// Checkpoints whose manifest is valid, the newest first. \p skipped says why others are not among them, and nothing
  /// of what was never one: a file, the folder of something else. \throws CheckpointError (not_found) where there is no
  /// such folder.
  [[nodiscard]] std::vector<SavedCheckpoint> checkpoints(std::vector<std::string>* skipped = nullptr) const {
    std::vector<std::string> names;
    detail::check_file("list", root_, detail::retry_interrupted([&] {
                         names.clear();
                         return system_->list(root_, names);
                       }));
    std::vector<SavedCheckpoint> found;
    for (auto const& name : names) {
      if (!detail::is_valid_tag(name)) continue;
      try {
        auto const saved = manifest(name);
        auto const run = saved.user_state.find(std::string(run_id_key));
        found.push_back({saved.steps, name, run == saved.user_state.end() ? std::string() : run->second});
      } catch (CheckpointError const& error) {
        if (skipped != nullptr && !is_something_else(name)) skipped->push_back(name + ": " + error.what());
      }
    }
    std::sort(found.begin(), found.end(), [](auto const& a, auto const& b) { return b < a; });
    return found;
  }
  /// Their tags.
  [[nodiscard]] std::vector<std::string> tags(std::vector<std::string>* skipped = nullptr) const {
    std::vector<std::string> tags;
    for (auto& saved : checkpoints(skipped)) tags.push_back(std::move(saved.tag));
    return tags;
  }

  // ------------------------------------------------------------------------------------------------- writing

  /// Makes the folder itself and those above it, where they are missing, and takes it for this process, as long as this
  /// object or a copy of it lives. Does nothing where it is taken already. \throws CheckpointError (locked) where
  /// another one writes to it.
  void lock(CheckpointLockOptions const& options = {}) {
    if (lock_) return;
    detail::make_folders(*system_, root_);
    lock_ = std::make_shared<detail::FolderLock>(*system_, root_, make_nonce(), options);
  }
  /// Looks who has the folder, which is there, without taking it or writing anything. Returns a process that may have
  /// it, such as "process 17 on 'node-3'", where it cannot be seen from here whether that is alive, which `lock` waits
  /// for by `CheckpointLockOptions::patience`; nothing where the folder is free. \throws CheckpointError: locked, as by
  /// `lock`, where a process that runs on this machine has it.
  [[nodiscard]] std::optional<std::string> look_for_owner(CheckpointLockOptions const& options = {}) const {
    return detail::FolderLock::look(*system_, root_, options);
  }
  /// Whether `lock` has been called.
  [[nodiscard]] bool is_locked() const noexcept { return lock_ != nullptr; }
  /// \throws CheckpointError (locked) where another process has taken over what this one had locked.
  void check_lock() const {
    if (lock_) (lock_->check)();
  }

  /// Makes the folder itself, where it is missing, and a hidden one for a checkpoint \p tag that is going to be
  /// written; the hidden one's name. \throws CheckpointError (exists) where that tag is taken, unless \p replace.
  [[nodiscard]] std::string begin(std::string const& tag, std::string const& nonce, bool replace) {
    detail::check_tag(tag);
    detail::make_folders(*system_, root_);
    check_lock();
    if (!replace && is_there(tag)) {
      throw CheckpointError(CheckpointFailure::exists,
                            detail::concat({"zero: there is a ", detail::quote(path(tag)),
                                            " already: choose another tag, remove it, or ask for it to be replaced"}));
    }
    std::string name = std::string(detail::temporary_prefix) + tag + "." + nonce;
    detail::check_file("make the folder", path(name), call([&] { return system_->make_folder(path(name)); }));
    return name;
  }

  /// Gives the checkpoint in \p hidden, all of whose files are durable, its manifest and its name; what it replaces
  /// goes with the next `prune`. \throws CheckpointError: the hidden folder is gone then, and what it was to replace is
  /// there.
  void commit(std::string const& hidden, Manifest const& manifest, bool replace) {
    bool swapped = false;
    try {
      detail::write_new(*system_, path(hidden) + "/" + std::string(detail::manifest_name),
                        detail::text_to_save(manifest));
      sync_folder(path(hidden));
      check_lock();
      long renamed = call([&] { return system_->rename_new(path(hidden), path(manifest.tag)); });
      swapped = replace && (renamed == -EEXIST || renamed == -ENOTEMPTY);
      if (swapped) renamed = swap(hidden, manifest);
      detail::check_file("rename to its tag", path(hidden), renamed);
    } catch (CheckpointError const&) {
      discard(hidden);
      throw;
    }
    try {
      check_lock();
      sync_folder(root_);
    } catch (CheckpointError const&) {
      // Somebody else owns the folder, or nobody knows whether it would survive: it must not be taken for one that was
      // saved.
      if (call([&] { return undo(hidden, manifest.tag, swapped); }) >= 0) discard(hidden);
      throw;
    }
  }

  /// Lets `latest`, `best` or `final` name \p tag.
  void point(std::string_view name, std::string const& tag) {
    if (!detail::is_pointer_name(name)) {
      throw CheckpointError(CheckpointFailure::bad_request,
                            detail::concat({"zero: a checkpoint is latest, best or final, not ", detail::quote(name)}));
    }
    check_lock();
    std::string const hidden = path(detail::hidden_pointer(name) + make_nonce());  // nobody else writes to it
    // Which an exchange of names would hide, and `prune` remove.
    std::vector<std::string> files;
    bool const is_folder = call([&] { return system_->list(path(name), files); }) >= 0;
    if (is_folder) detail::check_file("rename", hidden, -EISDIR);
    bool keeps_old = false;
    try {
      detail::write_new(*system_, hidden, tag + "\n");
      check_lock();
      // What was there is kept until it is known whose folder this is.
      long renamed = call([&] { return system_->exchange(hidden, path(name)); });
      keeps_old = renamed >= 0;
      if (renamed == -ENOENT || detail::is_unsupported(renamed)) {
        renamed = call([&] { return system_->rename_over(hidden, path(name)); });
      }
      detail::check_file("rename", hidden, renamed);
      check_lock();
    } catch (CheckpointError const&) {
      if (keeps_old && names(name, tag)) (void)call([&] { return system_->exchange(hidden, path(name)); });
      (void)call([&] { return system_->remove_file(hidden); });
      throw;
    }
    if (keeps_old) (void)call([&] { return system_->remove_file(hidden); });
    sync_folder(root_);
  }

  /// Removes a checkpoint: it is gone at once, and its files follow.
  void remove(std::string const& tag) {
    detail::check_tag(tag);
    std::string const hidden = std::string(detail::removed_prefix) + tag;
    check_lock();
    discard(hidden);
    detail::check_file("remove", path(tag), call([&] { return system_->rename_new(path(tag), path(hidden)); }));
    try {
      check_lock();
    } catch (CheckpointError const&) {
      (void)call([&] { return system_->rename_new(path(hidden), path(tag)); });
      throw;
    }
    sync_folder(root_);
    discard(hidden);
  }

  /// Removes a hidden folder and its files, as far as that can be done.
  void discard(std::string const& hidden) noexcept {
    try {
      std::vector<std::string> names;
      (void)system_->list(path(hidden), names);
      for (auto const& name : names) (void)call([&] { return system_->remove_file(path(hidden) + "/" + name); });
      (void)call([&] { return system_->remove_folder(path(hidden)); });
    } catch (...) {
      // What stays behind is hidden, and goes with the next `prune`.
    }
  }

  /// Keeps the newest \p keep checkpoints of the run of \p newest, those that `latest`, `best` and `final` name, \p
  /// newest itself and all of other runs; 0 keeps all. And removes what killed processes have left: the folder is this
  /// one's, so what is hidden is nobody else's. \throws CheckpointError.
  void prune(std::size_t keep, std::string const& newest) {
    std::vector<std::string> names;
    detail::check_file("list", root_, call([&] { return system_->list(root_, names); }));
    check_lock();  // behind the list: nothing in it is of somebody who has taken over since
    for (auto const& name : names) {
      if (detail::may_be_hidden_pointer(name)) (void)call([&] { return system_->remove_file(path(name)); });
      if (name.starts_with(detail::temporary_prefix)) discard_at_once(name);
      if (name.starts_with(detail::removed_prefix)) discard(name);
    }
    if (keep == 0) return;
    std::vector<std::string> spared{newest};
    for (auto const name : detail::pointer_names) {
      if (auto tag = pointer(name)) spared.push_back(std::move(*tag));
    }
    auto all = checkpoints();
    auto const this_one = std::find_if(all.begin(), all.end(), [&](auto const& saved) { return saved.tag == newest; });
    auto const run = this_one == all.end() ? std::string() : this_one->run;
    std::erase_if(all, [&](auto const& saved) { return saved.run != run; });
    for (std::size_t i = keep; i < all.size(); ++i) {
      if (std::find(spared.begin(), spared.end(), all[i].tag) == spared.end()) remove(all[i].tag);
    }
  }

  /// Waits until the entries of \p folder are on the disk. A file system that cannot do that for folders is no error.
  /// \throws CheckpointError.
  void sync_folder(std::string const& folder) {
    if (!detail::sync_folder(*system_, folder)) *cannot_sync_ = true;
  }
  /// What a user should know of the file system, once for this object and all its copies; empty otherwise.
  [[nodiscard]] std::string take_warning() {
    if (!*cannot_sync_ || has_warned_->exchange(true)) return {};
    return detail::concat(
        {"zero: the file system of ", detail::quote(root_),
         " cannot sync folders: a checkpoint is safe from a crash of this program, but a power failure "
         "may take the last ones"});
  }

  /// 16 random hexadecimal digits.
  [[nodiscard]] static std::string make_nonce() { return detail::random_hex(16); }

 private:
  /// Whether the file `latest`, `best` or `final` holds \p tag.
  [[nodiscard]] bool names(std::string_view name, std::string const& tag) const noexcept {
    try {
      return pointer(name) == tag;
    } catch (...) {
      return false;
    }
  }
  /// Whether \p name, which has no valid manifest, was never a checkpoint. An empty folder may have been one.
  [[nodiscard]] bool is_something_else(std::string const& name) const {
    std::vector<std::string> files;
    long const listed = detail::retry_interrupted([&] {
      files.clear();
      return system_->list(path(name), files);
    });
    if (listed == -ENOTDIR || listed == -ENOENT) return true;
    if (listed < 0 || files.empty()) return false;
    if (std::find(files.begin(), files.end(), detail::manifest_name) == files.end()) {
      return std::none_of(files.begin(), files.end(), [](std::string const& file) {
        return file.starts_with(detail::parameters_kind) && file.ends_with(".safetensors");
      });
    }
    try {
      return detail::other_format(manifest_text(name)).has_value();
    } catch (CheckpointError const&) {
      return false;
    }
  }

  template <class Function>
  static long call(Function&& f) {
    return detail::retry_interrupted(std::forward<Function>(f));
  }

  /// A process that was taken for dead and wakes up must not rename a folder that has lost some of its files.
  void discard_at_once(std::string const& name) {
    std::vector<std::string> files;
    if (call([&] { return system_->list(path(name), files); }) < 0) return;  // a file, perhaps of another program
    auto const removed = std::string(detail::removed_prefix) + name.substr(detail::temporary_prefix.size());
    bool const is_renamed = call([&] { return system_->rename_new(path(name), path(removed)); }) >= 0;
    discard(is_renamed ? removed : name);
  }
  [[nodiscard]] bool is_there(std::string const& tag) const {
    std::vector<std::string> names;
    detail::check_file("list", root_, call([&] {
                         names.clear();
                         return system_->list(root_, names);
                       }));
    return std::find(names.begin(), names.end(), tag) != names.end();
  }
  /// Puts the new checkpoint in the place of the old one, which takes the hidden name.
  long swap(std::string const& hidden, Manifest const& manifest) {
    std::string const tag = path(manifest.tag);
    long const swapped = call([&] { return system_->exchange(path(hidden), tag); });
    if (!detail::is_unsupported(swapped)) return swapped;
    // A file system that cannot exchange names: for a moment there is no checkpoint of this tag.
    std::string const old = path(std::string(detail::removed_prefix) + manifest.tag + "." + manifest.nonce);
    long const moved = call([&] { return system_->rename_new(tag, old); });
    if (moved < 0) return moved;
    long const renamed = call([&] { return system_->rename_new(path(hidden), tag); });
    (void)call([&] { return system_->rename_new(old, renamed < 0 ? tag : path(hidden)); });
    return renamed;
  }
  long undo(std::string const& hidden, std::string const& tag, bool swapped) {
    return swapped ? system_->exchange(path(hidden), path(tag)) : system_->rename_new(path(tag), path(hidden));
  }

  FileSystem* system_;
  std::string root_;
  std::shared_ptr<detail::FolderLock> lock_;
  std::shared_ptr<std::atomic<bool>> cannot_sync_ = std::make_shared<std::atomic<bool>>(false);
  std::shared_ptr<std::atomic<bool>> has_warned_ = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace zero
