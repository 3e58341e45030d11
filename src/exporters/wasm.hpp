#pragma once
// The WebAssembly target: the C sources compiled for browsers, and a page on which people try the network.

#include <string_view>

#include "condenser/core/error.hpp"
#include "exporters/c99.hpp"

namespace condenser::exporters {

// clang or its linker is absent: nothing is known of the network, and `verify` goes on with other targets.
class MissingCompiler : public core::Error {
 public:
  using core::Error::Error;
};

void wasm_write(const Package&, const KnownAnswers&, const ExportOptions&, const std::filesystem::path& folder);

// A file of src/exporters/wasm/: "network.js" runs a module in browsers and in Node.js.
std::string_view wasm_text(std::string_view name);

// One module for all, one for those that have vectors of 128 bits.
struct WasmModule {
  const char* what;    // "plain": as pages and manifests call it
  const char* suffix;  // of the file: <prefix><suffix>.wasm
  std::vector<std::string> options;
};
const std::vector<WasmModule>& wasm_modules();

// How many known answers the page brings: as many as kMostPageBytes hold, at least one.
constexpr int64_t kMostPageBytes = 4 << 20;
size_t wasm_page_answers(const KnownAnswers&);
// demo.html. Modules by WasmModule::what.
std::string wasm_page(const Package&, const KnownAnswers&, const std::map<std::string, std::string>& modules);

}  // namespace condenser::exporters
