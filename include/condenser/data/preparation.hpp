#pragma once
// What stands before a network, where it is not as a card says: size and colour of pictures, front-end of sounds.

#include <string>

#include "condenser/core/config.hpp"
#include "condenser/data/card.hpp"

namespace condenser::data {

// What is not said stays as the card has it.
struct Preparation {
  int size = 0;          // of pictures: height in pixels, the width in proportion; 0: the card's
  std::string colour;    // of pictures: grey, rgb; empty: the card's
  int coefficients = 0;  // of sounds: MFCC; 0: the card's
  double stride_ms = 0;  // of sounds: from frame to frame; 0: the card's
  bool operator==(const Preparation&) const = default;
};
// The keys size, colour and front_end of the section that says what to learn from.
void read_options(core::config::Reader&, Preparation&);

// The card of the data so prepared: opening a split of it, or a single file, gives them. Pictures are prepared from
// what their files hold, by the resize of every picture of a folder; statistics of one channel are those of three,
// weighted as their brightness is; those of sounds stay. Throws core::Error for what the data cannot be: larger than
// the pictures that one file holds, coloured when these are grey, a front-end for what are no sounds.
Card prepare(const Card&, const Preparation&);

}  // namespace condenser::data
