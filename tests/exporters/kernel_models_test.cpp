// Figures that a search goes by are those of the kernels that are shipped.

#include "condenser/arch/machine_model.hpp"
#include "condenser/exporters/kernel_version.hpp"
#include "support/catch.hpp"

using namespace condenser;

TEST_CASE("models of machines were fitted to the kernels as they are", "[exporters]") {
  for (const arch::MachineModel& model : arch::machine_models()) {
    INFO(model.name << ": the kernels have changed since their costs were measured; fit them anew:\n"
                    << "  condenser bench kernels --networks 5 --out src/arch/machine_models.csv\n"
                    << "and look at the errors that it prints");
    CHECK(model.kernel_set == exporters::kernel_version());
  }
}
