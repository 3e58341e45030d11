#pragma once
// Features of a sound that does not end, a frame at a time.

#include <cstdint>
#include <span>
#include <vector>

#include "condenser/data/features.hpp"

namespace condenser::data {

// Of a device that is given `stride` samples at a time: a frame is made of the last `window` samples, from the first
// time on that there are as many. [frames, coefficients or bands], not normalized, of samples at full scale.
std::vector<float> frames_of(const FrontEndTables&, std::span<const int16_t> sound);
int64_t pieces_before_frames(const FrontEndTables&);  // without a frame: the window is not full
int frame_values(const FrontEndTables&);              // of a frame

}  // namespace condenser::data
