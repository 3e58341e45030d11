// The explicit table of reference networks: what is published about each, and where.

#include "arch/zoo/zoo.hpp"
#include "condenser/arch/zoo.hpp"

namespace condenser::arch {
namespace {

constexpr const char* kClassification = "image classification";
constexpr const char* kImageNet = "ImageNet-1k";
constexpr Shape kImage{3, 224, 224};

// Speed as claimed in print, with the reason not to promise it.
constexpr const char* kAttendNextClaims =
    "AttendNeXt (arXiv 2208.06980, abstract): over 10 times the throughput of FBNet-C and of MobileOne-S1 on an "
    "embedded "
    "ARM processor, over 1.37 times smaller than MobileNetV3-L, 1.1 points of ImageNet top-1 above MobileViT-XS. "
    "Claims "
    "only: its table of sizes and speeds was not found, this network is not known to be that one, and "
    "multiply-accumulate "
    "counts cannot explain a factor of 10 (on a desktop CPU no two of these peers differ that much)";

constexpr const char* kMlperf =
    "github.com/mlcommons/tiny (reference model); v0.5 closed reference submission, "
    "github.com/mlcommons/tiny_results_v0.5";

std::vector<ZooCard> column_cards() {
  return {
      {.name = "dcac_sca_325mf",
       .family = "DC-AC",
       .about = "four-column network with double-condensing attention condensers; one logit for skin cancer",
       .task = kClassification,
       .data = "ISIC 2020",
       .input = kImage,
       .classes = 1,
       .published_size = "1.6 M parameters, 0.32 GFLOPs (1 FLOP = 1 multiply-accumulate)",
       .claims = std::string("AUC 0.90 and 0.89 on ISIC 2020 (public and private score). ") + kAttendNextClaims,
       .source = "arXiv 2311.11656; configuration DarwinNet_XA_325MF of github.com/catai9/Cancer-Net-SCa-DC-AC",
       .unknown = "accuracy (its publication reports AUC), ImageNet accuracy, training recipe, weights, int8 results",
       .make = reference::dcac_sca_325mf},
      {.name = "darwinnet_636mf",
       .family = "DC-AC",
       .about = "four-column network without attention, ReLU; probably the parent of the 325 MF network, which is not "
                "stated in print",
       .task = kClassification,
       .input = kImage,
       .published_size = "636 MF in its name",
       .source = "DarwinNet_636MF, branch cxr-sev of github.com/maclean-alexander/COVID-Net-pt",
       .unknown = "accuracy, training recipe",
       .make = reference::darwinnet_636mf},
      {.name = "attendnext_figure",
       .family = "DC-AC",
       .about = "not published; reconstruction: the 325 MF network with the repeats 2, 3, 10, 2 of its drawing",
       .task = kClassification,
       .input = kImage,
       .claims = kAttendNextClaims,
       .source = "drawing assets/process.png of github.com/catai9/Cancer-Net-SCa-DC-AC, which does not match its code",
       .unknown = "whether a network of these depths was ever trained; parameters, speed and accuracy of AttendNeXt",
       .make = reference::attendnext_figure},
      {.name = "dcac_659mf_guess",
       .family = "DC-AC",
       .about = "not published; reconstruction: the 325 MF network with depths 4, 4, 7, 3, which give 659.42 M by the "
                "rule behind the names of its relatives",
       .task = kClassification,
       .input = kImage,
       .claims = kAttendNextClaims,
       .source = "file name DarwinNet_659MF of github.com/catai9/Cancer-Net-SCa-DC-AC; other depths give 659 M too",
       .unknown = "depths of the 659 MF network, whether it is AttendNeXt, its accuracy",
       .make = reference::dcac_659mf_guess},
  };
}

constexpr const char* kTinySpeech =
    "arXiv 2008.04245 (sizes and accuracies as quoted by two secondary tables; layer table of third-party "
    "re-implementations)";
constexpr const char* kTinySpeechUnknown =
    "the layer table, the closed form of the selective attention, kernels inside the condensers, int8 results; this is "
    "the reading that comes nearest to the published sizes.";

std::vector<ZooCard> condenser_cards() {
  return {
      {.name = "tinyspeech_x",
       .family = "TinySpeech",
       .about = "attention condensers on cepstral coefficients, trunk of 15 channels",
       .task = "keyword spotting",
       .data = "Speech Commands v1, 12 classes",
       .input = Shape{1, 40, 101},
       .classes = 12,
       .accuracy_percent = 94.6,
       .published_size = "10.8 K parameters, 10.9 M mult-adds",
       .source = kTinySpeech,
       .unknown = std::string(kTinySpeechUnknown),
       .make = reference::tinyspeech_x},
      {.name = "tinyspeech_y",
       .family = "TinySpeech",
       .about = "attention condensers on cepstral coefficients, trunk of 10 channels",
       .task = "keyword spotting",
       .data = "Speech Commands v1, 12 classes",
       .input = Shape{1, 40, 101},
       .classes = 12,
       .accuracy_percent = 93.6,
       .published_size = "6.1 K parameters, 6.5 M mult-adds",
       .source = kTinySpeech,
       .unknown = std::string(kTinySpeechUnknown) +
                  " The published size is out of reach of this layer table under every reading.",
       .make = reference::tinyspeech_y},
      {.name = "tinyspeech_z",
       .family = "TinySpeech",
       .about = "attention condensers on cepstral coefficients, trunk of 7 channels",
       .task = "keyword spotting",
       .data = "Speech Commands v1, 12 classes",
       .input = Shape{1, 40, 101},
       .classes = 12,
       .accuracy_percent = 92.4,
       .published_size = "2.7 K parameters, 2.6 M mult-adds",
       .source = kTinySpeech,
       .unknown = std::string(kTinySpeechUnknown),
       .make = reference::tinyspeech_z},
      {.name = "tinyspeech_m",
       .family = "TinySpeech",
       .about = "attention condensers for microcontrollers: trunk of 9 channels, no batch norm",
       .task = "keyword spotting",
       .data = "Speech Commands v1, 12 classes",
       .input = Shape{1, 40, 101},
       .classes = 12,
       .accuracy_percent = 91.9,
       .published_size = "4.7 K parameters, 4.4 M mult-adds",
       .source = kTinySpeech,
       .unknown = std::string(kTinySpeechUnknown),
       .make = reference::tinyspeech_m},
      {.name = "attendnet_b",
       .family = "AttendNet",
       .about =
           "not published; reconstruction: visual attention condensers and PEPE modules at the size of the smallest "
           "AttendNet",
       .task = kClassification,
       .data = "ImageNet50",
       .input = kImage,
       .classes = 50,
       .published_size =
           "about 0.78 M parameters and 189 M multiply-accumulates, derived from its ratios to MobileNetV1",
       .claims = "about 7.2 points above MobileNetV1 on ImageNet50 with 4.17 times fewer parameters and about 3 times "
                 "fewer multiply-accumulates (abstract)",
       .source = "arXiv 2009.14385; module drawings of TB-Net, arXiv 2104.03165",
       .unknown = "every layer row, the widths of the modules, accuracy in percent, training recipe",
       .make = reference::attendnet_b},
  };
}

std::vector<ZooCard> mobilenet_cards() {
  return {
      {.name = "mobilenet_v1",
       .family = "MobileNet",
       .about = "depthwise-separable units, width 1.0",
       .task = kClassification,
       .data = kImageNet,
       .input = kImage,
       .accuracy_percent = 75.39,
       .published_size = "4.23 M parameters, 0.58 G multiply-accumulates",
       .claims = "the accuracy is that of the timm recipe, not of the paper",
       .source = "arXiv 1704.04861; results of github.com/huggingface/pytorch-image-models",
       .unknown = "int8 accuracy",
       .make = reference::mobilenet_v1},
      {.name = "mobilenet_v2",
       .family = "MobileNet",
       .about = "inverted residuals, width 1.0",
       .task = kClassification,
       .data = kImageNet,
       .input = kImage,
       .accuracy_percent = 71.8,
       .published_size = "3.47 M parameters, 300 M multiply-accumulates",
       .claims =
           "73.8 ms on Pixel 1; 72.91 % with the timm recipe; 188.2 images/s on an i9-10940X (fp32, batch 1, timm)",
       .source = "arXiv 1801.04381; github.com/tensorflow/models research/slim/nets/mobilenet",
       .unknown = "int8 accuracy in the same table",
       .make = reference::mobilenet_v2},
      {.name = "mobilenet_v3_large",
       .family = "MobileNet",
       .about = "inverted residuals with squeeze-excite and hard swish",
       .task = kClassification,
       .data = kImageNet,
       .input = kImage,
       .accuracy_percent = 75.2,
       .int8_accuracy_percent = 73.9,
       .published_size = "5.4 M parameters, 217 M multiply-accumulates",
       .claims =
           "Pixel 1/2/3: 51.2/61/44 ms float, 44/42.5/32 ms int8; 75.78 % with the timm recipe; 176.3 images/s on an "
           "i9-10940X (fp32, batch 1, timm)",
       .source = "arXiv 1905.02244; github.com/tensorflow/models research/slim/nets/mobilenet",
       .make = reference::mobilenet_v3_large},
      {.name = "mobilenet_v3_small",
       .family = "MobileNet",
       .about = "inverted residuals with squeeze-excite and hard swish, small",
       .task = kClassification,
       .data = kImageNet,
       .input = kImage,
       .accuracy_percent = 67.21,
       .published_size = "2.543 M parameters, 56.52 M multiply-accumulates",
       .claims =
           "TensorFlow's table lists a larger one: 2.9 M parameters, 66 M, 67.5 % float, 64.9 % int8; Pixel 1/2/3: "
           "15.8/19.4/14.4 ms float; 67.64 % with the timm recipe",
       .source = "arXiv 1905.02244; github.com/d-li14/mobilenetv3.pytorch",
       .unknown = "int8 accuracy at this size",
       .make = reference::mobilenet_v3_small},
  };
}

std::vector<ZooCard> mobileone_cards() {
  const std::string source = "arXiv 2206.04040; github.com/apple/ml-mobileone";
  const std::string training_source = source + "; results of github.com/huggingface/pytorch-image-models";
  return {
      {.name = "mobileone_s0",
       .family = "MobileOne",
       .about = "inference form: one convolution per unit",
       .task = kClassification,
       .data = kImageNet,
       .input = kImage,
       .accuracy_percent = 71.4,
       .claims = "0.79 ms on the neural engine of an iPhone 12 Pro",
       .source = source,
       .unknown = "int8 accuracy",
       .make = reference::mobileone_s0},
      {.name = "mobileone_s1",
       .family = "MobileOne",
       .about = "inference form: one convolution per unit",
       .task = kClassification,
       .data = kImageNet,
       .input = kImage,
       .accuracy_percent = 75.9,
       .claims = "0.89 ms on the neural engine of an iPhone 12 Pro",
       .source = source,
       .unknown = "int8 accuracy",
       .make = reference::mobileone_s1},
      {.name = "mobileone_s0_train",
       .family = "MobileOne",
       .about = "training form of mobileone_s0: four convolution branches, scale and identity branches",
       .task = kClassification,
       .data = kImageNet,
       .input = kImage,
       .accuracy_percent = 71.4,
       .published_size = "5.29 M parameters, 1.09 G multiply-accumulates",
       .claims = "45.5 images/s on an i9-10940X (fp32, batch 1, timm, not fused)",
       .source = training_source,
       .unknown = "int8 accuracy",
       .make = reference::mobileone_s0_train},
      {.name = "mobileone_s1_train",
       .family = "MobileOne",
       .about = "training form of mobileone_s1: one convolution branch, scale and identity branches",
       .task = kClassification,
       .data = kImageNet,
       .input = kImage,
       .accuracy_percent = 75.9,
       .published_size = "4.83 M parameters, 0.86 G multiply-accumulates",
       .claims = "75.76 % with the timm recipe; 128.6 images/s on an i9-10940X (fp32, batch 1, timm, not fused)",
       .source = training_source,
       .unknown = "int8 accuracy",
       .make = reference::mobileone_s1_train},
  };
}

std::vector<ZooCard> other_cards() {
  return {
      {.name = "fbnet_c",
       .family = "FBNet",
       .about = "inverted residuals with searched kernels and expansions",
       .task = kClassification,
       .data = kImageNet,
       .input = kImage,
       .accuracy_percent = 75.2,
       .int8_accuracy_percent = 74.2,
       .published_size = "5.5 M parameters, 378.2 M multiply-accumulates",
       .claims = "75.12 % with the timm recipe; 147.2 images/s on an i9-10940X (fp32, batch 1, timm)",
       .source = "arXiv 1812.03443; github.com/facebookresearch/mobile-vision",
       .make = reference::fbnet_c},
      {.name = "shufflenet_v2_1_0",
       .family = "ShuffleNet",
       .about = "split, shuffle and concatenate; width 1.0",
       .task = kClassification,
       .data = kImageNet,
       .input = kImage,
       .accuracy_percent = 69.4,
       .published_size = "2.3 M parameters, 146 M multiply-accumulates",
       .source = "arXiv 1807.11164; github.com/megvii-model/ShuffleNet-Series",
       .unknown = "int8 accuracy",
       .make = reference::shufflenet_v2_1_0},
      {.name = "ghostnet_1_0",
       .family = "GhostNet",
       .about = "half of every map from cheap depthwise convolutions; width 1.0",
       .task = kClassification,
       .data = kImageNet,
       .input = kImage,
       .accuracy_percent = 73.96,
       .published_size = "5.18 M parameters, 0.15 G multiply-accumulates",
       .claims = "the accuracy is that of timm; 123.0 images/s on an i9-10940X (fp32, batch 1, timm)",
       .source = "arXiv 1911.11907; results of github.com/huggingface/pytorch-image-models",
       .unknown = "int8 accuracy",
       .make = reference::ghostnet_1_0},
      {.name = "efficientnet_b0",
       .family = "EfficientNet",
       .about = "inverted residuals with squeeze-excite and swish",
       .task = kClassification,
       .data = kImageNet,
       .input = kImage,
       .accuracy_percent = 77.1,
       .claims =
           "76.7 % without AutoAugment; 77.70 % with the timm recipe; 100.4 images/s on an i9-10940X (fp32, batch 1, "
           "timm)",
       .source = "arXiv 1905.11946; github.com/tensorflow/tpu models/official/efficientnet",
       .unknown = "int8 accuracy",
       .make = reference::efficientnet_b0},
      {.name = "efficientnet_lite0",
       .family = "EfficientNet",
       .about = "EfficientNet-B0 without squeeze-excite, ReLU6",
       .task = kClassification,
       .data = kImageNet,
       .input = kImage,
       .accuracy_percent = 75.1,
       .int8_accuracy_percent = 74.4,
       .published_size = "4.7 M parameters, 407 M (counts more than convolutions and linear layers)",
       .claims = "Pixel 4 CPU, 4 threads: 12 ms float, 6.5 ms int8; 75.49 % with the timm recipe; 181.4 images/s on an "
                 "i9-10940X (fp32, batch 1, timm)",
       .source = "github.com/tensorflow/tpu models/official/efficientnet/lite",
       .make = reference::efficientnet_lite0},
      {.name = "resnet50",
       .family = "ResNet",
       .about = "bottleneck residuals, stride in the 3x3",
       .task = kClassification,
       .data = kImageNet,
       .input = kImage,
       .published_size = "4,109,472,768 by the rule that counts batch norm too, with 3 classes",
       .source = "arXiv 1512.03385; a notebook of github.com/maclean-alexander/COVID-Net-pt",
       .unknown = "accuracy in the same source",
       .make = reference::resnet50},
  };
}

std::vector<ZooCard> tenet_cards() {
  const std::string task = "keyword spotting", data = "Speech Commands v1, 12 classes";
  const std::string source = "arXiv 2010.09960; github.com/Interlagos/TENet-kws";
  const std::string unknown =
      "accuracy and multiply-accumulates of this size (its tables were not found), int8 accuracy";
  return {
      {.name = "tenet6",
       .family = "TENet",
       .about =
           "six inverted bottlenecks along time, 32 channels, on 98 frames of 40 coefficients; form after training",
       .task = task,
       .data = data,
       .input = Shape{1, 98, 40},
       .classes = 12,
       .claims = "the largest of the line: 96.8 % with 100,000 parameters (abstract)",
       .source = source,
       .unknown = unknown,
       .make = reference::tenet6},
      {.name = "tenet6_narrow",
       .family = "TENet",
       .about =
           "six inverted bottlenecks along time, 16 channels, on 98 frames of 40 coefficients; form after training",
       .task = task,
       .data = data,
       .input = Shape{1, 98, 40},
       .classes = 12,
       .source = source,
       .unknown = unknown,
       .make = reference::tenet6_narrow},
  };
}

std::vector<ZooCard> mlperf_cards() {
  return {
      {.name = "resnet8",
       .family = "MLPerf Tiny",
       .about = "three basic residual blocks; the image classification reference",
       .task = kClassification,
       .data = "CIFAR-10",
       .input = Shape{3, 32, 32},
       .classes = 10,
       .int8_accuracy_percent = 86.5,
       .published_size = "77,706 parameters, 12,501,632 multiply-accumulates with batch norm folded",
       .claims = "704.23 ms, 29.2 mJ an inference on a 120 MHz Cortex-M4 (NUCLEO-L4R5ZI, TFLM); quality target 85 %",
       .source = kMlperf,
       .unknown = "float accuracy in the same table",
       .make = reference::resnet8},
      {.name = "ds_cnn",
       .family = "MLPerf Tiny",
       .about = "four depthwise-separable units on 49 frames of 10 coefficients; the keyword spotting reference",
       .task = "keyword spotting",
       .data = "Speech Commands v2, 12 classes",
       .input = Shape{1, 49, 10},
       .classes = 12,
       .int8_accuracy_percent = 90.1,
       .published_size = "22,604 parameters, 2,656,768 multiply-accumulates with batch norm folded",
       .claims = "181.92 ms, 7.37 mJ an inference on a 120 MHz Cortex-M4 (NUCLEO-L4R5ZI, TFLM); quality target 90 %",
       .source = kMlperf,
       .unknown = "float accuracy in the same table",
       .make = reference::ds_cnn},
      {.name = "mobilenet_v1_025_96",
       .family = "MLPerf Tiny",
       .about = "MobileNetV1 at width 0.25; the visual wake words reference",
       .task = "visual wake words",
       .data = "Visual Wake Words",
       .input = Shape{3, 96, 96},
       .classes = 2,
       .int8_accuracy_percent = 85.4,
       .published_size = "210,850 parameters, 7,489,664 multiply-accumulates with batch norm folded",
       .claims = "600.60 ms, 24.3 mJ an inference on a 120 MHz Cortex-M4 (NUCLEO-L4R5ZI, TFLM); quality target 80 %",
       .source = kMlperf,
       .unknown = "float accuracy in the same table",
       .make = reference::mobilenet_v1_025_96},
      {.name = "autoencoder_ad",
       .family = "MLPerf Tiny",
       .about = "fully connected auto-encoder of 640 inputs, code of 8; the anomaly detection reference",
       .task = "anomaly detection",
       .data = "ToyADMOS (ToyCar)",
       .input = Shape{640, 1, 1},
       .classes = 640,
       .published_size = "265,864 parameters, 264,192 multiply-accumulates with batch norm folded",
       .claims =
           "AUC 0.86, 10.05 ms, 0.416 mJ an inference on a 120 MHz Cortex-M4 (NUCLEO-L4R5ZI, TFLM); quality target "
           "AUC 0.85",
       .source = kMlperf,
       .unknown = "an accuracy (its measure is AUC)",
       .make = reference::autoencoder_ad},
  };
}

}  // namespace

const std::vector<ZooCard>& zoo() {
  static const std::vector<ZooCard> cards = [] {
    std::vector<ZooCard> all;
    for (const auto& family : {column_cards(), condenser_cards(), mobilenet_cards(), mobileone_cards(), other_cards(),
                               mlperf_cards(), tenet_cards()})
      all.insert(all.end(), family.begin(), family.end());
    return all;
  }();
  return cards;
}

}  // namespace condenser::arch
