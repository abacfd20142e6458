/** Runs as a client sees them: a request goes out, events come back. */
@NullMarked
package dev.sluice.cli.run;

import org.jspecify.annotations.NullMarked;
