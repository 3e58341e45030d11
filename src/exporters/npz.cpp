#include "exporters/npz.hpp"

#include <zlib.h>

#include "condenser/core/error.hpp"

namespace condenser::exporters {
namespace {

const char* descr(arch::DType type) {
  switch (type) {
    case arch::DType::F32: return "<f4";
    case arch::DType::I8: return "|i1";
    case arch::DType::I32: return "<i4";
    case arch::DType::I64: return "<i8";
    case arch::DType::U8: return "|u1";
  }
  return "";
}

void put(std::string& out, uint64_t value, int bytes) {
  for (int k = 0; k < bytes; ++k) out += static_cast<char>(value >> (8 * k) & 0xff);
}

std::string to_npy(const arch::Tensor& tensor) {
  std::string header = std::string("{'descr': '") + descr(tensor.dtype) + "', 'fortran_order': False, 'shape': (";
  for (const int64_t n : tensor.shape) header += std::to_string(n) + ", ";
  header += "), }";
  while ((10 + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  std::string out("\x93NUMPY\x01\x00", 8);
  put(out, header.size(), 2);
  out += header;
  out.append(reinterpret_cast<const char*>(tensor.data.data()), tensor.data.size());
  return out;
}

}  // namespace

std::string to_npz(const std::map<std::string, arch::Tensor>& arrays) {
  constexpr uint64_t kFirstDay = 0x21;  // of 1980: files of one content are one file
  std::string out, directory;
  for (const auto& [key, tensor] : arrays) {
    const std::string name = key + ".npy", data = to_npy(tensor);
    if (out.size() + data.size() > UINT32_MAX) throw core::Error("known answers of more than 4 GB");
    const auto sum = crc32(0, reinterpret_cast<const Bytef*>(data.data()), static_cast<uInt>(data.size()));
    std::string facts;  // that both headers of a file hold
    put(facts, 20, 2);  // version
    put(facts, 0, 2);
    put(facts, 0, 2);  // stored
    put(facts, 0, 2);
    put(facts, kFirstDay, 2);
    put(facts, sum, 4);
    put(facts, data.size(), 4);
    put(facts, data.size(), 4);
    put(facts, name.size(), 2);
    put(facts, 0, 2);
    directory += "PK\x01\x02";
    put(directory, 20, 2);
    directory += facts;
    put(directory, 0, 2);  // comment
    put(directory, 0, 4);  // disk, attributes
    put(directory, 0, 4);
    put(directory, out.size(), 4);
    directory += name;
    out += "PK\x03\x04" + facts + name + data;
  }
  const size_t begin = out.size();
  out += directory;
  out += "PK\x05\x06";
  put(out, 0, 4);
  put(out, arrays.size(), 2);
  put(out, arrays.size(), 2);
  put(out, directory.size(), 4);
  put(out, begin, 4);
  put(out, 0, 2);
  return out;
}

}  // namespace condenser::exporters
