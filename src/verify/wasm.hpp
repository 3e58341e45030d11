#pragma once
// Exports in WebAssembly, in a browser where there is one, else in Node.js.

#include "condenser/verify/verify.hpp"

namespace condenser::verify {

// The modules: every output integer of the answers, of sounds also from the samples on. The page as it ships, opened:
// what it says of its own known answers, and that it complains of nothing.
std::vector<Check> verify_wasm(const std::filesystem::path& folder, const exporters::Package&,
                               const exporters::KnownAnswers&);

}  // namespace condenser::verify
