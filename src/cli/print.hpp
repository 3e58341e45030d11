#pragma once
// What verbs print to standard output besides tables.

#include <nlohmann/json_fwd.hpp>

namespace condenser::cli {

// Indented, with a line end. Bytes that are no UTF-8 are replaced, invisible characters escaped.
void print_json(const nlohmann::ordered_json&);

}  // namespace condenser::cli
