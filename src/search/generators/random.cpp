// Uniform sampling, blind to the past. The baseline of every comparison.

#include "search/tables.hpp"

namespace condenser::search {
namespace {

class RandomGenerator final : public Generator {
 public:
  Proposal propose(const Question& q) const override { return sample(q.space, q.rng); }
};

}  // namespace

std::unique_ptr<Generator> make_random_generator(core::config::Reader&) { return std::make_unique<RandomGenerator>(); }

}  // namespace condenser::search
