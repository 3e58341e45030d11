// Weights of 4 bits as a decision. The bits are part of a candidate's network, and so of its identity, its costs, what
// an objective with int8_accuracy measures, and what is trained and exported in the end.
#include "search/spaces/weight_bits.hpp"

#include "condenser/arch/int4.hpp"
#include "condenser/search/table.hpp"
#include "search/spaces/inputs.hpp"
#include "search/spaces/options.hpp"

namespace condenser::search {
namespace {

const std::vector<std::string> kWords = {"none", "inner", "all"};

class WeightBits final : public Space {
 public:
  WeightBits(std::unique_ptr<Space> of, Decision decision) : of_(std::move(of)), decisions_(of_->decisions()) {
    decisions_.push_back(std::move(decision));
  }

  const std::vector<Decision>& decisions() const override { return decisions_; }
  bool chooses_input() const override { return of_->chooses_input(); }

  Candidate expand(const Genotype& genotype) const override {
    const Taken taken(*this, genotype);
    Candidate candidate = of_->expand({{genotype.choice.begin(), genotype.choice.end() - 1}});
    if (const int option = taken[decisions_.size() - 1]; option > 0)
      arch::write_int4(candidate, {kWords[static_cast<size_t>(option)]});
    count_front_end(candidate);
    return candidate;
  }

 private:
  std::unique_ptr<Space> of_;
  std::vector<Decision> decisions_;
};

}  // namespace

std::unique_ptr<Space> with_weight_bits(core::config::Reader& reader, std::unique_ptr<Space> space) {
  const std::string help =
      "which layers have weights of 4 bits, as a decision: none, inner (all but the first and the last), all; []: none";
  std::vector<std::string> words;
  reader.choices("int4", words, kWords, help);
  if (words.empty()) return space;
  if (is_table(*space)) throw reader.error("int4", "no choice: networks of a table are not known");
  std::vector<int> options = {0};
  read_names(reader, "int4", options, kWords, help);
  return std::make_unique<WeightBits>(std::move(space), named("int4", options, kWords));
}

}  // namespace condenser::search
