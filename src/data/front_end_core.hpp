#pragma once
// The tables of a front-end as cnd_frontend.c takes them.

#include "condenser/data/features.hpp"
#include "data/cnd_frontend.h"

namespace condenser::data {

cnd_frontend core_of(const FrontEndTables&);  // points into them

}  // namespace condenser::data
