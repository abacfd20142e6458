/** Projections of the topics for people: a live page, its JSON, and Prometheus figures. Nothing here is ever written back. */
@NullMarked
package dev.sluice.dashboard;

import org.jspecify.annotations.NullMarked;
