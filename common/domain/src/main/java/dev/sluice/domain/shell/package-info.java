/** Reads bash scripts as text: what their commands would be given, without running any of them. */
@NullMarked
package dev.sluice.domain.shell;

import org.jspecify.annotations.NullMarked;
