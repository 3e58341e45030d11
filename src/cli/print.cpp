#include "cli/print.hpp"

#include <nlohmann/json.hpp>

#include "cli/stages/stages.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/output.hpp"
#include "condenser/core/table.hpp"

namespace condenser::cli {

void print_json(const nlohmann::ordered_json& json) {
  core::write_output(core::json_visible(json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace)) + "\n");
}

void print_to(const std::filesystem::path& file, const std::string& text) {
  if (file.empty())
    core::write_output(text);
  else
    core::write_atomic(file, text);
}

void print_either(const nlohmann::ordered_json& json, const StageOutput& out, const std::string& format) {
  if (format == "json")
    print_json(json);
  else
    print(out, format);
}

}  // namespace condenser::cli
