/** Whether a node can run what is asked of it, before anything is started there. */
@NullMarked
package dev.sluice.cli.doctor;

import org.jspecify.annotations.NullMarked;
