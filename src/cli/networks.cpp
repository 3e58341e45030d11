// Finds networks by name, file or run folder.

#include "cli/networks.hpp"

#include <cstdio>
#include <filesystem>

#include "cli/run_config.hpp"
#include "condenser/arch/spec_io.hpp"
#include "condenser/arch/zoo.hpp"

namespace condenser::cli {

namespace fs = std::filesystem;

arch::Shape parse_shape(const std::string& text) {
  char end = 0;
  long long c = 0, h = 0, w = 0;
  if (std::sscanf(text.c_str(), "%lldx%lldx%lld%c", &c, &h, &w, &end) != 3 || c < 1 || h < 1 || w < 1 || c > 65536 ||
      h > 65536 || w > 65536)
    throw core::ConfigError("--input " + text + "; expected channels x height x width, e.g. 3x224x224");
  return {c, h, w};
}

namespace {

// A run keeps its network as soon as it is searched or trained; before that its configuration may name one.
arch::Spec network_of_run(const fs::path& folder) {
  const fs::path winner = folder / "winner.arch.json";
  if (fs::exists(winner)) return arch::read_spec(winner);
  if (fs::exists(folder / "config.resolved.yaml"))
    if (const auto network = read_run_config(folder.string(), {}).network) return *network;
  throw core::ConfigError(winner.string() + " is missing; expected the folder of a run that was searched or trained " +
                          "(condenser search, condenser train), a spec file or a zoo network");
}

}  // namespace

arch::Spec find_network(const std::string& subject, const ZooShape& shape) {
  const fs::path path = subject;
  const bool adjusts = shape.classes > 0 || !shape.input.empty();
  if (fs::exists(path)) {
    if (adjusts)
      throw core::ConfigError(subject + ": --classes and --input belong to zoo networks; a " +
                              (fs::is_directory(path) ? "run" : "spec file") + " says its own");
    return fs::is_directory(path) ? network_of_run(path) : arch::read_spec(path);
  }
  const std::string extension = path.extension().string();
  if (extension == ".yaml" || extension == ".yml" || extension == ".json")
    throw core::ConfigError(subject + ": no such file; expected a spec file, a run folder or a zoo network");
  const arch::ZooCard& card = arch::find_zoo(subject);
  return card.make(shape.input.empty() ? card.input : parse_shape(shape.input),
                   shape.classes > 0 ? shape.classes : card.classes);
}

arch::Spec find_network(const NetworkChoice& choice) { return find_network(choice.name, choice.shape); }

}  // namespace condenser::cli
