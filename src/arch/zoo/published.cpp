// Comparators of which only published numbers are at hand. No network is made up for them.

#include "condenser/arch/zoo.hpp"

namespace condenser::arch {
namespace {

constexpr const char* kImages = "image classification";
constexpr const char* kImageNet = "ImageNet-1k";
constexpr std::nullopt_t kNone = std::nullopt;

Shape rgb(int side) { return {3, side, side}; }

// STM32F746 with TinyEngine; kilobytes as printed.
std::vector<PublishedRow> mcunet_rows() {
  const std::string source = "github.com/mit-han-lab/mcunet (STM32F746, TinyEngine)";
  const std::string words = "visual wake words", people = "Visual Wake Words";
  return {
      {"mbv2_w0_35", kImages, kImageNet, rgb(144), 0.75, 23.5, 308, 862, 49.7, 49.0, "", source},
      {"proxyless_w0_3", kImages, kImageNet, rgb(176), 0.75, 38.3, kNone, kNone, 57.0, 56.2, "", source},
      {"mcunet_in0", kImages, kImageNet, rgb(48), 0.75, 6.4, 266, 889, 41.5, 40.4, "", source},
      {"mcunet_in1", kImages, kImageNet, rgb(96), 0.64, 12.8, 307, 992, 51.5, 49.9, "", source},
      {"mcunet_in2", kImages, kImageNet, rgb(160), 0.73, 67.3, 242, 878, 60.9, 60.3, "", source},
      {"mcunet_in3", kImages, kImageNet, rgb(176), 0.74, 81.8, 293, 897, 62.2, 61.8, "", source},
      {"mcunet_in4", kImages, kImageNet, rgb(160), 1.73, 125.9, 456, 1876, 68.4, 68.0, "", source},
      {"mcunet_vww0", words, people, rgb(64), 0.37, 6.0, 146, kNone, 87.4, 87.3, "", source},
      {"mcunet_vww1", words, people, rgb(80), 0.43, 11.6, 162, kNone, 88.9, 88.9, "", source},
      {"mcunet_vww2", words, people, rgb(144), 0.64, 55.8, 311, kNone, 91.7, 91.8, "", source},
  };
}

struct ImageNetRow {
  const char* name;
  std::optional<int> side;  // of the input; the searched networks of once-for-all differ and do not say
  std::optional<double> params_millions, macs_millions, accuracy, int8_accuracy;
  const char* claims;
  const char* source;
};

constexpr const char* kTimm = "results of github.com/huggingface/pytorch-image-models";
constexpr const char* kSlim = "github.com/tensorflow/models research/slim/nets/mobilenet";
constexpr const char* kFbnet = "github.com/facebookresearch/mobile-vision";
constexpr const char* kVit = "github.com/apple/ml-cvnets";
constexpr const char* kVitTimm = "github.com/apple/ml-cvnets; multiply-accumulates from timm";
constexpr const char* kOfa = "github.com/mit-han-lab/once-for-all";
constexpr const char* kMicro = "github.com/liyunsheng13/micronet";

const ImageNetRow kImageNetRows[] = {
    {"mobilenet_v3_large_minimalistic", 224, 3.9, 209, 72.3, 71.3, "", kSlim},
    {"mobilenet_v3_small_minimalistic", 224, 2.0, 65, 61.9, kNone, "", kSlim},
    {"fbnet_a", 224, 4.3, 244.5, 73.3, kNone, "", kFbnet},
    {"fbnet_b", 224, 4.8, 291.1, 74.5, kNone, "", kFbnet},
    {"shufflenet_v2_1_5", 224, 3.5, 299, 72.6, kNone, "", "github.com/megvii-model/ShuffleNet-Series"},
    {"mobilevit_xxs", 256, 1.3, 420, 69.0, kNone, "99.7 images/s on an i9-10940X (fp32, batch 1, timm)", kVitTimm},
    {"mobilevit_xs", 256, 2.3, 1050, 74.7, kNone, "81.0 images/s on an i9-10940X (fp32, batch 1, timm)", kVitTimm},
    {"mobilevit_s", 256, 5.6, kNone, 78.3, kNone, "", kVit},
    {"micronet_m0", 224, 1.0, 4, 46.6, kNone, "", kMicro},
    {"micronet_m1", 224, 1.8, 6, 51.4, kNone, "", kMicro},
    {"micronet_m2", 224, 2.4, 12, 59.4, kNone, "", kMicro},
    {"micronet_m3", 224, 2.6, 21, 62.5, kNone, "", kMicro},
    {"ofa_595m", kNone, 9.1, 595, 80.0, kNone, "", kOfa},
    {"ofa_482m", kNone, kNone, 482, 79.6, kNone, "", kOfa},
    {"ofa_389m", kNone, 8.4, 389, 79.1, kNone, "", kOfa},
    {"ofa_lg_g8_230m", kNone, kNone, 230, 76.4, kNone, "24 ms on LG G8", kOfa},
    {"ofa_lg_g8_151m", kNone, kNone, 151, 74.7, kNone, "16 ms on LG G8", kOfa},
    {"ofa_lg_g8_103m", kNone, kNone, 103, 73.0, kNone, "11 ms on LG G8", kOfa},
    {"ofa_lg_g8_74m", kNone, kNone, 74, 71.1, kNone, "8 ms on LG G8", kOfa},
    {"ofa_note10_237m", kNone, kNone, 237, 76.6, kNone, "22 ms on Note 10", kOfa},
    {"ofa_pixel1_58ms", kNone, kNone, kNone, 76.9, kNone, "58 ms on Pixel 1", kOfa},
    {"ofa_pixel1_40ms", kNone, kNone, kNone, 74.9, kNone, "40 ms on Pixel 1", kOfa},
    {"ofa_pixel1_20ms", kNone, kNone, kNone, 71.4, kNone, "20 ms on Pixel 1", kOfa},
    {"proxylessnas_gpu", 224, kNone, kNone, 75.1, kNone, "5.1 ms on a GPU", "github.com/mit-han-lab/proxylessnas"},
    {"regnetx_400mf", 224, 5.16, 400, 72.48, kNone, "", kTimm},
    {"mnasnet_100", 224, 4.38, 330, 74.67, kNone, "", kTimm},
    {"mobilenet_v4_conv_small", 224, 3.77, 190, kNone, kNone,
     "73.5 to 73.8 % by recipe; 246.9 images/s on an i9-10940X (fp32, batch 1, timm)", kTimm},
    {"starnet_s1", 224, 2.87, kNone, 73.53, kNone, "", kTimm},
};

// Speech Commands v1, 12 classes. Dilated convolutions and sums over a broadcast map, which Spec has no operators for.
std::vector<PublishedRow> keyword_rows() {
  const std::string words = "keyword spotting", data = "Speech Commands v1", claims = "96.9 % on version 2",
                    source =
                        "arXiv 2106.04140; multiply-accumulates as quoted in the README of SparkNet (jsvir/sparknet)";
  return {{"bc_resnet_1", words, data, std::nullopt, 0.009232, 3.6, kNone, kNone, 96.6, kNone, claims, source}};
}

PublishedRow full(const ImageNetRow& row) {
  PublishedRow full;
  full.name = row.name;
  full.task = kImages;
  full.data = kImageNet;
  if (row.side) full.input = rgb(*row.side);
  full.params_millions = row.params_millions;
  full.macs_millions = row.macs_millions;
  full.accuracy_percent = row.accuracy;
  full.int8_accuracy_percent = row.int8_accuracy;
  full.claims = row.claims;
  full.source = row.source;
  return full;
}

}  // namespace

const std::vector<PublishedRow>& published_rows() {
  static const std::vector<PublishedRow> rows = [] {
    std::vector<PublishedRow> all = mcunet_rows();
    for (const ImageNetRow& row : kImageNetRows) all.push_back(full(row));
    for (const PublishedRow& row : keyword_rows()) all.push_back(row);
    return all;
  }();
  return rows;
}

}  // namespace condenser::arch
