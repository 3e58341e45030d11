// The memory that a search budgets is that of the export.

#include <nlohmann/json.hpp>

#include "cli/noise_export.hpp"
#include "cli/run_config.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/temporary_folder.hpp"
#include "support/catch.hpp"

using namespace condenser;
using core::config::Reader;

namespace {

std::unique_ptr<search::Space> columns() {
  Reader reader = Reader::from_text("space: columns\n", "space.yaml");
  return search::make_space(reader, {{3, 24, 24}, 4});
}

int64_t exported_arena(const arch::Design& design, const exporters::ExportOptions& options) {
  const core::TemporaryFolder folder;
  cli::export_with_noise(design, 1, folder.path() / "export", options);
  return nlohmann::json::parse(core::read_file(folder.path() / "export" / "manifest.json")).at("arena_bytes");
}

}  // namespace

TEST_CASE("the arena that a search budgets is that of the export", "[cli]") {
  const auto whole = columns();
  core::Rng rng(5, 0);
  const search::Genotype genotype = search::sample(*whole, rng);
  std::vector<int64_t> arenas;
  for (const bool strips : {false, true})
    for (const int64_t fast : {0, 2000}) {
      const exporters::ExportOptions options{.strips = strips, .fast_ram_bytes = fast};
      const search::Candidate candidate = cli::planned_as_exported(columns(), options)->expand(genotype);
      const int64_t arena = exported_arena(candidate, options);
      CHECK(candidate.plan.peak_bytes == arena);
      CHECK((candidate.plan.fast_bytes > 0) == (fast > 0));
      CHECK(search::passed(search::Gate({.max_arena_bytes = arena}).before_training(candidate)));
      CHECK_FALSE(search::passed(search::Gate({.max_arena_bytes = arena - 1}).before_training(candidate)));
      arenas.push_back(arena);
    }
  CHECK(arenas[2] < arenas[0]);   // in strips
  CHECK(arenas[1] >= arenas[0]);  // two memories are never less than one
}

TEST_CASE("options of the export that plan nothing else leave a space as it is", "[cli]") {
  auto space = columns();
  const search::Space* const before = space.get();
  CHECK(cli::planned_as_exported(std::move(space), {.prefix = "net"}).get() == before);
  CHECK(cli::planned_as_exported(nullptr, {.strips = true}) == nullptr);
}
