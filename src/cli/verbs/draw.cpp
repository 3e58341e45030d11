// `condenser draw`: a network as SVG, Mermaid or DOT.

#include "cli/networks.hpp"
#include "cli/print.hpp"
#include "cli/shared_options.hpp"
#include "cli/stages/stages.hpp"
#include "cli/verb.hpp"
#include "condenser/arch/diagram.hpp"
#include "condenser/report/picture.hpp"

namespace condenser::cli {
namespace {

struct Options {
  NetworkChoice network;
  std::string format = "svg";
  std::filesystem::path out;  // empty: standard output
  std::string colour = "macs";
};

void add_options(Args& args, Options& o) {
  args.option("--format", o.format, "output format").choices({"svg", "mermaid", "dot"}).with_default();
  add_network(args, o.network);
  args.option("-o,--out", o.out, "file to write; standard output when absent");
  args.option("--colour", o.colour, "what the colour says: share of macs, of memory, or of params")
      .choices({"macs", "memory", "params"})
      .with_default();
}

std::string drawing(const arch::Spec& spec, const Options& o) {
  if (o.format == "mermaid") return arch::to_mermaid(spec);
  if (o.format == "dot") return arch::to_dot(spec);
  return report::to_svg(report::picture_of(spec, report::measure_of(o.colour)));
}

int draw(const Options& o) {
  const std::string text = drawing(find_network(o.network), o);
  print_to(o.out, text);
  return 0;
}

}  // namespace

Verb draw_verb() {
  return {.name = "draw",
          .group = kNetworks,
          .about = "a network as SVG, Mermaid or DOT",
          .example = "draw dcac_sca_325mf -o dcac.svg",
          .next = "The SVG opens in every browser.",
          .declare = with_options<Options>(add_options, draw)};
}

}  // namespace condenser::cli
