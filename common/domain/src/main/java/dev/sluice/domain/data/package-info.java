/** Prompt files. */
@NullMarked
package dev.sluice.domain.data;

import org.jspecify.annotations.NullMarked;
