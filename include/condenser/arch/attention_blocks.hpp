#pragma once
// The attention condensers that came before the double-condensing one, which is in blocks.hpp.
//
// An attention condenser learns where to look on a smaller map than the one it looks at:
//   Q = C(V)   condensation: max or average pool
//   K = E(Q)   embedding: (grouped kxk -> 1x1), once or more
//   A = X(K)   expansion: nearest up-sampling to the size of V
//   V' = F(V, A, S)   selective attention with a learned scalar S
// Source: TinySpeech, arXiv 2008.04245. Its closed form of F is not in the public texts; the additive form is the one
// that has the limit they state (V' -> A as S -> 0).

#include <optional>
#include <vector>

#include "condenser/arch/builder.hpp"

namespace condenser::arch {

enum class Condensation { Max, Avg };
const char* to_string(Condensation);  // "max", "avg"

enum class SelectiveForm {
  Additive,  // V' = S V + A
  Gated,     // V' = S V sigmoid(A) + V
};
const char* to_string(SelectiveForm);  // "additive", "gated"

// One step of the embedding: grouped kxk to `spatial` channels, then 1x1 to `pointwise` channels.
struct EmbeddingStep {
  int spatial = 0;
  int pointwise = 0;
};

struct AttentionCondenserOptions {
  std::vector<EmbeddingStep> embedding;  // one or more; the last `pointwise` is V's channels, unless `mix` is set
  int mix = 0;     // > 0: a 1x1 down-mixing to this many channels before the condensation, and a 1x1 up-mixing back
                   // after the embedding: the visual attention condenser (AttendNets, arXiv 2009.14385; TB-Net,
                   // arXiv 2104.03165, figure 2)
  int window = 2;  // of the condensation, and its stride
  Condensation condensation = Condensation::Max;
  int kernel = 3;  // of the spatial convolutions
  int groups = 0;  // of the spatial convolutions; 0: as many as their input has channels (depthwise)
  SelectiveForm form = SelectiveForm::Additive;
  bool batch_norm = true;  // after every convolution
  bool bias = false;       // of every convolution, where there is no batch norm
  std::optional<ActivationKind> activation = ActivationKind::Relu;  // between convolutions, not after the last
};

// V' has the shape of V. Nodes <name>_pool, <name>_e1_dw, <name>_e1_pw, ..., <name>_expand, <name>_scale,
// <name>_add.
int attention_condenser(Builder&, int v, const std::string& name, const AttentionCondenserOptions&);

// Projection, expansion, projection, expansion (TB-Net, figure 2): 1x1 to `narrow` -> depthwise 3x3 to `wide` (a
// multiple of narrow) -> 1x1 to `narrow` -> 1x1 to `out`, each with batch norm and activation. Widths are not
// published.
struct PepeOptions {
  int narrow = 0, wide = 0, out = 0;
  int stride = 1;  // of the depthwise convolution: 1, or 2 by an average pool before it
  ActivationKind activation = ActivationKind::Relu;
};
int pepe(Builder&, int x, const std::string& name, const PepeOptions&);

}  // namespace condenser::arch
