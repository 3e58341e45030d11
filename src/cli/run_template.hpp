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
  const char* device;
  int64_t constant_bytes, arena_bytes;  // that the device has for the network
  int64_t macs;                         // 0: no bound
};
const std::vector<SpaceTemplate>& space_templates();
const SpaceTemplate& find_space_template(const std::string& name);

// What the network is made for, as far as people said.
struct Target {
  std::string machine;                     // of verify::machines(), that it is proven on; empty: none is named
  int64_t flash_bytes = 0, ram_bytes = 0;  // for constants and arena; 0: those of the space
};

// `data_line`: "folder: /data/parts" or "card: card.yaml". `file`: where the text will lie, for the commands in it.
std::string run_file_text(const std::string& name, const OwnData&, const std::string& data_line, const SpaceTemplate&,
                          const std::string& file, const Target& = {});

}  // namespace condenser::cli
