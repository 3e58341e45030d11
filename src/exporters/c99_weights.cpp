// The constants of an export: as arrays of C, or as an image with offsets into it.
#include <algorithm>

#include "exporters/c99.hpp"
#include "exporters/c99_text.hpp"

namespace condenser::exporters {
namespace {

constexpr size_t kHeaderBytes = 28, kAlignment = 4;

// Calls visit(name, values) for every constant, in the order of the network.
template <class Visit>
void each_constant(const runtime::Int8Program& program, const Names& names, Visit&& visit) {
  for (size_t i = 0; i < program.spec.nodes.size(); ++i) {
    for (const runtime::Constant& constant : program.steps[i].constants) {
      const std::string name = names.prefix + "_" + program.spec.nodes[i].name + "_" + constant.name;
      std::visit([&](const auto& values) { visit(name, values); }, constant.values);
    }
  }
}

template <class Values>
std::string type_of(const Values&) {
  return kCType<typename Values::value_type>;
}

const char* const kAbout =
    "/* Constants of the network: weights (convolutions [out, h, w, in], depthwise [h, w, out]), biases in steps of\n"
    " * input scale times weight scale, multipliers and shifts per output channel, slopes, tables. */\n";

const char* const kAboutFourBits =
    "/* Of kernels _w4 a byte holds the weights of two neighbouring output channels, 4 bits each: see cnd_nibbles.h. "
    "*/\n";

std::string about(const runtime::Int8Program& program) {
  const bool four =
      std::ranges::any_of(program.spec.nodes, [](const arch::Node& n) { return arch::weight_bits(n.op) == 4; });
  return kAbout + std::string(four ? kAboutFourBits : "");
}

std::string header_file(const Names& names, const std::string& about, const std::string& declarations) {
  const std::string guard = names.macro + "_WEIGHTS_H";
  return about + "#ifndef " + guard + "\n#define " + guard + "\n\n#include <stdint.h>\n\n" + declarations +
         "\n#endif\n";
}

Files arrays(const runtime::Int8Program& program, const Names& names) {
  std::string header,
      source = "/* Constants of the network; see the header. */\n#include \"" + names.prefix + "_weights.h\"\n\n";
  each_constant(program, names, [&](const std::string& name, const auto& values) {
    const std::string declaration = "const " + type_of(values) + " " + name + "[" + std::to_string(values.size()) + "]";
    header += "extern " + declaration + ";\n";
    source += declaration + " = {\n" + number_lines(std::span(values), "    ") + "};\n\n";
  });
  source.pop_back();
  return {{names.prefix + "_weights.h", header_file(names, about(program), header)},
          {names.prefix + "_weights.c", source}};
}

void append_word(std::string& bytes, uint64_t value, size_t width) {
  for (size_t i = 0; i < width; ++i) bytes += static_cast<char>((value >> (8 * i)) & 0xff);
}

void align(std::string& bytes) {
  while (bytes.size() % kAlignment != 0) bytes += '\0';
}

// As zip, PNG and Ethernet compute it.
uint32_t crc32(const std::string& bytes) {
  uint32_t crc = 0xffffffffu;
  for (const char c : bytes) {
    crc ^= static_cast<uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320u : 0u);
  }
  return ~crc;
}

struct Image {
  std::string declarations;  // one macro for each constant
  std::string header, body;
};

Image image_of(const runtime::Int8Program& program, const Names& names) {
  Image image;
  each_constant(program, names, [&](const std::string& name, const auto& values) {
    align(image.body);
    const std::string at = names.prefix + "_image + " + std::to_string(kHeaderBytes + image.body.size());
    image.declarations += "#define " + name + " ((const " + type_of(values) + " *)(const void *)(" + at + "))\n";
    for (const auto value : values) append_word(image.body, static_cast<uint64_t>(value), sizeof value);
  });
  align(image.body);
  image.header = "CNDW";
  append_word(image.header, kHeaderBytes + image.body.size(), 4);
  append_word(image.header, crc32(image.body), 4);
  const std::string hash = arch::hash(program.spec).hex();
  for (size_t i = 0; i < 16; ++i) image.header += static_cast<char>(std::stoi(hash.substr(2 * i, 2), nullptr, 16));
  return image;
}

Files with_image(const runtime::Int8Program& program, const Names& names) {
  const Image image = image_of(program, names);
  const std::vector<uint8_t> header(image.header.begin(), image.header.end());
  const std::string about =
      "/* Where the constants of the network lie in its image, " + names.prefix + "_weights.bin. */\n";
  const std::string pointer =
      "/* Given by " + names.prefix + "_use_weights(). */\nextern const uint8_t *" + names.prefix + "_image;\n\n";
  return {{names.prefix + "_weights.h", header_file(names, about, pointer + image.declarations)},
          {names.prefix + "_weights.c",
           c99_fill("weights_binary.c.in", {{"P", names.prefix},
                                            {"M", names.macro},
                                            {"HEADER_BYTES", std::to_string(kHeaderBytes)},
                                            {"HEADER", number_lines(std::span<const uint8_t>(header), "    ")},
                                            {"CRC", std::to_string(crc32(image.body))}})},
          {names.prefix + "_weights.bin", image.header + image.body}};
}

}  // namespace

bool is_binary(const ExportOptions& options) { return options.weights == "binary"; }

int64_t c99_weights_bytes(const runtime::Int8Program& program) {
  return static_cast<int64_t>(kHeaderBytes + image_of(program, Names("x")).body.size());
}

Files c99_weights(const runtime::Int8Program& program, const ExportOptions& options) {
  const Names names(options.prefix);
  return is_binary(options) ? with_image(program, names) : arrays(program, names);
}

}  // namespace condenser::exporters
