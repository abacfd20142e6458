/** How long results of groups stay in their log. */
@NullMarked
package dev.sluice.domain.retention;

import org.jspecify.annotations.NullMarked;
