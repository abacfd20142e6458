/** Python pickles as inert data: read without running anything, and written as Python's own pickler would. */
@org.jspecify.annotations.NullMarked
package dev.sluice.checkpoint.pickle;
