// The readers there are: the folder's registry of formats with kernels of their own. Included last by kernels_<isa>.cpp.
#pragma once

#include "backend/cpu/kernels_readers.h"
#include "backend/cpu/kernels_readers_iq.h"

namespace qn::cpu {
namespace {

constexpr Reader readers[] = {
    reader_of<ReadQ4_0>(),    reader_of<ReadQ4_1>(),  reader_of<ReadQ5_0>(),    reader_of<ReadQ5_1>(),   reader_of<ReadQ8_0>(),
    reader_of<ReadQ2_K>(),    reader_of<ReadQ3_K>(),  reader_of<ReadQ4_K>(),    reader_of<ReadQ5_K>(),   reader_of<ReadQ6_K>(),
    reader_of<ReadIQ1_S>(),   reader_of<ReadIQ1_M>(), reader_of<ReadIQ2_XXS>(), reader_of<ReadIQ2_XS>(), reader_of<ReadIQ2_S>(),
    reader_of<ReadIQ3_XXS>(), reader_of<ReadIQ3_S>(), reader_of<ReadIQ4_NL>(),  reader_of<ReadIQ4_XS>(), reader_of<ReadTQ1_0>(),
    reader_of<ReadTQ2_0>(),   reader_of<ReadMXFP4>(),
};

}  // namespace
}  // namespace qn::cpu
