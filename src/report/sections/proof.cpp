// The checks of the export.

#include "report/sections/sections.hpp"

namespace condenser::report {

std::optional<Section> proof_section(const Material& m) {
  if (!m.proof) return std::nullopt;
  return Section{
      "proof",
      "Proof of the export",
      {{Paragraph{"The exported code is compiled and run; every output integer must equal the framework's."}},
       {m.proof->checks}}};
}

}  // namespace condenser::report
