// The environments of launchers: what is recognised, which one wins, what is refused and by which word.
#include "condenser/train/ranks.hpp"

#include "condenser/core/error.hpp"
#include "support/catch.hpp"

namespace condenser::train {
namespace {

Environment torchrun() {
  return {{"RANK", "5"},       {"WORLD_SIZE", "8"},       {"LOCAL_RANK", "1"},    {"LOCAL_WORLD_SIZE", "4"},
          {"GROUP_RANK", "1"}, {"MASTER_ADDR", "node01"}, {"MASTER_PORT", "4000"}};
}

Environment slurm() {
  return {{"SLURM_PROCID", "3"},  {"SLURM_LOCALID", "1"},
          {"SLURM_NTASKS", "4"},  {"SLURM_JOB_NODELIST", "node[07-08]"},
          {"SLURM_STEP_ID", "0"}, {"SLURM_JOB_ID", "1234567"}};
}

Environment open_mpi() {
  return {{"OMPI_COMM_WORLD_RANK", "1"},
          {"OMPI_COMM_WORLD_SIZE", "2"},
          {"OMPI_COMM_WORLD_LOCAL_RANK", "1"},
          {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}};
}

Environment with(Environment base, const Environment& more) {
  for (const auto& [name, value] : more) base[name] = value;
  return base;
}

Environment without(Environment base, const std::string& name) {
  base.erase(name);
  return base;
}

}  // namespace

TEST_CASE("a process that nobody launched is alone", "[train][ranks]") {
  for (const Environment& e : {Environment{}, Environment{{"MASTER_ADDR", "x"}, {"MASTER_PORT", "1"}}}) {
    const Ranks r = find_ranks(e);
    CHECK(r.alone());
    CHECK(r.leads());
    CHECK(r.launcher.empty());
  }
}

TEST_CASE("torchrun is recognised", "[train][ranks]") {
  const Ranks r = find_ranks(torchrun());
  CHECK(r.launcher == "torchrun");
  CHECK(r.rank == 5);
  CHECK(r.size == 8);
  CHECK(r.local_rank == 1);
  CHECK(r.host == "node01");
  CHECK(r.port == 4000);
  CHECK_FALSE(r.met);
  const Ranks agent =
      find_ranks(with(torchrun(), {{"TORCHELASTIC_USE_AGENT_STORE", "True"}, {"TORCHELASTIC_RESTART_COUNT", "2"}}));
  CHECK(agent.met);
  CHECK(agent.meeting == "attempt2");
}

TEST_CASE("half of torchrun's variables, or impossible ones, are refused by name", "[train][ranks]") {
  for (const char* name : {"RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"}) {
    INFO(name);
    CHECK_THROWS_AS(find_ranks(without(torchrun(), name)), core::ConfigError);
    CHECK_THROWS_WITH(find_ranks(without(torchrun(), name)),
                      Catch::Contains(std::string(name) + " is missing") && Catch::Contains("torchrun"));
  }
  const std::vector<std::pair<std::string, std::string>> impossible{{"RANK", "8"},
                                                                    {"RANK", "-1"},
                                                                    {"WORLD_SIZE", "0"},
                                                                    {"WORLD_SIZE", "two"},
                                                                    {"LOCAL_RANK", "4"},
                                                                    {"LOCAL_WORLD_SIZE", "9"},
                                                                    {"MASTER_PORT", "70000"},
                                                                    {"MASTER_PORT", "4000 "}};
  for (const auto& [name, value] : impossible) {
    INFO(name << " = " << value);
    CHECK_THROWS_WITH(find_ranks(with(torchrun(), {{name, value}})), Catch::Contains(name + " = '" + value + "'"));
  }
}

TEST_CASE("Slurm is recognised when srun started the process", "[train][ranks]") {
  const Ranks r = find_ranks(slurm());
  CHECK(r.launcher == "Slurm");
  CHECK(r.rank == 3);
  CHECK(r.size == 4);
  CHECK(r.local_rank == 1);
  CHECK(r.host == "node07");
  CHECK(r.port == 20000 + 4567);
  CHECK(r.note.empty());

  const Ranks step = find_ranks(with(slurm(), {{"SLURM_STEP_NODELIST", "node08"}, {"MASTER_PORT", "77"}}));
  CHECK(step.host == "node08");  // a step on a part of the job's machines
  CHECK(step.port == 77);
  CHECK(find_ranks(with(slurm(), {{"MASTER_ADDR", "10.0.0.1"}})).host == "10.0.0.1");

  for (const char* name : {"SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID", "SLURM_JOB_NODELIST"}) {
    INFO(name);
    CHECK_THROWS_WITH(find_ranks(without(slurm(), name)), Catch::Contains(std::string(name) + " is missing"));
  }
  CHECK_THROWS_WITH(find_ranks(with(slurm(), {{"SLURM_PROCID", "4"}})), Catch::Contains("0..3"));
}

TEST_CASE("the script of sbatch is one process, and is told about srun", "[train][ranks]") {
  const Ranks r = find_ranks(without(with(slurm(), {{"SLURM_PROCID", "0"}}), "SLURM_STEP_ID"));
  CHECK(r.alone());
  CHECK_THAT(r.note, Catch::Contains("srun"));
  const Ranks one = find_ranks({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "1"}, {"SLURM_LOCALID", "0"}});
  CHECK(one.alone());
  CHECK(one.note.empty());
}

TEST_CASE("Open MPI and PMI are recognised; several machines need a meeting place", "[train][ranks]") {
  const Ranks r = find_ranks(open_mpi());
  CHECK(r.launcher == "Open MPI");
  CHECK(r.rank == 1);
  CHECK(r.size == 2);
  CHECK(r.local_rank == 1);
  CHECK(r.host == "127.0.0.1");
  CHECK(r.port == 29500);
  const Environment wide = with(open_mpi(), {{"OMPI_COMM_WORLD_SIZE", "6"}});
  CHECK_THROWS_WITH(find_ranks(wide), Catch::Contains("MASTER_ADDR"));
  CHECK(find_ranks(with(wide, {{"MASTER_ADDR", "head"}})).host == "head");
  for (const auto& [name, value] : open_mpi()) {
    INFO(name);
    CHECK_THROWS_WITH(find_ranks(without(open_mpi(), name)), Catch::Contains(name + " is missing"));
  }

  const Environment pmi{
      {"PMI_RANK", "0"}, {"PMI_SIZE", "3"}, {"MPI_LOCALRANKID", "0"}, {"MPI_LOCALNRANKS", "3"}, {"MASTER_PORT", "5"}};
  const Ranks hydra = find_ranks(pmi);
  CHECK(hydra.launcher == "PMI");
  CHECK(hydra.size == 3);
  CHECK(hydra.host == "127.0.0.1");
  CHECK(hydra.port == 5);
  CHECK_THROWS_WITH(find_ranks(without(pmi, "PMI_SIZE")), Catch::Contains("PMI_SIZE is missing"));
}

TEST_CASE("the launcher nearest to the process wins", "[train][ranks]") {
  const Environment all = with(with(slurm(), open_mpi()), torchrun());
  CHECK(find_ranks(all).launcher == "torchrun");
  const Ranks mpi = find_ranks(with(slurm(), open_mpi()));  // mpirun inside a job
  CHECK(mpi.launcher == "Open MPI");
  CHECK(mpi.rank == 1);
  const Ranks pmi2 = find_ranks(with(slurm(), {{"PMI_RANK", "3"}, {"PMI_SIZE", "4"}}));  // srun --mpi=pmi2
  CHECK(pmi2.rank == 3);
  CHECK(pmi2.host == "node07");
}

TEST_CASE("processes of --nproc find themselves", "[train][ranks]") {
  const Ranks r = find_ranks(local_rank_environment(1, 3, "/tmp/store"));
  CHECK(r.launcher == "--nproc");
  CHECK(r.rank == 1);
  CHECK(r.size == 3);
  CHECK(r.local_rank == 1);
  CHECK(r.store_file == "/tmp/store");
}

TEST_CASE("the first machine of a node list", "[train][ranks]") {
  CHECK(first_host("node07") == "node07");
  CHECK(first_host("a,b") == "a");
  CHECK(first_host("node[01-04,07]") == "node01");
  CHECK(first_host("node[12,14-20],gpu1") == "node12");
  CHECK(first_host("rack[2-3]n[08-09]-ib,x") == "rack2n08-ib");
  for (const char* bad : {"", ",a", "node[01", "node[]", "node[,2]", "node]1", "a b"}) {
    INFO(bad);
    CHECK_THROWS_AS(first_host(bad), core::ConfigError);
  }
}

}  // namespace condenser::train
