/**
 * Exact argument lists and environment of the programs that train and sample: Megatron under torchrun and {@code
 * sglang.launch_server}, each in the spelling of the declared version. Nothing else is ever passed to them: flags and
 * variables come from closed lists (the tables beside this package), and none of those names a file or loads code.
 */
@NullMarked
package dev.sluice.domain.arguments;

import org.jspecify.annotations.NullMarked;
