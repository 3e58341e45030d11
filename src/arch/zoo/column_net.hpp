#pragma once
// The backbone that the published column networks share: stem, four column stages, classifier.

#include <array>
#include <string>

#include "condenser/arch/blocks.hpp"

namespace condenser::arch::reference {

struct ColumnStage {
  int channels = 0;
  int depth = 1;
};

struct ColumnNet {
  std::string name;
  std::array<ColumnStage, 4> stages;
  bool attention = false;
  ActivationKind activation = ActivationKind::Silu;
};

Spec column_net(const ColumnNet&, Shape input, int classes);

}  // namespace condenser::arch::reference
