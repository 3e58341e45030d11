#pragma once
// Which file systems are no place for SQLite: its write-ahead log shares memory between processes of one machine.

#include <cstdint>
#include <string>

namespace condenser::search {

// "NFS", "CIFS", ... for the magic number of statfs(2); "" for any other. Numbers from <linux/magic.h> and statfs(2).
std::string network_file_system(uint64_t magic);

}  // namespace condenser::search
