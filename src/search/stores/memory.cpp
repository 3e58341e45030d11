// Trials in memory: for tests and for searches nobody resumes.

#include <algorithm>

#include "search/stores/identity.hpp"

namespace condenser::search {
namespace {

class MemoryStore final : public Store {
 public:
  void bind(const std::string& identity) override {
    if (identity_) check_identity("study", *identity_, identity);
    identity_ = identity;
  }

  void append(const Trial& trial) override {
    check_appendable("study", trial);
    if (!trials_.emplace(trial.index, trial).second) throw index_exists("study", trial.index);
  }

  std::vector<Trial> load() const override {
    std::vector<Trial> all;
    for (const auto& [index, trial] : trials_) all.push_back(trial);
    return all;
  }

 private:
  std::optional<std::string> identity_;
  std::map<int64_t, Trial> trials_;
};

}  // namespace

std::unique_ptr<Store> make_memory_store() { return std::make_unique<MemoryStore>(); }

}  // namespace condenser::search
