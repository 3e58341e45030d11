// Constants: those of the file, and what can be computed of them without the input, mostly the extents of a reshape.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "condenser/core/text.hpp"
#include "importers/onnx_graph.hpp"

namespace condenser::importers {
namespace {

using onnx_file::Array;
using onnx_file::Kind;

constexpr int64_t kMostExtents = 64;  // of lists of extents that are computed

Array integer_array(std::vector<int64_t> values) {
  Array array;
  array.kind = Kind::Int64;
  array.dims = {static_cast<int64_t>(values.size())};
  array.integers = std::move(values);
  return array;
}

int64_t count_of(const std::vector<int64_t>& dims) {
  int64_t count = 1;
  for (const int64_t n : dims)
    if (n < 0 || __builtin_mul_overflow(count, n, &count)) return -1;
  return count;
}

bool is_list(const Array& array) {
  return !array.is_float() && array.scales.empty() && array.dims.size() <= 1 &&
         std::cmp_less_equal(array.integers.size(), kMostExtents);
}

bool is_small(const Array& array) {
  return !array.is_float() && array.scales.empty() && std::cmp_less_equal(array.integers.size(), kMostExtents);
}

// One value with each of the other's.
std::optional<Array> computed(const std::string& op, const Array& a, const Array& b) {
  if (!is_list(a) || !is_list(b) || a.size() == 0 || b.size() == 0) return std::nullopt;
  if (a.size() != b.size() && a.size() != 1 && b.size() != 1) return std::nullopt;
  Array result = a.dims.size() >= b.dims.size() && a.size() >= b.size() ? a : b;
  result.integers.resize(std::max(a.size(), b.size()));
  for (size_t i = 0; i < result.integers.size(); ++i) {
    const int64_t x = a.integers[a.size() == 1 ? 0 : i], y = b.integers[b.size() == 1 ? 0 : i];
    int64_t& out = result.integers[i];
    bool overflow = false;
    if (op == "Add") overflow = __builtin_add_overflow(x, y, &out);
    if (op == "Sub") overflow = __builtin_sub_overflow(x, y, &out);
    if (op == "Mul") overflow = __builtin_mul_overflow(x, y, &out);
    if (op == "Div") {
      overflow = y == 0 || (x == INT64_MIN && y == -1);
      if (!overflow) out = x / y;
    }
    if (overflow) return std::nullopt;
  }
  return result;
}

}  // namespace

Array OnnxGraph::permuted_array(const Array& array, const std::vector<size_t>& order) {
  Array result = array;
  const size_t rank = order.size();
  std::vector<int64_t> strides(rank, 1);
  for (size_t k = rank; k-- > 1;) strides[k - 1] = strides[k] * array.dims[k];
  for (size_t k = 0; k < rank; ++k) result.dims[k] = array.dims[order[k]];
  if (!array.scales.empty())
    for (size_t k = 0; k < rank; ++k)
      if (order[k] == array.axis) result.axis = k;
  std::vector<int64_t> index(rank, 0);
  for (size_t to = 0; to < array.size(); ++to) {
    int64_t from = 0;
    for (size_t k = 0; k < rank; ++k) from += index[k] * strides[order[k]];
    if (array.is_float())
      result.floats[to] = array.floats[static_cast<size_t>(from)];
    else
      result.integers[to] = array.integers[static_cast<size_t>(from)];
    for (size_t k = rank; k-- > 0;) {
      if (++index[k] < result.dims[k]) break;
      index[k] = 0;
    }
  }
  return result;
}

// Floats as they are, or what integers with scales stand for.
std::vector<float> OnnxGraph::floats_of(const Node& node, const Array& array) const {
  if (array.is_float()) return array.floats;
  if (array.scales.empty())
    fail(node, "a weight holds integers without a scale; expected floats, or DequantizeLinear behind it");
  int64_t inner = 1;
  for (size_t k = array.axis + 1; k < array.dims.size(); ++k) inner *= array.dims[k];
  std::vector<float> values(array.integers.size());
  for (size_t i = 0; i < values.size(); ++i) {
    const size_t channel =
        array.scales.size() == 1 ? 0 : i / static_cast<size_t>(inner) % static_cast<size_t>(array.dims[array.axis]);
    values[i] = static_cast<float>(
        static_cast<double>(array.integers[i] - array.zero_points[array.zero_points.size() == 1 ? 0 : channel]) *
        array.scales[channel]);
  }
  return values;
}

// Of one axis, forwards or backwards: files turn lists of pads round so.
bool OnnxGraph::fold_slice(const Node& node, const Array& array) {
  const auto *starts = list(node, "starts", 1), *ends = list(node, "ends", 2), *axes = list(node, "axes", 3),
             *steps = list(node, "steps", 4);
  const auto single = [](const std::vector<int64_t>* values) { return values != nullptr && values->size() == 1; };
  if (!single(starts) || !single(ends) || (axes != nullptr && !single(axes)) || (steps != nullptr && !single(steps)))
    return false;
  const int64_t step = steps != nullptr ? (*steps)[0] : 1;
  if (step != 1 && step != -1) return false;
  const size_t axis = axis_of(node, axes != nullptr ? (*axes)[0] : 0, array.dims.size());
  const int64_t size = array.dims[axis], back = step < 0 ? 1 : 0;
  const auto place = [&](int64_t at) { return std::clamp<int64_t>(at < 0 ? at + size : at, -back, size - back); };
  int64_t inner = 1;
  for (size_t k = axis + 1; k < array.dims.size(); ++k) inner *= array.dims[k];
  Array part = array;
  part.integers.clear();
  const int64_t begin = place((*starts)[0]), end = place((*ends)[0]);
  part.dims[axis] = std::max<int64_t>(0, (end - begin) * step);
  const int64_t outer = size * inner == 0 ? 0 : static_cast<int64_t>(array.size()) / (size * inner);
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t k = 0; k < part.dims[axis]; ++k)
      for (int64_t i = 0; i < inner; ++i)
        part.integers.push_back(array.integers[static_cast<size_t>((o * size + begin + k * step) * inner + i)]);
  return give(node, part), true;
}

bool OnnxGraph::fold(const Node& node) {
  const std::string& op = node.op;
  if (op == "Constant") {
    for (const auto& [name, attribute] : node.attributes) {
      if (attribute.array) return give(node, *attribute.array), true;
      if (name == "value_int" && attribute.integer) {
        Array array = integer_array({*attribute.integer});
        array.dims.clear();
        return give(node, array), true;
      }
      if (name == "value_ints") return give(node, integer_array(attribute.integers)), true;
      Array array;
      if (name == "value_float" && attribute.number) array.floats = {*attribute.number};
      if (name == "value_floats") {
        array.floats = attribute.numbers;
        array.dims = {static_cast<int64_t>(array.floats.size())};
      }
      if (!array.floats.empty()) return give(node, array), true;
    }
    fail(node, "holds no tensor and no numbers; expected one of them");
  }
  if (op == "Shape" && has_input(node, 0)) {
    const Array* array = find_constant(node, 0);
    std::vector<int64_t> dims = array != nullptr ? array->dims : extents(any_tensor(node, 0).axes);
    const auto rank = static_cast<int64_t>(dims.size());
    const auto place = [&](int64_t at) { return std::clamp<int64_t>(at < 0 ? at + rank : at, 0, rank); };
    const int64_t begin = place(integer(node, "start", 0)), end = place(integer(node, "end", rank));
    return give(node, integer_array(begin < end ? std::vector<int64_t>(dims.begin() + begin, dims.begin() + end)
                                                : std::vector<int64_t>{})),
           true;
  }
  if (node.inputs.empty()) return false;
  for (size_t k = 0; k < node.inputs.size(); ++k)
    if (has_input(node, k) && find_constant(node, k) == nullptr) return false;
  if (!has_input(node, 0)) return false;
  if (op == "QuantizeLinear" || op == "DequantizeLinear") return fold_quantization(node);
  const Array& first = constant(node, 0, "input");
  if (op == "Identity" || op == "Dropout") return give(node, Array(first)), true;
  if (op == "Cast") {
    Array array = first;
    const int64_t to = integer(node, "to", 0);  // 1: float, 6: int32, 7: int64
    if (to == 1 && !array.is_float() && array.scales.empty()) {
      array.floats.assign(array.integers.begin(), array.integers.end());
      array.integers.clear();
      array.kind = Kind::Float;
    } else if ((to == 6 || to == 7) && array.is_float()) {
      for (const float x : array.floats) {
        if (!(std::abs(x) < 1e9F)) fail(node, "a float that fits no integer");
        array.integers.push_back(static_cast<int64_t>(x));
      }
      array.floats.clear();
      array.kind = Kind::Int64;
    } else if (to != 1 && to != 6 && to != 7 && to != 11) {
      fail(node, "casts to type " + std::to_string(to) + "; expected FLOAT, DOUBLE, INT32 or INT64");
    }
    return give(node, array), true;
  }
  if (op == "Reshape" || op == "Flatten" || op == "Unsqueeze" || op == "Squeeze") {
    Array array = first;
    array.dims = target_extents(node, first.dims);
    if (std::cmp_not_equal(count_of(array.dims), array.size()))
      fail(node, "changes the number of values of a constant");
    if (array.scales.size() > 1 && array.dims != first.dims)
      fail(node, "reshapes a weight that has a scale per channel");
    return give(node, array), true;
  }
  if (op == "Transpose") return give(node, permuted_array(first, order_of(node, first.dims.size()))), true;
  if (op == "Concat") {
    std::vector<int64_t> joined;
    for (size_t k = 0; k < node.inputs.size(); ++k) {
      const Array& part = constant(node, k, "input");
      if (!is_list(part)) return false;
      joined.insert(joined.end(), part.integers.begin(), part.integers.end());
    }
    if (std::cmp_greater(joined.size(), kMostExtents)) return false;
    return give(node, integer_array(joined)), true;
  }
  if (op == "Gather" && is_list(first) && has_input(node, 1)) {
    const Array& at = constant(node, 1, "indices");
    if (!is_list(at)) return false;
    Array array = integer_array({});
    const auto size = static_cast<int64_t>(first.size());
    for (const int64_t i : at.integers) {
      if (i < -size || i >= size) fail(node, "index " + std::to_string(i) + " of a list of " + std::to_string(size));
      array.integers.push_back(first.integers[static_cast<size_t>(i < 0 ? i + size : i)]);
    }
    array.dims = at.dims;
    return give(node, array), true;
  }
  if (op == "Slice" && is_small(first)) return fold_slice(node, first);
  if ((op == "Add" || op == "Sub" || op == "Mul" || op == "Div") && has_input(node, 1)) {
    if (auto array = computed(op, first, constant(node, 1, "input"))) return give(node, *std::move(array)), true;
  }
  if (op == "ConstantOfShape" && is_list(first)) {
    const int64_t count = count_of(first.integers);
    const auto value = node.attributes.find("value");
    if (count < 0 || count > kMostExtents || value == node.attributes.end() || !value->second.array ||
        value->second.array->is_float() || value->second.array->size() != 1)
      return false;
    return give(node,
                integer_array(std::vector<int64_t>(static_cast<size_t>(count), value->second.array->integers[0]))),
           true;
  }
  return false;
}

}  // namespace condenser::importers
