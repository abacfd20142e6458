/** The sluice command: one small class a command; what they share is in {@code stack} and {@code run}. */
@NullMarked
package dev.sluice.cli;

import org.jspecify.annotations.NullMarked;
