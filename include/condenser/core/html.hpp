#pragma once
// What all pages that the program writes have in common: each is one file that opens without a network, in the same
// colours, light or dark as its reader has it, and runs no script but its own.

#include <string>
#include <string_view>

namespace condenser::core {

std::string base64(std::string_view bytes);

// "'sha256-...'": what a Content-Security-Policy says to let this script run, and no other.
std::string script_source(std::string_view script);

// Style of what every page has: colours (custom properties), text, header with facts, sections, small screens.
std::string_view page_style();

}  // namespace condenser::core
