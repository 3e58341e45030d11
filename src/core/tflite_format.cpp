#include "core/tflite_format.hpp"

#include <algorithm>
#include <iterator>

namespace condenser::core::tflite {
namespace {

// Names by number, for messages.
constexpr const char* kTypeNames[] = {"FLOAT32",  "FLOAT16",  "INT32",     "UINT8",         "INT64",      "STRING",
                                      "BOOL",     "INT16",    "COMPLEX64", "INT8",          "FLOAT64",    "COMPLEX128",
                                      "UINT64",   "RESOURCE", "VARIANT",   "UINT32",        "UINT16",     "INT4",
                                      "BFLOAT16", "INT2",     "UINT4",     "FLOAT8_E4M3FN", "FLOAT8_E5M2"};
constexpr const char* kOperatorNames[] = {"ADD",
                                          "AVERAGE_POOL_2D",
                                          "CONCATENATION",
                                          "CONV_2D",
                                          "DEPTHWISE_CONV_2D",
                                          "DEPTH_TO_SPACE",
                                          "DEQUANTIZE",
                                          "EMBEDDING_LOOKUP",
                                          "FLOOR",
                                          "FULLY_CONNECTED",
                                          "HASHTABLE_LOOKUP",
                                          "L2_NORMALIZATION",
                                          "L2_POOL_2D",
                                          "LOCAL_RESPONSE_NORMALIZATION",
                                          "LOGISTIC",
                                          "LSH_PROJECTION",
                                          "LSTM",
                                          "MAX_POOL_2D",
                                          "MUL",
                                          "RELU",
                                          "RELU_N1_TO_1",
                                          "RELU6",
                                          "RESHAPE",
                                          "RESIZE_BILINEAR",
                                          "RNN",
                                          "SOFTMAX",
                                          "SPACE_TO_DEPTH",
                                          "SVDF",
                                          "TANH",
                                          "CONCAT_EMBEDDINGS",
                                          "SKIP_GRAM",
                                          "CALL",
                                          "CUSTOM",
                                          "EMBEDDING_LOOKUP_SPARSE",
                                          "PAD",
                                          "UNIDIRECTIONAL_SEQUENCE_RNN",
                                          "GATHER",
                                          "BATCH_TO_SPACE_ND",
                                          "SPACE_TO_BATCH_ND",
                                          "TRANSPOSE",
                                          "MEAN",
                                          "SUB",
                                          "DIV",
                                          "SQUEEZE",
                                          "UNIDIRECTIONAL_SEQUENCE_LSTM",
                                          "STRIDED_SLICE",
                                          "BIDIRECTIONAL_SEQUENCE_RNN",
                                          "EXP",
                                          "TOPK_V2",
                                          "SPLIT",
                                          "LOG_SOFTMAX",
                                          "DELEGATE",
                                          "BIDIRECTIONAL_SEQUENCE_LSTM",
                                          "CAST",
                                          "PRELU",
                                          "MAXIMUM",
                                          "ARG_MAX",
                                          "MINIMUM",
                                          "LESS",
                                          "NEG",
                                          "PADV2",
                                          "GREATER",
                                          "GREATER_EQUAL",
                                          "LESS_EQUAL",
                                          "SELECT",
                                          "SLICE",
                                          "SIN",
                                          "TRANSPOSE_CONV",
                                          "SPARSE_TO_DENSE",
                                          "TILE",
                                          "EXPAND_DIMS",
                                          "EQUAL",
                                          "NOT_EQUAL",
                                          "LOG",
                                          "SUM",
                                          "SQRT",
                                          "RSQRT",
                                          "SHAPE",
                                          "POW",
                                          "ARG_MIN",
                                          "FAKE_QUANT",
                                          "REDUCE_PROD",
                                          "REDUCE_MAX",
                                          "PACK",
                                          "LOGICAL_OR",
                                          "ONE_HOT",
                                          "LOGICAL_AND",
                                          "LOGICAL_NOT",
                                          "UNPACK",
                                          "REDUCE_MIN",
                                          "FLOOR_DIV",
                                          "REDUCE_ANY",
                                          "SQUARE",
                                          "ZEROS_LIKE",
                                          "FILL",
                                          "FLOOR_MOD",
                                          "RANGE",
                                          "RESIZE_NEAREST_NEIGHBOR",
                                          "LEAKY_RELU",
                                          "SQUARED_DIFFERENCE",
                                          "MIRROR_PAD",
                                          "ABS",
                                          "SPLIT_V",
                                          "UNIQUE",
                                          "CEIL",
                                          "REVERSE_V2",
                                          "ADD_N",
                                          "GATHER_ND",
                                          "COS",
                                          "WHERE",
                                          "RANK",
                                          "ELU",
                                          "REVERSE_SEQUENCE",
                                          "MATRIX_DIAG",
                                          "QUANTIZE",
                                          "MATRIX_SET_DIAG",
                                          "ROUND",
                                          "HARD_SWISH",
                                          "IF",
                                          "WHILE",
                                          "NON_MAX_SUPPRESSION_V4",
                                          "NON_MAX_SUPPRESSION_V5",
                                          "SCATTER_ND",
                                          "SELECT_V2",
                                          "DENSIFY",
                                          "SEGMENT_SUM",
                                          "BATCH_MATMUL",
                                          "PLACEHOLDER_FOR_GREATER_OP_CODES",
                                          "CUMSUM",
                                          "CALL_ONCE",
                                          "BROADCAST_TO",
                                          "RFFT2D",
                                          "CONV_3D",
                                          "IMAG",
                                          "REAL",
                                          "COMPLEX_ABS",
                                          "HASHTABLE",
                                          "HASHTABLE_FIND",
                                          "HASHTABLE_IMPORT",
                                          "HASHTABLE_SIZE",
                                          "REDUCE_ALL",
                                          "CONV_3D_TRANSPOSE",
                                          "VAR_HANDLE",
                                          "READ_VARIABLE",
                                          "ASSIGN_VARIABLE",
                                          "BROADCAST_ARGS",
                                          "RANDOM_STANDARD_NORMAL",
                                          "BUCKETIZE",
                                          "RANDOM_UNIFORM",
                                          "MULTINOMIAL",
                                          "GELU",
                                          "DYNAMIC_UPDATE_SLICE",
                                          "RELU_0_TO_1",
                                          "UNSORTED_SEGMENT_PROD",
                                          "UNSORTED_SEGMENT_MAX",
                                          "UNSORTED_SEGMENT_SUM",
                                          "ATAN2",
                                          "UNSORTED_SEGMENT_MIN",
                                          "SIGN",
                                          "BITCAST",
                                          "BITWISE_XOR",
                                          "RIGHT_SHIFT"};

constexpr Field kConv[] = {{"padding"},    {"stride_w", Kind::Int},   {"stride_h", Kind::Int},
                           {"activation"}, {"dilation_w", Kind::Int}, {"dilation_h", Kind::Int}};
constexpr Field kDepthwise[] = {
    {"padding"},    {"stride_w", Kind::Int},   {"stride_h", Kind::Int},  {"depth_multiplier", Kind::Int},
    {"activation"}, {"dilation_w", Kind::Int}, {"dilation_h", Kind::Int}};
constexpr Field kPool[] = {
    {"padding"},   {"stride_w", Kind::Int}, {"stride_h", Kind::Int}, {"filter_w", Kind::Int}, {"filter_h", Kind::Int},
    {"activation"}};
constexpr Field kFullyConnected[] = {{"activation"}, {"weights_format"}, {"keep_num_dims"}};
constexpr Field kSoftmax[] = {{"beta", Kind::Float}};
constexpr Field kConcatenation[] = {{"axis", Kind::Int}, {"activation"}};
constexpr Field kArithmetic[] = {{"activation"}};
constexpr Field kReshape[] = {{"new_shape", Kind::Ints}};
constexpr Field kReducer[] = {{"keep_dims"}};
constexpr Field kSqueeze[] = {{"squeeze_dims", Kind::Ints}};
constexpr Field kStridedSlice[] = {{"begin_mask", Kind::Int},
                                   {"end_mask", Kind::Int},
                                   {"ellipsis_mask", Kind::Int},
                                   {"new_axis_mask", Kind::Int},
                                   {"shrink_axis_mask", Kind::Int}};
constexpr Field kSplit[] = {{"num_splits", Kind::Int}};
constexpr Field kResizeNearest[] = {{"align_corners"}, {"half_pixel_centers"}};
constexpr Field kLeakyRelu[] = {{"alpha", Kind::Float}};
constexpr Field kMirrorPad[] = {{"mode"}};

constexpr Operator kOperators[] = {
    {"ADD", 0, 2, 11, kArithmetic},
    {"AVERAGE_POOL_2D", 1, 2, 5, kPool},
    {"CONCATENATION", 2, 2, 10, kConcatenation},
    {"CONV_2D", 3, 3, 1, kConv},
    {"DEPTHWISE_CONV_2D", 4, 3, 2, kDepthwise},
    {"DEQUANTIZE", 6, 2},
    {"DIV", 42, 1, 29, kArithmetic},
    {"EXPAND_DIMS", 70},
    {"FULLY_CONNECTED", 9, 4, 8, kFullyConnected},
    {"HARD_SWISH", 117},
    {"LEAKY_RELU", 98, 2, 75, kLeakyRelu},
    {"LOGISTIC", 14, 2},
    {"MAX_POOL_2D", 17, 2, 5, kPool},
    {"MEAN", 40, 2, 27, kReducer},
    {"MIRROR_PAD", 100, 2, 77, kMirrorPad},
    {"MUL", 18, 2, 21, kArithmetic},
    {"PAD", 34, 2},
    {"PADV2", 60, 2},
    {"PRELU", 54, 1},
    {"QUANTIZE", 114, 2},
    {"RELU", 19, 2},
    {"RELU6", 21, 2},
    {"RESHAPE", 22, 1, 17, kReshape},
    {"RESIZE_NEAREST_NEIGHBOR", 97, 2, 74, kResizeNearest},
    {"SLICE", 65, 2},
    {"SOFTMAX", 25, 2, 9, kSoftmax},
    {"SPLIT", 49, 2, 35, kSplit},
    {"SPLIT_V", 102, 2, 79, kSplit},
    {"SQUEEZE", 43, 1, 30, kSqueeze},
    {"STRIDED_SLICE", 45, 2, 32, kStridedSlice},
    {"SUB", 41, 2, 28, kArithmetic},
    {"TANH", 28, 2},
    {"TRANSPOSE", 39, 2},
};

}  // namespace

std::string type_name(int type) {
  return type >= 0 && type < static_cast<int>(std::size(kTypeNames)) ? kTypeNames[type]
                                                                     : "type " + std::to_string(type);
}

int type_bytes(Type type) {
  switch (type) {
    case Type::Float32:
    case Type::Int32: return 4;
    case Type::Int64: return 8;
    case Type::Uint8:
    case Type::Int8: return 1;
  }
  return 0;
}

std::string activation_name(int activation) {
  constexpr const char* kNames[] = {"none", "RELU", "RELU_N1_TO_1", "RELU6", "TANH", "SIGN_BIT"};
  return activation >= 0 && activation < static_cast<int>(std::size(kNames)) ? kNames[activation]
                                                                             : std::to_string(activation);
}

std::span<const Operator> operators() { return kOperators; }

const Operator* find_operator(std::string_view name) {
  const auto found = std::ranges::find_if(kOperators, [&](const Operator& row) { return row.name == name; });
  return found == std::end(kOperators) ? nullptr : found;
}

const Operator* find_operator(int code) {
  const auto found = std::ranges::find(kOperators, code, &Operator::code);
  return found == std::end(kOperators) ? nullptr : found;
}

std::string operator_name(int code) {
  return code >= 0 && code < static_cast<int>(std::size(kOperatorNames)) ? kOperatorNames[code]
                                                                         : "operator " + std::to_string(code);
}

}  // namespace condenser::core::tflite
