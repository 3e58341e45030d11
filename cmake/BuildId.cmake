# Script: cmake -DINCLUDE=<folder> -DOUT=<header> -P BuildId.cmake
# Writes the hash of all public headers. The program and the LibTorch module that it loads must have been compiled with the same ones.
file(GLOB_RECURSE headers RELATIVE ${INCLUDE} ${INCLUDE}/*.hpp)
list(SORT headers)
set(text "")
foreach(header IN LISTS headers)
  file(SHA256 ${INCLUDE}/${header} hash)
  string(APPEND text "${header} ${hash}\n")
endforeach()
string(SHA256 id "${text}")
file(CONFIGURE OUTPUT ${OUT} CONTENT [[
#pragma once
// Written by cmake/BuildId.cmake.

namespace condenser {
constexpr const char* kBuildId = "@id@";  // hash of include/
}
]] @ONLY)
