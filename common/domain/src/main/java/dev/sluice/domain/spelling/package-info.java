/** What was probably meant. */
@NullMarked
package dev.sluice.domain.spelling;

import org.jspecify.annotations.NullMarked;
