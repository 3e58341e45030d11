// The checks of train/check_options.hpp with everything that a run knows before it starts.
#include "cli/check_run.hpp"

#include <algorithm>

#include "cli/torch_module.hpp"
#include "condenser/arch/passes.hpp"
#include "condenser/arch/spec_io.hpp"
#include "condenser/arch/stream.hpp"

namespace condenser::cli {

namespace {

constexpr int kSamples = 8;  // of a space

// The run's network; before it is found, networks as its space makes them.
std::vector<arch::Spec> likely_networks(const RunContext& run, bool found) {
  if (found || !run.config.spec.empty()) return {load_winner(run).spec};
  std::vector<arch::Spec> networks;
  core::Rng rng(run.config.seed, 0xC4EC);
  for (int i = 0; i < kSamples; ++i)
    networks.push_back(run.config.space->expand(search::sample(*run.config.space, rng)).spec);
  return networks;
}

// Refused when no network would do: one of a space may still fail by itself, and is then a failed candidate.
void check_with_networks(train::Situation s, const std::vector<arch::Spec>& networks, const std::string& section) {
  train::check_options(s, section);
  std::optional<train::Conflict> last;
  for (const arch::Spec& network : networks) {
    s.spec = &network;
    last = train::conflict(s, section);
    if (!last) return;
  }
  if (last) throw train::conflict_error(s.options, section, *last);
}

// Said before a search of hours, not when the training begins behind it.
void check_device(const train::TrainOptions& o, const std::string& section) {
  if (o.device == "cuda" && torch_backend().version().find("CUDA") == std::string::npos)
    throw core::ConfigError(section +
                            ".device = cuda, but this LibTorch was built without CUDA; expected cpu or auto; see "
                            "condenser doctor --gpu");
}

// Before it is trained: whether the network, or some of the space, can be exported as a stream.
void check_stream(const RunConfig& c, const std::vector<arch::Spec>& networks) {
  if (c.export_options.stream != "frames") return;
  std::optional<arch::SpecError> last;
  for (const arch::Spec& network : networks) {
    const arch::Spec lowered = arch::lower(network, nullptr);
    try {
      (void)arch::stream_of(lowered, arch::analyze(lowered));
      return;
    } catch (const arch::SpecError& error) {
      last = error;
    }
  }
  if (last)
    throw core::ConfigError(std::string("export.stream: frames: ") + last->what() +
                            "; expected a network that does, or stream: window");
}

}  // namespace

void check_run(RunContext& run, const std::vector<std::string>& names, int ranks, bool fresh) {
  const RunConfig& c = run.config;
  const auto does = [&](const char* stage) { return std::find(names.begin(), names.end(), stage) != names.end(); };
  const bool searches = does("search") && c.space, trains = does("train");
  if (!searches && !trains) return;
  if (searches) check_device(c.probe.train, "probe");
  if (trains) check_device(c.train, "train");
  train::DataFacts data = train::facts_of(*run.training(), run.validation().get());
  data.kind = facts_of(c.card).kind;
  const std::vector<arch::Spec> networks =
      likely_networks(run, !fresh && std::filesystem::exists(run.folder / "winner.arch.json"));
  if (does("export")) check_stream(c, networks);
  if (searches) {
    train::DataFacts short_data = data;
    if (c.probe.samples > 0) short_data.items = std::min<int64_t>(c.probe.samples, *data.items);
    check_with_networks({.options = c.probe.train, .data = &short_data, .searching = true}, networks, "probe");
  }
  if (trains) {
    if (c.train_on_validation) data.items = run.whole_training()->size();
    check_with_networks({.options = c.train, .data = &data, .ranks = ranks}, networks, "train");
  }
}

}  // namespace condenser::cli
