#pragma once
// What targets for other runtimes ship beside the model: known answers as arrays, and a manifest.

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "condenser/exporters/target.hpp"
#include "exporters/c99.hpp"

namespace condenser::exporters {

// "input" and "output" (of several: "output_0", ...), in floats, [n, c, h, w], or [n, c] of one pixel; and the integers
// themselves as "input_int8" and "output_int8" in the same order of axes.
std::map<std::string, arch::Tensor> answer_arrays(const Package&, const KnownAnswers&);

// Of the names of files: throws ConfigError unless it is a name of a-z, 0-9 and _.
void check_file_prefix(const std::string& prefix);

// What the target has to say of itself is in `own`; scales of all values and SHA-256 of all files are added.
std::string manifest_text(const Package&, const char* target, const nlohmann::ordered_json& own, const Files&);

}  // namespace condenser::exporters
