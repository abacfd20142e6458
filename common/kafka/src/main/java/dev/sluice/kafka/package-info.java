/** Events on topics with kafka-clients: one codec, one log writer for facts that belong together, one reader for each kind of reading. */
@NullMarked
package dev.sluice.kafka;

import org.jspecify.annotations.NullMarked;
