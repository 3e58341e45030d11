// Candidates whose lowered form and memory are those of their export.

#include "search/spaces/inputs.hpp"

namespace condenser::search {
namespace {

class PlannedSpace final : public Space {
 public:
  PlannedSpace(AsExported change, std::unique_ptr<Space> of) : change_(std::move(change)), of_(std::move(of)) {
    forbid(of_->forbidden());
    believe(of_->prior());
  }

  const std::vector<Decision>& decisions() const override { return of_->decisions(); }
  bool chooses_input() const override { return of_->chooses_input(); }

  Candidate expand(const Genotype& genotype) const override {
    Candidate candidate = of_->expand(genotype);
    change_(candidate);
    count_front_end(candidate);
    return candidate;
  }

 private:
  AsExported change_;
  std::unique_ptr<Space> of_;
};

}  // namespace

std::unique_ptr<Space> planned_by(AsExported change, std::unique_ptr<Space> space) {
  return std::make_unique<PlannedSpace>(std::move(change), std::move(space));
}

}  // namespace condenser::search
