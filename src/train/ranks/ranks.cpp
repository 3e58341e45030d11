// Environments of launchers. Names and meanings: torchrun's manual ("Environment Variables"), Open MPI's mpirun(1),
// Hydra's and Intel MPI's PMI_*, Slurm's srun(1) "OUTPUT ENVIRONMENT VARIABLES".
#include "condenser/train/ranks.hpp"

#include <unistd.h>

#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "condenser/core/error.hpp"

namespace condenser::train {
namespace {

using core::ConfigError;

constexpr const char* kStoreFile = "CONDENSER_STORE_FILE";
constexpr int kDefaultPort = 29500;  // PyTorch's
constexpr int kMaxRanks = 65536;

// The environment as seen by one launcher's reader.
struct Variables {
  const Environment& all;
  std::string launcher;

  bool has(const std::string& name) const { return all.contains(name); }
  bool any(const std::vector<std::string>& names) const {
    for (const auto& name : names)
      if (has(name)) return true;
    return false;
  }
  std::string text(const std::string& name, const std::string& otherwise = "") const {
    const auto found = all.find(name);
    return found == all.end() ? otherwise : found->second;
  }
  std::string required(const std::string& name) const {
    if (!has(name))
      throw ConfigError("environment: " + launcher + " is only half there: " + name +
                        " is missing; expected all that it sets, or none of them (unset what is left over)");
    return all.at(name);
  }
  int64_t number(const std::string& name, int64_t low, int64_t high) const {
    const std::string value = required(name);
    int64_t result = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), result);
    if (error != std::errc() || end != value.data() + value.size() || result < low || result > high)
      throw ConfigError("environment: " + name + " = '" + value + "'; expected " + std::to_string(low) + ".." +
                        std::to_string(high) + " (" + launcher + ")");
    return result;
  }
};

// Size first, so that the rank's range is known.
Ranks counted(const Variables& v, const std::string& rank, const std::string& size) {
  Ranks r{.launcher = v.launcher};
  r.size = static_cast<int>(v.number(size, 1, kMaxRanks));
  r.rank = static_cast<int>(v.number(rank, 0, r.size - 1));
  return r;
}

void read_local(const Variables& v, Ranks& r, const std::string& local_rank, const std::string& local_size) {
  const int64_t here = v.number(local_size, 1, r.size);
  r.local_rank = static_cast<int>(v.number(local_rank, 0, here - 1));
}

std::string slurm_nodes(const Variables& v) { return v.text("SLURM_STEP_NODELIST", v.text("SLURM_JOB_NODELIST")); }

// MASTER_ADDR and MASTER_PORT, or what can stand for them.
void read_meeting_place(const Variables& v, Ranks& r, bool one_machine) {
  if (r.alone()) return;
  const bool slurm = !slurm_nodes(v).empty();
  r.host = v.text("MASTER_ADDR", one_machine ? "127.0.0.1" : slurm ? first_host(slurm_nodes(v)) : "");
  if (r.host.empty())
    throw ConfigError("environment: " + v.launcher +
                      " started processes on several machines and does not say where they meet; set MASTER_ADDR to the "
                      "machine of rank 0, e.g. mpirun -x MASTER_ADDR=$(hostname)");
  // Jobs that share a machine should not share a port.
  constexpr int64_t kFirst = 20000, kPorts = 10000;
  r.port = static_cast<int>(v.has("MASTER_PORT") ? v.number("MASTER_PORT", 1, 65535)
                            : v.has("SLURM_JOB_ID")
                                ? kFirst + v.number("SLURM_JOB_ID", 0, std::numeric_limits<int64_t>::max()) % kPorts
                                : kDefaultPort);
}

std::optional<Ranks> from_torchrun(const Environment& all) {
  Variables v{all, "torchrun"};
  if (!v.any({"RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"})) return {};
  if (v.has(kStoreFile)) v.launcher = "--nproc";
  Ranks r = counted(v, "RANK", "WORLD_SIZE");
  read_local(v, r, "LOCAL_RANK", "LOCAL_WORLD_SIZE");
  if (v.has(kStoreFile)) {
    r.store_file = v.text(kStoreFile);
    return r;
  }
  r.host = v.required("MASTER_ADDR");
  r.port = static_cast<int>(v.number("MASTER_PORT", 1, 65535));
  r.met = v.text("TORCHELASTIC_USE_AGENT_STORE") == "True";
  if (r.met) r.meeting = "attempt" + v.text("TORCHELASTIC_RESTART_COUNT", "0");
  return r;
}

std::optional<Ranks> from_open_mpi(const Environment& all) {
  const Variables v{all, "Open MPI"};
  const std::string prefix = "OMPI_COMM_WORLD_";
  if (!v.any({prefix + "RANK", prefix + "SIZE"})) return {};
  Ranks r = counted(v, prefix + "RANK", prefix + "SIZE");
  read_local(v, r, prefix + "LOCAL_RANK", prefix + "LOCAL_SIZE");
  read_meeting_place(v, r, v.number(prefix + "LOCAL_SIZE", 1, r.size) == r.size);
  return r;
}

std::optional<Ranks> from_pmi(const Environment& all) {
  const Variables v{all, "PMI"};
  if (!v.any({"PMI_RANK", "PMI_SIZE"})) return {};
  Ranks r = counted(v, "PMI_RANK", "PMI_SIZE");
  const bool local = v.any({"MPI_LOCALRANKID", "MPI_LOCALNRANKS"});  // srun --mpi=pmi2 does not set them
  if (local) read_local(v, r, "MPI_LOCALRANKID", "MPI_LOCALNRANKS");
  read_meeting_place(v, r, local && v.number("MPI_LOCALNRANKS", 1, r.size) == r.size);
  return r;
}

std::optional<Ranks> from_slurm(const Environment& all) {
  const Variables v{all, "Slurm"};
  if (!v.any({"SLURM_PROCID", "SLURM_NTASKS"})) return {};
  // The script of sbatch and the shell of salloc see these variables too; only srun numbers its steps.
  if (!v.has("SLURM_STEP_ID")) {
    Ranks alone;
    if (v.text("SLURM_NTASKS", "1") != "1")
      alone.note =
          "Slurm granted " + v.text("SLURM_NTASKS") +
          " tasks, but this process was not started by srun: it runs alone; start it with srun to use them all";
    return alone;
  }
  Ranks r = counted(v, "SLURM_PROCID", "SLURM_NTASKS");
  r.local_rank = static_cast<int>(v.number("SLURM_LOCALID", 0, r.size - 1));
  if (!r.alone() && slurm_nodes(v).empty() && !v.has("MASTER_ADDR")) v.required("SLURM_JOB_NODELIST");
  read_meeting_place(v, r, false);
  return r;
}

}  // namespace

Ranks find_ranks(const Environment& all) {
  for (const auto reader : {from_torchrun, from_open_mpi, from_pmi, from_slurm})
    if (auto found = reader(all)) return *found;
  return {};
}

Environment process_environment() {
  Environment all;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string text = *entry;
    const auto equals = text.find('=');
    if (equals != std::string::npos) all.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return all;
}

std::string first_host(const std::string& node_list) {
  const auto malformed = [&] {
    return ConfigError("environment: node list '" + node_list + "'; expected names such as node[01-04,07],other");
  };
  std::string host;
  for (size_t i = 0; i < node_list.size() && node_list[i] != ','; ++i) {
    if (node_list[i] != '[') {
      host += node_list[i];
      continue;
    }
    const size_t close = node_list.find(']', i), end = node_list.find_first_of(",-]", i);
    if (close == std::string::npos || end == i + 1) throw malformed();
    host += node_list.substr(i + 1, end - i - 1);
    i = close;
  }
  if (host.empty() || host.find_first_of("[] ") != std::string::npos) throw malformed();
  return host;
}

Environment local_rank_environment(int rank, int size, const std::string& store_file) {
  return {{"RANK", std::to_string(rank)},
          {"WORLD_SIZE", std::to_string(size)},
          {"LOCAL_RANK", std::to_string(rank)},
          {"LOCAL_WORLD_SIZE", std::to_string(size)},
          {kStoreFile, store_file}};
}

}  // namespace condenser::train
