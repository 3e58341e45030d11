#pragma once
// Probes that need LibTorch, by name. What each finds and costs stands in search::probe_rows().

#include "train/probes/subject.hpp"

namespace condenser::train {

std::unique_ptr<search::Probe> make_probe(const ProbeRequest&);

// Declared, from sizes alone: what a pass over so many input values takes, forward and backward.
double seconds_of_values(int64_t values);

// Scores of an untrained network, each a pure function of its arguments.
using Score = void (*)(const Subject&, search::Findings&);
void synflow(const Subject&, search::Findings&);
void grad_norm(const Subject&, search::Findings&);
void naswot(const Subject&, search::Findings&);
void reactions(const Subject&, search::Findings&);

}  // namespace condenser::train
