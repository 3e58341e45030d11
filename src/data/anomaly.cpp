// Two classes in place of many: what is normal, and what is not.
#include "condenser/data/anomaly.hpp"

#include <algorithm>

#include "condenser/core/text.hpp"

namespace condenser::data {
namespace {

const std::vector<std::string>& two_classes() {
  static const std::vector<std::string> names{kNormal, kAnomalous};
  return names;
}

// "" when every name is a class of the data, and not all of them are named.
std::string fault(const std::vector<std::string>& normal, const std::vector<std::string>& classes) {
  for (const std::string& name : normal) {
    if (std::find(classes.begin(), classes.end(), name) != classes.end()) continue;
    const std::string near = core::config::nearest(name, classes);
    return core::printable(name) + " is no class of the data" +
           (near.empty() ? "" : "; did you mean " + core::printable(near) + "?");
  }
  const bool all = std::all_of(classes.begin(), classes.end(), [&](const std::string& name) {
    return std::find(normal.begin(), normal.end(), name) != normal.end();
  });
  return all ? "all classes of the data; expected some that are not normal" : "";
}

class Told : public Dataset {
 public:
  Told(std::shared_ptr<const Dataset> base, const std::vector<std::string>& normal) : base_(std::move(base)) {
    if (base_->multi_label()) throw core::Error("normal classes: items of the data have several classes; expected one");
    const std::string wrong = fault(normal, base_->classes());
    if (!wrong.empty()) throw core::Error("normal classes: " + wrong);
    for (const std::string& name : base_->classes())
      label_of_.push_back(std::find(normal.begin(), normal.end(), name) != normal.end() ? 0 : 1);
  }
  int64_t size() const override { return base_->size(); }
  ItemShape shape() const override { return base_->shape(); }
  const std::vector<std::string>& classes() const override { return two_classes(); }
  const Normalization& normalization() const override { return base_->normalization(); }
  int label(int64_t i) const override { return label_of_.at(static_cast<size_t>(base_->label(i))); }
  std::string name(int64_t i) const override { return base_->name(i); }
  std::vector<float> clip(int64_t i) const override { return base_->clip(i); }
  void get(int64_t i, std::span<float> out) const override { base_->get(i, out); }
  void draw(int64_t i, const SampleAugment& augment, core::Rng& rng, std::span<float> out) const override {
    base_->draw(i, augment, rng, out);
  }

 private:
  std::shared_ptr<const Dataset> base_;
  std::vector<int> label_of_;  // per class of the data
};

}  // namespace

bool tells_anomalies(const std::vector<std::string>& classes) { return classes == two_classes(); }

std::shared_ptr<const Dataset> tell_anomalies(std::shared_ptr<const Dataset> base, std::vector<std::string> normal) {
  return std::make_shared<Told>(std::move(base), normal);
}

std::shared_ptr<const Dataset> normal_items(std::shared_ptr<const Dataset> dataset) {
  if (!tells_anomalies(dataset->classes())) return dataset;
  std::vector<int64_t> items;
  for (int64_t i = 0; i < dataset->size(); ++i)
    if (dataset->label(i) == 0) items.push_back(i);
  return subset(std::move(dataset), std::move(items));
}

void choose_normal(Card& card, const std::vector<std::string>& normal) {
  if (normal.empty()) return;
  if (card.multi_label) throw core::ConfigError("expected none, as items of the data have several classes");
  const std::string wrong = fault(normal, card.classes);
  if (!wrong.empty()) throw core::ConfigError(wrong);
  card.normal = normal;
  card.classes_of_data = std::move(card.classes);
  card.classes = two_classes();
}

}  // namespace condenser::data
