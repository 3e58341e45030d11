#pragma once
// A loop over many items on all cores, for work done once when a set is opened.

#include <cstdint>
#include <functional>

namespace condenser::data {

// Calls work(i) for i in [0, count), each once, in any order from several threads. An exception ends the loop soon and
// is thrown again; so does a stop signal (core::Stopped).
void for_each(int64_t count, const std::function<void(int64_t)>& work);

}  // namespace condenser::data
