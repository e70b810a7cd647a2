// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <zero/bootstrap/launch_environment.hpp>

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

namespace bootstrap_launch_environment_test {

namespace {

using Variables = std::map<std::string, std::string>;

zero::LaunchEnvironment detect(Variables const& variables) {
  return zero::LaunchEnvironment::detect([&](char const* name) {
    auto const found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

// The error's text; empty: none.
std::string refusal(Variables const& variables) {
  try {
    (void)detect(variables);
    return "";
  } catch (zero::ConfigurationError const& error) {
    return error.what();
  }
}

Variables torchrun(Variables more = {}) {
  more.merge(Variables{{"RANK", "5"},
                       {"WORLD_SIZE", "8"},
                       {"LOCAL_RANK", "1"},
                       {"LOCAL_WORLD_SIZE", "4"},
                       {"MASTER_ADDR", "node0"},
                       {"MASTER_PORT", "29500"}});
  return more;
}
Variables slurm(Variables more = {}) {
  more.merge(Variables{{"SLURM_PROCID", "3"},
                       {"SLURM_NTASKS", "6"},
                       {"SLURM_LOCALID", "1"},
                       {"SLURM_NODEID", "1"},
                       {"SLURM_STEP_NODELIST", "gpu[07-08,11],login"},
                       {"SLURM_STEP_TASKS_PER_NODE", "2(x2),1(x2)"},
                       {"SLURM_JOB_ID", "4711"},
                       {"SLURM_STEP_ID", "2"}});
  return more;
}

}  // namespace

TEST_CASE("launch environment: without a launcher there is one rank") {
  auto const launch = detect({});
  CHECK(launch.rank == 0);
  CHECK(launch.world == 1);
  CHECK(detect({{"RANK", ""}, {"WORLD_SIZE", ""}}).world == 1);
}

TEST_CASE("launch environment: torchrun") {
  auto const launch = detect(torchrun({{"TORCHELASTIC_RUN_ID", "run"}, {"TORCHELASTIC_RESTART_COUNT", "2"}}));
  CHECK(launch.source == "torchrun");
  CHECK(launch.rank == 5);
  CHECK(launch.world == 8);
  CHECK(launch.local_rank == 1);
  CHECK(launch.local_world == 4);
  CHECK(launch.host == "node0");
  CHECK(launch.port == 29500);
  CHECK(launch.run_id == "run");
  CHECK(launch.restart == 2);
}

TEST_CASE("launch environment: who there is can be read where nothing says how ranks meet") {
  auto const read = [](Variables const& variables) {
    return zero::LaunchEnvironment::read([&](char const* name) {
      auto const found = variables.find(name);
      return found == variables.end() ? nullptr : found->second.c_str();
    });
  };
  Variables const bare{{"RANK", "1"}, {"WORLD_SIZE", "2"}};
  CHECK(refusal(bare) != "");
  CHECK(read(bare).rank == 1);
  CHECK(read(bare).world == 2);
  CHECK(read(bare).source == "torchrun");
  CHECK(read({}).world == 1);
  CHECK_THROWS_AS((void)read({{"RANK", "1"}}), zero::ConfigurationError);
}

TEST_CASE("launch environment: the port on which torchrun's agent listens is left to it") {
  CHECK(detect(torchrun({{"TORCHELASTIC_USE_AGENT_STORE", "True"}})).port == 29501);
  CHECK(detect(torchrun({{"TORCHELASTIC_USE_AGENT_STORE", "False"}})).port == 29500);
  CHECK(detect(torchrun({{"TORCHELASTIC_USE_AGENT_STORE", "True"}, {"ZERO_PORT", "4000"}})).port == 4000);
  CHECK(refusal(torchrun({{"TORCHELASTIC_USE_AGENT_STORE", "True"}, {"MASTER_PORT", "65535"}}))
            .find("choose one in ZERO_PORT") != std::string::npos);
}

TEST_CASE("launch environment: Open MPI and PMI") {
  auto const mpi = detect({{"OMPI_COMM_WORLD_RANK", "1"},
                           {"OMPI_COMM_WORLD_SIZE", "2"},
                           {"OMPI_COMM_WORLD_LOCAL_RANK", "1"},
                           {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"},
                           {"PMIX_NAMESPACE", "1234@1"}});
  CHECK(mpi.source == "Open MPI");
  CHECK(mpi.rank == 1);
  CHECK(mpi.local_world == 2);
  CHECK(mpi.host == "127.0.0.1");  // all ranks are on this machine
  CHECK(mpi.port >= 20000);
  CHECK(mpi.port < 32000);
  auto const pmi = detect({{"PMI_RANK", "3"}, {"PMI_SIZE", "4"}, {"MASTER_ADDR", "a"}, {"MASTER_PORT", "1"}});
  CHECK(pmi.source == "PMI");
  CHECK(pmi.rank == 3);
  CHECK(pmi.local_world == 0);
}

TEST_CASE("launch environment: MVAPICH2, alone and beside what started it") {
  Variables const alone{{"MV2_COMM_WORLD_RANK", "1"},
                        {"MV2_COMM_WORLD_SIZE", "2"},
                        {"MV2_COMM_WORLD_LOCAL_RANK", "1"},
                        {"MV2_COMM_WORLD_LOCAL_SIZE", "2"},
                        {"ZERO_PORT", "77"}};
  auto const launch = detect(alone);
  CHECK(launch.source == "MVAPICH2");
  CHECK(launch.rank == 1);
  CHECK(launch.world == 2);
  CHECK(launch.local_rank == 1);
  CHECK(launch.local_world == 2);
  CHECK(launch.host == "127.0.0.1");
  auto by_hydra = alone;
  by_hydra.merge(Variables{{"PMI_RANK", "1"}, {"PMI_SIZE", "2"}});
  CHECK(detect(by_hydra).source == "PMI");
  CHECK(detect(by_hydra).local_rank == 1);
  auto in_slurm = alone;
  in_slurm.merge(slurm());
  CHECK(detect(in_slurm).world == 2);
  CHECK(refusal({{"MV2_COMM_WORLD_RANK", "1"}}).find("MV2_COMM_WORLD_SIZE is not") != std::string::npos);
}

TEST_CASE(
    "launch environment: a rank of PMIx above 0 is never alone, and where nothing says of how many, it is refused") {
  CHECK(refusal({{"PMIX_RANK", "1"}}).find("PMIX_RANK=1 says that a launcher has started several") !=
        std::string::npos);
  CHECK(refusal({{"PMIX_RANK", "1"}, {"SLURM_NTASKS", "2"}, {"SLURM_JOB_ID", "1"}}) != "");
  CHECK(detect({{"PMIX_RANK", "0"}}).world == 1);
  CHECK(detect({{"PMIX_RANK", ""}}).world == 1);
  // Open MPI 5 sets it, Slurm's plugin of PMIx, and torchrun leaves it.
  CHECK(detect({{"PMIX_RANK", "1"},
                {"OMPI_COMM_WORLD_RANK", "1"},
                {"OMPI_COMM_WORLD_SIZE", "2"},
                {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"},
                {"ZERO_PORT", "77"}})
            .rank == 1);
  CHECK(detect(slurm({{"PMIX_RANK", "3"}})).rank == 3);
  CHECK(detect(torchrun({{"PMIX_RANK", "1"}, {"TORCHELASTIC_RUN_ID", "run"}})).rank == 5);
}

TEST_CASE("launch environment: Slurm, with the first node of its list and a port of its own for every step") {
  auto const launch = detect(slurm());
  CHECK(launch.source == "Slurm");
  CHECK(launch.rank == 3);
  CHECK(launch.world == 6);
  CHECK(launch.host == "gpu07");
  CHECK(launch.local_rank == 1);
  CHECK(launch.local_world == 2);
  CHECK(launch.run_id == "4711.2");
  CHECK(launch.port == zero::detail::port_of_job("4711.2"));
  CHECK(detect(slurm({{"MASTER_ADDR", "other"}, {"MASTER_PORT", "77"}})).host == "other");
  CHECK(detect(slurm({{"MASTER_ADDR", "other"}, {"MASTER_PORT", "77"}})).port == 77);
}

TEST_CASE("launch environment: what an outer launcher left is not this process's") {
  // torchrun on every node of a Slurm step, and mpirun in a Slurm allocation.
  CHECK(detect(slurm(torchrun({{"TORCHELASTIC_RUN_ID", "run"}}))).rank == 5);
  CHECK(detect(slurm({{"OMPI_COMM_WORLD_RANK", "0"},
                      {"OMPI_COMM_WORLD_SIZE", "9"},
                      {"MASTER_ADDR", "a"},
                      {"MASTER_PORT", "5"}}))
            .world == 9);
}

TEST_CASE("launch environment: a job of Slurm without srun is one process") {
  CHECK(detect({{"SLURM_JOB_ID", "1"}, {"SLURM_NTASKS", "8"}}).world == 1);                         // salloc
  CHECK(detect({{"SLURM_JOB_ID", "1"}, {"SLURM_NTASKS", "8"}, {"SLURM_PROCID", "0"}}).world == 1);  // sbatch
}

TEST_CASE("launch environment: what refines the meeting") {
  auto const launch = detect(torchrun({{"TORCHELASTIC_RUN_ID", "theirs"},
                                       {"ZERO_RUN_ID", "ours"},
                                       {"ZERO_TOKEN", "secret"},
                                       {"ZERO_INTERFACE", "eth1"},
                                       {"ZERO_RENDEZVOUS_FOLDER", "/shared"}}));
  CHECK(launch.run_id == "ours");
  CHECK(launch.token == "secret");
  CHECK(launch.network_interface == "eth1");
  CHECK(launch.folder == "/shared");
}

TEST_CASE("launch environment: two launchers that agree are one") {
  auto const launch = detect(torchrun({{"PMI_RANK", "5"}, {"PMI_SIZE", "8"}}));
  CHECK(launch.source == "torchrun");
  CHECK(launch.rank == 5);
}

TEST_CASE("launch environment: what cannot work is refused, with the variables' names") {
  struct Case {
    Variables variables;
    std::vector<std::string> says;
  };
  std::vector<Case> const cases{
      {torchrun({{"RANK", "8"}}), {"RANK=8", "WORLD_SIZE=8"}},
      {torchrun({{"RANK", "-1"}}), {"RANK=-1 is not between 0"}},
      {torchrun({{"RANK", "1x"}}), {"RANK='1x' is not a whole number"}},
      {torchrun({{"RANK", "1e3"}}), {"RANK='1e3'"}},
      {torchrun({{"RANK", " 1"}}), {"RANK=' 1'"}},
      {torchrun({{"RANK", "99999999999999999999"}}), {"RANK='99999999999999999999'"}},
      {torchrun({{"WORLD_SIZE", "0"}}), {"WORLD_SIZE=0"}},
      {torchrun({{"WORLD_SIZE", ""}}), {"RANK is set, but WORLD_SIZE is not"}},
      {{{"WORLD_SIZE", "2"}}, {"WORLD_SIZE is set, but RANK is not"}},
      {torchrun({{"LOCAL_RANK", "4"}}), {"LOCAL_RANK=4", "LOCAL_WORLD_SIZE=4"}},
      {torchrun({{"LOCAL_WORLD_SIZE", "9"}}), {"LOCAL_WORLD_SIZE=9", "WORLD_SIZE=8"}},
      {torchrun({{"MASTER_PORT", "0"}}), {"MASTER_PORT=0"}},
      {torchrun({{"MASTER_PORT", "70000"}}), {"MASTER_PORT=70000"}},
      {torchrun({{"ZERO_PORT", "x"}}), {"ZERO_PORT='x'"}},
      {torchrun({{"MASTER_ADDR", ""}}), {"set MASTER_ADDR"}},
      {torchrun({{"MASTER_PORT", ""}}), {"set ZERO_PORT or MASTER_PORT"}},
      {torchrun({{"TORCHELASTIC_RESTART_COUNT", "-2"}}), {"TORCHELASTIC_RESTART_COUNT=-2"}},
      {torchrun({{"OMPI_COMM_WORLD_RANK", "4"}, {"OMPI_COMM_WORLD_SIZE", "8"}}), {"RANK=5", "OMPI_COMM_WORLD_RANK=4"}},
      {torchrun({{"PMI_RANK", "5"}, {"PMI_SIZE", "16"}}), {"WORLD_SIZE=8", "PMI_SIZE=16"}},
      {slurm(torchrun()), {"RANK=5", "SLURM_PROCID=3"}},
      {slurm({{"SLURM_STEP_NODELIST", "n[3-1]"}}), {"node list 'n[3-1]'", "MASTER_ADDR"}},
      {torchrun({{"ZERO_RENDEZVOUS_FOLDER", "/tmp"}}), {"set ZERO_RUN_ID"}},
  };
  for (auto const& c : cases) {
    auto const text = refusal(c.variables);
    for (auto const& part : c.says) {
      CAPTURE(part);
      CAPTURE(text);
      CHECK(text.find(part) != std::string::npos);
    }
  }
}

TEST_CASE("launch environment: explicit arguments are checked, too") {
  auto const why = [](zero::LaunchEnvironment const& launch) -> std::string {
    try {
      launch.validate();
      return "";
    } catch (zero::ConfigurationError const& error) {
      return error.what();
    }
  };
  CHECK(why({}).empty());
  CHECK(why({.rank = 1, .world = 2, .host = "a", .port = 1}).empty());
  CHECK(why({.rank = 2, .world = 2, .host = "a", .port = 1}).find("rank 2 of a world of 2") != std::string::npos);
  CHECK(why({.rank = 0, .world = 0}).find("at least one rank") != std::string::npos);
  CHECK(why({.rank = 0, .world = 2, .port = 1}).find("MASTER_ADDR") != std::string::npos);
  CHECK(why({.rank = 0, .world = 2, .host = "a"}).find("ZERO_PORT") != std::string::npos);
  CHECK(why({.world = 2, .local_rank = 2, .local_world = 2}).find("local rank 2 of 2") != std::string::npos);
}

TEST_CASE("node list: Slurm's short forms") {
  using zero::detail::SlurmList;
  using Names = std::vector<std::string>;
  CHECK(SlurmList::nodes("n1") == Names{"n1"});
  CHECK(SlurmList::nodes("n[01-03,7]") == Names{"n01", "n02", "n03", "n7"});
  CHECK(SlurmList::nodes("a-1.x,n[8-11],b") == Names{"a-1.x", "n8", "n9", "n10", "n11", "b"});
  CHECK(SlurmList::nodes("r[1-2]n[1-2]s") == Names{"r1n1s", "r1n2s", "r2n1s", "r2n2s"});
  CHECK(SlurmList::tasks("2(x3),1") == std::vector<std::size_t>{2, 2, 2, 1});
}

TEST_CASE("node list: what is malformed or endless is refused") {
  using zero::detail::SlurmList;
  for (auto const* list : {"", ",", "n[", "n[]", "n[1", "n[1-]", "n[-1]", "n[1,]", "n[a]", "n1,", "n]", "n[1]]",
                           "n[2-1]", "n[0-99999999]", "n[0-65535][0-9]", "n[1-9999999999]", "n 1", "n;1", "n[1-2-3]"}) {
    CAPTURE(list);
    CHECK_THROWS_AS((void)SlurmList::nodes(list), zero::ConfigurationError);
  }
  for (auto const* list : {"", "x", "2(", "2(x", "2(x3", "2(3)", "2,", "2(x99999999)", "-1"}) {
    CAPTURE(list);
    CHECK_THROWS_AS((void)SlurmList::tasks(list), zero::ConfigurationError);
  }
}

}  // namespace bootstrap_launch_environment_test
