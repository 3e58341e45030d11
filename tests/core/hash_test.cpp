#include "condenser/core/hash.hpp"

#include <fstream>

#include "condenser/core/error.hpp"
#include "core/scratch.hpp"
#include "support/catch.hpp"

using namespace condenser::core;

// FIPS 180-4 examples, as published by NIST.
TEST_CASE("SHA-256 gives the published answers", "[core]") {
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(sha256_hex(std::string(1000000, 'a')) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("A file hashes like its bytes", "[core]") {
  Scratch scratch;
  const std::string bytes(200001, 'x');  // more than one buffer
  std::ofstream(scratch / "data", std::ios::binary) << bytes;
  CHECK(sha256_file(scratch / "data") == sha256_hex(bytes));
  CHECK_THROWS_AS(sha256_file(scratch / "missing"), Error);
  CHECK_THROWS_AS(sha256_file(scratch.path()), Error);
}

TEST_CASE("An identity is the first half of the hash and survives its text", "[core]") {
  const Hash128 hash = hash128("abc");
  CHECK(hash.hex() == sha256_hex("abc").substr(0, 32));
  CHECK(Hash128::from_hex(hash.hex()) == hash);
  CHECK(Hash128::from_hex("BA7816BF8F01CFEA414140DE5DAE2223") == hash);
  CHECK(hash128("abd") != hash);
  for (const char* bad : {"", "12", "ba7816bf8f01cfea414140de5dae222g", "ba7816bf8f01cfea414140de5dae22230"})
    CHECK_THROWS_AS(Hash128::from_hex(bad), Error);
}
