// SHA-256 through OpenSSL, and the hexadecimal text of 128-bit identities. The low-level interface on purpose: the
// identity of one network is some 300 short texts, and EVP looks its algorithm up, under a lock, for each of them.
// What is hashed (canonical bytes of a network, of a file) is decided by the callers.

#include "condenser/core/hash.hpp"

#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "condenser/core/error.hpp"

namespace condenser::core {
namespace {

using Digest = std::array<uint8_t, 32>;

class Sha256 {
 public:
  Sha256() {
    if (SHA256_Init(&context_) != 1) fail();
  }
  void add(const void* bytes, size_t size) {
    if (SHA256_Update(&context_, bytes, size) != 1) fail();
  }
  Digest finish() {
    Digest digest;
    if (SHA256_Final(digest.data(), &context_) != 1) fail();
    return digest;
  }

 private:
  [[noreturn]] static void fail() { throw Error("libcrypto cannot compute SHA-256"); }
  SHA256_CTX context_;
};

Digest sha256(std::string_view bytes) {
  Sha256 sha;
  sha.add(bytes.data(), bytes.size());
  return sha.finish();
}

template <size_t N>
std::string to_hex(const std::array<uint8_t, N>& bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * N);
  for (uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string Hash128::hex() const { return to_hex(bytes); }

Hash128 Hash128::from_hex(std::string_view hex) {
  Hash128 hash;
  const auto refuse = [&] {
    return Error("hash '" + std::string(hex.substr(0, 64)) + "'; expected 32 hexadecimal digits");
  };
  if (hex.size() != 2 * hash.bytes.size()) throw refuse();
  for (size_t i = 0; i < hash.bytes.size(); ++i) {
    const int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);
    if (high < 0 || low < 0) throw refuse();
    hash.bytes[i] = static_cast<uint8_t>(high * 16 + low);
  }
  return hash;
}

Hash128 hash128(std::string_view bytes) {
  const Digest digest = sha256(bytes);
  Hash128 hash;
  std::memcpy(hash.bytes.data(), digest.data(), hash.bytes.size());
  return hash;
}

std::string sha256_hex(std::string_view bytes) { return to_hex(sha256(bytes)); }

std::string sha256_file(const std::filesystem::path& file) {
  const auto refuse = [&] { return Error(file.string() + ": cannot read: " + std::strerror(errno)); };
  std::error_code failed;
  if (std::filesystem::exists(file, failed) && !std::filesystem::is_regular_file(file, failed))
    throw Error(file.string() + ": not a regular file");  // opening a named pipe waits, a device may never end
  std::unique_ptr<FILE, int (*)(FILE*)> in(std::fopen(file.c_str(), "rb"), std::fclose);
  if (!in) throw refuse();
  Sha256 sha;
  std::string buffer(1 << 16, '\0');
  while (const size_t got = std::fread(buffer.data(), 1, buffer.size(), in.get())) sha.add(buffer.data(), got);
  if (std::ferror(in.get())) throw refuse();
  return to_hex(sha.finish());
}

}  // namespace condenser::core
