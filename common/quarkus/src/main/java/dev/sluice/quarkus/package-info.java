/** What every Sluice service on Quarkus shares: configuration, the broker connection, health of readers, life line. */
@NullMarked
package dev.sluice.quarkus;

import org.jspecify.annotations.NullMarked;
