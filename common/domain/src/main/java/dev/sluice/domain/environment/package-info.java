/** What answers a model's turns in a conversation: tools and other environments. */
@NullMarked
package dev.sluice.domain.environment;

import org.jspecify.annotations.NullMarked;
