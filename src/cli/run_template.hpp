#pragma once
// The run file that `condenser init` writes: complete by itself, so that it runs from wherever it lies.

#include <string>
#include <vector>

#include "cli/own_data.hpp"

namespace condenser::cli {

// Which networks are searched and what the device has room for. A row of the table is all that --space has to know.
struct SpaceTemplate {
  const char* name;
  const char* about;
  int side;           // the most that pictures are brought to
  const char* space;  // YAML of the section
  const char* gate;
};
const std::vector<SpaceTemplate>& space_templates();
const SpaceTemplate& find_space_template(const std::string& name);

// `data_line`: "folder: /data/parts" or "card: card.yaml". `file`: where the text will lie, for the commands in it.
// `machine`: of verify::machines(), that the network is made for and proven on; empty: none is named.
std::string run_file_text(const std::string& name, const OwnData&, const std::string& data_line, const SpaceTemplate&,
                          const std::string& file, const std::string& machine = {});

}  // namespace condenser::cli
