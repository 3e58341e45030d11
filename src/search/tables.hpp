#pragma once
// Factories behind the explicit tables spaces() and generators(). A new row is declared here and added to its table.

#include <memory>

#include "condenser/search/generator.hpp"
#include "condenser/search/space.hpp"

namespace condenser::search {

std::unique_ptr<Space> make_attendnext_space(core::config::Reader&, const SpaceContext&);
std::unique_ptr<Space> make_columns_space(core::config::Reader&, const SpaceContext&);
std::unique_ptr<Space> make_condenser_kws_space(core::config::Reader&, const SpaceContext&);
std::unique_ptr<Space> make_stages_space(core::config::Reader&, const SpaceContext&);
std::unique_ptr<Space> make_table_space(core::config::Reader&, const SpaceContext&);
std::unique_ptr<Space> make_temporal_space(core::config::Reader&, const SpaceContext&);

std::unique_ptr<Generator> make_generative_synthesis_generator(core::config::Reader&);
std::unique_ptr<Generator> make_local_generator(core::config::Reader&);
std::unique_ptr<Generator> make_nsga2_generator(core::config::Reader&);
std::unique_ptr<Generator> make_random_generator(core::config::Reader&);
std::unique_ptr<Generator> make_evolution_generator(core::config::Reader&);
std::unique_ptr<Generator> make_tpe_generator(core::config::Reader&);

}  // namespace condenser::search
