// What an importance matrix says of each weight: how strongly its inputs are used, and how unevenly.
#pragma once

#include <string>

#include "file/quantize/importance.h"

namespace qn::cli {

// A table, the weight with the strongest inputs first.
std::string importance_statistics(const file::ImportanceMatrix& matrix);

}  // namespace qn::cli
