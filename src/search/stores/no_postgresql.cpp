// Where the client library of PostgreSQL was not there when this program was built.

#include "condenser/core/error.hpp"
#include "search/stores/postgresql.hpp"
#include "search/stores/study_url.hpp"

namespace condenser::search {

std::unique_ptr<Store> make_postgresql_store(const std::string& url, StoreMode, double) {
  throw core::ConfigError(parse_study_url(url).printable() +
                          ": this program was built without PostgreSQL; install libsoci-dev and libpq-dev (scripts/"
                          "setup.sh does) and build it again, or keep the study in a file");
}

}  // namespace condenser::search
