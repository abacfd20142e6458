/**
 * Every event that crosses a topic, the types inside them, and {@link dev.sluice.events.Topics}, the only place where a
 * topic is described.
 */
@NullMarked
package dev.sluice.events;

import org.jspecify.annotations.NullMarked;
