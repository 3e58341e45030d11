#pragma once
// What the exported files prove of a network, checked on them and not on what they were made from.

#include "cli/records/records.hpp"
#include "cli/stages/stages.hpp"

namespace condenser::cli {

// Of an export whose integers have been proven equal: the files are of the network that was searched (hashes and counts
// of its manifest), the structural rules hold on the network that was exported, budgets and the comparator hold for the
// bytes and the accuracy of the export. `int8_percent`: measured by the integers that were proven; none: not measured.
// Throws core::Error for a manifest that cannot be read.
CertificateRecord certify(const RunContext&, const arch::Design&, const std::string& target,
                          std::optional<double> int8_percent);

}  // namespace condenser::cli
