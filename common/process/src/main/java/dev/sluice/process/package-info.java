/** Child processes that cannot be forgotten: life lines, process groups, pid files, port leases. */
@NullMarked
package dev.sluice.process;

import org.jspecify.annotations.NullMarked;
