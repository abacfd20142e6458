/** The services of one machine as child processes: started, supervised and stopped in order. */
@NullMarked
package dev.sluice.cli.stack;

import org.jspecify.annotations.NullMarked;
