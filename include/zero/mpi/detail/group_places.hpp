// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/mpi/detail/world.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace zero::detail {

/// How the ranks of a group lie on hosts, and who brings what from one host to another. Ranks count within the group.
class GroupPlaces {
 public:
  /// \p ranks: of the world, in the order of the group.
  GroupPlaces(MpiPlaces const& world, std::vector<int> ranks) : ranks_(std::move(ranks)) {
    std::vector<int> hosts;  // of the world
    for (int q = 0; q < size(); ++q) {
      if (world_rank(q) == world.rank) rank_ = q;
      int const host = world.host_of[index(world_rank(q))];
      auto const found = std::find(hosts.begin(), hosts.end(), host);
      host_of_.push_back(static_cast<std::size_t>(found - hosts.begin()));
      if (found == hosts.end()) {
        hosts.push_back(host);
        hosts_.emplace_back();
      }
      hosts_[host_of_.back()].push_back(q);
    }
    number_remote();
    number_rows();
  }

  [[nodiscard]] int rank() const noexcept { return rank_; }
  [[nodiscard]] int size() const noexcept { return static_cast<int>(ranks_.size()); }
  [[nodiscard]] int world_rank(int rank) const noexcept { return ranks_[index(rank)]; }
  [[nodiscard]] std::vector<int> const& world_ranks() const noexcept { return ranks_; }

  [[nodiscard]] std::vector<std::vector<int>> const& hosts() const noexcept { return hosts_; }
  [[nodiscard]] std::size_t own_host() const noexcept { return host_of_[index(rank_)]; }
  [[nodiscard]] bool has_remote() const noexcept { return hosts_.size() > 1; }
  /// The ranks of this host, in order; the first of them leads.
  [[nodiscard]] std::vector<int> const& local() const noexcept { return hosts_[own_host()]; }
  [[nodiscard]] bool is_local(int rank) const noexcept { return host_of_[index(rank)] == own_host(); }
  [[nodiscard]] bool leads() const noexcept { return local().front() == rank_; }
  /// Of a rank among those of its host.
  [[nodiscard]] std::size_t place(int rank) const noexcept {
    auto const& mates = hosts_[host_of_[index(rank)]];
    return index(static_cast<int>(std::find(mates.begin(), mates.end(), rank) - mates.begin()));
  }
  /// Of the ranks in the order of hosts: those of one host follow each other.
  [[nodiscard]] std::size_t row(int rank) const noexcept { return rows_[index(rank)]; }

  /// Most ranks of other hosts that a rank of any host has, and the number of \p rank among this one's.
  [[nodiscard]] std::size_t most_remote() const noexcept {
    auto const smaller = [](auto const& a, auto const& b) { return a.size() < b.size(); };
    return ranks_.size() - std::min_element(hosts_.begin(), hosts_.end(), smaller)->size();
  }
  [[nodiscard]] std::size_t remote_number(int rank) const noexcept { return remote_numbers_[index(rank)]; }

  /// The rank of \p host that receives what \p rank, of another one, has for all of it.
  [[nodiscard]] int receiver(int rank, std::size_t host) const noexcept {
    auto const& mates = hosts_[host];
    return mates[index(rank) % mates.size()];
  }
  /// Of what the receiver of \p rank on this host receives so, which one that is.
  [[nodiscard]] std::size_t receipt_number(int rank) const noexcept { return receipt_numbers_[index(rank)]; }
  /// Most that a rank of any host receives so.
  [[nodiscard]] std::size_t most_receipts() const noexcept { return most_receipts_; }

 private:
  [[nodiscard]] static std::size_t index(int rank) noexcept { return static_cast<std::size_t>(rank); }

  void number_rows() {
    rows_.resize(ranks_.size());
    std::size_t row = 0;
    for (auto const& mates : hosts_) {
      for (int const q : mates) rows_[index(q)] = row++;
    }
  }
  void number_remote() {
    remote_numbers_.resize(ranks_.size());
    receipt_numbers_.resize(ranks_.size());
    std::size_t remote = 0;
    for (std::size_t host = 0; host < hosts_.size(); ++host) {
      std::vector<std::size_t> receipts(hosts_[host].size());
      for (int q = 0; q < size(); ++q) {
        if (host_of_[index(q)] == host) continue;
        auto& number = receipts[index(q) % receipts.size()];
        if (host == own_host()) {
          remote_numbers_[index(q)] = remote++;
          receipt_numbers_[index(q)] = number;
        }
        most_receipts_ = (std::max)(most_receipts_, ++number);
      }
    }
  }

  std::vector<int> ranks_;
  int rank_ = 0;
  std::vector<std::size_t> host_of_;
  std::vector<std::vector<int>> hosts_;
  std::vector<std::size_t> rows_, remote_numbers_, receipt_numbers_;
  std::size_t most_receipts_ = 0;
};

}  // namespace zero::detail
