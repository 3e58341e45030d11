#include "search/features/feature_table.hpp"

#include <algorithm>
#include <cmath>

#include "condenser/core/team.hpp"

namespace condenser::search {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::MatrixXf;
using Eigen::VectorXd;
using Eigen::VectorXf;

constexpr double kSmall = 1e-12;
// One network has many genotypes, and decisions may be idle: beside what the graph says they are believed to say less
// (a length scale four times as long) until the data knows better.
constexpr double kDecisionsMatterLess = 1.4;
constexpr int64_t kRowsTogether = 128;  // by one thread
constexpr size_t kMostColumns = 512;    // kept; each is as long as the table

// Keys with how many candidates have them. Keys are well mixed, so that their lowest bits are a place to look at.
class Holders {
 public:
  Holders() : slots_(1024) {}

  void add(uint64_t key) {
    if (2 * used_ >= slots_.size()) grow();
    Slot& slot = find(key);
    if (slot.count == 0) {
      slot.key = key;
      ++used_;
    }
    ++slot.count;
  }

  // Numbers those that several have: a key of a single candidate says nothing about others.
  Index number(std::span<const Features* const> rows, size_t block) {
    Index next = 0;
    for (const Features* f : rows) {
      for (const auto& entry : f->blocks[block]) {
        Slot& slot = find(entry.first);
        if (slot.count > 1 && slot.column < 0) slot.column = next++;
      }
    }
    return next;
  }

  Index column(uint64_t key) { return find(key).column; }

 private:
  struct Slot {
    uint64_t key = 0;
    int count = 0;
    Index column = -1;
  };

  Slot& find(uint64_t key) {
    size_t at = key & (slots_.size() - 1);
    while (slots_[at].count > 0 && slots_[at].key != key) at = (at + 1) & (slots_.size() - 1);
    return slots_[at];
  }

  void grow() {
    std::vector<Slot> old(2 * slots_.size());
    old.swap(slots_);
    for (const Slot& slot : old)
      if (slot.count > 0) find(slot.key) = slot;
  }

  std::vector<Slot> slots_;
  size_t used_ = 0;
};

MatrixXf block_matrix(std::span<const Features* const> rows, size_t block, int widest) {
  Holders holders;
  for (const Features* f : rows)
    for (const auto& entry : f->blocks[block]) holders.add(entry.first);
  const Index keys = holders.number(rows, block);
  const bool folded = keys > widest;
  MatrixXf m = MatrixXf::Zero(std::ssize(rows), folded ? widest : keys);
  for (size_t i = 0; i < rows.size(); ++i) {
    for (const auto& [key, count] : rows[i]->blocks[block]) {
      Index column = holders.column(key);
      if (column < 0) continue;
      const float sign = folded && (key >> 63) != 0 ? -1.0f : 1.0f;
      if (folded) column = static_cast<Index>((key >> 20) % static_cast<uint64_t>(widest));
      m(static_cast<Index>(i), column) += sign * count;
    }
  }
  return m;
}

// To mean squared distance 1 between two rows, which is twice the summed variance. False: all rows are equal.
bool scale(MatrixXf& m) {
  if (m.cols() == 0) return false;
  m.rowwise() -= m.colwise().mean().eval();
  const double mean_distance = 2 * static_cast<double>(m.squaredNorm()) / static_cast<double>(m.rows());
  if (mean_distance < kSmall) return false;
  m /= static_cast<float>(std::sqrt(mean_distance));
  return true;
}

VectorXd standardised(VectorXd column) {
  column.array() -= column.mean();
  const double deviation = std::sqrt(column.squaredNorm() / static_cast<double>(column.size()));
  return deviation < 1e-9 ? VectorXd() : VectorXd(column / deviation);
}

double width(const FeatureTable& table) { return std::max<double>(1, static_cast<double>(table.linear.cols())); }

}  // namespace

FeatureTable feature_table(std::span<const Features* const> rows, int widest) {
  FeatureTable table;
  for (size_t block = 0; block < kBlocks; ++block) {
    MatrixXf m = block_matrix(rows, block, widest);
    if (!scale(m)) continue;
    table.kinds.push_back(static_cast<Block>(block));
    table.squares.push_back(m.rowwise().squaredNorm());
    table.blocks.push_back(std::move(m));
  }
  const std::vector<Block>& used = table.kinds;
  table.lengths = VectorXd::Constant(std::ssize(used), 0.5 * std::log(std::max(1.0, static_cast<double>(used.size()))));
  if (used.size() > 1 && used.front() == kDecisions) table.lengths(0) += kDecisionsMatterLess;
  const Index n = std::ssize(rows);
  table.belief = VectorXd::Zero(n);
  std::vector<VectorXd> columns;
  for (size_t c = 0; c < kLinears; ++c) {
    VectorXd column(n);
    for (Index i = 0; i < n; ++i) column(i) = rows[static_cast<size_t>(i)]->linear[c];
    column = standardised(std::move(column));
    if (column.size() == 0) continue;
    if (c == kLogParams || c == kLogMacs || c == kMeanDepth) table.belief += column / 3;
    columns.push_back(std::move(column));
    table.columns.push_back(static_cast<Linear>(c));
  }
  table.linear.resize(n, std::ssize(columns));
  for (size_t c = 0; c < columns.size(); ++c) table.linear.col(static_cast<Index>(c)) = columns[c];
  return table;
}

namespace {

// Where all candidates are equal no feature is left, and a matrix without columns has no rows to take.
template <class Matrix>
Matrix rows_of(const Matrix& all, std::span<const int> which) {
  Matrix rows(std::ssize(which), all.cols());
  for (Index i = 0; i < rows.rows() && all.cols() > 0; ++i) rows.row(i) = all.row(which[static_cast<size_t>(i)]);
  return rows;
}

}  // namespace

Similarity similarity_of(const FeatureTable& table, std::span<const int> columns) {
  const Index n = std::ssize(columns);
  Similarity s;
  s.lengths = table.lengths;
  for (size_t b = 0; b < table.blocks.size(); ++b) {
    const MatrixXf& block = table.blocks[b];
    const MatrixXf measured = rows_of(block, columns);
    const Eigen::RowVectorXf squares = measured.rowwise().squaredNorm().transpose();
    s.distances.emplace_back(table.rows(), n);
    core::for_parts(table.rows(), kRowsTogether, [&](int64_t first, int64_t count) {
      MatrixXf d = -2 * block.middleRows(first, count) * measured.transpose();
      d.colwise() += table.squares[b].segment(first, count);
      d.rowwise() += squares;
      s.distances[b].middleRows(first, count) = d.array().max(0.0f).cast<double>();
    });
  }
  const MatrixXd measured = rows_of(table.linear, columns);
  s.linear = MatrixXd::Zero(table.rows(), n);
  if (table.linear.cols() > 0) s.linear = table.linear * measured.transpose() / width(table);
  return s;
}

std::shared_ptr<const SimilarityCache::Column> SimilarityCache::column(int row) const {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = columns_.find(row); found != columns_.end()) return found->second;
  }
  auto made = std::make_shared<Column>();
  for (size_t b = 0; b < table_.blocks.size(); ++b) {
    VectorXf d = -2 * (table_.blocks[b] * table_.blocks[b].row(row).transpose());
    d += table_.squares[b];
    d.array() += table_.squares[b](row);
    made->distances.push_back(d.array().max(0.0f));
  }
  made->linear = VectorXf::Zero(table_.rows());
  if (table_.linear.cols() > 0)
    made->linear = (table_.linear * table_.linear.row(row).transpose() / width(table_)).cast<float>();
  const std::lock_guard lock(mutex_);
  if (columns_.size() >= kMostColumns) columns_.clear();
  columns_.try_emplace(row, made);
  return made;
}

Similarity SimilarityCache::of(std::span<const int> columns) const {
  const Index n = std::ssize(columns);
  Similarity s;
  s.lengths = table_.lengths;
  s.distances.assign(table_.blocks.size(), MatrixXd(table_.rows(), n));
  s.linear.resize(table_.rows(), n);
  for (Index j = 0; j < n; ++j) {
    const auto kept = column(columns[static_cast<size_t>(j)]);
    for (size_t b = 0; b < s.distances.size(); ++b) s.distances[b].col(j) = kept->distances[b].cast<double>();
    s.linear.col(j) = kept->linear.cast<double>();
  }
  return s;
}

}  // namespace condenser::search
