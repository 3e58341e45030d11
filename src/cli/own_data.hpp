#pragma once
// What lies in a folder of one's own data, as far as a first run file has to know it.

#include <filesystem>
#include <string>

#include "condenser/data/card.hpp"

namespace condenser::cli {

struct OwnData {
  enum Kind { Pictures, Sounds, Features } kind = Pictures;
  std::filesystem::path place;  // the folder, the table, or the card
  data::ItemShape shape;        // that suits what was found; of a card: its own
  int64_t classes = 0;
  int64_t items = 0;           // to learn from; 0: the data of a card are not at hand
  bool noise = false;          // sounds: recordings of noise, or of silence, that training can mix in
  bool uneven = false;         // classes of very different size
  double reading_seconds = 0;  // to decode all pictures once, by those that were looked at
  std::string found;           // in words: "120 pictures of 28x28 to 40x36, grey, 3 classes"
  std::string card;            // the text of a card that the data still need; empty: none
};

// A folder with pictures (JPEG, PNG) or sounds (WAV) in <class>/, or in <part>/<class>/, or a table of pictures.
// `side`: the most that pictures are brought to. Looks at some of the files. Throws core::Error for a folder that holds
// neither, or both.
OwnData look_at(const std::filesystem::path& folder_or_table, int side);
OwnData look_at_card(const std::filesystem::path& card);

}  // namespace condenser::cli
