#include <algorithm>

#include "base/utf8.h"
#include "text/tokenizer/tokenizer.h"

namespace qn::text {

std::string StreamDecoder::push(TokenId id) {
  const bool spelled = with_specials_ || std::find(spelled_.begin(), spelled_.end(), id) != spelled_.end();
  held_ += spelled && tokenizer_->is_special(id) ? tokenizer_->special_text(id) : tokenizer_->bytes_of(id);
  if (first_ && !held_.empty()) {
    // SentencePiece puts a space before the text that it encodes; decoding takes it off again.
    const VocabSpec& spec = tokenizer_->spec();
    if (spec.kind == VocabKind::sentencepiece_bpe && spec.add_space_prefix && held_[0] == ' ') held_.erase(0, 1);
    first_ = false;
  }
  const std::size_t whole = utf8::complete_prefix(held_);
  std::string out = utf8::replace_invalid(std::string_view(held_).substr(0, whole));
  held_.erase(0, whole);
  return out;
}

std::string StreamDecoder::finish() {
  std::string out = utf8::replace_invalid(held_);
  held_.clear();
  return out;
}

}  // namespace qn::text
