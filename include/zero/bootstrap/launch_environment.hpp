// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/bootstrap/detail/environment.hpp>
#include <zero/bootstrap/detail/node_list.hpp>
#include <zero/error.hpp>
#include <zero/support/message.hpp>
#include <zero/utility/fingerprint.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace zero {

/// Which rank this process is, and where rank 0 is met. Fill it in yourself, or `detect()` what a launcher has set:
///
///   torchrun      RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, MASTER_ADDR, MASTER_PORT, TORCHELASTIC_*
///   Open MPI      OMPI_COMM_WORLD_RANK, _SIZE, _LOCAL_RANK, _LOCAL_SIZE
///   PMI (MPICH)   PMI_RANK, PMI_SIZE, MPI_LOCALRANKID, MPI_LOCALNRANKS
///   MVAPICH2      MV2_COMM_WORLD_RANK, _SIZE, _LOCAL_RANK, _LOCAL_SIZE
///   Slurm         SLURM_PROCID, SLURM_NTASKS, SLURM_LOCALID, SLURM_STEP_NODELIST, SLURM_JOB_ID
///   none of them  one process
///
/// Two that disagree are an error, except for what an outer launcher leaves: Slurm's variables where mpirun or torchrun
/// started this process in its allocation, or nobody did, and mpirun's where torchrun did. PMIX_RANK above 0 without
/// them is an error: it does not say how many processes there are. With each, ZERO_PORT, ZERO_INTERFACE,
/// ZERO_RENDEZVOUS_FOLDER, ZERO_RUN_ID and ZERO_TOKEN refine the meeting; MASTER_ADDR and MASTER_PORT place it.
struct LaunchEnvironment {
  int rank = 0;                     ///< of this process, from 0
  int world = 1;                    ///< number of processes
  int local_rank = 0;               ///< among the processes of this machine; the default ordinal of the GPU
  int local_world = 0;              ///< processes of this machine; 0: unknown
  std::string host{};               ///< name or address of the machine of rank 0
  std::uint16_t port = 0;           ///< on which rank 0 listens; 0: one that follows from the run id
  std::string network_interface{};  ///< where rank 0 listens: an interface's name or an address; empty: on `host` only
  std::string folder{};       ///< that all machines share: rank 0 leaves its address there, in place of host and port
  std::string run_id{};       ///< the same on all ranks, another for each run
  std::uint32_t restart = 0;  ///< how often the launcher has started the run again
  std::string token{};        ///< a secret that all ranks know; is in no message and no error
  std::string source = "the arguments";  ///< which launcher said so; for messages

  /// What the environment says. \throws ConfigurationError for one that is incomplete or contradicts itself.
  [[nodiscard]] static LaunchEnvironment detect() { return detect(detail::Environment()); }
  /// The same of another environment, for tests: \p lookup returns a variable's value, or null.
  [[nodiscard]] static LaunchEnvironment detect(std::function<char const*(char const*)> lookup) {
    return detect(detail::Environment(std::move(lookup)));
  }

  /// As `detect`, for a program whose ranks are not to meet: where rank 0 is may be missing.
  [[nodiscard]] static LaunchEnvironment read() { return read(detail::Environment()); }
  /// The same of another environment, for tests.
  [[nodiscard]] static LaunchEnvironment read(std::function<char const*(char const*)> lookup) {
    return read(detail::Environment(std::move(lookup)));
  }

  /// \throws ConfigurationError unless ranks can meet with this.
  void validate() const;

 private:
  [[nodiscard]] static LaunchEnvironment detect(detail::Environment const& environment);
  [[nodiscard]] static LaunchEnvironment read(detail::Environment const& environment);
};

namespace detail {

inline constexpr std::int64_t max_world = 1 << 20;

/// What one launcher's variables say.
struct LaunchSource {
  std::string launcher;
  NamedNumber rank, world;
  std::optional<NamedNumber> local_rank{}, local_world{};
};

/// The variables in which a launcher says it all; null: in none.
struct LaunchNames {
  char const *launcher, *rank, *world, *other_world, *local_rank, *local_world;
};

inline void expect_local(LaunchSource const& source) {
  auto const &local_rank = source.local_rank, &local_world = source.local_world;
  if (local_rank && local_world && local_rank->value >= local_world->value) {
    fail<ConfigurationError>({"zero::LaunchEnvironment: ", local_rank->name, "=", local_rank->value, " with ",
                              local_world->name, "=", local_world->value, ": local ranks count from 0 to ",
                              local_world->value - 1});
  }
  if (local_world && local_world->value > source.world.value) {
    fail<ConfigurationError>({"zero::LaunchEnvironment: ", local_world->name, "=", local_world->value, " with ",
                              source.world.name, "=", source.world.value,
                              ": a machine cannot have more ranks than there are"});
  }
}

[[nodiscard]] inline std::optional<LaunchSource> source_of(Environment const& environment, LaunchNames const& names) {
  auto rank = environment.number(names.rank, 0, max_world - 1);
  auto world = environment.number(names.world, names.other_world, 1, max_world);
  if (!rank && !world) return std::nullopt;
  if (!rank || !world) {
    fail<ConfigurationError>({"zero::LaunchEnvironment: ", rank ? names.rank : world->name, " is set, but ",
                              rank ? names.world : names.rank, " is not: set both, or neither"});
  }
  if (rank->value >= world->value) {
    fail<ConfigurationError>({"zero::LaunchEnvironment: ", rank->name, "=", rank->value, " with ", world->name, "=",
                              world->value, ": ranks count from 0 to ", world->value - 1});
  }
  LaunchSource source{.launcher = names.launcher, .rank = *rank, .world = *world};
  source.local_rank = environment.number(names.local_rank, 0, max_world - 1);
  if (names.local_world != nullptr) source.local_world = environment.number(names.local_world, 1, max_world);
  expect_local(source);
  return source;
}

inline void expect_equal(NamedNumber const& a, NamedNumber const& b) {
  if (a.value == b.value) return;
  fail<ConfigurationError>({"zero::LaunchEnvironment: ", a.name, "=", a.value, ", but ", b.name, "=", b.value,
                            ": unset the variables of the launcher that did not start this process"});
}

/// Launchers over PMIx that are none of those known set PMIX_RANK, and no variable says of how many. Rank 0 may be
/// alone; another one is not. One that trained alone would overwrite what the others write.
inline void expect_no_lonely_rank(Environment const& environment) {
  auto const rank = environment.number("PMIX_RANK", 0, UINT32_MAX);
  if (!rank || rank->value == 0) return;
  fail<ConfigurationError>({"zero::LaunchEnvironment: PMIX_RANK=", rank->value,
                            " says that a launcher has started several processes, but no variable says how many: set "
                            "RANK and WORLD_SIZE for each, or start them with mpirun, srun or torchrun; unset it in "
                            "a process that is alone"});
}

/// The launcher that started this process.
[[nodiscard]] inline std::optional<LaunchSource> launcher_of(Environment const& environment) {
  auto torchrun =
      source_of(environment, {"torchrun", "RANK", "WORLD_SIZE", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"});
  // torchrun starts its workers itself: whoever started torchrun counts machines, not ranks.
  if (torchrun && environment.has("TORCHELASTIC_RUN_ID")) return torchrun;
  auto const open_mpi =
      source_of(environment, {"Open MPI", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_SIZE",
                              "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE"});
  auto const pmi =
      source_of(environment, {"PMI", "PMI_RANK", "PMI_SIZE", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS"});
  auto const mvapich =
      source_of(environment, {"MVAPICH2", "MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE",
                              "MV2_COMM_WORLD_LOCAL_RANK", "MV2_COMM_WORLD_LOCAL_SIZE"});
  std::optional<LaunchSource> slurm;
  // mpirun starts its daemons through Slurm, and they leave Slurm's numbers of daemons to the ranks.
  // And without srun, in a batch script or a shell of salloc, the numbers are those of the whole allocation.
  bool const by_srun = environment.has("SLURM_STEP_ID") || environment.has("SLURM_STEP_NODELIST");
  if (!open_mpi && !pmi && !mvapich && by_srun) {
    slurm = source_of(environment,
                      {"Slurm", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_NTASKS", "SLURM_LOCALID", nullptr});
  }
  std::optional<LaunchSource> found;
  for (auto const* source :
       std::initializer_list<std::optional<LaunchSource> const*>{&torchrun, &open_mpi, &pmi, &mvapich, &slurm}) {
    if (!*source) continue;
    if (found) {
      expect_equal(found->rank, (*source)->rank);
      expect_equal(found->world, (*source)->world);
      if (found->local_rank) continue;
      found->local_rank = (*source)->local_rank;
      if (!found->local_world) found->local_world = (*source)->local_world;
      expect_local(*found);
    } else {
      found = *source;
    }
  }
  if (!found) expect_no_lonely_rank(environment);
  return found;
}

/// A port that all ranks of a job compute alike, above those that services use and below those that the system gives
/// to connections.
[[nodiscard]] inline std::uint16_t port_of_job(std::string_view job) {
  return static_cast<std::uint16_t>(20000U + fingerprint_of(job) % 12000U);
}

/// What Slurm says beyond numbers.
inline void add_slurm(Environment const& environment, LaunchEnvironment& launch) {
  auto nodes = environment.text("SLURM_STEP_NODELIST");
  if (!nodes) nodes = environment.text("SLURM_JOB_NODELIST");
  if (launch.host.empty() && nodes) launch.host = SlurmList::nodes(*nodes).front();
  auto tasks = environment.text("SLURM_STEP_TASKS_PER_NODE");
  if (!tasks) tasks = environment.text("SLURM_TASKS_PER_NODE");
  if (auto const node = environment.number("SLURM_NODEID", 0, max_world); node && tasks) {
    auto const counts = SlurmList::tasks(*tasks);
    auto const at = static_cast<std::size_t>(node->value);
    if (at < counts.size() && counts[at] <= static_cast<std::size_t>(launch.world)) {
      launch.local_world = static_cast<int>(counts[at]);
    }
  }
  if (auto const restart = environment.number("SLURM_RESTART_COUNT", 0, UINT32_MAX)) {
    launch.restart = static_cast<std::uint32_t>(restart->value);
  }
  auto const job = environment.text("SLURM_JOB_ID");
  if (launch.run_id.empty() && job) {
    launch.run_id = *job + "." + environment.text("SLURM_STEP_ID").value_or("0");
  }
}

/// Where ranks meet: ZERO_PORT, or MASTER_PORT where nobody else listens, or one that follows from the job's name.
[[nodiscard]] inline std::uint16_t port_of(Environment const& environment, std::string const& run_id) {
  if (auto const own = environment.number("ZERO_PORT", 1, 65535)) return static_cast<std::uint16_t>(own->value);
  auto const port = environment.number("MASTER_PORT", 1, 65535);
  if (!port) return run_id.empty() ? 0 : port_of_job(run_id);
  auto const agent = environment.text("TORCHELASTIC_USE_AGENT_STORE");
  if (agent != "True" && agent != "1") return static_cast<std::uint16_t>(port->value);
  if (port->value == 65535) {
    fail<ConfigurationError>(
        {"zero::LaunchEnvironment: torchrun itself listens on MASTER_PORT=65535, and there is no "
         "next port: choose one in ZERO_PORT"});
  }
  return static_cast<std::uint16_t>(port->value + 1);  // torchrun's agent listens on MASTER_PORT
}

}  // namespace detail

inline LaunchEnvironment LaunchEnvironment::detect(detail::Environment const& environment) {
  auto launch = read(environment);
  launch.validate();
  return launch;
}

inline LaunchEnvironment LaunchEnvironment::read(detail::Environment const& environment) {
  LaunchEnvironment launch;
  launch.source = "the environment, which names no launcher";
  auto const text = [&](char const* name) { return environment.text(name).value_or(""); };
  launch.token = text("ZERO_TOKEN");
  launch.network_interface = text("ZERO_INTERFACE");
  launch.folder = text("ZERO_RENDEZVOUS_FOLDER");
  launch.host = text("MASTER_ADDR");
  for (auto const* name : {"ZERO_RUN_ID", "TORCHELASTIC_RUN_ID", "PMIX_NAMESPACE", "OMPI_MCA_ess_base_jobid"}) {
    if (launch.run_id.empty()) launch.run_id = text(name);
  }
  if (auto const restart = environment.number("TORCHELASTIC_RESTART_COUNT", 0, UINT32_MAX)) {
    launch.restart = static_cast<std::uint32_t>(restart->value);
  }
  auto const found = detail::launcher_of(environment);
  if (found) {
    launch.source = found->launcher;
    launch.rank = static_cast<int>(found->rank.value);
    launch.world = static_cast<int>(found->world.value);
    if (found->local_rank) launch.local_rank = static_cast<int>(found->local_rank->value);
    if (found->local_world) launch.local_world = static_cast<int>(found->local_world->value);
    if (found->launcher == "Slurm") detail::add_slurm(environment, launch);
  }
  launch.port = detail::port_of(environment, launch.run_id);
  if (launch.host.empty() && launch.local_world == launch.world) launch.host = "127.0.0.1";
  return launch;
}

inline void LaunchEnvironment::validate() const {
  detail::enforce(world >= 1, "zero::LaunchEnvironment: the world must have at least one rank");
  if (rank < 0 || rank >= world) {
    detail::fail<ConfigurationError>(
        {"zero::LaunchEnvironment: rank ", rank, " of a world of ", world, ": ranks count from 0 to ", world - 1});
  }
  if (local_rank < 0 || local_world < 0 || local_world > world || (local_world > 0 && local_rank >= local_world)) {
    detail::fail<ConfigurationError>({"zero::LaunchEnvironment: local rank ", local_rank, " of ", local_world,
                                      " in a world of ", world, ": local ranks count from 0 on each machine"});
  }
  if (world == 1) return;
  if (!folder.empty()) {
    detail::enforce(!run_id.empty(),
                    "zero::LaunchEnvironment: a rendezvous through a folder needs a run id, new for each run, so that "
                    "what an earlier run left is not taken for this one's: set ZERO_RUN_ID");
    return;
  }
  if (host.empty()) {
    detail::fail<ConfigurationError>({"zero::LaunchEnvironment: ", source, " says that there are ", world,
                                      " ranks, but not where rank 0 is: set MASTER_ADDR to the name of its machine"});
  }
  if (port == 0) {
    detail::fail<ConfigurationError>({"zero::LaunchEnvironment: ", source, " says that there are ", world,
                                      " ranks, but not on which port rank 0 listens: set ZERO_PORT or MASTER_PORT"});
  }
}

}  // namespace zero
