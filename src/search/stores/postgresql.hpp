#pragma once
// A study in a PostgreSQL database: many machines work on it.

#include <memory>
#include <string>

#include "condenser/search/store.hpp"

namespace condenser::search {

// So long is a server that went away waited for, until the method that needs it fails.
constexpr double kServerPatience = 120;

std::unique_ptr<Store> make_postgresql_store(const std::string& url, StoreMode, double patience = kServerPatience);

}  // namespace condenser::search
