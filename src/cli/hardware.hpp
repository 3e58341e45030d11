#pragma once
// What the machine is, for records of runs and measurements.

#include <string>

namespace condenser::cli {

std::string cpu_model();  // of /proc/cpuinfo; "unknown" when it does not say
double load_average();    // of the machine's last minute; 0 when unknown

}  // namespace condenser::cli
