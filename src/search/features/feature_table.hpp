#pragma once
// Features of many candidates as matrices: what predictors compare.

#include <Eigen/Core>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "search/features/features.hpp"

namespace condenser::search {

// Rows of candidates, scaled over all of them.
struct FeatureTable {
  // [rows, keys], each centred and scaled to mean squared distance 1; blocks without any difference left out.
  std::vector<Eigen::MatrixXf> blocks;
  std::vector<Block> kinds;              // per block: which it is
  std::vector<Eigen::VectorXf> squares;  // per block: squared length of each row
  Eigen::VectorXd lengths;               // per block: logarithm of the length scale that is likely
  Eigen::MatrixXd linear;                // [rows, d], standardised; constant columns left out
  std::vector<Linear> columns;           // per column of `linear`: which it is
  Eigen::VectorXd belief;                // [rows]: mean of the standardised logarithms of size, work and the mean depth
  Eigen::Index rows() const { return belief.size(); }
};
// Blocks of more than `widest` keys are folded into so many columns, which keeps distances on average (Weinberger et
// al. 2009, "feature hashing").
FeatureTable feature_table(std::span<const Features* const>, int widest = 4096);

// Of all rows (down) to the measured ones (across): what kernels are made of, made once for several fits.
struct Similarity {
  std::vector<Eigen::MatrixXd> distances;  // per block, squared
  Eigen::VectorXd lengths;                 // of the table
  Eigen::MatrixXd linear;                  // z.z' / d
};
Similarity similarity_of(const FeatureTable&, std::span<const int> columns);

// The same for a table that stays, from columns that are kept. Many threads may ask at once.
class SimilarityCache {
 public:
  explicit SimilarityCache(const FeatureTable& table) : table_(table) {}
  Similarity of(std::span<const int> columns) const;

 private:
  struct Column {
    std::vector<Eigen::VectorXf> distances;
    Eigen::VectorXf linear;
  };
  std::shared_ptr<const Column> column(int row) const;

  const FeatureTable& table_;
  mutable std::mutex mutex_;
  mutable std::unordered_map<int, std::shared_ptr<const Column>> columns_;
};

}  // namespace condenser::search
