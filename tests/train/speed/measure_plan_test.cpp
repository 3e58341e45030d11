#include "train/speed/measure_plan.hpp"

#include "support/catch.hpp"

namespace condenser::train {

TEST_CASE("blocks fill the seconds of a measurement", "[train]") {
  for (const double seconds : {0.01, 0.5, 1.0, 10.0})
    for (const double pass : {0.0, 1e-6, 1e-3, 0.02, 0.06, 0.3, 4.0}) {
      INFO(seconds << " s, " << pass << " s a pass");
      const Share share = plan_share(seconds, pass);
      CHECK(share.rounds >= kFewestRounds);
      CHECK(share.rounds <= kMostRounds);
      CHECK(share.passes >= 1);
      const double spent = share.rounds * static_cast<double>(share.passes + share.warm_passes) * pass;
      if (pass * kFewestRounds <= seconds) CHECK(spent <= seconds * 1.001);
    }
  CHECK(plan_share(1, 0.01).rounds == 20);
  CHECK(plan_share(1, 0.01).passes == 4);
  CHECK(plan_share(1, 0.01).warm_passes == 1);
  CHECK(plan_share(1, 10).rounds == kFewestRounds);
  CHECK(plan_share(1, 10).warm_passes == 0);
}

TEST_CASE("slow networks take part in rounds that are evenly spread", "[train]") {
  for (const int all : {5, 20, 101})
    for (int own = kFewestRounds; own <= all; ++own) {
      int parts = 0, last = -1, widest = 0;
      for (int round = 0; round < all; ++round)
        if (takes_part(round, own, all)) {
          ++parts;
          widest = std::max(widest, round - last);
          last = round;
        }
      CHECK(parts == own);
      CHECK(widest <= (all + own - 1) / own);
    }
}

}  // namespace condenser::train
