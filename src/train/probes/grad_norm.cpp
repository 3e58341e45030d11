// Length of the gradient of one batch's loss at the initial weights, in training mode: the sum over kernels and
// matrices of the length of each one's gradient (Abdelfattah et al. 2021, arXiv 2101.08134).
#include <cmath>

#include "train/probes/probes.hpp"

namespace condenser::train {

void grad_norm(const Subject& subject, search::Findings& findings) {
  nn::SpecNet net(subject.spec, subject.weights, nn::Kernels::Library);
  excite(net, subject.stimulus);
  const auto gradients = net.gradients();
  double sum = 0;
  for (const nn::Segment& s : net.layout().segments) {
    if (!s.trainable || !s.decay) continue;
    double squares = 0;
    for (const float g : gradients.subspan(static_cast<size_t>(s.offset), static_cast<size_t>(s.size)))
      squares += static_cast<double>(g) * g;
    sum += std::sqrt(squares);
  }
  found(findings, subject, "grad_norm", sum);
}

}  // namespace condenser::train
