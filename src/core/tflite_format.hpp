#pragma once
// Facts about files of TensorFlow Lite that reader and writer share: numbers of types and operators, and the places of
// fields in their tables. A file is a tree of FlatBuffers tables whose fields are known by place.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace condenser::core::tflite {

inline constexpr char kIdentifier[] = "TFL3";
inline constexpr uint32_t kVersion = 3;
inline constexpr int kPlaceholder = 127;  // in the old field of one byte, for operators of a greater number

// Places of the fields of each table, in order.
struct ModelTable {
  enum : uint16_t { kVersion, kOperatorCodes, kSubgraphs, kDescription, kBuffers };
};
struct OperatorCodeTable {
  enum : uint16_t { kOldCode, kCustomCode, kVersion, kCode };
};
struct SubgraphTable {
  enum : uint16_t { kTensors, kInputs, kOutputs, kOperators, kName };
};
struct TensorTable {
  enum : uint16_t { kShape, kType, kBuffer, kName, kQuantization, kIsVariable, kSparsity, kShapeSignature };
};
struct QuantizationTable {
  enum : uint16_t { kMin, kMax, kScale, kZeroPoint, kDetailsType, kDetails, kDimension };
};
struct OperatorTable {
  enum : uint16_t { kCode, kInputs, kOutputs, kOptionsType, kOptions };
};
struct BufferTable {
  enum : uint16_t { kData, kOffset, kSize };
};

enum class Type : int8_t { Float32 = 0, Int32 = 2, Uint8 = 3, Int64 = 4, Int8 = 9 };  // those that are used here
std::string type_name(int type);                                                      // "INT16"; "type 77"
int type_bytes(Type);

enum Padding { kSame = 0, kValid = 1 };
enum Activation { kNone = 0, kRelu = 1, kReluN1To1 = 2, kRelu6 = 3, kTanh = 4, kSignBit = 5 };
std::string activation_name(int activation);

enum class Kind { Byte, Int, Float, Ints };
struct Field {
  const char* name;
  Kind kind = Kind::Byte;
};

// An operator that is read or written here.
struct Operator {
  const char* name;
  int code = 0;
  int version = 1;                     // written: the oldest that has int8
  int options = 0;                     // number of its table of options; 0: it has none
  std::span<const Field> fields = {};  // of that table, in order
};
std::span<const Operator> operators();
const Operator* find_operator(std::string_view name);  // null: not known
const Operator* find_operator(int code);
std::string operator_name(int code);  // "LSTM"; "operator 999"

}  // namespace condenser::core::tflite
