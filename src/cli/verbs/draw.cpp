// `condenser draw`: a network as SVG, Mermaid or DOT.

#include <cstdio>

#include "cli/networks.hpp"
#include "cli/stages/stages.hpp"
#include "condenser/arch/diagram.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/output.hpp"
#include "condenser/report/picture.hpp"

namespace condenser::cli {

int cmd_draw(const Invocation& call) {
  const arch::Spec spec = find_network(call.subject, call.classes, call.input);
  const std::string text = call.format == "mermaid" ? arch::to_mermaid(spec)
                           : call.format == "dot"
                               ? arch::to_dot(spec)
                               : report::to_svg(report::picture_of(spec, report::measure_of(call.colour)));
  if (call.out.empty()) {
    core::write_output(text);
  } else {
    core::write_atomic(call.out, text);
  }
  return 0;
}

}  // namespace condenser::cli
