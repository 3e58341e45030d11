#include "cli/print.hpp"

#include <nlohmann/json.hpp>

#include "condenser/core/output.hpp"
#include "condenser/core/table.hpp"

namespace condenser::cli {

void print_json(const nlohmann::ordered_json& json) {
  core::write_output(core::json_visible(json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace)) + "\n");
}

}  // namespace condenser::cli
