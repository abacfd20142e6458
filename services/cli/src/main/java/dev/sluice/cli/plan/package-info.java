/** What {@code sluice plan} shows a person: how a request will run, or why it cannot. Pure text, no terminal. */
@NullMarked
package dev.sluice.cli.plan;

import org.jspecify.annotations.NullMarked;
