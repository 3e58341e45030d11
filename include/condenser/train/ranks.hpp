#pragma once
// Which of the processes that train together this one is. Launchers say so in the environment; no LibTorch here.

#include <map>
#include <string>

namespace condenser::train {

using Environment = std::map<std::string, std::string>;

struct Ranks {
  std::string launcher;  // "torchrun", "--nproc", "Open MPI", "PMI", "Slurm"; empty: started alone
  int rank = 0, size = 1;
  int local_rank = -1;     // among those on this machine; -1: the launcher does not say
  std::string host;        // where the processes meet: rank 0 listens there, or the launcher does
  int port = 0;            //
  bool met = false;        // the launcher listens there already (torchrun's agent)
  std::string meeting;     // prefix that keeps restarts at one meeting place apart
  std::string store_file;  // --nproc: they meet in this file instead of at host and port
  std::string note;        // a warning for the user; usually empty

  bool alone() const { return size == 1; }
  bool leads() const { return rank == 0; }  // writes files and speaks for all
};

// Looks for torchrun, then Open MPI, PMI (MPICH, Intel MPI) and Slurm: the launcher nearest to the process comes first,
// because mpirun inside a Slurm job leaves Slurm's variables of its own helper in place. MASTER_ADDR and MASTER_PORT
// say where to meet; absent under Slurm: the first machine of the job and a port made from its number; absent under MPI
// on one machine: loopback. A set that is incomplete or contradicts itself throws ConfigError naming the variable.
Ranks find_ranks(const Environment&);

Environment process_environment();

// "node03" of Slurm's "node[03-07,9],other", the name of the first machine; ConfigError for anything malformed.
std::string first_host(const std::string& node_list);

// What a launcher on one machine sets for one of its processes; find_ranks() reads it as "--nproc".
Environment local_rank_environment(int rank, int size, const std::string& store_file);

}  // namespace condenser::train
