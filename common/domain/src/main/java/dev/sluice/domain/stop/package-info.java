/** What ends an output, besides tokens and texts. */
@NullMarked
package dev.sluice.domain.stop;

import org.jspecify.annotations.NullMarked;
