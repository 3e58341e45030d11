#include "cli/certificate.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/cost_estimate.hpp"
#include "condenser/arch/rules.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/text.hpp"

namespace condenser::cli {
namespace {

using search::Verdict;

// The numbers of an export that a gate bounds.
struct Manifest {
  std::string network, spec_hash, lowered_hash;
  int64_t constant_bytes = 0, arena_bytes = 0, macs = 0;
};

Manifest read_manifest(const std::filesystem::path& folder) {
  const auto file = folder / "manifest.json";
  try {
    const auto j = nlohmann::json::parse(core::read_file(file));
    return {j.at("network"),     j.at("spec_hash"), j.at("lowered_hash"), j.at("constant_bytes").at("total"),
            j.at("arena_bytes"), j.at("macs")};
  } catch (const nlohmann::json::exception& e) {
    throw core::Error(file.string() + ": cannot be read as the manifest of an export (" + e.what() +
                      "); run `condenser export` again");
  }
}

std::string facts(const std::string& hash, int64_t constants, int64_t arena, int64_t macs) {
  return hash.substr(0, 12) + ", " + core::thousands(constants) + " bytes of constants, arena " +
         core::thousands(arena) + " bytes, " + core::thousands(macs) + " MACs";
}

Verdict is_the_network(const Manifest& m, const arch::Design& design) {
  const std::string found = facts(m.lowered_hash, m.constant_bytes, m.arena_bytes, m.macs),
                    expected = facts(arch::hash(design.lowered).hex(), design.lowered_cost.constant_bytes,
                                     design.plan.peak_bytes, design.lowered_cost.macs);
  const bool same = m.spec_hash == arch::hash(design.spec).hex() && found == expected;
  return {"exported_network", same, "", found, expected};
}

Verdict structural(const arch::Rule& rule, const arch::Spec& lowered, bool demanded) {
  const std::vector<arch::Violation> broken = rule.check(lowered);
  const std::string limit = demanded ? "demanded" : "not demanded";
  if (broken.empty()) return {rule.name, true, "", rule.evidence(lowered), limit};
  return {rule.name, false, broken.front().node, broken.front().what, limit};
}

}  // namespace

CertificateRecord certify(const RunContext& run, const arch::Design& design, const std::string& target,
                          std::optional<double> int8_percent) {
  const Manifest manifest = read_manifest(run.folder / "export" / target);
  const search::Gate gate = make_gate(run.config);
  CertificateRecord record{target, manifest.network, manifest.spec_hash, manifest.lowered_hash, {}, true};
  const auto add = [&](Verdict verdict, bool demanded) {
    record.holds = record.holds && (verdict.passed || !demanded);
    record.rules.push_back(std::move(verdict));
  };
  add(is_the_network(manifest, design), true);
  for (const arch::Rule& rule : arch::rules()) {
    const bool demanded = std::ranges::find(gate.options().rules, rule.name) != gate.options().rules.end();
    add(structural(rule, design.lowered, demanded), demanded);
  }
  for (Verdict& verdict : gate.before_training(as_searched(run, design)))
    if (arch::find_rule(verdict.rule) == nullptr) add(std::move(verdict), true);
  if (int8_percent)
    for (Verdict& verdict : gate.after_training(*int8_percent)) add(std::move(verdict), true);
  return record;
}

}  // namespace condenser::cli
