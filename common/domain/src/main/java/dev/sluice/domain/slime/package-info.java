/** Makes requests of slime's launch scripts: which flags have a place in a request, and what of the others is lost. */
@NullMarked
package dev.sluice.domain.slime;

import org.jspecify.annotations.NullMarked;
