// Normalization Form C, in time linear in the text however many marks pile up on one letter.
//   source   Unicode Standard Annex 15; the data stop at Unicode 9.0, as in Hugging Face `tokenizers` (unicode.h)
#pragma once

#include <string>
#include <string_view>

namespace qn::text {

// True where NFC neither changes the character nor lets its neighbours change it: whole text of such characters is in NFC.
bool is_nfc_inert(char32_t c);

// False only where nfc(text) == text is certain. Cheap: English costs eight bytes a step.
bool may_need_nfc(std::string_view text);

std::string nfc(std::string_view text);  // text is valid UTF-8

}  // namespace qn::text
