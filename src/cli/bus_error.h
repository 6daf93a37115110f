// Weights are used where the file is mapped. If someone shortens the file meanwhile, or its disk fails, the next access is a SIGBUS, and
// there is nothing to go on with: the program then says so and ends with exit_failure, in place of dying without a word.
#pragma once

namespace qn::cli {

void explain_bus_errors();  // once, in main()

}  // namespace qn::cli
