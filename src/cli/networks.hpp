#pragma once
// Networks as the command line names them, and what every verb about networks asks of them.

#include <string>

#include "cli/shared_options.hpp"
#include "condenser/arch/spec.hpp"

namespace condenser::cli {

arch::Shape parse_shape(const std::string& text);  // "3x224x224"; throws ConfigError

// A zoo name, a spec file or a run folder (its winner, or the network of its own that it names). The shape is for zoo
// networks; files say their own.
arch::Spec find_network(const std::string& subject, const ZooShape&);
arch::Spec find_network(const NetworkChoice&);

}  // namespace condenser::cli
