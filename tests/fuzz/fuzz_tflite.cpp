// TensorFlow Lite models: what comes in is a whole network with weights that fit.
#include "condenser/runtime/float_executor.hpp"
#include "importers/tflite.hpp"
#include "input.hpp"

using namespace condenser;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return fuzz::expect_error_or_nothing([&] {
    const importers::Imported net = importers::parse_tflite(fuzz::text_of(data, size), "x.tflite");
    const runtime::FloatExecutor executor(net.spec, net.weights);
  });
}
