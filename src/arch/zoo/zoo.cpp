// The explicit table of reference networks.

#include "condenser/arch/zoo.hpp"

#include "arch/zoo/zoo.hpp"
#include "condenser/core/config.hpp"

namespace condenser::arch {

const std::vector<ZooCard>& zoo() {
  static const std::vector<ZooCard> cards = {
      {"dcac_sca_325mf",
       "four-column network with double-condensing attention condensers; one logit for skin cancer. Its publication "
       "reports AUC (0.90 and 0.89 on ISIC 2020), not accuracy; accuracy is unknown",
       "arXiv 2311.11656; configuration DarwinNet_XA_325MF of github.com/catai9/Cancer-Net-SCa-DC-AC",
       Shape{3, 224, 224}, 1, std::nullopt, reference::dcac_sca_325mf},
      {"darwinnet_636mf",
       "four-column network without attention, ReLU; probably the parent of the 325 MF network, which is not stated in "
       "print. Its accuracy is not published and unknown",
       "DarwinNet_636MF, branch cxr-sev of github.com/maclean-alexander/COVID-Net-pt", Shape{3, 224, 224}, 1000,
       std::nullopt, reference::darwinnet_636mf},
  };
  return cards;
}

const ZooCard& find_zoo(const std::string& name) {
  std::vector<std::string> names;
  std::string known;
  for (const ZooCard& card : zoo()) {
    if (card.name == name) return card;
    names.push_back(card.name);
    known += (known.empty() ? "" : ", ") + card.name;
  }
  const std::string near = core::config::nearest(name, names);
  throw core::ConfigError("reference network '" + name + "' is unknown; expected one of " + known +
                          (near.empty() ? std::string() : "; did you mean '" + near + "'?"));
}

}  // namespace condenser::arch
