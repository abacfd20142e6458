/** Requests: reading them strictly, defaults, and rules that look at several values or at the world. */
@NullMarked
package dev.sluice.domain.request;

import org.jspecify.annotations.NullMarked;
